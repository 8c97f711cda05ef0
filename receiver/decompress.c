/* decompress.c - exactly one zstd frame (decompress.h). */
#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_getFrameHeader */
#include "receiver/decompress.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { OUT = 128 << 10, WINDOW_LOG = 23 /* 8 MiB */, HEADER_MAX = 18 /* bytes of a frame header */, BLOCK_MAX = 128 << 10, BLOCK_HEAD = 3 };

/* A frame that begins so has raw blocks only (PROTOCOL.md, section 5.6). */
static const uint8_t stored_head[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x39 };

struct decompress {
	ZSTD_DCtx *z;
	enum decompress_err failed;
	int ended;          /* the frame is over */
	uint64_t cap, made;
	decompress_sink *sink;
	decompress_room *room;
	decompress_stays *stays;
	void *ctx;
	uint8_t head[HEADER_MAX]; /* looked at before zstd sees anything */
	size_t head_have;
	int head_ok;
	int stored;               /* no work for zstd */
	uint32_t left;            /* then: bytes of the block still to come */
	int last;                 /* it is the last one */
	uint8_t block[BLOCK_HEAD];
	size_t block_have;
	uint8_t out[OUT];
};

struct decompress *decompress_new(void)
{
	struct decompress *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	if ((d->z = ZSTD_createDCtx()) == NULL ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(d->z, ZSTD_d_windowLogMax, WINDOW_LOG))) {
		decompress_free(d);
		return NULL;
	}
	return d;
}

void decompress_free(struct decompress *d)
{
	if (d == NULL)
		return;
	ZSTD_freeDCtx(d->z);
	free(d);
}

void decompress_begin(struct decompress *d, uint64_t cap, decompress_sink *sink, void *ctx)
{
	ZSTD_DCtx_reset(d->z, ZSTD_reset_session_only);
	d->failed = DECOMPRESS_OK;
	d->ended = d->head_ok = d->stored = d->last = 0;
	d->head_have = d->block_have = 0;
	d->left = 0;
	d->cap = cap;
	d->made = 0;
	d->sink = sink;
	d->room = NULL;
	d->stays = NULL;
	d->ctx = ctx;
}

void decompress_into(struct decompress *d, decompress_room *room, decompress_stays *stays)
{
	d->room = room;
	d->stays = stays;
}

/* The frame header says kind, window, dictionary: zstd skips skippable frames
 * and accepts what it can, so ask before. */
static enum decompress_err look(struct decompress *d)
{
	ZSTD_frameHeader h;
	size_t r = ZSTD_getFrameHeader(&h, d->head, d->head_have);

	if (ZSTD_isError(r))
		return ZSTD_getErrorCode(r) == ZSTD_error_frameParameter_windowTooLarge ? DECOMPRESS_EWINDOW
		                                                                        : DECOMPRESS_EFORMAT;
	if (r > 0)
		return DECOMPRESS_OK; /* more bytes are needed */
	if (h.frameType != ZSTD_frame)
		return DECOMPRESS_EFORMAT;
	if (h.dictID != 0)
		return DECOMPRESS_EDICT;
	if (h.windowSize > 1ull << WINDOW_LOG)
		return DECOMPRESS_EWINDOW;
	d->head_ok = 1;
	d->stored = d->head_have == sizeof(stored_head) && memcmp(d->head, stored_head, sizeof(stored_head)) == 0;
	return DECOMPRESS_OK;
}

/* So many bytes of output lie there. */
static enum decompress_err put(struct decompress *d, const uint8_t *at, size_t n)
{
	d->made += n;
	if (d->made > d->cap)
		return DECOMPRESS_ECAP;
	return n > 0 && d->sink(d->ctx, at, n) != 0 ? DECOMPRESS_ESINK : DECOMPRESS_OK;
}

/* A block's head (RFC 8878, section 3.1.1.2): last, type, size. */
static enum decompress_err begin_block(struct decompress *d)
{
	uint32_t v = d->block[0] | (uint32_t)d->block[1] << 8 | (uint32_t)d->block[2] << 16;

	d->block_have = 0;
	d->last = v & 1;
	d->left = v >> 3;
	if ((v >> 1 & 3) != 0 || d->left > BLOCK_MAX)
		return DECOMPRESS_EFORMAT;
	d->ended = d->last && d->left == 0;
	return DECOMPRESS_OK;
}

