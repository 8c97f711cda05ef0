/* sealer.c - see sealer.h. */
#include "sender/sealer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "codec/hex.h"
#include "codec/record.h"
#include "core/bytes.h"
#include "host/clock.h"
#include "host/durable.h"
#include "host/exits.h"
#include "host/log.h"
#include "sender/compress.h"
#include "sender/hash_aside.h"
#include "sender/level.h"
#include "sender/object_file.h"
#include "sender/source.h"

enum {
	SEGMENT_LOG_SMALL = 16,     /* of an object of LEVEL_SMALL bytes and less */
	SEGMENT_LOG_LARGE = 18,     /* of others: at both ends a segment still lies in the nearest cache when it is gone through again */
	GROWTH_STEP = 2 << 20,      /* bytes of the object between two events: at its beginning, and later */
	GROWTH_STRIDE = 8 << 20,
	GROWTH_EARLY = 32 << 20,
	NEAR = SOURCE_NEAR,         /* bytes that are still near when they are gone through again */
};
_Static_assert((int)DISK_PIECE <= (int)RECORD_DATA_MAX, "a piece is a record");
_Static_assert((int)SOURCE_KEPT > (int)HASH_ASIDE_PIECES, "a piece stays until it is hashed");

struct sealer {
	const struct sealer_keys *keys;
	int objects, event;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct seal_job *todo, *done;
	atomic_bool stop;
	struct compress *compress;
	struct crypto_hasher *hasher;
	struct hash_aside *aside;   /* hashes while this thread compresses; or NULL */
	struct disk *reading, *writing; /* so that neither waits for the other */
	struct source source;
	struct object_file file;
	struct level level;         /* of compression */
	bool stored;                /* not compressed */
	uint64_t promised;          /* bytes of the file still to come that will be sealed as they are */
	_Atomic uint64_t told;      /* how much of the object the owner knows to be there */
	struct seal_job *now;       /* the job whose object is open */
	int error;                  /* of what failed */
};

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

static void tell(const struct sealer *s)
{
	const uint64_t one = 1;

	if (write(s->event, &one, sizeof(one)) < 0)
		log_debug("sealer: no event");
}

static void tell_growth(struct sealer *s)
{
	uint64_t there = atomic_load(&s->file.there);

	if (there - atomic_load(&s->told) < (there < GROWTH_EARLY ? GROWTH_STEP : GROWTH_STRIDE))
		return;
	atomic_store(&s->told, there);
	tell(s);
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

static int begin(struct sealer *s, struct seal_job *j)
{
	struct seal_inner inner = { .created_ms = clock_wall_ms() };
	bool small = j->claim->bytes <= LEVEL_SMALL;
	unsigned log = small ? SEGMENT_LOG_SMALL : SEGMENT_LOG_LARGE;
	char tmp[SEAL_NAME_LEN + 8];

	crypto_random(j->id, sizeof(j->id));
	hex_put(j->name, j->id, sizeof(j->id));
	snprintf(tmp, sizeof(tmp), "%s.tmp", j->name);
	s->now = j;
	j->sha256 = calloc(j->claim->count, HASH_LEN);
	j->fd = openat(s->objects, tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
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

static void run_job(struct sealer *s, struct seal_job *j)
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

/* --- the thread --- */

static void *sealer_run(void *arg)
{
	struct sealer *s = arg;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		while (s->todo == NULL && !atomic_load(&s->stop))
			pthread_cond_wait(&s->wake, &s->lock);
		if (atomic_load(&s->stop))
			break;
		struct seal_job *j = s->todo;
		s->todo = NULL;
		pthread_mutex_unlock(&s->lock);
		run_job(s, j);
		pthread_mutex_lock(&s->lock);
		s->done = j;
		tell(s);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

struct sealer *sealer_start(const struct sealer_keys *keys, int objects, uint64_t rate, bool large, struct window *window)
{
	struct sealer *s = calloc(1, sizeof(*s));

	if (s == NULL)
		log_die(EXIT_SYSTEM, "out of memory");
	s->keys = keys;
	s->objects = objects;
	s->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->reading = disk_start();
	s->writing = disk_start();
	source_init(&s->source, s->reading);
	object_file_init(&s->file, s->writing, window);
	s->compress = compress_new();
	s->hasher = crypto_hasher_new();
	s->aside = large && get_nprocs() > 1 ? hash_aside_start() : NULL;
	if (s->event < 0 || s->compress == NULL || s->hasher == NULL)
		log_die(EXIT_SYSTEM, "out of memory or descriptors");
	level_init(&s->level, s->compress, rate);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	if (pthread_create(&s->thread, NULL, sealer_run, s) != 0)
		log_die(EXIT_SYSTEM, "cannot start a thread");
	return s;
}

void sealer_stop(struct sealer *s)
{
	pthread_mutex_lock(&s->lock);
	atomic_store(&s->stop, true);
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	if (s->now != NULL)
		sealer_drop(s, s->now);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	close(s->event);
	hash_aside_stop(s->aside);
	compress_free(s->compress);
	crypto_hasher_free(s->hasher);
	source_free(&s->source);
	object_file_free(&s->file);
	disk_stop(s->reading);
	disk_stop(s->writing);
	free(s);
}

int sealer_fd(const struct sealer *s)
{
	return s->event;
}

void sealer_submit(struct sealer *s, struct seal_job *j)
{
	j->fd = -1;
	j->seal = NULL;
	j->sha256 = NULL;
	j->length = 0;
	atomic_store(&s->told, 0);
	pthread_mutex_lock(&s->lock);
	s->todo = j;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

struct seal_job *sealer_take(struct sealer *s)
{
	struct seal_job *j;
	uint64_t n;

	if (read(s->event, &n, sizeof(n)) < 0)
		return NULL;
	pthread_mutex_lock(&s->lock);
	j = s->done;
	s->done = NULL;
	pthread_mutex_unlock(&s->lock);
	return j;
}

uint64_t sealer_there(const struct sealer *s)
{
	return atomic_load(&s->told);
}

int sealer_reader(const struct sealer *s, const struct seal_job *j)
{
	char tmp[SEAL_NAME_LEN + 8];
	int fd;

	snprintf(tmp, sizeof(tmp), "%s.tmp", j->name);
	fd = openat(s->objects, tmp, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		(void)disk_direct(fd, true);
	return fd;
}

/* --- the end, in the caller's thread --- */

int sealer_finish(struct sealer *s, struct seal_job *j, const char *manifest, size_t n, const uint8_t sig[static SIGN_LEN],
    struct syncs *syncs, int *error)
{
	char tmp[SEAL_NAME_LEN + 8];

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
	snprintf(tmp, sizeof(tmp), "%s.tmp", j->name);
	if (durable_rename(-1, s->objects, tmp, s->objects, j->name) != 0)
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
	char tmp[SEAL_NAME_LEN + 8];

	object_file_abandon(&s->file);
	if (j->fd >= 0) {
		snprintf(tmp, sizeof(tmp), "%s.tmp", j->name);
		(void)unlinkat(s->objects, tmp, 0); /* a finished one has no such name */
		close(j->fd);
	}
	seal_free(j->seal);
	free(j->sha256);
	j->fd = -1;
	j->seal = NULL;
	j->sha256 = NULL;
	s->now = NULL;
}
