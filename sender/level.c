/* level.c - see level.h. */
#include "sender/level.h"

#include <unistd.h>

#include "host/clock.h"
#include "sender/disk.h"

enum {
	LEVEL_START = 1,
	LOOK_STEP = 8 << 20,        /* bytes of files between two looks */
	SAMPLES = 4,
	SAMPLE_WORTH = 97,          /* percent: what shrinks less is stored */
};

void level_init(struct level *l, struct compress *c, uint64_t rate)
{
	*l = (struct level){ .compress = c, .rate = rate, .level = LEVEL_START };
}

/* Told by a few pieces from all over it; what cannot be read now is found out later. */
int level_first(struct level *l, const struct claim *c, uint8_t *buf)
{
	size_t in = 0, out = 0;

	l->looked_in = l->looked_out = 0;
	l->looked_ns = clock_mono_ns();
	if (c->bytes <= LEVEL_SMALL)
		return COMPRESS_LEVEL_MAX;
	for (unsigned i = 0; i < SAMPLES; i++) {
		uint64_t at = c->bytes / SAMPLES * i + c->bytes / (2 * SAMPLES);
		uint32_t f = 0;
		while (f + 1 < c->count && at >= c->file[f].size)
			at -= c->file[f++].size;
		int fd = claim_reopen(c, f);
		if (fd < 0)
			continue;
		if (c->count > 1)
			at = 0; /* of a small file: all of it */
		long long n = disk_read(fd, buf, LEVEL_SAMPLE, at);
		close(fd);
		if (n <= 0)
			continue;
		in += (size_t)n;
		out += compress_sample(l->compress, buf, (size_t)n);
	}
	return out * 100 > in * SAMPLE_WORTH ? COMPRESS_STORED : l->level;
}

/* Is zstd too slow for the link, or faster than it has to be? */
void level_look(struct level *l, uint64_t in, uint64_t length)
{
	uint64_t now;

	l->looked_in += in;
	if (l->looked_in < LOOK_STEP)
		return;
	now = clock_mono_ns();
	l->level = compress_adapt(l->level, length - l->looked_out, now - l->looked_ns, l->rate);
	compress_level(l->compress, l->level);
	l->looked_in = 0;
	l->looked_out = length;
	l->looked_ns = now;
}
