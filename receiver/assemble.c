/* assemble.c - symbols become objects (assemble.h). */
#include "receiver/assemble.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "codec/fec.h"
#include "host/log.h"
#include "receiver/assemble_private.h"
#include "receiver/parts.h"

int assemble_keep(struct assemble *a, struct object *o, uint64_t symbol, const uint8_t *data)
{
	int error;

	if (o->staged) {
		if ((error = stage_put(a->stage, o, symbol, data, a->now_ns)) != 0)
			return error;
	} else {
		if (a->writes == ASSEMBLE_WRITES)
			assemble_write(a);
		a->write[a->writes++] = (struct pending_write){ o, symbol, data };
	}
	object_set(o, &a->budget[o->sender], symbol);
	return 0;
}

/* A block that has enough is repaired after the batch is written. */
static void note_ready(struct assemble *a, struct object *o, uint32_t number)
{
	struct block *b = &o->block[number];
	uint32_t k = geometry_k(&o->geo, number);

	if (b->busy || b->have >= k || (uint32_t)b->have + b->parities < k)
		return;
	if (a->readies == ASSEMBLE_WRITES)
		assemble_write(a);
	a->ready[a->readies++] = (struct ready_block){ o, number };
}

static enum link_counter take_symbol(struct assemble *a, struct object *o, const struct frame_symbol *s, const uint8_t *data)
{
	int error = assemble_keep(a, o, (uint64_t)s->block * o->geo.kfull + s->symbol, data);

	if (error == 0) {
		note_ready(a, o, s->block);
		return LC_TAKEN;
	}
	assemble_disk_trouble(a, error);
	return LC_DISK;
}

static enum link_counter take_parity(struct assemble *a, struct object *o, const struct frame_symbol *s, const uint8_t *data)
{
	switch (object_parity(o, &a->budget[o->sender], s->block, (uint32_t)s->symbol - s->k, data)) {
	case 1:
		note_ready(a, o, s->block);
		return LC_TAKEN;
	case 0:
		return LC_DUPLICATE;
	default:
		return LC_PARITY;
	}
}

/* Does the symbol fit what is known of its object and its block?  Learns the
 * length and M. */
static enum link_counter reconcile(struct assemble *a, struct object *o, const struct frame_symbol *s)
{
	struct block *b;
	uint8_t mlog = 0;

	if (o->geo.slen != s->slen || o->geo.kfull != s->kfull)
		return LC_CONTRADICT;
	if (s->object_len != 0 && s->object_len != o->geo.len) {
		if (s->object_len > a->limits.object)
			return LC_LIMIT;
		if (s->object_len < o->lead_told * STAGE_CHUNK) /* the store has been told of more, and open may have read it */
			return LC_CONTRADICT;
		if (object_set_length(o, &a->budget[o->sender], s->object_len) != 0)
			return LC_CONTRADICT;
	}
	if (geometry_k(&o->geo, s->block) != s->k) /* sent before the length was known, and wrong */
		return LC_CONTRADICT;
	if (o->geo.len == 0 && ((uint64_t)s->block * s->kfull + s->symbol) * s->slen > a->limits.object)
		return LC_LIMIT;
	if (object_reach(o, &a->budget[o->sender], s->block) != 0)
		return LC_OBJECTS;
	while ((1u << mlog) < s->m)
		mlog++;
	b = &o->block[s->block];
	if (b->mlog == OBJECT_MLOG_UNKNOWN)
		b->mlog = mlog;
	return b->mlog == mlog ? LC_TAKEN : LC_CONTRADICT;
}

static enum link_counter begin(struct assemble *a, uint32_t sender, const struct frame_symbol *s, uint64_t now_ns, struct object **out)
{
	struct geometry g;

	if ((uint64_t)s->kfull * s->slen > ASSEMBLE_BLOCK_MAX || s->object_len > a->limits.object)
		return LC_LIMIT;
	if (geometry_init(&g, s->object_len, s->slen, s->kfull) != 0)
		return LC_GEOMETRY;
	if (!assemble_has_room(a, sender, now_ns))
		return LC_OBJECTS;
	if (a->slots == 0)
		return LC_SLOT;
	*out = assemble_add(a, &a->slot[a->slots - 1], sender, s->id, &g);
	if (*out == NULL)
		return LC_OBJECTS;
	a->slots--;
	(*out)->head_dirty = true;
	return LC_TAKEN;
}

/* The sender cuts the object anew, and what was gathered of the old cut is of no
 * use.  Only after a pause, so that a sender cannot make us throw away and begin
 * again with every datagram. */
