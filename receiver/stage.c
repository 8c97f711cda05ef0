/* stage.c - symbols gathered in memory and written in large pieces (stage.h). */
#include "receiver/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/big.h"
#include "host/copy.h"
#include "host/durable.h"

enum { HASH = 256 };

struct stage {
	struct errands *thread;
	uint8_t *memory;        /* NULL: it is the window's */
	struct window *window;  /* or NULL */
	unsigned chunks, begun; /* begun: used at least once; the others' memory is untouched */
	struct stage_chunk *free, **last_free; /* the one that was free longest is used next: what it held can be read until then */
	unsigned frees;
	struct stage_chunk *bucket[HASH];
	struct stage_chunk chunk[];
};

static bool page(const uint8_t *bits, uint32_t i)
{
	return bits[i / 8] >> (i % 8) & 1;
}

/* The pages that are due, neighbours at once; most often that is one write.  The rest of the last page is cut off when the object
 * is complete. */
static int write_pages(const struct stage_chunk *c)
{
	uint32_t n = (c->span + STAGE_PAGE - 1u) / STAGE_PAGE, end;

	for (uint32_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n && page(c->due, end) == page(c->due, i); end++)
			;
		if (page(c->due, i) && durable_pwrite_all(c->fd, c->bytes + (size_t)i * STAGE_PAGE, (size_t)(end - i) * STAGE_PAGE,
		    (long long)c->index * STAGE_CHUNK + (long long)i * STAGE_PAGE) != 0)
			return errno;
	}
	return 0;
}

static void write_chunk(struct errand *e)
{
	struct stage_chunk *c = (struct stage_chunk *)(void *)e;
	int flags;

	c->error = write_pages(c);
	if (c->error != EINVAL || (flags = fcntl(c->fd, F_GETFL)) < 0 || fcntl(c->fd, F_SETFL, flags & ~O_DIRECT) != 0)
		return;
	/* A disk that wants a larger alignment: through the page cache, then. */
	c->error = write_pages(c);
}

static void set_free(struct stage *s, struct stage_chunk *c)
{
	c->next = NULL;
	*s->last_free = c;
	s->last_free = &c->next;
	s->frees++;
}

/* One to fill.  As few are in turn as will do: memory that is gone through again soon is in the cache, and the first touch of
 * the rest may never be needed. */
static struct stage_chunk *get_free(struct stage *s)
{
	struct stage_chunk *c = s->free;

	if (s->frees <= STAGE_SHOWN && s->begun < s->chunks)
		return &s->chunk[s->begun++];
	if (c == NULL)
		return NULL;
	s->free = c->next;
	if (s->free == NULL)
		s->last_free = &s->free;
	s->frees--;
	return c;
}

struct stage *stage_new(unsigned chunks, struct window *window)
{
	struct stage *s = calloc(1, sizeof(*s) + chunks * sizeof(s->chunk[0]));

	if (s == NULL)
		return NULL;
	s->chunks = chunks;
	s->window = window;
	s->memory = window == NULL ? big_alloc((size_t)chunks * STAGE_CHUNK) : NULL;
	s->thread = errands_start();
	if ((window == NULL ? s->memory == NULL : window->pieces < chunks) || s->thread == NULL) {
		stage_free(s);
		return NULL;
	}
	s->last_free = &s->free;
	for (unsigned i = 0; i < chunks; i++) {
		s->chunk[i].errand.run = write_chunk;
		s->chunk[i].bytes = window != NULL ? window_piece(window, i) : s->memory + (size_t)i * STAGE_CHUNK;
	}
	return s;
}

void stage_free(struct stage *s)
{
	if (s == NULL)
		return;
	errands_stop(s->thread);
	free(s->memory);
	free(s);
}

bool stage_takes(uint64_t len)
{
	return len == 0 || len >= STAGE_OBJECT_MIN;
}

static struct stage_chunk **bucket(const struct stage *s, const struct object *o, uint64_t index)
{
	uint32_t h = o->slot * 2654435761u + (uint32_t)index;

	return (struct stage_chunk **)&s->bucket[(h ^ h >> 16) % HASH];
}

