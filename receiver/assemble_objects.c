/* assemble_objects.c - the objects of assemble.h: their files, what the store
 * is told, and when what is due. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/log.h"
#include "receiver/assemble_private.h"
#include "receiver/reserve.h"

static int make_budgets(struct assemble *a)
{
	a->budget = calloc(a->senders + 1, sizeof(*a->budget));
	for (uint32_t i = 0; a->budget != NULL && i < a->senders; i++) {
		a->budget[i].max = a->limits.meta / a->senders;
		a->budget[i].pool = parity_new(a->limits.parity / a->senders);
		if (a->budget[i].pool == NULL)
			return -1;
	}
	return a->budget == NULL ? -1 : 0;
}

struct assemble *assemble_new(const struct assemble_limits *l, const uint8_t (*key_id)[8], uint32_t senders,
    const struct assemble_sink *sink, void *ctx, uint64_t *counter)
{
	struct assemble *a = calloc(1, sizeof(*a));
	int budgets;

	if (a == NULL)
		return NULL;
	a->limits = *l;
	a->sink = sink;
	a->ctx = ctx;
	a->counter = counter;
	a->senders = senders;
	a->key_id = calloc(senders + 1, 8);
	budgets = make_budgets(a);
	a->delivered = delivered_new(l->delivered);
	a->decoding = errands_start();
	a->flushing = errands_start();
	a->stage = stage_new(l->chunks, l->window);
	if (a->key_id == NULL || budgets != 0 || a->delivered == NULL || a->decoding == NULL ||
	    a->flushing == NULL || a->stage == NULL) {
		assemble_free(a);
		return NULL;
	}
	memcpy(a->key_id, key_id, (size_t)senders * 8);
	return a;
}

void assemble_set_object_max(struct assemble *a, uint64_t bytes)
{
	a->limits.object = bytes;
}

static struct object **bucket(const struct assemble *a, const uint8_t *id)
{
	uint32_t h;

	memcpy(&h, id, sizeof(h));
	return (struct object **)&a->bucket[h % ASSEMBLE_HASH];
}

struct object *assemble_find(const struct assemble *a, uint32_t sender, const uint8_t *id)
{
	struct object *o = *bucket(a, id);

	while (o != NULL && (o->sender != sender || memcmp(o->id, id, 16) != 0))
		o = o->next;
	return o;
}

struct object *assemble_add(struct assemble *a, const struct ready_slot *s, uint32_t sender, const uint8_t *id,
    const struct geometry *g)
{
	struct object *o = calloc(1, sizeof(*o)), **b = bucket(a, id);

	if (o == NULL)
		return NULL;
	memcpy(o->id, id, 16);
	o->sender = sender;
	o->slot = s->slot;
	o->data_fd = s->data_fd;
	o->map_fd = s->map_fd;
	o->direct_fd = s->direct_fd;
	o->staged = stage_takes(g->len);
	o->geo = *g;
	o->flushed_ns = a->now_ns; /* most are complete, and delivered, before their map is worth writing */
	o->next = *b;
	*b = o;
	o->next_all = a->all;
	a->all = o;
	a->open++;
	a->budget[sender].files++;
	return o;
}

/* Out of the table: symbols no longer find it. */
void assemble_unlist(struct assemble *a, struct object *o)
{
	struct object **p = bucket(a, o->id);

	while (*p != NULL && *p != o)
		p = &(*p)->next;
	if (*p == o) {
		*p = o->next;
		a->open--;
	}
}

void assemble_shut(struct assemble *a, struct object *o)
{
	if (!o->shut)
		a->budget[o->sender].files--;
	o->shut = true;
	if (o->data_fd >= 0)
		close(o->data_fd);
	if (o->map_fd >= 0)
		close(o->map_fd);
	if (o->direct_fd >= 0)
		close(o->direct_fd);
	o->data_fd = o->map_fd = o->direct_fd = -1;
}

void assemble_release(struct assemble *a, struct object *o)
{
	struct object **p = &a->all;

	while (*p != o)
		p = &(*p)->next_all;
	*p = o->next_all;
	stage_drop(a->stage, o);
	object_release(o, &a->budget[o->sender]);
	assemble_shut(a, o);
	free(o);
}

