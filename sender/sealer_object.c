/* sealer_object.c - the object of one job, from its first record to its name: see sealer.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/hex.h"
#include "codec/record.h"
#include "core/bytes.h"
#include "host/clock.h"
#include "host/durable.h"
#include "sender/sealer_private.h"

enum {
	SEGMENT_LOG_SMALL = 16,     /* of an object of LEVEL_SMALL bytes and less */
	SEGMENT_LOG_LARGE = 18,     /* of others: at both ends a segment still lies in the nearest cache when it is gone through again */
	GROWTH_STEP = 2 << 20,      /* bytes of the object between two events: at its beginning, and later */
	GROWTH_STRIDE = 8 << 20,
	GROWTH_EARLY = 32 << 20,
	TMP_NAME = SEAL_NAME_LEN + sizeof(".tmp"),
	NEAR = SOURCE_NEAR,         /* bytes that are still near when they are gone through again */
};
_Static_assert((int)DISK_PIECE <= (int)RECORD_DATA_MAX, "a piece is a record");
_Static_assert((int)SOURCE_KEPT > (int)HASH_ASIDE_PIECES, "a piece stays until it is hashed");

/* --- the chain of sinks: record > compress > seal > file --- */

static int to_file(void *ctx, const uint8_t *data, size_t n)
{
	struct sealer *s = ctx;

	if (object_file_write(&s->file, data, n) == 0)
		return 0;
	s->error = s->file.error;
	return -1;
}

static int to_seal(void *ctx, const void *data, size_t n)
{
	struct sealer *s = ctx;

	return seal_write_more(s->now->seal, data, n, s->promised);
}

static uint8_t *file_room(void *ctx, size_t *n)
{
	struct sealer *s = ctx;

	return object_file_room(&s->file, n);
}

static int put_head(struct sealer *s, enum record_type type, uint32_t n)
{
	uint8_t head[RECORD_HEAD_LEN];

	record_put_head(head, type, n);
	return compress_write(s->compress, head, sizeof(head));
}

static int put_record(struct sealer *s, enum record_type type, const void *data, uint32_t n)
{
	return put_head(s, type, n) != 0 || compress_write(s->compress, data, n) != 0 ? -1 : 0;
}

/* Compressing takes longer than hashing, so that goes on beside it. */
static int compress_data(struct sealer *s, const uint8_t *data, size_t n)
{
	hash_aside_add(s->aside, s->hasher, data, n);
	return compress_write(s->compress, data, n);
}

/* Otherwise a part is hashed, and compressed or sealed, while it is in the nearest cache. */
static int put_data(struct sealer *s, const uint8_t *data, size_t n)
{
	if (s->aside != NULL && !s->stored)
		return compress_data(s, data, n);
	for (size_t part; n > 0; data += part, n -= part) {
		part = n < NEAR ? n : NEAR;
		crypto_hasher_add(s->hasher, data, part);
		if (compress_write(s->compress, data, part) != 0)
			return -1;
	}
	return 0;
}

/* --- the files --- */

static int by_name(const void *a, const void *b)
{
	const struct claim_file *x = a, *y = b;

	return name_order((const uint8_t *)x->name, strlen(x->name), (const uint8_t *)y->name, strlen(y->name));
}

static void tell_growth(struct sealer *s)
{
	uint64_t there = atomic_load(&s->file.there);

	if (there - atomic_load(&s->told) < (there < GROWTH_EARLY ? GROWTH_STEP : GROWTH_STRIDE))
		return;
	atomic_store(&s->told, there);
	sealer_tell(s);
}

/* A record holds a whole piece of the file, whatever parts that comes in. */
static uint32_t record_len(uint64_t left)
{
	return left < DISK_PIECE ? (uint32_t)left : DISK_PIECE;
}

/* The bytes of one open file; *got: what the source said last. */
static enum seal_result seal_pieces(struct sealer *s, int *got)
{
	const uint8_t *data;
	size_t n;

