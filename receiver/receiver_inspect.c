/* receiver_inspect.c - what the zone checks of contents (receiver_inspect.h). */
#include "receiver/receiver_inspect.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "content/magic.h"
#include "host/log.h"

static int emit(struct receiver_inspect *i, uint32_t type, const void *data, size_t n)
{
	if (pipeframe_write(i->out, type, i->job, data, n) != 0)
		exit(0); /* store is gone, so the service is ending */
	return 0;
}

static void fail(struct receiver_inspect *i, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct receiver_inspect *i, const char *fmt, ...)
{
	va_list ap;

	if (i->finish.bad)
		return;
	i->finish.bad = 1;
	va_start(ap, fmt);
	vsnprintf(i->finish.reason, sizeof(i->finish.reason), fmt, ap);
	va_end(ap);
}

/* For the ledger: separated by spaces, sorted. */
static void list_checks(uint32_t made, char *out)
{
	static const char *const always[] = { "names", "records", "sizes" };
	const char *name[CONTENT_CHECKS + 3];
	unsigned n = content_check_names(made, always, 3, name, CONTENT_CHECKS + 3);

	for (unsigned k = 0; k < n; k++)
		out += sprintf(out, "%s%s", k > 0 ? " " : "", name[k]);
}

/* This file alone is kept apart: store decides, when the manifest is verified. */
static int refuse_file(struct receiver_inspect *i)
{
	struct pipe_bad bad = { "", "" };

	list_checks(content_made(i->content), bad.checks);
	snprintf(bad.reason, sizeof(bad.reason), "%s", content_why(i->content));
	return emit(i, PIPE_BAD, &bad, sizeof(bad));
}

/* The channel's caps; the record reader has the protocol's. */
static void judge_size(struct receiver_inspect *i, uint64_t size)
{
	char name[160];

	i->files++;
	i->capped = i->capped || i->files > i->limits.files || size > i->limits.file_bytes ||
	    size > i->limits.total_bytes - i->total;
	if (i->files > i->limits.files)
		fail(i, "more than %u files (max_files)", i->limits.files);
	else if (size > i->limits.file_bytes)
		fail(i, "%s has %llu bytes, over max_file", log_show(name, sizeof(name), i->name, i->name_len), (unsigned long long)size);
	else if (size > i->limits.total_bytes - i->total)
		fail(i, "the files together are over max_transfer");
	else
		i->total += size;
}

static int on_file(void *ctx, const uint8_t *name, size_t n, uint64_t size)
{
	struct receiver_inspect *i = ctx;
	uint8_t body[8 + NAME_MAX_LEN];

	memcpy(body, &size, 8);
	memcpy(body + 8, name, n);
	memcpy(i->name, name, n);
	i->name_len = n;
	content_begin(i->content, i->policy, name, n);
	judge_size(i, size);
	return i->capped ? 0 : emit(i, PIPE_FILE, body, 8 + n);
}

/* Bytes that lie where open put them.  What is looked at is copied first: open could change it between our look and store's.
 * Where that is a file's beginning only, the rest stays, if it is worth it. */
static int carry(struct receiver_inspect *i, const uint8_t *data, size_t n)
{
	for (size_t part; n > 0 && !content_has_seen(i->content); data += part, n -= part) {
		size_t most = content_needs_all(i->content) ? INSPECT_ROOM : MAGIC_LEN;
		uint8_t *copy = i->bytes;
		part = n < most ? n : most;
		if (!i->capped && (copy = pipeframe_room(i->out, part)) == NULL)
			exit(0); /* store is gone, so the service is ending */
		memcpy(copy, data, part);
		(void)!content_bytes(i->content, copy, part); /* the end says it again */
		if (!i->capped)
			pipeframe_commit(i->out, PIPE_DATA, i->job, part);
	}
	if (n == 0 || i->capped)
		return 0;
	if (n <= PIPEFRAME_COPIED)
		return emit(i, PIPE_DATA, data, n);
	if (pipeframe_pass_on(i->out, i->in, PIPE_DATA, i->job, data, n) != 0)
		exit(0);
	return 0;
}

static int on_data(void *ctx, const uint8_t *data, size_t n)
{
	struct receiver_inspect *i = ctx;

	if (i->in != NULL && pipeframe_is_shared(i->in, data))
		return carry(i, data, n);
	(void)!content_bytes(i->content, data, n); /* the end says it again */
	if (i->capped)
		return 0;
	if (data != i->room)
		return emit(i, PIPE_DATA, data, n);
	pipeframe_commit(i->out, PIPE_DATA, i->job, n);
	return 0;
}