static struct stage_chunk *find(const struct stage *s, const struct object *o, uint64_t index)
{
	struct stage_chunk *c = *bucket(s, o, index);

	while (c != NULL && (c->object != o || c->index != index || c->done))
		c = c->next;
	return c;
}

static void give_back(struct stage *s, struct stage_chunk *c)
{
	struct stage_chunk **p = bucket(s, c->object, c->index);

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	c->object = NULL;
	set_free(s, c);
}

static void submit(struct stage *s, struct stage_chunk *c)
{
	uint64_t at = c->index * STAGE_CHUNK;

	c->span = STAGE_CHUNK;
	if (c->object->geo.len != 0 && c->object->geo.len - at < STAGE_CHUNK)
		c->span = (uint32_t)(c->object->geo.len - at);
	c->fd = c->object->direct_fd >= 0 ? c->object->direct_fd : c->object->data_fd;
	memcpy(c->due, c->pages, sizeof(c->due));
	c->writing = true;
	c->again = false;
	c->object->errands++;
	copy_away_done();
	errands_submit(s->thread, &c->errand);
}

/* The symbols that have a byte of the chunk. */
static uint64_t first_symbol(const struct object *o, uint64_t index)
{
	return index * STAGE_CHUNK / o->geo.slen;
}

static uint64_t last_symbol(const struct object *o, uint64_t index)
{
	return ((index + 1) * STAGE_CHUNK - 1) / o->geo.slen;
}

static bool was_written(const struct object *o, uint64_t index)
{
	uint64_t last = last_symbol(o, index);

	for (uint64_t i = first_symbol(o, index); i <= last; i++)
		if (object_has(o, i))
			return true;
	return false;
}

/* For want of room the oldest that is not under way gets going. */
static void evict(struct stage *s)
{
	struct stage_chunk *oldest = NULL;

	for (unsigned i = 0; i < s->chunks; i++) {
		struct stage_chunk *c = &s->chunk[i];
		if (c->object != NULL && !c->writing && !c->done && (oldest == NULL || c->since_ns < oldest->since_ns))
			oldest = c;
	}
	if (oldest != NULL)
		submit(s, oldest);
}

static struct stage_chunk *take(struct stage *s, struct object *o, uint64_t index, uint64_t now_ns)
{
	struct stage_chunk *c = find(s, o, index), **b;

	if (c != NULL || was_written(o, index))
		return c;
	if ((c = get_free(s)) == NULL) {
		evict(s);
		return NULL;
	}
	if (s->window != NULL)
		window_hide(s->window, (unsigned)(c - s->chunk));
	b = bucket(s, o, index);
	c->next = *b;
	*b = c;
	c->object = o;
	c->index = index;
	c->have = 0;
	memset(c->pages, 0, sizeof(c->pages));
	c->writing = c->again = c->done = false;
	c->pins = 0;
	c->since_ns = now_ns;
	o->chunks++;
	return c;
}

static bool full(const struct stage_chunk *c)
{
	uint64_t len = c->object->geo.len, at = c->index * STAGE_CHUNK;

	return c->have >= STAGE_CHUNK || (len != 0 && c->have >= len - at);
}

/* Bytes from this one on were put in. */
static void mark_pages(struct stage_chunk *c, uint32_t from, uint32_t n)
{
	for (uint32_t i = from / STAGE_PAGE; i <= (from + n - 1) / STAGE_PAGE; i++)
		c->pages[i / 8] = (uint8_t)(c->pages[i / 8] | 1u << (i % 8));
}

int stage_put(struct stage *s, struct object *o, uint64_t symbol, const uint8_t *data, uint64_t now_ns)
{
	uint64_t at = symbol * o->geo.slen, end = at + o->geo.slen;
	struct stage_chunk *c;
	size_t n;

	if (o->geo.len != 0 && end > o->geo.len)
		end = o->geo.len; /* what reaches past the end is not part of the object */
	for (; at < end; at += n, data += n) {
		uint64_t index = at / STAGE_CHUNK, next = (index + 1) * STAGE_CHUNK;
		n = (size_t)((end < next ? end : next) - at);
		if ((c = take(s, o, index, now_ns)) == NULL) {
			if (durable_pwrite_all(o->data_fd, data, n, (long long)at) != 0)
				return errno;
			continue;
		}
		copy_away(c->bytes + at % STAGE_CHUNK, data, n); /* for the disk, and another process */
		mark_pages(c, (uint32_t)(at % STAGE_CHUNK), (uint32_t)n);
		c->have += (uint32_t)n;
		c->again = c->writing;
		if (!c->writing && full(c))
			submit(s, c);
	}
	return 0;
}

