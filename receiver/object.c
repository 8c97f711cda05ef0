/* object.c - one object being gathered (object.h). */
#include "receiver/object.h"

#include <stdlib.h>
#include <string.h>

/* Grow *p from old to room bytes, zeroed, within the budget. */
static int grow(void **p, uint64_t old, uint64_t room, struct object_budget *b)
{
	void *q;

	if (room <= old)
		return 0;
	if (room - old > b->max - b->used || (q = realloc(*p, room)) == NULL)
		return -1;
	memset((uint8_t *)q + old, 0, room - old);
	b->used += room - old;
	*p = q;
	return 0;
}

/* How far to grow: the whole object where its length is known, else twice
 * what is needed, so that a stream costs few copies. */
static uint64_t room_for(uint64_t need, uint64_t all)
{
	return all != 0 ? all : need + need;
}

int object_reach(struct object *o, struct object_budget *b, uint32_t block)
{
	uint64_t blocks = (uint64_t)block + 1, room = blocks > o->block_room ? room_for(blocks, o->geo.blocks) : o->block_room;
	/* Bits for all blocks that have room, so that one check serves both. */
	uint64_t bytes = (o->geo.len != 0 ? o->geo.symbols : room * o->geo.kfull) / 8 + 1;
	uint64_t more = (room - o->block_room) * sizeof(struct block) + (bytes > o->bits_room ? bytes - o->bits_room : 0);
	void *p;

	/* All of it or none: zeroing megabytes, only to find that the rest is not to be had, would cost more than any datagram may. */
	if (room > UINT32_MAX || more > b->max - b->used)
		return -1;
	if (blocks > o->block_room) {
		p = o->block;
		if (grow(&p, o->block_room * sizeof(struct block), room * sizeof(struct block), b) != 0)
			return -1;
		o->block = p;
		for (uint64_t i = o->block_room; i < room; i++)
			o->block[i].mlog = OBJECT_MLOG_UNKNOWN;
		o->block_room = (uint32_t)room;
	}
	if (bytes > o->bits_room) {
		p = o->bits;
		if (grow(&p, o->bits_room, bytes, b) != 0)
			return -1;
		o->bits = p;
		o->bits_room = bytes;
	}
	return 0;
}

bool object_has(const struct object *o, uint64_t symbol)
{
	return symbol / 8 < o->bits_room && (o->bits[symbol / 8] >> (symbol % 8) & 1) != 0;
}

bool object_block_done(const struct object *o, uint32_t block)
{
	return block < o->block_room && o->block[block].have == geometry_k(&o->geo, block);
}

bool object_complete(const struct object *o)
{
	return o->geo.len != 0 && o->blocks_done == o->geo.blocks;
}

void object_dirty(struct object *o, uint64_t first_symbol, uint64_t last_symbol)
{
	uint64_t lo = first_symbol / 8, hi = last_symbol / 8 + 1;

	if (o->dirty_lo >= o->dirty_hi) {
		o->dirty_lo = lo;
		o->dirty_hi = hi;
		return;
	}
	if (lo < o->dirty_lo)
		o->dirty_lo = lo;
	if (hi > o->dirty_hi)
		o->dirty_hi = hi;
}

bool object_set(struct object *o, struct object_budget *b, uint64_t symbol)
{
	uint32_t n = (uint32_t)(symbol / o->geo.kfull);

	o->bits[symbol / 8] = (uint8_t)(o->bits[symbol / 8] | 1u << (symbol % 8));
	object_dirty(o, symbol, symbol);
	o->have++;
	o->block[n].have++;
	if (!object_block_done(o, n))
		return false;
	o->blocks_done++;
	if (!o->block[n].busy) /* else the errand reads them still */
		object_drop_parity(o, b, n);
	return true;
}

void object_unset(struct object *o, uint64_t symbol)
{
	uint32_t n = (uint32_t)(symbol / o->geo.kfull);

	if (object_block_done(o, n))
		o->blocks_done--;
	o->bits[symbol / 8] = (uint8_t)(o->bits[symbol / 8] & ~(1u << (symbol % 8)));
	o->have--;
	o->block[n].have--;
}

