/* fec_set.h - a working set of blocks for bench_fec.c, and the time that work on
 * it takes. */
#ifndef KATAMICHI_BENCH_FEC_SET_H
#define KATAMICHI_BENCH_FEC_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct set {
	uint32_t k, m, blocks;
	size_t len;
	uint8_t *data, *parity, *room, *work;
	const uint8_t **src;     /* k of one block */
	uint8_t **out;           /* m of one block */
	uint8_t **lost;          /* k, room to decode into */
	const uint8_t **given;
	uint32_t *pnum;
	bool *gone;              /* k */
	uint32_t losses;
};

/* n bytes aligned to 64, touched, or the end of the program; free() them. */
void *fec_set_need(size_t n);

/* Blocks of k symbols of len bytes, `bytes` altogether but one at least, with room
 * for the parity and for work. */
struct set fec_set_new(uint32_t k, uint32_t m, size_t len, size_t bytes);
void fec_set_free(struct set *s);

/* Lose n source symbols, here and there; the same in every block. */
void fec_set_lose(struct set *s, uint32_t n);

/* r parity symbols of block b; its lost symbols from the first r; copying as many
 * bytes.  fec_set_check(): the program ends where block b was not decoded. */
void fec_set_encode(struct set *s, uint32_t b, uint32_t r);
void fec_set_decode(struct set *s, uint32_t b, uint32_t r);
void fec_set_copy(struct set *s, uint32_t b, uint32_t r);
void fec_set_check(const struct set *s, uint32_t b);

/* GB/s of source of the best pass over the set, after `seconds` of passes and at
 * least three. */
double fec_set_best(struct set *s, void (*work)(struct set *, uint32_t, uint32_t),
    uint32_t r, double seconds);

/* The same by ISA-L: its speed at encoding all M, and for each number of losses
 * at decoding.  false: not built with it. */
bool fec_isal(struct set *s, const uint32_t losses[3], double seconds, double *encode,
    double decode[3]);

#endif
