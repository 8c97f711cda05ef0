/* assemble_load.c - part files as store gives them to assemble.h: fresh ones
 * wait for an object, those from before a restart are taken up again. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/clock.h"
#include "receiver/assemble_private.h"
#include "receiver/parts.h"

static void stray(struct assemble *a, const struct ready_slot *s)
{
	struct msg_object m = { .slot = s->slot };

	close(s->data_fd);
	close(s->map_fd);
	if (s->direct_fd >= 0)
		close(s->direct_fd);
	if (!a->sink->discard(a->ctx, &m) && a->strays < ASSEMBLE_SLOTS)
		a->stray[a->strays++] = *s;
}

static int load_bits(struct assemble *a, struct object *o, uint64_t map_bytes)
{
	uint64_t n, blocks = o->geo.blocks;

	if (o->geo.len == 0)
		blocks = (map_bytes * 8 + o->geo.kfull - 1) / o->geo.kfull;
	if (blocks > UINT32_MAX || (blocks > 0 && object_reach(o, &a->budget[o->sender], (uint32_t)blocks - 1) != 0))
		return -1;
	n = map_bytes < o->bits_room ? map_bytes : o->bits_room;
	if (n != 0 && pread(o->map_fd, o->bits, n, PARTS_HEAD_LEN) != (ssize_t)n)
		return -1;
	/* Bits past the end are not of our making: clear them. */
	uint64_t end = o->geo.len != 0 ? o->geo.symbols : blocks * o->geo.kfull;
	for (uint64_t i = end; i < o->bits_room * 8; i++)
		o->bits[i / 8] = (uint8_t)(o->bits[i / 8] & ~(1u << (i % 8)));
	object_recount(o);
	return 0;
}

/* How long ago something came last, as the map's file says: by the wall clock, which may be wrong (clock.h), so an object has
 * a thirtieth of its time left in any case. */
static uint64_t alone_ns(const struct assemble *a, const struct stat *map)
{
	const uint64_t most = a->limits.stale_ns - a->limits.stale_ns / 30;
	int64_t s = (int64_t)(clock_wall_ms() / 1000) - map->st_mtim.tv_sec;

	if (s <= 0)
		return 0;
	return (uint64_t)s < most / 1000000000u ? (uint64_t)s * 1000000000u : most;
}

static int load(struct assemble *a, const struct ready_slot *s, const struct parts_head *h, uint64_t now_ns)
{
	struct object *o;
	struct stat st;
	uint32_t sender = 0;

	while (sender < a->senders && memcmp(a->key_id[sender], h->sender, 8) != 0)
		sender++;
	if (sender == a->senders || assemble_find(a, sender, h->id) != NULL || delivered_has(a->delivered, sender, h->id) ||
	    (uint64_t)h->geo.kfull * h->geo.slen > ASSEMBLE_BLOCK_MAX || fstat(s->map_fd, &st) != 0 ||
	    st.st_size < PARTS_HEAD_LEN || h->geo.len > a->limits.object || (o = assemble_add(a, s, sender, h->id, &h->geo)) == NULL)
		return -1;
	o->touched_ns = now_ns;
	o->state = OBJECT_WHOLE; /* until it is known that it is not: only then it takes room, and may have to give way */
	if (load_bits(a, o, (uint64_t)st.st_size - PARTS_HEAD_LEN) != 0 || (!object_complete(o) && !assemble_has_room(a, sender, now_ns))) {
		assemble_unlist(a, o);
		o->data_fd = o->map_fd = o->direct_fd = -1; /* the caller's still */
		assemble_release(a, o);
		return -1;
	}
	if (!object_complete(o)) {
		o->state = OBJECT_GATHERING;
		o->touched_ns = now_ns - alone_ns(a, &st);
		return 0;
	}
	if (assemble_fits(a, o))
		assemble_shut(a, o); /* thousands may have been held, and the store, which is starting, listens later */
	assemble_whole(a, o);
	return 0;
}

void assemble_slot(struct assemble *a, uint32_t slot, int data_fd, int map_fd, int direct_fd, uint64_t now_ns)
{
	struct ready_slot s = { slot, data_fd, map_fd, direct_fd };
	struct parts_head h;

	if (parts_read_head(&h, map_fd)) {
		if (load(a, &s, &h, now_ns) != 0)
			stray(a, &s);
	} else if (a->slots < ASSEMBLE_SLOTS) { /* what its data file may have is overwritten or cut off */
		a->slot[a->slots++] = s;
	} else {
		stray(a, &s);
	}
}
