/* gather.h - the source bytes of a group of blocks, where they lie: pieces of
 * the window (host/window.h) that are kept as long as the group is being sent, and
 * memory of the group's own for what is not there.  So what was sealed just now is
 * neither read nor copied (0.1 CPU s per GB, measured).  A symbol is in one run of
 * bytes: one that two pieces share is put together. */
#ifndef KM_GATHER_H
#define KM_GATHER_H

#include <stddef.h>
#include <stdint.h>

#include "host/window.h"

struct gather_from {
	int fd;                      /* the sealed object */
	uint64_t key;                /* what it is called in the window */
	uint64_t len;                /* bytes of it; 0: not known, and there is more of it than anybody asks for */
	const struct window *window; /* or NULL */
};

/* Bytes [at, at + room) to memory + at % DISK_ALIGN, zeros past the object's end.  Where the file is read past the page
 * cache that takes aligned pieces, so up to DISK_ALIGN more on both sides.  0, or -1: they cannot be had. */
int gather_read(const struct gather_from *f, uint8_t *memory, uint64_t at, size_t room) __attribute__((warn_unused_result));

struct gather; /* lies in the memory that it is given */

/* What a group of `room` bytes, in symbols of slen, needs, wherever it begins; most of it is touched only where the
 * window has not got what is asked for.  Aligned to DISK_ALIGN. */
size_t gather_size(size_t room, uint32_t slen);
/* A group from `start` on; room: at most GATHER_MAX. */
enum { GATHER_MAX = 80 << 20 };
struct gather *gather_begin(uint8_t *memory, uint64_t start, size_t room, uint32_t slen);
/* Piece after piece, from 0 on: */
unsigned gather_pieces(const struct gather *g);
enum gather_got { GATHER_FAILED = -1, GATHER_KEPT, GATHER_READ };
enum gather_got gather_piece(struct gather *g, const struct gather_from *f, unsigned i) __attribute__((warn_unused_result));
/* Bytes of the group that are there with this piece. */
size_t gather_have(const struct gather *g, unsigned i);
/* The symbol whose first byte is number `at` of the group, once it is there. */
const uint8_t *gather_symbol(const struct gather *g, size_t at);
/* No symbol is looked at any more. */
void gather_end(struct gather *g);

#endif
