/* fuzz_record.c - the row of records.  Fed whole and byte by byte, the reader
 * must say and hand on the same; what it hands on must keep its promises. */
#include <stdlib.h>
#include <string.h>

#include "codec/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
	if (!ok)
		abort();
}

struct seen {
	uint64_t sum;      /* of everything handed on, in order */
	uint64_t file_left;
	int in_file;
	uint32_t files;
	uint64_t manifest;
};

static void mix(struct seen *s, const uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s->sum = (s->sum ^ b[i]) * 0x100000001B3u;
}

static int on_file(void *ctx, const uint8_t *name, size_t n, uint64_t size)
{
	struct seen *s = ctx;

	check(!s->in_file && name_check(name, n) == NAME_OK && size <= 1 << 20 && ++s->files <= 8);
	s->in_file = 1;
	s->file_left = size;
	mix(s, name, n);
	return 0;
}

static int on_data(void *ctx, const uint8_t *data, size_t n)
{
	struct seen *s = ctx;

	check(s->in_file && n > 0 && n <= s->file_left);
	s->file_left -= n;
	mix(s, data, n);
	return 0;
}

static int on_end(void *ctx, const uint8_t sha256[32])
{
	struct seen *s = ctx;

	check(s->in_file && s->file_left == 0);
	s->in_file = 0;
	mix(s, sha256, 32);
	return 0;
}

static int on_manifest(void *ctx, const uint8_t *data, size_t n)
{
	struct seen *s = ctx;

	check(!s->in_file && s->files > 0 && (s->manifest += n) <= RECORD_MANIFEST_MAX);
	mix(s, data, n);
	return 0;
}

static int on_signature(void *ctx, const uint8_t sig[64])
{
	struct seen *s = ctx;

	check(s->manifest > 0);
	mix(s, sig, 64);
	return 0;
}

static enum record_err feed(const uint8_t *data, size_t size, size_t piece, struct seen *s)
{
	static const struct record_sink sink = {on_file, on_data, on_end, on_manifest, on_signature};
	static const struct record_limits limits = {8, 1 << 20, 2 << 20};
	struct record_reader r;
	enum record_err e = RECORD_OK;

	memset(s, 0, sizeof(*s));
	record_reader_init(&r, &limits, &sink, s);
	for (size_t at = 0; at < size && e == RECORD_OK; at += piece)
		e = record_read(&r, data + at, piece < size - at ? piece : size - at);
	return record_read_end(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole, bytes;
	enum record_err a = feed(data, size, size > 0 ? size : 1, &whole), b = feed(data, size, 1, &bytes);

	check(a == b && whole.sum == bytes.sum && whole.files == bytes.files);
	check(record_strerror(a) != NULL);
	return 0;
}