	for (uint64_t at = 0; (*got = source_next(&s->source, &data, &n)) > 0; at += n) {
		s->promised = s->stored ? s->source.size - s->source.given : 0;
		if ((at % DISK_PIECE == 0 && put_head(s, RECORD_DATA, record_len(s->source.size - at)) != 0) ||
		    put_data(s, data, n) != 0)
			return SEAL_WRITE;
		if (atomic_load(&s->stop))
			return SEAL_STOPPED;
		tell_growth(s);
	}
	return SEAL_DONE;
}

/* Exactly as many as were noted, and not one more. */
static enum seal_result seal_data(struct sealer *s, struct seal_job *j, uint32_t i)
{
	enum seal_result r;
	int got;

	crypto_hasher_reset(s->hasher);
	r = seal_pieces(s, &got);
	j->error = got < 0 ? errno : ESTALE;
	hash_aside_settle(s->aside);
	s->promised = 0;
	if (r != SEAL_DONE)
		return r;
	if (got < 0 || !claim_same(&j->claim->file[i], s->source.fd))
		return SEAL_CHANGED;
	crypto_hasher_end(s->hasher, j->sha256[i]);
	return put_record(s, RECORD_END, j->sha256[i], HASH_LEN) == 0 ? SEAL_DONE : SEAL_WRITE;
}

static int put_file(struct sealer *s, const struct claim_file *f)
{
	uint8_t head[8 + NAME_MAX_LEN];

	put64(head, f->size);
	memcpy(head + 8, f->name, strlen(f->name));
	return put_record(s, RECORD_FILE, head, (uint32_t)(8 + strlen(f->name)));
}

/* One whose bytes were kept when it was taken; it is to be the same to this moment. */
static enum seal_result seal_kept(struct sealer *s, struct seal_job *j, uint32_t i)
{
	const struct claim_file *f = &j->claim->file[i];

	if (atomic_load(&s->stop))
		return SEAL_STOPPED;
	if (!claim_still(j->claim, i)) {
		j->error = errno;
		return SEAL_CHANGED;
	}
	crypto_hasher_reset(s->hasher);
	crypto_hasher_add(s->hasher, f->bytes, (size_t)f->size);
	crypto_hasher_end(s->hasher, j->sha256[i]);
	if (put_file(s, f) != 0 || put_record(s, RECORD_DATA, f->bytes, (uint32_t)f->size) != 0)
		return SEAL_WRITE;
	return put_record(s, RECORD_END, j->sha256[i], HASH_LEN) == 0 ? SEAL_DONE : SEAL_WRITE;
}

static enum seal_result seal_file(struct sealer *s, struct seal_job *j, uint32_t i)
{
	const struct claim_file *f = &j->claim->file[i];
	enum seal_result r;
	int fd;

	if (f->bytes != NULL)
		return seal_kept(s, j, i);
	fd = claim_reopen(j->claim, i);
	if (fd < 0) {
		j->error = errno;
		return SEAL_CHANGED;
	}
	source_begin(&s->source, fd, f->size, s->stored);
	r = put_file(s, f) == 0 ? seal_data(s, j, i) : SEAL_WRITE;
	source_end(&s->source);
	close(fd);
	return r;
}

/* What it is called until it is whole. */
static const char *unfinished(const struct seal_job *j, char name[static TMP_NAME])
{
	snprintf(name, TMP_NAME, "%s.tmp", j->name);
	return name;
}

