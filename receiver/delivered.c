/* delivered.c - which objects need not be gathered again (delivered.h): a ring
 * of entries in order of age, chained into buckets. */
#include "receiver/delivered.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	uint8_t id[16];
	uint32_t sender;
	uint32_t next; /* in the bucket, 1-based; 0 = end */
	uint32_t used;
};

struct delivered {
	uint32_t room, at; /* at: the entry that makes room next */
	uint32_t *bucket;  /* room of them */
	struct entry *entry;
};

struct delivered *delivered_new(uint32_t room)
{
	struct delivered *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->room = room;
	d->bucket = calloc(room, sizeof(*d->bucket));
	d->entry = calloc(room, sizeof(*d->entry));
	if (d->bucket == NULL || d->entry == NULL) {
		delivered_free(d);
		return NULL;
	}
	return d;
}

void delivered_free(struct delivered *d)
{
	if (d == NULL)
		return;
	free(d->bucket);
	free(d->entry);
	free(d);
}

static uint32_t slot(const struct delivered *d, uint32_t sender, const uint8_t *id)
{
	uint64_t h;

	memcpy(&h, id, sizeof(h)); /* ids are random */
	h = (h ^ sender) * 0x9E3779B97F4A7C15u;
	return (uint32_t)((h >> 32) % d->room);
}

/* The link that points at the entry, or at the end of the bucket. */
static uint32_t *find(const struct delivered *d, uint32_t sender, const uint8_t *id)
{
	uint32_t *p = &d->bucket[slot(d, sender, id)];

	while (*p != 0) {
		struct entry *e = &d->entry[*p - 1];
		if (e->sender == sender && memcmp(e->id, id, 16) == 0)
			break;
		p = &e->next;
	}
	return p;
}

bool delivered_has(const struct delivered *d, uint32_t sender, const uint8_t id[static 16])
{
	return *find(d, sender, id) != 0;
}

void delivered_remove(struct delivered *d, uint32_t sender, const uint8_t id[static 16])
{
	uint32_t *p = find(d, sender, id);

	if (*p != 0) {
		struct entry *e = &d->entry[*p - 1];
		*p = e->next;
		e->used = 0;
	}
}

void delivered_add(struct delivered *d, uint32_t sender, const uint8_t id[static 16])
{
	struct entry *e = &d->entry[d->at];
	uint32_t *p;

	if (delivered_has(d, sender, id))
		return;
	if (e->used)
		delivered_remove(d, e->sender, e->id);
	memcpy(e->id, id, 16);
	e->sender = sender;
	e->used = 1;
	p = &d->bucket[slot(d, sender, id)];
	e->next = *p;
	*p = d->at + 1;
	d->at = (d->at + 1) % d->room;
}
