/* compress.c - see compress.h. */
#include "sender/compress.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "host/exits.h"
#include "host/log.h"

enum {
	RAW_MAX = 128 << 10,  /* bytes of a block (RFC 8878, section 3.1.1.2) */
	SAMPLE_MAX = 64 << 10,
};

struct compress {
	ZSTD_CCtx *z, *sample;
	bool stored;
	compress_sink *sink;
	void *ctx;
	size_t room;
	uint8_t *out;
	size_t head;          /* bytes of the stored frame's head in out, still to go */
};

static bool set(ZSTD_CCtx *z, ZSTD_cParameter p, int v)
{
	return !ZSTD_isError(ZSTD_CCtx_setParameter(z, p, v));
}

static void tune(ZSTD_CCtx *z, int level)
{
	if (!set(z, ZSTD_c_compressionLevel, level) || !set(z, ZSTD_c_minMatch, level < 0 ? COMPRESS_FAST_MATCH : 0))
		log_die(EXIT_INTERNAL, "compressing at level %d", level);
}

struct compress *compress_new(void)
{
	struct compress *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->room = ZSTD_COMPRESSBOUND(SAMPLE_MAX) > ZSTD_CStreamOutSize() ? ZSTD_COMPRESSBOUND(SAMPLE_MAX) : ZSTD_CStreamOutSize();
	c->out = malloc(c->room);
	c->z = ZSTD_createCCtx();
	c->sample = ZSTD_createCCtx();
	if (c->out == NULL || c->z == NULL || c->sample == NULL) {
		compress_free(c);
		return NULL;
	}
	return c;
}

void compress_free(struct compress *c)
{
	if (c == NULL)
		return;
	ZSTD_freeCCtx(c->z);
	ZSTD_freeCCtx(c->sample);
	free(c->out);
	free(c);
}

void compress_begin(struct compress *c, int level, compress_sink *sink, void *ctx)
{
	ZSTD_CCtx_reset(c->z, ZSTD_reset_session_only);
	c->sink = sink;
	c->ctx = ctx;
	c->stored = level == COMPRESS_STORED;
	if (!c->stored)
		tune(c->z, level);
	else /* PROTOCOL.md, section 5.6 */
		memcpy(c->out, (const uint8_t[]){ 0x28, 0xb5, 0x2f, 0xfd, 0, 0x39 }, 6);
	c->head = c->stored ? 6 : 0;
}

/* Feed until the input is used up, or (flushing, at the end) until nothing is left inside. */
static int pump(struct compress *c, const void *data, size_t n, ZSTD_EndDirective end)
{
	ZSTD_inBuffer in = { data, n, 0 };
	size_t left;

	do {
		ZSTD_outBuffer out = { c->out, c->room, 0 };
		left = ZSTD_compressStream2(c->z, &out, &in, end);
		if (ZSTD_isError(left))
			log_die(EXIT_INTERNAL, "compressing: %s", ZSTD_getErrorName(left));
		if (out.pos > 0 && c->sink(c->ctx, c->out, out.pos) != 0)
			return -1;
	} while (end == ZSTD_e_continue ? in.pos < in.size : left != 0);
	return 0;
}

/* A raw block: its head (section 3.1.1.2: last, type 0, size), then n bytes as they are. */
static int put_raw(struct compress *c, const uint8_t *data, size_t n, bool last)
{
	uint32_t v = (uint32_t)n << 3 | last;
	const uint8_t head[3] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16) };

	if (c->head > 0 && c->sink(c->ctx, c->out, c->head) != 0)
		return -1;
	c->head = 0;
	return c->sink(c->ctx, head, sizeof(head)) != 0 || (n > 0 && c->sink(c->ctx, data, n) != 0) ? -1 : 0;
}

int compress_write(struct compress *c, const void *data, size_t n)
{
	const uint8_t *p = data;

	if (!c->stored)
		return pump(c, data, n, ZSTD_e_continue);
	for (size_t part; n > 0; p += part, n -= part) {
		part = n < RAW_MAX ? n : RAW_MAX;
		if (put_raw(c, p, part, false) != 0)
			return -1;
	}
	return 0;
}

int compress_flush(struct compress *c)
{
	return c->stored ? 0 : pump(c, NULL, 0, ZSTD_e_flush);
}

int compress_end(struct compress *c)
{
	return c->stored ? put_raw(c, NULL, 0, true) : pump(c, NULL, 0, ZSTD_e_end);
}

size_t compress_sample(struct compress *c, int level, const void *data, size_t n)
{
	size_t got = n;

	tune(c->sample, level);
	if (n <= SAMPLE_MAX)
		got = ZSTD_compress2(c->sample, c->out, c->room, data, n);
	return ZSTD_isError(got) || got > n ? n : got;
}

/* So many levels up or down, within ours. */
static int step(int level, int by)
{
	int to = (level > 0 ? level - 1 : level) + by; /* without a gap at 0 */

	to = to >= 0 ? to + 1 : to;
	return to > COMPRESS_LEVEL_MAX ? COMPRESS_LEVEL_MAX : to < COMPRESS_LEVEL_MIN ? COMPRESS_LEVEL_MIN : to;
}

int compress_adapt(int level, uint64_t out, uint64_t ns, uint64_t rate)
{
	double could = (double)rate / 8e9 * (double)ns, made = (double)out;

	if (made > could * 1.1)
		return step(level, 1);
	if (made < could * 0.95)
		return step(level, made < could * 0.5 ? -2 : -1);
	return level;
}