static int begin(struct sealer *s, struct seal_job *j)
{
	struct seal_inner inner = { .created_ms = clock_wall_ms() };
	bool small = j->claim->bytes <= LEVEL_SMALL;
	unsigned log = small ? SEGMENT_LOG_SMALL : SEGMENT_LOG_LARGE;
	char tmp[TMP_NAME];

	crypto_random(j->id, sizeof(j->id));
	hex_put(j->name, j->id, sizeof(j->id));
	s->now = j;
	j->sha256 = calloc(j->claim->count, HASH_LEN);
	j->fd = openat(s->objects, unfinished(j, tmp), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (j->fd < 0 || j->sha256 == NULL) {
		s->error = errno;
		return -1;
	}
	object_file_begin(&s->file, j->fd, !small, get64(j->id));
	memcpy(inner.generation, s->keys->generation, sizeof(inner.generation));
	snprintf(inner.channel, sizeof(inner.channel), "%s", j->channel);
	j->seal = seal_begin(SUITE_AES256GCM, log, j->id, s->keys->sender, s->keys->recipient, s->keys->recipients,
	    s->keys->psk, &inner, to_file, s);
	if (j->seal == NULL)
		return -1;
	seal_into(j->seal, file_room);
	int level = level_first(&s->level, j->claim, s->source.op[0].buf);
	s->stored = level == COMPRESS_STORED;
	j->outrun = level == COMPRESS_LEVEL_MIN;
	s->promised = 0;
	compress_begin(s->compress, level, to_seal, s);
	return 0;
}

void sealer_run_job(struct sealer *s, struct seal_job *j)
{
	s->error = 0;
	j->result = SEAL_WRITE;
	qsort(j->claim->file, j->claim->count, sizeof(j->claim->file[0]), by_name);
	if (begin(s, j) == 0) {
		j->result = SEAL_DONE;
		for (j->bad = 0; j->bad < j->claim->count; j->bad++) {
			j->result = seal_file(s, j, j->bad);
			if (j->result != SEAL_DONE)
				break;
		}
	}
	level_done(&s->level, s->file.length);
	/* Most of the waiting for the disk happens here, not in the transaction. */
	if (j->result == SEAL_DONE && compress_flush(s->compress) != 0)
		j->result = SEAL_WRITE;
	if (j->result == SEAL_DONE && (object_file_settle(&s->file) != 0 ||
	    (atomic_load(&s->file.there) > 0 && fdatasync(j->fd) != 0))) { /* of a small one nothing is there yet */
		s->error = s->file.error != 0 ? s->file.error : errno;
		j->result = SEAL_WRITE;
	}
	if (j->result == SEAL_WRITE)
		j->error = s->error != 0 ? s->error : ENOMEM;
}

/* --- in the caller's thread --- */

int sealer_reader(const struct sealer *s, const struct seal_job *j)
{
	char tmp[TMP_NAME];
	int fd;

	fd = openat(s->objects, unfinished(j, tmp), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		(void)disk_direct(fd, true);
	return fd;
}

int sealer_finish(struct sealer *s, struct seal_job *j, const char *manifest, size_t n, const uint8_t sig[static SIGN_LEN],
    struct syncs *syncs, int *error)
{
	char tmp[TMP_NAME];

	s->error = 0;
	for (size_t at = 0; at < n;) {
		uint32_t piece = n - at < RECORD_DATA_MAX ? (uint32_t)(n - at) : RECORD_DATA_MAX;
		if (put_record(s, RECORD_MANIFEST, manifest + at, piece) != 0)
			goto failed;
		at += piece;
	}
	if (put_record(s, RECORD_SIGNATURE, sig, SIGN_LEN) != 0 || compress_end(s->compress) != 0 ||
	    seal_end(j->seal) != 0 || object_file_end(&s->file) != 0)
		goto failed;
	j->length = s->file.length;
	syncs_add(syncs, j->fd, false, error);
	syncs_wait(syncs);
	if ((errno = *error) != 0)
		return -1;
	if (durable_rename(-1, s->objects, unfinished(j, tmp), s->objects, j->name) != 0)
		return -1;
	seal_free(j->seal);
	j->seal = NULL;
	return 0;

failed:
	errno = s->error != 0 ? s->error : s->file.error != 0 ? s->file.error : ENOMEM;
	return -1;
}

void sealer_drop(struct sealer *s, struct seal_job *j)
{
	char tmp[TMP_NAME];

	object_file_abandon(&s->file);
	if (j->fd >= 0) {
		(void)unlinkat(s->objects, unfinished(j, tmp), 0); /* a finished one has no such name */
		close(j->fd);
	}
	seal_free(j->seal);
	free(j->sha256);
	j->fd = -1;
	j->seal = NULL;
	j->sha256 = NULL;
	s->now = NULL;
}
