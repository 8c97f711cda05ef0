/* compress.c - see compress.h. */
#include "sender/compress.h"

#include <stdlib.h>
#include <zstd.h>

#include "host/exits.h"
#include "host/log.h"

struct compress {
	ZSTD_CCtx *z;
	compress_sink *sink;
	void *ctx;
	size_t room;
	char *out;
};

struct compress *compress_new(void)
{
	struct compress *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->room = ZSTD_CStreamOutSize();
	c->out = malloc(c->room);
	c->z = ZSTD_createCCtx();
	if (c->out == NULL || c->z == NULL ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(c->z, ZSTD_c_compressionLevel, COMPRESS_LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(c->z, ZSTD_c_windowLog, COMPRESS_WINDOW_LOG)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(c->z, ZSTD_c_checksumFlag, 1))) {
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
	free(c->out);
	free(c);
}

void compress_begin(struct compress *c, compress_sink *sink, void *ctx)
{
	ZSTD_CCtx_reset(c->z, ZSTD_reset_session_only);
	c->sink = sink;
	c->ctx = ctx;
}

/* Feed until the input is used up, or (at the end) until nothing is left inside. */
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
	} while (end == ZSTD_e_end ? left != 0 : in.pos < in.size);
	return 0;
}

int compress_write(struct compress *c, const void *data, size_t n)
{
	return pump(c, data, n, ZSTD_e_continue);
}

int compress_end(struct compress *c)
{
	return pump(c, NULL, 0, ZSTD_e_end);
}
