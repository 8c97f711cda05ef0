/* replay.c - see replay.h */
#include "core/replay.h"

#include <string.h>

static uint64_t *word(struct replay *r, uint64_t pn)
{
	return &r->bits[pn % REPLAY_BITS / 64];
}

static uint64_t mask(uint64_t pn)
{
	return (uint64_t)1 << pn % 64;
}

void replay_init(struct replay *r)
{
	memset(r, 0, sizeof *r);
}

bool replay_fresh(const struct replay *r, uint64_t pn)
{
	if (pn == 0)
		return false;
	if (pn > r->top)
		return true;
	if (r->top - pn >= REPLAY_BITS)
		return false;
	return (r->bits[pn % REPLAY_BITS / 64] & mask(pn)) == 0;
}

void replay_mark(struct replay *r, uint64_t pn)
{
	/* A number below the window shares its bit with one inside. */
	if (pn == 0 || (pn <= r->top && r->top - pn >= REPLAY_BITS))
		return;
	if (pn > r->top && pn - r->top >= REPLAY_BITS) {
		memset(r->bits, 0, sizeof r->bits);
	} else if (pn > r->top) {
		/* The bits of the numbers that are passed over still say what
		 * was REPLAY_BITS before them. */
		for (uint64_t i = r->top + 1; i <= pn;) {
			if (i % 64 == 0 && pn - i >= 63) {
				*word(r, i) = 0;
				i += 64;
			} else {
				*word(r, i) &= ~mask(i);
				i++;
			}
		}
	}
	if (pn > r->top)
		r->top = pn;
	*word(r, pn) |= mask(pn);
}
