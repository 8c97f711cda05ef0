/* receiver_rig.h - an object, its symbols, and part files to gather it in:
 * what the tests of assemble.h share. */
#ifndef KM_RECEIVER_RIG_H
#define KM_RECEIVER_RIG_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "codec/fec.h"
#include "core/geometry.h"
#include "host/durable.h"
#include "receiver/assemble.h"
#include "tests/unit/seeded.h"

enum { RIG_SLEN = 192, RIG_SLOTS = 64 };

struct rig {
	char dir[64];
	int dir_fd;
	struct assemble *a;
	uint64_t counter[LC_COUNT];
	unsigned completed, discarded, expired;
	struct msg_object last;    /* completed, or given up */
	struct msg_progress progress; /* the newest */
	uint32_t last_discarded;
	int deaf;                  /* the store does not listen */
	uint32_t slot;             /* next number */
	uint64_t now;
};

struct sent { /* an object as its sender sees it */
	uint8_t id[16];
	uint32_t sender;
	struct geometry geo;
	uint8_t mlog;
	uint8_t *bytes;            /* padded with zeros to whole symbols */
	uint8_t *parity;           /* of each block, 1 << mlog symbols */
};

static const uint8_t rig_keys[2][8] = { { 1 }, { 2 } };

static inline int rig_complete(void *ctx, const struct msg_object *o)
{
	struct rig *r = ctx;

	if (r->deaf)
		return 0;
	r->completed++;
	r->last = *o;
	return 1;
}

static inline int rig_discard(void *ctx, const struct msg_object *o)
{
	struct rig *r = ctx;

	if (r->deaf)
		return 0;
	r->discarded++;
	r->last_discarded = o->slot;
	return 1;
}

static inline int rig_progress(void *ctx, const struct msg_progress *p)
{
	struct rig *r = ctx;

	r->progress = *p;
	return !r->deaf;
}

static inline int rig_expired(void *ctx, const struct msg_object *o)
{
	struct rig *r = ctx;

	if (r->deaf)
		return 0;
	r->expired++;
	r->last = *o;
	return 1;
}

static const struct assemble_sink rig_sink = { rig_complete, rig_discard, rig_progress, rig_expired };
static const struct assemble_limits rig_limits = { .object = 64 << 20, .objects = 16, .files = 64, .parity = 8 << 20, .meta = 4 << 20,
	.chunks = 16, .delivered = 64, .stale_ns = 15ull * 86400 * 1000000000 };

static inline void rig_open(struct rig *r, uint32_t slot, int *data, int *map, int flags)
{
	char name[32];

	snprintf(name, sizeof(name), "%u.data", slot);
	*data = openat(r->dir_fd, name, O_RDWR | flags, 0600);
	snprintf(name, sizeof(name), "%u.map", slot);
	*map = openat(r->dir_fd, name, O_RDWR | flags, 0600);
}

/* The data past the page cache, or -1 where the file system has no such thing. */
static inline int rig_direct(struct rig *r, uint32_t slot)
{
	char name[32];

	snprintf(name, sizeof(name), "%u.data", slot);
	return openat(r->dir_fd, name, O_RDWR | O_DIRECT);
}

static inline void rig_fresh_slots(struct rig *r, unsigned n)
{
	int data, map;

	for (unsigned i = 0; i < n; i++) {
		rig_open(r, r->slot, &data, &map, O_CREAT | O_EXCL);
		assemble_slot(r->a, r->slot, data, map, rig_direct(r, r->slot), r->now);
		r->slot++;
	}
}

/* Give a part file of before again, as after a restart. */
static inline void rig_old_slot(struct rig *r, uint32_t slot)
{
	int data, map;

	rig_open(r, slot, &data, &map, 0);
	assemble_slot(r->a, slot, data, map, rig_direct(r, slot), r->now);
}

/* The same, of which something came last so many seconds ago. */
static inline void rig_old_since(struct rig *r, uint32_t slot, int64_t seconds)
{
	const struct timespec then = { time(NULL) - seconds, 0 }, both[2] = { then, then };
	int data, map;

	rig_open(r, slot, &data, &map, 0);
	if (futimens(map, both) != 0)
		abort();
	close(data);
	close(map);
	rig_old_slot(r, slot);
}

static inline void rig_start(struct rig *r, const struct assemble_limits *l)
{
	r->a = assemble_new(l != NULL ? l : &rig_limits, rig_keys, 2, &rig_sink, r, r->counter);
	if (r->a == NULL)
		abort();
}

