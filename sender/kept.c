/* kept.c - see kept.h. */
#include "sender/kept.h"

#include <stdlib.h>

#include "host/big.h"

void kept_make(struct kept_room *room)
{
	uint8_t *p = big_alloc((size_t)KEPT_BLOCKS_MAX * KEPT_BLOCK);

	if (p == NULL)
		return;
	big_make(p, (size_t)KEPT_BLOCKS_MAX * KEPT_BLOCK);
	room->whole = p;
	for (; room->made < KEPT_BLOCKS_MAX; room->made++) {
		struct kept_block *b = (struct kept_block *)(void *)(p + (size_t)room->made * KEPT_BLOCK);
		b->next = room->free;
		room->free = b;
	}
}

static struct kept_block *fresh(struct kept_room *room)
{
	struct kept_block *b = room->free;

	if (b != NULL)
		room->free = b->next;
	else if (room->made < KEPT_BLOCKS_MAX && (b = big_alloc(KEPT_BLOCK)) != NULL)
		room->made++;
	return b;
}

uint8_t *kept_take(struct kept *k, struct kept_room *room, size_t n)
{
	struct kept_block *b = k->first;

	if (n > KEPT_FILE_MAX)
		return NULL;
	if (b == NULL || n > KEPT_BLOCK - sizeof(*b) - b->used) {
		b = fresh(room);
		if (b == NULL)
			return NULL;
		b->next = k->first;
		b->used = 0;
		k->first = b;
		k->room = room;
	}
	b->used += n;
	return b->bytes + b->used - n;
}

void kept_end(struct kept *k)
{
	while (k->first != NULL) {
		struct kept_block *b = k->first;
		k->first = b->next;
		b->next = k->room->free;
		k->room->free = b;
	}
}

void kept_room_end(struct kept_room *room)
{
	while (room->free != NULL) {
		struct kept_block *b = room->free;
		room->free = b->next;
		if (room->whole == NULL)
			free(b);
	}
	free(room->whole);
	room->whole = NULL;
	room->made = 0;
}