void stage_finish(struct stage *s, struct object *o)
{
	for (unsigned i = 0; i < s->chunks && o->chunks > 0; i++)
		if (s->chunk[i].object == o && !s->chunk[i].writing && !s->chunk[i].done)
			submit(s, &s->chunk[i]);
}

void stage_age(struct stage *s, uint64_t now_ns)
{
	for (unsigned i = 0; i < s->chunks; i++) {
		struct stage_chunk *c = &s->chunk[i];
		if (c->object != NULL && !c->writing && !c->done && now_ns - c->since_ns > STAGE_AGE_NS)
			submit(s, c);
	}
}

static void finished(struct stage *s, struct stage_chunk *c, stage_written *written, void *ctx)
{
	struct object *o = c->object;
	uint64_t index = c->index;

	o->errands--;
	c->writing = false;
	if (c->again && c->error == 0) {
		submit(s, c);
		return;
	}
	c->done = true;
	o->chunks--;
	int error = c->error;
	if (s->window != NULL && error == 0 && c->have >= STAGE_CHUNK)
		window_show(s->window, (unsigned)(c - s->chunk), o->slot, index);
	if (c->pins == 0)
		give_back(s, c);
	written(ctx, o, first_symbol(o, index), last_symbol(o, index), error);
}

void stage_take_back(struct stage *s, bool wait, stage_written *written, void *ctx)
{
	struct errand *e;

	while ((e = wait ? errands_take_wait(s->thread) : errands_take(s->thread)) != NULL)
		finished(s, (struct stage_chunk *)(void *)e, written, ctx);
}

unsigned stage_pending(const struct stage *s)
{
	return errands_pending(s->thread);
}

int stage_fd(const struct stage *s)
{
	return errands_fd(s->thread);
}

void stage_mask(const struct stage *s, const struct object *o, uint8_t *bits, uint64_t at, size_t n)
{
	uint64_t lo = at * 8, hi = (at + n) * 8; /* symbols */

	for (unsigned i = 0; i < s->chunks && o->chunks > 0; i++) {
		const struct stage_chunk *c = &s->chunk[i];
		if (c->object != o || c->done)
			continue;
		uint64_t first = first_symbol(o, c->index), last = last_symbol(o, c->index);
		for (uint64_t j = first > lo ? first : lo; j <= last && j < hi; j++)
			bits[(j - lo) / 8] = (uint8_t)(bits[(j - lo) / 8] & ~(1u << (j % 8)));
	}
}

uint64_t stage_lead(const struct stage *s, const struct object *o, uint64_t from)
{
	for (;; from++) {
		if (o->geo.len != 0 && (from + 1) * STAGE_CHUNK >= o->geo.len)
			return from; /* the last piece: said when the object is complete */
		uint64_t last = last_symbol(o, from);
		for (uint64_t i = first_symbol(o, from); i <= last; i++)
			if (!object_has(o, i))
				return from;
		if (find(s, o, from) != NULL)
			return from;
	}
}

struct stage_chunk *stage_pin(struct stage *s, struct object *o, uint64_t index)
{
	struct stage_chunk *c = find(s, o, index);

	if (c != NULL) {
		c->pins++;
		copy_away_done(); /* another thread is to read it */
	}
	return c;
}

void stage_unpin(struct stage *s, struct stage_chunk *c)
{
	if (--c->pins == 0 && c->done)
		give_back(s, c);
}

void stage_drop(struct stage *s, struct object *o)
{
	if (s->window != NULL)
		window_hide_file(s->window, o->slot);
	for (unsigned i = 0; i < s->chunks && o->chunks > 0; i++)
		if (s->chunk[i].object == o && !s->chunk[i].done) {
			o->chunks--;
			give_back(s, &s->chunk[i]);
		}
}