static inline void rig_init(struct rig *r, const struct assemble_limits *l)
{
	const char *tmp = getenv("TMPDIR");

	memset(r, 0, sizeof(*r));
	snprintf(r->dir, sizeof(r->dir), "%.40s/km-rig-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(r->dir) == NULL || (r->dir_fd = durable_open_dir(r->dir)) < 0)
		abort();
	r->slot = 1;
	r->now = 1000000000;
	rig_start(r, l);
}

static inline void rig_end(struct rig *r)
{
	assemble_free(r->a);
	close(r->dir_fd);
	if (durable_remove_tree(AT_FDCWD, r->dir) != 0)
		abort();
}

static inline void rig_settle(struct rig *r)
{
	r->now += 2000000000;
	assemble_settle(r->a, r->now);
	assemble_tick(r->a, r->now);
}

static inline void sent_make(struct sent *s, uint64_t len, uint16_t kfull, uint8_t mlog, uint64_t (*rnd)(void))
{
	const uint8_t *src[4096];
	uint8_t *out[4096];
	uint32_t m = 1u << mlog;
	void *work;

	memset(s, 0, sizeof(*s));
	for (int i = 0; i < 16; i++)
		s->id[i] = (uint8_t)rnd();
	if (kfull > 4096 || m > 4096 || geometry_init(&s->geo, len, RIG_SLEN, kfull) != 0)
		abort();
	s->mlog = mlog;
	s->bytes = calloc(s->geo.symbols, RIG_SLEN);
	s->parity = calloc((size_t)s->geo.blocks * m, RIG_SLEN);
	if (s->bytes == NULL || s->parity == NULL)
		abort();
	for (uint64_t i = 0; i < len; i++)
		s->bytes[i] = (uint8_t)rnd();
	for (uint32_t b = 0; b < s->geo.blocks; b++) {
		uint32_t k = geometry_k(&s->geo, b);
		for (uint32_t i = 0; i < k; i++)
			src[i] = s->bytes + ((size_t)b * kfull + i) * RIG_SLEN;
		for (uint32_t j = 0; j < m; j++)
			out[j] = s->parity + ((size_t)b * m + j) * RIG_SLEN;
		work = aligned_alloc(64, fec_encode_work(k, m, RIG_SLEN));
		if (work == NULL || fec_encode(k, m, RIG_SLEN, src, 0, m, out, work) != FEC_OK)
			abort();
		free(work);
	}
}

static inline void sent_free(struct sent *s)
{
	free(s->bytes);
	free(s->parity);
}

/* The fields of symbol i of block b. */
static inline struct frame_symbol sent_symbol(const struct sent *s, uint32_t b, uint32_t i)
{
	struct frame_symbol f = { .kfull = s->geo.kfull, .object_len = s->geo.len, .block = b, .symbol = (uint16_t)i,
		.k = geometry_k(&s->geo, b), .m = 1u << s->mlog, .slen = RIG_SLEN };

	memcpy(f.id, s->id, 16);
	return f;
}

static inline const uint8_t *sent_data(const struct sent *s, uint32_t b, uint32_t i)
{
	uint32_t k = geometry_k(&s->geo, b);

	if (i < k)
		return s->bytes + ((size_t)b * s->geo.kfull + i) * RIG_SLEN;
	return s->parity + (((size_t)b << s->mlog) + (i - k)) * RIG_SLEN;
}

static inline enum link_counter rig_give(struct rig *r, const struct sent *s, uint32_t b, uint32_t i)
{
	struct frame_symbol f = sent_symbol(s, b, i);

	return assemble_symbol(r->a, s->sender, &f, sent_data(s, b, i), r->now);
}

/* Is the completed object byte for byte what was sent? */
static inline int rig_same(struct rig *r, const struct sent *s)
{
	int data, map, same = 0;
	uint8_t *b = malloc(s->geo.len);

	rig_open(r, r->last.slot, &data, &map, 0);
	if (b != NULL && r->last.length == s->geo.len && memcmp(r->last.id, s->id, 16) == 0 &&
	    pread(data, b, s->geo.len, 0) == (ssize_t)s->geo.len)
		same = memcmp(b, s->bytes, s->geo.len) == 0;
	free(b);
	close(data);
	close(map);
	return same;
}

#endif