static bool recut(struct assemble *a, struct object *o, const struct frame_symbol *s, uint64_t now_ns)
{
	if ((o->geo.slen == s->slen && o->geo.kfull == s->kfull) || o->state != OBJECT_GATHERING ||
	    object_alone_ns(o, now_ns) < ASSEMBLE_RECUT_NS)
		return false;
	assemble_write(a);
	return assemble_discard(a, o);
}

enum link_counter assemble_symbol(struct assemble *a, uint32_t sender, const struct frame_symbol *s, const uint8_t *data,
    uint64_t now_ns)
{
	struct object *o;
	enum link_counter c;
	bool fresh = false;

	if (sender >= a->senders || fec_check(s->k, s->m, s->slen) != FEC_OK)
		return LC_GEOMETRY;
	if (delivered_has(a->delivered, sender, s->id))
		return LC_DELIVERED;
	if (a->disk_full)
		return LC_DISK;
	if ((o = assemble_find(a, sender, s->id)) == NULL || recut(a, o, s, now_ns)) {
		if ((c = begin(a, sender, s, now_ns, &o)) != LC_TAKEN)
			return c;
		fresh = true;
	}
	if (o->state != OBJECT_GATHERING)
		return LC_DELIVERED;
	if ((c = reconcile(a, o, s)) != LC_TAKEN) {
		if (fresh)
			assemble_withdraw(a, o); /* what brings nothing holds nothing */
		return c;
	}
	o->touched_ns = now_ns;
	if (o->block[s->block].busy || object_block_done(o, s->block))
		c = LC_DUPLICATE;
	else if (s->symbol >= s->k)
		c = take_parity(a, o, s, data);
	else if (object_has(o, (uint64_t)s->block * o->geo.kfull + s->symbol))
		c = LC_DUPLICATE;
	else
		c = take_symbol(a, o, s, data);
	/* A symbol that told the length may be the last that was missing. */
	if (object_complete(o) && !o->listed) {
		o->listed = true;
		o->next_whole = a->whole;
		a->whole = o;
	}
	return c;
}

bool assemble_holds(const struct assemble *a)
{
	return a->writes > 0;
}

bool assemble_has_whole(const struct assemble *a)
{
	return a->whole != NULL;
}

static int by_place(const void *x, const void *y)
{
	const struct pending_write *a = x, *b = y;

	if (a->object != b->object)
		return a->object->slot < b->object->slot ? -1 : 1;
	return a->symbol < b->symbol ? -1 : a->symbol > b->symbol;
}

/* Symbols w[0..n-1] are consecutive in one object: one write. */
static void write_run(struct assemble *a, const struct pending_write *w, uint32_t n)
{
	struct iovec iov[ASSEMBLE_RUN];
	struct object *o = w->object;
	size_t all = 0;
	ssize_t got;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t at = w[i].symbol * o->geo.slen, len = o->geo.slen;
		if (o->geo.len != 0 && o->geo.len - at < len)
			len = o->geo.len - at; /* what reaches past the end is not part of the object */
		iov[i].iov_base = (void *)(uintptr_t)w[i].data;
		iov[i].iov_len = (size_t)len;
		all += (size_t)len;
	}
	do
		got = pwritev(o->data_fd, iov, (int)n, (off_t)(w->symbol * o->geo.slen));
	while (got < 0 && errno == EINTR);
	if (got == (ssize_t)all)
		return;
	/* Disk full, or worse: these symbols count as lost; a later round
	 * brings them again.  (Some may have been written: that does no harm.) */
	assemble_disk_trouble(a, got < 0 ? errno : ENOSPC);
	a->counter[LC_DISK] += n;
	a->counter[LC_TAKEN] -= n;
	for (uint32_t i = 0; i < n; i++)
		object_unset(o, w[i].symbol);
}

void assemble_write(struct assemble *a)
{
	uint32_t end;
	bool sorted = true;

	for (uint32_t i = 1; i < a->writes && sorted; i++)
		sorted = by_place(&a->write[i - 1], &a->write[i]) < 0;
	if (!sorted)
		qsort(a->write, a->writes, sizeof(a->write[0]), by_place);
	for (uint32_t i = 0; i < a->writes; i = end) {
		for (end = i + 1; end < a->writes && end - i < ASSEMBLE_RUN; end++)
			if (a->write[end].object != a->write[i].object ||
			    a->write[end].symbol != a->write[end - 1].symbol + 1)
				break;
		write_run(a, &a->write[i], end - i);
	}
	a->writes = 0;
	for (uint32_t i = 0; i < a->readies; i++)
		assemble_repair(a, a->ready[i].object, a->ready[i].block);
	a->readies = 0;
	while (a->whole != NULL) {
		struct object *o = a->whole;
		a->whole = o->next_whole;
		o->listed = false;
		if (object_complete(o) && o->state == OBJECT_GATHERING)
			assemble_whole(a, o);
	}
}
