/* fec_job.h - what encoding and decoding share: work memory, strips, points.
 * Internal to fec.c and fec_decode.c. */
#ifndef KATAMICHI_FEC_JOB_H
#define KATAMICHI_FEC_JOB_H

#include "fec_sum.h"

/* Work memory, dealt out piece by piece.  With base NULL it only counts: the
 * sizes that fec_*_work() report are those that are used. */
struct fec_memory {
	uint8_t *base;
	size_t used;
};

/* bytes, aligned to 64; NULL when only counting */
void *fec_deal(struct fec_memory *mem, size_t bytes);

struct fec_job {
	struct fec_form form;
	size_t len;          /* of the caller's symbols */
	uint8_t *zero;
	const uint8_t **table;
	uint8_t *stage;      /* last units of inputs */
	uint8_t *stage_out;  /* last units of outputs */
	uint8_t *rows;       /* rows_size bytes for the rows of a strip */
	size_t rows_size;
};

/* The parts of *job, for at most `outputs` output symbols; rows will be at least
 * `scratch` bytes. */
void fec_deal_job(struct fec_memory *mem, struct fec_job *job, uint32_t k,
    uint32_t m, size_t len, uint32_t outputs, size_t scratch);

/* Where source and parity symbols lie (PROTOCOL.md, section 8.4). */
struct fec_form fec_form_of(uint32_t k, uint32_t m);
unsigned fec_log2_up(uint32_t n);

static inline uint32_t fec_source_point(struct fec_form form, uint32_t i)
{
	return form.parity_low ? (1u << form.t) + i : i;
}

static inline uint32_t fec_parity_point(struct fec_form form, uint32_t j)
{
	return form.parity_low ? j : (1u << form.t) + j;
}

/* Bytes of a strip when `rows` rows of work memory belong to it. */
size_t fec_strip_width(const struct fec_job *job, size_t rows);

/* The width of the strip at byte `at`; a last unit that is not whole is a strip
 * of its own, with less than 64 bytes left. */
size_t fec_strip_at(const struct fec_job *job, size_t at, size_t width);

/* Point the wanted rows of a sum at this strip of the caller's symbols, and
 * afterwards bring a last unit from the stage to them. */
void fec_aim(const struct fec_job *job, uint8_t *const *symbol, uint8_t **row,
    uint32_t n, size_t at);
void fec_land(const struct fec_job *job, uint8_t *const *symbol, uint32_t n,
    size_t at);

/* A sum of this job with its cosets listed in in[] and out[]; s as chosen by
 * fec_cost.h.  Strip and rows are still to be set. */
struct fec_sum fec_new_sum(const struct fec_job *job, bool encoding, unsigned s,
    const uint32_t *point, const uint8_t *const *row, uint32_t n,
    const struct fec_want *want, struct fec_coset *in, struct fec_coset *out);

/* Rows of work memory that a sum holds in a strip, and where: returns where the
 * next may begin. */
size_t fec_sum_rows(const struct fec_sum *m);
uint8_t *fec_place(struct fec_sum *m, uint8_t *rows);

/* Not NULL and aligned to 64 */
bool fec_usable(const void *work);

#endif