void assemble_withdraw(struct assemble *a, struct object *o)
{
	a->slot[a->slots++] = (struct ready_slot){ o->slot, o->data_fd, o->map_fd, o->direct_fd };
	assemble_unlist(a, o);
	o->data_fd = o->map_fd = o->direct_fd = -1;
	assemble_release(a, o);
}

void assemble_whole(struct assemble *a, struct object *o)
{
	o->state = OBJECT_WHOLE;
	stage_finish(a->stage, o);
	assemble_tell(a, o, o->touched_ns);
}

void assemble_disk_trouble(struct assemble *a, int error)
{
	uint64_t now = clock_mono_ns();

	if (a->disk_log_ns != 0 && now - a->disk_log_ns < 10000000000ull)
		return;
	a->disk_log_ns = now;
	log_warn("parts: %s: what arrives now cannot be kept; the sender repeats it later", strerror(error));
}

uint32_t assemble_slots_free(const struct assemble *a)
{
	return a->slots;
}

bool assemble_discard(struct assemble *a, struct object *o)
{
	struct msg_object m = assemble_message(o);

	if (!a->sink->discard(a->ctx, &m))
		return false;
	assemble_unlist(a, o);
	o->state = OBJECT_DROPPED;
	return true;
}

static bool is_dirty(const struct object *o)
{
	return o->head_dirty || o->dirty_lo < o->dirty_hi;
}

/* Nothing came for so long: its number stays missing, and the record says why. */
static void give_up(struct assemble *a, struct object *o)
{
	struct msg_object m = assemble_message(o);

	if (a->sink->expired(a->ctx, &m))
		(void)assemble_discard(a, o); /* else it is told and tried again at the next look */
}

/* One look at every object: tell, flush, expire, release. */
static void look(struct assemble *a, uint64_t now_ns, bool all)
{
	struct object *o, *next;

	for (o = a->all; o != NULL; o = next) {
		next = o->next_all;
		if (o->state == OBJECT_WHOLE)
			assemble_tell(a, o, now_ns);
		if (o->state == OBJECT_GATHERING && object_alone_ns(o, now_ns) > a->limits.stale_ns)
			give_up(a, o);
		if (o->state != OBJECT_DROPPED && is_dirty(o) && !o->flushing && a->flushes < ASSEMBLE_FLUSHES &&
		    (all || now_ns - o->flushed_ns >= ASSEMBLE_FLUSH_NS))
			assemble_flush(a, o, now_ns);
		if (o->errands == 0 &&
		    (o->state == OBJECT_DROPPED || (o->state == OBJECT_TOLD && !is_dirty(o))))
			assemble_release(a, o);
	}
}

/* Forgotten objects whose time has come may be gathered again. */
static void remember_again(struct assemble *a, uint64_t now_ns)
{
	unsigned n = 0;

	while (n < a->forgotten_count && a->forgotten[n].until_ns <= now_ns) {
		delivered_remove(a->delivered, a->forgotten[n].sender, a->forgotten[n].id);
		n++;
	}
	if (n == 0)
		return;
	a->forgotten_count -= n;
	memmove(a->forgotten, a->forgotten + n, a->forgotten_count * sizeof(a->forgotten[0]));
}

/* Part files leave room for the ledger and for deliveries (reserve.h). */
static void look_at_disk(struct assemble *a, uint64_t now_ns)
{
	if (a->slots == 0 || now_ns - a->disk_look_ns < ASSEMBLE_FLUSH_NS / 4)
		return;
	a->disk_look_ns = now_ns;
	a->disk_full = reserve_reached(a->slot[0].data_fd, RESERVE_PARTS, 0);
	if (a->disk_full)
		assemble_disk_trouble(a, ENOSPC);
}

