/* recycle.h - large pieces of memory that go back and forth: the first touch of fresh
 * memory costs more than what is done with it, so that a piece given back is kept for
 * the next who wants one of about that size.
 *
 * Bounded: lent and kept together are at most `most` bytes as long as whoever takes a
 * piece asks recycle_fits() first.  What must be had in any case is lent beyond it, and
 * then nothing is kept.  A piece that is lent may be up to four times as large as what
 * was asked for; it counts as large as it is.
 *
 * One thread's; the bytes of a piece are whose it is. */
#ifndef KM_RECYCLE_H
#define KM_RECYCLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECYCLE_KEPT = 6 /* pieces */ };

struct recycle_piece {
	uint8_t *at; /* aligned as big_alloc()'s (host/big.h); NULL: nothing */
	size_t room; /* bytes */
};

/* Zero but for `most` is a valid one. */
struct recycle {
	size_t most, lent;
	struct recycle_piece kept[RECYCLE_KEPT];
};

bool recycle_fits(const struct recycle *r, size_t n);
/* At least n bytes, to be given back; .at is NULL if there is no memory. */
struct recycle_piece recycle_take(struct recycle *r, size_t n);
/* *p is then nothing, and may be given once more. */
void recycle_give(struct recycle *r, struct recycle_piece *p);
/* Free what is kept. */
void recycle_end(struct recycle *r);

#endif
