/* record.c - the row of records inside a transfer (record.h; PROTOCOL.md, section 6). */
#include "codec/record.h"

#include <string.h>

#include "core/bytes.h"

/* Where the reader is.  "In" states collect or pass on a body of r->left bytes
 * more; the others wait for the 8 bytes of the next record's head. */
enum state {
	WANT_FILE,      /* a first file must come */
	IN_FILE,
	WANT_DATA,      /* data until the size is reached, then the end */
	IN_DATA,
	IN_END,
	WANT_NEXT,      /* another file, or the manifest */
	IN_MANIFEST,
	WANT_SIGNATURE, /* more manifest, or the signature */
	IN_SIGNATURE,
	DONE,
};

enum { SIZE_LEN = 8, SHA256_LEN = 32, SIGNATURE_LEN = 64 };

void record_put_head(uint8_t out[static RECORD_HEAD_LEN], enum record_type type, uint32_t len)
{
	put32(out, (uint32_t)type << 24);
	put32(out + 4, len);
}

void record_reader_init(struct record_reader *r, const struct record_limits *l, const struct record_sink *s, void *ctx)
{
	memset(r, 0, sizeof(*r));
	r->limits = *l;
	r->sink = s;
	r->ctx = ctx;
	r->state = WANT_FILE;
}

static enum record_err start_file(struct record_reader *r, uint32_t len)
{
	if (r->state != WANT_FILE && r->state != WANT_NEXT)
		return RECORD_EORDER;
	if (len < SIZE_LEN || len > SIZE_LEN + NAME_MAX_LEN)
		return RECORD_ESIZE;
	if (r->files >= RECORD_FILES_MAX || r->files >= r->limits.files)
		return RECORD_ELIMIT;
	r->state = IN_FILE;
	return RECORD_OK;
}

static enum record_err start_data(struct record_reader *r, uint32_t len)
{
	if (r->state != WANT_DATA)
		return RECORD_EORDER;
	if (len == 0 || len > RECORD_DATA_MAX || len > r->file_left)
		return RECORD_ESIZE;
	r->state = IN_DATA;
	return RECORD_OK;
}

static enum record_err start_end(struct record_reader *r, uint32_t len)
{
	if (r->state != WANT_DATA)
		return RECORD_EORDER;
	if (len != SHA256_LEN || r->file_left != 0)
		return RECORD_ESIZE;
	r->state = IN_END;
	return RECORD_OK;
}

static enum record_err start_manifest(struct record_reader *r, uint32_t len)
{
	if (r->state != WANT_NEXT && r->state != WANT_SIGNATURE)
		return RECORD_EORDER;
	if (len == 0 || len > RECORD_DATA_MAX || len > RECORD_MANIFEST_MAX - r->manifest)
		return RECORD_ESIZE;
	r->manifest += len;
	r->state = IN_MANIFEST;
	return RECORD_OK;
}

static enum record_err start_signature(struct record_reader *r, uint32_t len)
{
	if (r->state != WANT_SIGNATURE)
		return RECORD_EORDER;
	if (len != SIGNATURE_LEN)
		return RECORD_ESIZE;
	r->state = IN_SIGNATURE;
	return RECORD_OK;
}

/* A head is complete: may this record stand here? */
static enum record_err start_body(struct record_reader *r)
{
	uint32_t len = get32(r->head + 4);

	r->have = 0;
	r->left = len;
	if (r->head[1] != 0 || r->head[2] != 0 || r->head[3] != 0)
		return RECORD_EORDER;
	switch (r->head[0]) {
	case RECORD_FILE:
		return start_file(r, len);
	case RECORD_DATA:
		return start_data(r, len);
	case RECORD_END:
		return start_end(r, len);
	case RECORD_MANIFEST:
		return start_manifest(r, len);
	case RECORD_SIGNATURE:
		return start_signature(r, len);
	}
	return RECORD_EORDER;
}

/* A FILE body is complete in r->body[0..have-1]. */
static enum record_err end_file(struct record_reader *r)
{
	const uint8_t *name = r->body + SIZE_LEN;
	size_t n = r->have - SIZE_LEN; /* start_file() saw to have >= SIZE_LEN */
	uint64_t size = get64(r->body);