void object_drop_parity(struct object *o, struct object_budget *b, uint32_t block)
{
	struct block *k = &o->block[block];

	for (uint32_t i = 0; i < k->parities; i++)
		parity_put(b->pool, k->parity[i].symbol);
	b->used -= k->parity_room * sizeof(*k->parity);
	free(k->parity);
	k->parity = NULL;
	k->parities = k->parity_room = 0;
}

int object_parity(struct object *o, struct object_budget *b, uint32_t block, uint32_t number, const uint8_t *symbol)
{
	struct block *k = &o->block[block];
	struct parity_ref *r;
	void *p;

	/* Some hundred entries, side by side: quicker than any table. */
	for (uint32_t i = 0; i < k->parities; i++)
		if (k->parity[i].number == number)
			return 0;
	if (k->parities == k->parity_room) {
		uint32_t room = k->parity_room == 0 ? 8 : k->parity_room * 2u;
		if (room > UINT16_MAX)
			return -1;
		p = k->parity;
		if (grow(&p, k->parity_room * sizeof(*r), room * sizeof(*r), b) != 0)
			return -1;
		k->parity = p;
		k->parity_room = (uint16_t)room;
	}
	r = &k->parity[k->parities];
	if ((r->symbol = parity_get(b->pool, o->geo.slen)) == NULL)
		return -1;
	memcpy(r->symbol, symbol, o->geo.slen);
	r->number = number;
	k->parities++;
	return 1;
}

/* Is any bit from this symbol on set? */
static bool any_from(const struct object *o, uint64_t symbol)
{
	for (; symbol % 8 != 0; symbol++)
		if (object_has(o, symbol))
			return true;
	for (uint64_t i = symbol / 8; i < o->bits_room; i++)
		if (o->bits[i] != 0)
			return true;
	return false;
}

int object_set_length(struct object *o, struct object_budget *b, uint64_t len)
{
	struct geometry g;
	uint32_t last;

	if (geometry_init(&g, len, o->geo.slen, o->geo.kfull) != 0)
		return -1;
	if (o->geo.len != 0)
		return o->geo.len == len ? 0 : -1;
	if (any_from(o, g.symbols))
		return -1;
	/* Blocks beyond the end, and a last block that turns out shorter, may
	 * hold repair symbols only of a peer that breaks section 3.3. */
	for (last = g.blocks - (g.klast == g.kfull ? 0 : 1); last < o->block_room; last++)
		if (o->block[last].busy)
			return -1;
	for (last = g.blocks - (g.klast == g.kfull ? 0 : 1); last < o->block_room; last++)
		object_drop_parity(o, b, last);
	o->geo = g;
	o->head_dirty = true;
	last = g.blocks - 1;
	if (g.klast != g.kfull && object_block_done(o, last))
		o->blocks_done++;
	return 0;
}

void object_recount(struct object *o)
{
	uint64_t end = o->geo.len != 0 ? o->geo.symbols : (uint64_t)o->block_room * o->geo.kfull;

	o->have = 0;
	o->blocks_done = 0;
	for (uint32_t n = 0; n < o->block_room; n++)
		o->block[n].have = 0;
	for (uint64_t i = 0; i < end; i++) {
		if (i % 8 == 0 && i / 8 < o->bits_room && o->bits[i / 8] == 0) {
			i += 7;
			continue;
		}
		if (!object_has(o, i))
			continue;
		o->have++;
		o->block[i / o->geo.kfull].have++;
	}
	for (uint32_t n = 0; n < o->block_room; n++)
		if (o->block[n].have != 0 && object_block_done(o, n))
			o->blocks_done++;
}

void object_release(struct object *o, struct object_budget *b)
{
	for (uint32_t i = 0; i < o->block_room; i++)
		if (o->block[i].parity_room != 0)
			object_drop_parity(o, b, i);
	b->used -= o->bits_room + (uint64_t)o->block_room * sizeof(struct block);
	free(o->bits);
	free(o->block);
	o->bits = NULL;
	o->block = NULL;
	o->bits_room = o->block_room = 0;
}