/* Some of a raw block's n bytes: *used. */
static enum decompress_err take_raw(struct decompress *d, const uint8_t *data, size_t n, size_t *used)
{
	size_t part = n < d->left ? n : d->left, stay = d->stays != NULL ? d->stays(d->ctx, data, part) : 0, room = OUT;
	uint8_t *out = d->out;

	if (stay == 0 && d->room != NULL && (out = d->room(d->ctx, &room)) == NULL)
		return DECOMPRESS_ESINK;
	*used = part = stay > 0 ? stay : part < room ? part : room;
	if (stay == 0)
		memcpy(out, data, part);
	d->left -= (uint32_t)part;
	d->ended = d->last && d->left == 0;
	return put(d, stay > 0 ? data : out, part);
}

static enum decompress_err run_stored(struct decompress *d, const uint8_t *data, size_t n)
{
	enum decompress_err e = DECOMPRESS_OK;

	for (size_t used; n > 0 && e == DECOMPRESS_OK; data += used, n -= used) {
		used = 1;
		if (d->ended)
			return DECOMPRESS_EMORE;
		if (d->left > 0) {
			e = take_raw(d, data, n, &used);
		} else {
			d->block[d->block_have++] = *data;
			if (d->block_have == BLOCK_HEAD)
				e = begin_block(d);
		}
	}
	return e;
}

static enum decompress_err run(struct decompress *d, const uint8_t *data, size_t n)
{
	ZSTD_inBuffer in = { data, n, 0 };

	for (;;) {
		ZSTD_outBuffer out = { d->out, OUT, 0 };
		if (d->ended)
			return in.pos == n ? DECOMPRESS_OK : DECOMPRESS_EMORE;
		if (d->room != NULL && (out.dst = d->room(d->ctx, &out.size)) == NULL)
			return DECOMPRESS_ESINK;
		size_t r = ZSTD_decompressStream(d->z, &out, &in);
		if (ZSTD_isError(r))
			return ZSTD_getErrorCode(r) == ZSTD_error_frameParameter_windowTooLarge ? DECOMPRESS_EWINDOW
			                                                                        : DECOMPRESS_EFORMAT;
		d->ended = r == 0;
		enum decompress_err e = put(d, out.dst, out.pos);
		if (e != DECOMPRESS_OK)
			return e;
		/* A full output buffer may leave more inside. */
		if (in.pos == n && out.pos < out.size && !d->ended)
			return DECOMPRESS_OK;
	}
}

enum decompress_err decompress_write(struct decompress *d, const uint8_t *data, size_t n)
{
	size_t part;

	if (d->failed != DECOMPRESS_OK)
		return d->failed;
	while (!d->head_ok && n > 0) {
		d->head[d->head_have++] = *data++;
		n--;
		if ((d->failed = look(d)) != DECOMPRESS_OK)
			return d->failed;
		if (!d->head_ok && d->head_have == HEADER_MAX)
			return d->failed = DECOMPRESS_EFORMAT;
		if (d->head_ok && !d->stored) {
			part = d->head_have;
			if ((d->failed = run(d, d->head, part)) != DECOMPRESS_OK)
				return d->failed;
		}
	}
	if (n > 0)
		d->failed = d->stored ? run_stored(d, data, n) : run(d, data, n);
	return d->failed;
}

enum decompress_err decompress_end(struct decompress *d)
{
	if (d->failed == DECOMPRESS_OK && !d->ended)
		d->failed = DECOMPRESS_ELESS;
	return d->failed;
}

const char *decompress_strerror(enum decompress_err e)
{
	switch (e) {
	case DECOMPRESS_OK:
		return "no error";
	case DECOMPRESS_EFORMAT:
		return "the compressed data is not a zstd frame";
	case DECOMPRESS_EWINDOW:
		return "the zstd frame needs a window over 8 MiB";
	case DECOMPRESS_EDICT:
		return "the zstd frame refers to a dictionary";
	case DECOMPRESS_EMORE:
		return "there is data after the zstd frame";
	case DECOMPRESS_ELESS:
		return "the zstd frame ends too early";
	case DECOMPRESS_ECAP:
		return "the data decompresses to more than the channel allows";
	case DECOMPRESS_ENOMEM:
		return "no memory";
	case DECOMPRESS_ESINK:
		break;
	}
	return "stopped";
}