static int on_end(void *ctx, const uint8_t sha256[32])
{
	struct receiver_inspect *i = ctx;

	int good = content_end(i->content) == 0;

	i->made |= content_made(i->content);
	if (i->capped)
		return 0;
	if (!good)
		refuse_file(i);
	return emit(i, PIPE_FILE_END, sha256, 32);
}

static int on_manifest(void *ctx, const uint8_t *data, size_t n)
{
	return emit(ctx, PIPE_MANIFEST, data, n);
}

static int on_signature(void *ctx, const uint8_t sig[64])
{
	return emit(ctx, PIPE_SIGNATURE, sig, 64);
}

static const struct record_limits widest = { RECORD_FILES_MAX, UINT64_MAX / 2, UINT64_MAX / 2 };
static const struct record_sink sink = { on_file, on_data, on_end, on_manifest, on_signature };

/* What is certain to be a file's bytes is decompressed where store reads it; the heads between such pieces alone, so that
 * they stay whole. */
static uint8_t *room(void *ctx, size_t *n)
{
	struct receiver_inspect *i = ctx;
	int data;
	size_t ahead = record_ahead(&i->records, &data);

	i->room = NULL;
	*n = ahead > 0 && ahead < INSPECT_ROOM ? ahead : INSPECT_ROOM;
	if (ahead == 0 || (!data && i->records.file_left < INSPECT_ROOM) || (data && ahead < PIPEFRAME_COPIED)) {
		*n = INSPECT_ROOM;
		return i->bytes;
	}
	if (!data || i->capped)
		return i->bytes;
	if ((i->room = pipeframe_room(i->out, *n)) == NULL)
		exit(0); /* store is gone, so the service is ending */
	return i->room;
}

/* What need not be decompressed is read where open put it: heads and names once, into memory of the record reader's own, and
 * for a file's bytes see carry(). */
static size_t stays(void *ctx, const uint8_t *data, size_t n)
{
	const struct receiver_inspect *i = ctx;

	return i->in != NULL && pipeframe_is_shared(i->in, data) ? n : 0;
}

static int plain(void *ctx, const uint8_t *data, size_t n)
{
	struct receiver_inspect *i = ctx;
	enum record_err e = record_read(&i->records, data, n);

	if (e == RECORD_OK)
		return 0;
	fail(i, "%s", record_strerror(e));
	return -1;
}

int receiver_inspect_open(struct receiver_inspect *i, struct pipeframe_in *in, struct pipeframe_out *out)
{
	memset(i, 0, sizeof(*i));
	i->in = in;
	i->out = out;
	i->zstd = decompress_new();
	i->content = content_new();
	return i->zstd == NULL || i->content == NULL ? -1 : 0;
}

void receiver_inspect_begin(struct receiver_inspect *i, uint32_t job, const struct record_limits *l,
    const struct content_policy *policy)
{
	/* Records around the files: a head for each piece (at worst a byte of
	 * data each), but no sender writes such; names, manifest. */
	uint64_t cap = l->total_bytes + l->total_bytes / 8 + (16 << 20);

	i->job = job;
	memset(&i->finish, 0, sizeof(i->finish));
	i->policy = policy;
	i->made = 0;
	i->limits = *l;
	i->files = 0;
	i->capped = 0;
	i->total = 0;
	record_reader_init(&i->records, &widest, &sink, i);
	decompress_begin(i->zstd, cap, plain, i);
	decompress_into(i->zstd, room, stays);
}

void receiver_inspect_bytes(struct receiver_inspect *i, const uint8_t *data, size_t n)
{
	enum decompress_err e;

	e = decompress_write(i->zstd, data, n); /* errors are sticky */
	if (e != DECOMPRESS_OK)
		fail(i, "%s", decompress_strerror(e)); /* unless plain() said why */
	if (e == DECOMPRESS_ECAP)
		i->capped = 1;
}

void receiver_inspect_end(struct receiver_inspect *i, int result)
{
	enum decompress_err e;
	enum record_err r;

	list_checks(i->made, i->finish.checks);
	if (result != 0) { /* what was seen so far was cut off, so nothing follows from it */
		i->finish.bad = 2;
		return;
	}
	if (i->finish.bad) {
		if (i->capped)
			i->finish.bad = 3;
		return;
	}
	if ((e = decompress_end(i->zstd)) != DECOMPRESS_OK)
		fail(i, "%s", decompress_strerror(e));
	else if ((r = record_read_end(&i->records)) != RECORD_OK)
		fail(i, "%s", record_strerror(r));
}
