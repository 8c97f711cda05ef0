/* level.c - see level.h. */
#include "sender/level.h"

#include <unistd.h>

#include "host/clock.h"
#include "sender/disk.h"

enum {
	LEVEL_START = 1,
	LEARN_FROM = 4 << 20, /* bytes of an object from which on its time tells something */
	TRIES = 7,            /* as many as there are levels */
	SAMPLE_WORTH = 97,    /* percent: what shrinks less is stored */
};

struct samples {
	const uint8_t *at;
	unsigned count;
	size_t n[LEVEL_SAMPLES];
};

void level_init(struct level *l, struct compress *c, uint64_t rate)
{
	*l = (struct level){ .compress = c, .rate = rate, .level = LEVEL_START };
}

/* A few pieces from all over it; what cannot be read now is found out later. */
static void take(struct samples *s, const struct claim *c, uint8_t *buf)
{
	*s = (struct samples){ .at = buf };
	for (unsigned i = 0; i < LEVEL_SAMPLES; i++) {
		uint64_t at = c->bytes / LEVEL_SAMPLES * i + c->bytes / (2 * LEVEL_SAMPLES);
		uint32_t f = 0;
		while (f + 1 < c->count && at >= c->file[f].size)
			at -= c->file[f++].size;
		int fd = claim_reopen(c, f);
		if (fd < 0)
			continue;
		if (c->count > 1)
			at = 0; /* of a small file: all of it */
		long long n = disk_read(fd, buf + (size_t)s->count * LEVEL_SAMPLE, LEVEL_SAMPLE, at);
		close(fd);
		if (n > 0)
			s->n[s->count++] = (size_t)n;
	}
}

/* Bytes that they become together. */
static size_t shrink(const struct level *l, const struct samples *s, int level)
{
	size_t out = 0;

	for (unsigned i = 0; i < s->count; i++)
		out += compress_sample(l->compress, level, s->at + (size_t)i * LEVEL_SAMPLE, s->n[i]);
	return out;
}

/* From level to level until one is neither too slow for the link nor faster than it has to be. */
static void try_levels(struct level *l, const struct samples *s)
{
	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t began = clock_mono_ns();
		size_t out = shrink(l, s, l->level);
		int next = compress_adapt(l->level, out, clock_mono_ns() - began, l->rate);
		if (next == l->level)
			break;
		l->level = next;
	}
	l->tried = true;
}

int level_first(struct level *l, const struct claim *c, uint8_t *buf)
{
	struct samples s;
	size_t in = 0;

	l->began_ns = 0;
	if (c->bytes <= LEVEL_SMALL)
		return COMPRESS_LEVEL_MAX;
	take(&s, c, buf);
	for (unsigned i = 0; i < s.count; i++)
		in += s.n[i];
	if (shrink(l, &s, l->level) * 100 > in * SAMPLE_WORTH)
		return COMPRESS_STORED;
	if (!l->tried)
		try_levels(l, &s);
	l->began_ns = clock_mono_ns();
	return l->level;
}

void level_done(struct level *l, uint64_t length)
{
	if (l->began_ns != 0 && length >= LEARN_FROM)
		l->level = compress_adapt(l->level, length, clock_mono_ns() - l->began_ns, l->rate);
}