	if (name_check(name, n) != NAME_OK)
		return RECORD_ENAME;
	if (r->files > 0 && name_order(r->last_name, r->last_len, name, n) >= 0)
		return RECORD_ENAME;
	if (size > r->limits.file_bytes || r->total > r->limits.total_bytes || size > r->limits.total_bytes - r->total)
		return RECORD_ELIMIT;
	memcpy(r->last_name, name, n);
	r->last_len = (uint16_t)n;
	r->files++;
	r->file_left = size;
	r->total += size;
	r->state = WANT_DATA;
	return r->sink->file(r->ctx, name, n, size) == 0 ? RECORD_OK : RECORD_ESINK;
}

/* A small body is complete. */
static enum record_err end_small(struct record_reader *r)
{
	switch ((enum state)r->state) {
	case IN_FILE:
		return end_file(r);
	case IN_END:
		r->state = WANT_NEXT;
		return r->sink->end(r->ctx, r->body) == 0 ? RECORD_OK : RECORD_ESINK;
	case IN_SIGNATURE:
		r->state = DONE;
		return r->sink->signature(r->ctx, r->body) == 0 ? RECORD_OK : RECORD_ESINK;
	default:
		return RECORD_EORDER;
	}
}

/* Collect a small body; *used of data[0..n-1] were taken. */
static enum record_err collect(struct record_reader *r, const uint8_t *data, size_t n, size_t *used)
{
	uint32_t take = n < r->left ? (uint32_t)n : r->left;

	memcpy(r->body + r->have, data, take); /* the lengths were checked: body holds the largest of them */
	r->have += take;
	r->left -= take;
	*used = take;
	return r->left == 0 ? end_small(r) : RECORD_OK;
}

/* Pass on what is there of a large body. */
static enum record_err pass(struct record_reader *r, const uint8_t *data, size_t n, size_t *used)
{
	uint32_t take = n < r->left ? (uint32_t)n : r->left;
	int in_data = r->state == IN_DATA;
	int stop = in_data ? r->sink->data(r->ctx, data, take) : r->sink->manifest(r->ctx, data, take);

	r->left -= take;
	*used = take;
	if (in_data)
		r->file_left -= take;
	if (r->left == 0)
		r->state = in_data ? WANT_DATA : WANT_SIGNATURE;
	return stop == 0 ? RECORD_OK : RECORD_ESINK;
}

static enum record_err collect_head(struct record_reader *r, const uint8_t *data, size_t n, size_t *used)
{
	uint32_t need = RECORD_HEAD_LEN - r->have, take = n < need ? (uint32_t)n : need;

	memcpy(r->head + r->have, data, take);
	r->have += take;
	*used = take;
	return r->have == RECORD_HEAD_LEN ? start_body(r) : RECORD_OK;
}

static enum record_err step(struct record_reader *r, const uint8_t *data, size_t n, size_t *used)
{
	enum record_err e;

	switch ((enum state)r->state) {
	case IN_DATA:
	case IN_MANIFEST:
		return pass(r, data, n, used);
	case IN_FILE:
	case IN_END:
	case IN_SIGNATURE:
		e = collect(r, data, n, used);
		if (r->left == 0)
			r->have = 0;
		return e;
	case DONE:
		return RECORD_EEND;
	default:
		return collect_head(r, data, n, used);
	}
}

enum record_err record_read(struct record_reader *r, const uint8_t *data, size_t n)
{
	while (n > 0 && r->failed == RECORD_OK) {
		size_t used = 0;

		r->failed = step(r, data, n, &used);
		data += used;
		n -= used;
	}
	return r->failed;
}

size_t record_ahead(const struct record_reader *r, int *data)
{
	*data = r->state == IN_DATA;
	if (r->failed != RECORD_OK)
		return 0;
	if (r->state == IN_DATA)
		return r->left;
	return r->state == WANT_DATA && r->file_left > 0 ? RECORD_HEAD_LEN - r->have : 0;
}

enum record_err record_read_end(struct record_reader *r)
{
	if (r->failed == RECORD_OK && r->state != DONE)
		r->failed = RECORD_EEND;
	return r->failed;
}

const char *record_strerror(enum record_err e)
{
	switch (e) {
	case RECORD_OK:
		return "no error";
	case RECORD_EORDER:
		return "a record stands where it may not";
	case RECORD_ESIZE:
		return "a record's length is wrong";
	case RECORD_ENAME:
		return "a file name is not allowed or not in order";
	case RECORD_ELIMIT:
		return "more or larger files than this receiver takes";
	case RECORD_EEND:
		return "the records end too early or too late";
	case RECORD_ESINK:
		return "stopped";
	}
	return "unknown error";
}
