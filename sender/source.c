/* source.c - see source.h. */
#include "sender/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void source_init(struct source *s, struct disk *d)
{
	memset(s, 0, sizeof(*s));
	s->disk = d;
	s->fd = -1;
	uint8_t *buf = disk_buffers(SOURCE_BUFFERS);
	for (unsigned i = 0; i < SOURCE_BUFFERS; i++)
		s->op[i].buf = buf + (size_t)i * DISK_PIECE;
}

void source_free(struct source *s)
{
	source_end(s);
	free(s->op[0].buf);
}

/* Bytes from a place on up to the next multiple of a piece. */
static size_t to_piece(uint64_t at)
{
	return DISK_PIECE - (size_t)(at % DISK_PIECE);
}

static void ask(struct source *s, struct disk_op *op)
{
	op->fd = s->fd;
	op->n = to_piece(s->asked); /* also for the last one: what is too long shall be seen */
	op->at = s->asked;
	op->cached = s->cached;
	s->asked += op->n;
	disk_submit(s->disk, op);
}

/* From here on the disk's thread reads. */
static void read_ahead(struct source *s)
{
	(void)disk_direct(s->fd, true);
	s->near = false;
	s->asked = s->given;
	for (unsigned i = 0; i < SOURCE_BUFFERS - SOURCE_KEPT && s->asked < s->size; i++)
		ask(s, &s->op[i]);
}

void source_begin(struct source *s, int fd, uint64_t size, bool near)
{
	s->fd = fd;
	s->size = size;
	s->asked = s->given = 0;
	s->turn = 0;
	s->cached = true;
	s->near = near && size >= DISK_PIECE;
	if (size >= DISK_PIECE && !near)
		read_ahead(s);
}

/* A file that was read exactly as far as it should go; is there more of it? */
static int longer(struct source *s)
{
	if (!disk_direct(s->fd, false))
		return -1;
	return disk_read(s->fd, s->op[0].buf, 1, s->size) == 0 ? 0 : -1;
}

/* All of it. */
static void take_small(struct source *s, struct disk_op *op)
{
	long long got = disk_read(s->fd, op->buf, DISK_PIECE, 0);

	op->error = got < 0 ? errno : 0;
	op->got = got < 0 ? 0 : (size_t)got;
}

static void take_ahead(struct source *s, struct disk_op *op)
{
	/* The buffer so many before this one has been used. */
	if (s->asked < s->size)
		ask(s, &s->op[(s->turn + SOURCE_BUFFERS - SOURCE_KEPT) % SOURCE_BUFFERS]);
	disk_wait(s->disk, op);
	s->cached = op->cached;
}

/* Always the same buffer.  False: it is not in the page cache, and the disk's thread has begun. */
static bool take_near(struct source *s, size_t want)
{
	if (disk_read_cached(s->fd, s->op[0].buf, want, s->given))
		return true;
	s->cached = false;
	read_ahead(s);
	return false;
}

int source_next(struct source *s, const uint8_t **data, size_t *n)
{
	struct disk_op *op = &s->op[s->turn % SOURCE_BUFFERS];
	uint64_t left = s->size - s->given;
	size_t want = left < to_piece(s->given) ? (size_t)left : to_piece(s->given);
	size_t part = want < SOURCE_NEAR ? want : SOURCE_NEAR;

	if (left == 0) {
		if ((s->near || s->size % DISK_PIECE == 0) && longer(s) != 0) {
			errno = ESTALE;
			return -1;
		}
		return 0;
	}
	if (s->near && take_near(s, part)) {
		want = op->got = part;
		op->error = 0;
	} else {
		if (s->size < DISK_PIECE)
			take_small(s, op);
		else
			take_ahead(s, op);
		s->turn++;
	}
	if (op->error != 0 || op->got != want) {
		errno = op->error != 0 ? op->error : ESTALE;
		return -1;
	}
	s->given += want;
	*data = op->buf;
	*n = want;
	return 1;
}

void source_end(struct source *s)
{
	for (unsigned i = 0; i < SOURCE_BUFFERS; i++)
		disk_wait(s->disk, &s->op[i]);
	s->fd = -1;
}
