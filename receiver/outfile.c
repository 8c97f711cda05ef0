/* outfile.c - a file of a transfer, written while it is hashed (outfile.h). */
#include "receiver/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "host/big.h"
#include "host/copy.h"
#include "host/durable.h"
#include "host/errand.h"

enum {
	ALIGN = 4096,          /* of offsets and lengths past the page cache, on any disk */
	PIECE = 16 << 10,      /* bytes that are hashed where they are nearest */
	WRITE_BACK = 8 << 20,  /* bytes after which the disk is set to work, so that the last sync is short */
};

struct buffer {
	struct errand errand; /* first: the thread gets its address */
	struct outfile *file;
	uint8_t *bytes;       /* OUTFILE_BUFFER, aligned */
	size_t n;
	uint64_t at;          /* place in the file */
};

struct outfile {
	struct errands *thread;
	struct buffer buffer[OUTFILE_BUFFERS], *filling; /* filling: or NULL */
	struct buffer *free[OUTFILE_BUFFERS];
	unsigned frees;
	uint8_t *memory;
	int fd;
	bool is_long, away;   /* away: its buffers are written past the page cache */
	uint64_t have, size;  /* handed over so far; expected */
	struct crypto_hasher *hasher;
	uint8_t piece[PIECE];
	/* the thread's while something is under way, else the owner's */
	bool direct;
	uint64_t synced;
	int error;
};

static void direct(int fd, bool *on, bool want)
{
	int flags = fcntl(fd, F_GETFL);

	if (*on == want || flags < 0)
		return;
	if (fcntl(fd, F_SETFL, want ? flags | O_DIRECT : flags & ~O_DIRECT) == 0)
		*on = want;
}

static int write_piece(struct outfile *o, const uint8_t *data, size_t n, uint64_t at)
{
	if (n % ALIGN != 0)
		direct(o->fd, &o->direct, false); /* the end of the file */
	if (durable_pwrite_all(o->fd, data, n, (long long)at) == 0)
		return 0;
	if (errno != EINVAL || !o->direct)
		return errno;
	direct(o->fd, &o->direct, false); /* a disk that wants a larger alignment */
	return durable_pwrite_all(o->fd, data, n, (long long)at) == 0 ? 0 : errno;
}

/* After an error only the hash goes on. */
static void put(struct outfile *o, const uint8_t *data, size_t n, uint64_t at)
{
	if (o->error != 0 || (o->error = write_piece(o, data, n, at)) != 0)
		return;
	if (o->direct || at + n - o->synced < WRITE_BACK)
		return;
	/* Buffered: keep the disk at work.  A hint; whether it was heeded, the sync at the end will tell. */
	(void)sync_file_range(o->fd, (off_t)o->synced, (off_t)(at + n - o->synced), SYNC_FILE_RANGE_WRITE);
	o->synced = at + n;
}

static void run(struct errand *e)
{
	struct buffer *b = (struct buffer *)(void *)e;

	put(b->file, b->bytes, b->n, b->at);
}

struct outfile *outfile_new(void)
{
	struct outfile *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->memory = big_alloc(OUTFILE_BUFFERS * OUTFILE_BUFFER);
	o->hasher = crypto_hasher_new();
	o->thread = errands_start();
	if (o->memory == NULL || o->hasher == NULL || o->thread == NULL) {
		outfile_free(o);
		return NULL;
	}
	for (unsigned i = 0; i < OUTFILE_BUFFERS; i++) {
		o->buffer[i] = (struct buffer){ .errand = { .run = run }, .file = o,
			.bytes = o->memory + (size_t)i * OUTFILE_BUFFER };
		o->free[o->frees++] = &o->buffer[i];
	}
	return o;
}

void outfile_make(struct outfile *o)
{
	big_make(o->memory, OUTFILE_BUFFERS * OUTFILE_BUFFER);
}

void outfile_free(struct outfile *o)
{
	if (o == NULL)
		return;
	errands_stop(o->thread);
	crypto_hasher_free(o->hasher);
	free(o->memory);
	free(o);
}

/* Buffers that were written are free again; wait: all of them. */
static void take_back(struct outfile *o, bool wait)
{
	struct errand *e;

	while ((e = wait ? errands_take_wait(o->thread) : errands_take(o->thread)) != NULL)
		o->free[o->frees++] = (struct buffer *)(void *)e;
}

void outfile_begin(struct outfile *o, int fd, uint64_t size)
{
	outfile_abort(o);
	o->fd = fd;
	o->is_long = size >= OUTFILE_BUFFER;
	o->have = o->synced = 0;
	o->size = size;
	o->error = 0;
	o->direct = false;
	crypto_hasher_reset(o->hasher);
	if (o->is_long)
		direct(fd, &o->direct, true);
	o->away = o->direct;
}

static struct buffer *fresh(struct outfile *o)
{
	struct errand *e;

	take_back(o, false);
	if (o->frees == 0 && (e = errands_take_wait(o->thread)) != NULL)
		o->free[o->frees++] = (struct buffer *)(void *)e;
	struct buffer *b = o->free[--o->frees];
	b->n = 0;
	b->at = o->have;
	return b;
}

static void submit(struct outfile *o)
{
	copy_away_done();
	if (o->is_long) {
		errands_submit(o->thread, &o->filling->errand);
	} else {
		run(&o->filling->errand);
		o->free[o->frees++] = o->filling;
	}
	o->filling = NULL;
}

/* At most PIECE bytes: read once, and hashed as they are written. */
static void take(struct outfile *o, const uint8_t *data, size_t n)
{
	uint8_t *to = o->filling->bytes + o->filling->n, *mine = o->away ? o->piece : to;

	memcpy(mine, data, n);
	crypto_hasher_add(o->hasher, mine, n);
	if (mine != to)
		copy_away(to, mine, n);
	o->filling->n += n;
	o->have += n;
}

int outfile_write(struct outfile *o, const uint8_t *data, size_t n)
{
	while (n > 0) {
		if (o->filling == NULL)
			o->filling = fresh(o);
		size_t room = OUTFILE_BUFFER - o->filling->n, most = room < PIECE ? room : PIECE, part = n < most ? n : most;
		take(o, data, part);
		data += part;
		n -= part;
		/* What is near in the cache is written while it is, and a small file by one call. */
		if (o->filling->n == OUTFILE_BUFFER || (!o->is_long && n == 0 && (o->have >= o->size || o->filling->n >= PIECE)))
			submit(o);
	}
	if (!o->is_long)
		return o->error;
	return 0; /* what the thread finds, outfile_end() says */
}

int outfile_end(struct outfile *o, uint8_t sha256[static HASH_LEN])
{
	if (o->filling != NULL)
		submit(o);
	take_back(o, true);
	crypto_hasher_end(o->hasher, sha256);
	return o->error;
}

void outfile_abort(struct outfile *o)
{
	take_back(o, true);
	if (o->filling != NULL)
		o->free[o->frees++] = o->filling;
	o->filling = NULL;
}
