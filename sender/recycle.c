/* recycle.c - see recycle.h. */
#include "sender/recycle.h"

#include <stdlib.h>
#include <string.h>

#include "host/big.h"

enum {
	WORTH_KEEPING = 64 << 10, /* bytes */
	LARGER = 4,               /* times as large as what was asked for: no more */
};

bool recycle_fits(const struct recycle *r, size_t n)
{
	return r->lent <= r->most && n <= r->most - r->lent;
}

static void drop(struct recycle_piece *p)
{
	free(p->at);
	memset(p, 0, sizeof(*p));
}

/* Before n bytes more are had: what is kept, and serves nobody now, does not come on top of them. */
static void make_room(struct recycle *r, size_t n)
{
	size_t all = r->lent + n;

	for (unsigned i = 0; i < RECYCLE_KEPT; i++)
		all += r->kept[i].room;
	for (unsigned i = 0; i < RECYCLE_KEPT && all > r->most; i++) {
		all -= r->kept[i].room;
		drop(&r->kept[i]);
	}
}

struct recycle_piece recycle_take(struct recycle *r, size_t n)
{
	struct recycle_piece *best = NULL, p = { NULL, n };

	for (unsigned i = 0; i < RECYCLE_KEPT; i++)
		if (r->kept[i].room >= n && r->kept[i].room / LARGER <= n && (best == NULL || r->kept[i].room < best->room))
			best = &r->kept[i];
	if (best != NULL) {
		p = *best;
		memset(best, 0, sizeof(*best));
	} else {
		make_room(r, n);
		p.at = big_alloc(n);
		if (p.at == NULL)
			p.room = 0;
	}
	r->lent += p.room;
	return p;
}

/* In place of the smallest that is kept. */
void recycle_give(struct recycle *r, struct recycle_piece *p)
{
	struct recycle_piece *least = &r->kept[0];

	r->lent -= p->room;
	for (unsigned i = 1; i < RECYCLE_KEPT; i++)
		if (r->kept[i].room < least->room)
			least = &r->kept[i];
	if (p->room < WORTH_KEEPING || p->room <= least->room) {
		drop(p);
		return;
	}
	drop(least);
	*least = *p;
	memset(p, 0, sizeof(*p));
}

void recycle_end(struct recycle *r)
{
	for (unsigned i = 0; i < RECYCLE_KEPT; i++)
		drop(&r->kept[i]);
}