void assemble_tick(struct assemble *a, uint64_t now_ns)
{
	a->now_ns = now_ns;
	assemble_take_back(a, false);
	assemble_staged(a, false);
	remember_again(a, now_ns);
	look_at_disk(a, now_ns);
	while (a->strays > 0) {
		struct msg_object m = { .slot = a->stray[a->strays - 1].slot };
		if (!a->sink->discard(a->ctx, &m))
			break;
		a->strays--;
	}
	if (now_ns >= a->progress_at_ns) {
		a->progress_at_ns = now_ns + ASSEMBLE_PROGRESS_NS;
		assemble_progress(a);
	}
	if (now_ns >= a->flush_at_ns) {
		a->flush_at_ns = now_ns + ASSEMBLE_FLUSH_NS / 10;
		stage_age(a->stage, now_ns);
		look(a, now_ns, false);
	}
}

int assemble_fd(const struct assemble *a, int which)
{
	return which == 2 ? stage_fd(a->stage) : errands_fd(which == 0 ? a->decoding : a->flushing);
}

/* The object of this sender and id that the store was told of. */
static struct object *told(const struct assemble *a, uint32_t sender, const uint8_t *id)
{
	struct object *o = a->all;

	while (o != NULL && (o->state != OBJECT_TOLD || o->sender != sender || memcmp(o->id, id, 16) != 0))
		o = o->next_all;
	return o;
}

void assemble_done(struct assemble *a, uint32_t sender, const uint8_t id[static 16])
{
	struct object *o = told(a, sender, id);

	if (o != NULL)
		o->state = OBJECT_DROPPED; /* its map is not needed any more */
	delivered_add(a->delivered, sender, id);
}

void assemble_forget(struct assemble *a, uint32_t sender, const uint8_t id[static 16])
{
	struct object *o = told(a, sender, id);
	struct forgotten *f;

	if (o != NULL)
		o->state = OBJECT_DROPPED;
	a->counter[LC_DAMAGED]++;
	if (a->forgotten_count == ASSEMBLE_FORGOTTEN)
		remember_again(a, UINT64_MAX);
	f = &a->forgotten[a->forgotten_count++];
	memcpy(f->id, id, 16);
	f->sender = sender;
	f->until_ns = a->now_ns + ASSEMBLE_FORGET_NS;
}

void assemble_stats(const struct assemble *a, struct msg_stats *s)
{
	s->open = 0;
	s->objects = 0;
	s->parity_bytes = 0;
	for (uint32_t i = 0; i < a->senders; i++)
		s->parity_bytes += parity_used(a->budget[i].pool);
	for (const struct object *o = a->all; o != NULL; o = o->next_all) {
		if (o->state != OBJECT_GATHERING)
			continue;
		s->open++;
		if (s->objects == STATS_OBJECTS_MAX)
			continue;
		struct stats_object *t = &s->object[s->objects++];
		memcpy(t->id, o->id, 16);
		t->sender = o->sender;
		t->length = o->geo.len;
		t->have = o->have;
		t->symbols = o->geo.symbols;
	}
}

void assemble_settle(struct assemble *a, uint64_t now_ns)
{
	int rounds = 1000; /* a disk that refuses everything must not hold the end up */

	do {
		assemble_write(a);
		assemble_take_back(a, true);
		for (struct object *o = a->all; o != NULL; o = o->next_all)
			stage_finish(a->stage, o);
		assemble_staged(a, true);
		look(a, now_ns, true);
	} while (errands_pending(a->decoding) + errands_pending(a->flushing) + stage_pending(a->stage) > 0 && --rounds > 0);
	assemble_take_back(a, true);
	assemble_staged(a, true);
}

void assemble_free(struct assemble *a)
{
	if (a == NULL)
		return;
	if (a->decoding != NULL && a->flushing != NULL && a->stage != NULL)
		assemble_settle(a, clock_mono_ns());
	errands_stop(a->decoding);
	errands_stop(a->flushing);
	while (a->all != NULL)
		assemble_release(a, a->all);
	for (uint32_t i = 0; i < a->slots; i++) {
		close(a->slot[i].data_fd);
		close(a->slot[i].map_fd);
		if (a->slot[i].direct_fd >= 0)
			close(a->slot[i].direct_fd);
	}
	stage_free(a->stage);
	decode_free(&a->decoder);
	for (uint32_t i = 0; a->budget != NULL && i < a->senders; i++)
		parity_free(a->budget[i].pool);
	free(a->budget);
	delivered_free(a->delivered);
	free(a->key_id);
	free(a);
}
