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

static void ask(struct source *s, struct disk_op *op)
{
	op->fd = s->fd;
	op->n = DISK_PIECE; /* also for the last one: what is too long shall be seen */
	op->at = s->asked;
	op->cached = s->cached;
	s->asked += DISK_PIECE;
	disk_submit(s->disk, op);
}

void source_begin(struct source *s, int fd, uint64_t size)
{
	s->fd = fd;
	s->size = size;
	s->asked = s->given = 0;
	s->turn = 0;
	s->cached = true;
	if (size < DISK_PIECE)
		return; /* read when it is asked for */
	(void)disk_direct(fd, true);
	for (unsigned i = 0; i < SOURCE_BUFFERS - SOURCE_KEPT && s->asked < size; i++)
		ask(s, &s->op[i]);
}

/* A file whose length is a multiple of a piece has been read to its end, but not beyond. */
static int longer(struct source *s)
{
	if (!disk_direct(s->fd, false))
		return -1;
	return disk_read(s->fd, s->op[0].buf, 1, s->size) == 0 ? 0 : -1;
}

int source_next(struct source *s, const uint8_t **data, size_t *n)
{
	struct disk_op *op = &s->op[s->turn % SOURCE_BUFFERS];
	uint64_t left = s->size - s->given;
	size_t want = left < DISK_PIECE ? (size_t)left : DISK_PIECE;

	if (left == 0) {
		if (s->size % DISK_PIECE == 0 && longer(s) != 0) {
			errno = ESTALE;
			return -1;
		}
		return 0;
	}
	if (s->size < DISK_PIECE) {
		long long got = disk_read(s->fd, op->buf, DISK_PIECE, 0);
		op->error = got < 0 ? errno : 0;
		op->got = got < 0 ? 0 : (size_t)got;
	} else {
		/* The buffer so many before this one has been used. */
		if (s->asked < s->size)
			ask(s, &s->op[(s->turn + SOURCE_BUFFERS - SOURCE_KEPT) % SOURCE_BUFFERS]);
		disk_wait(s->disk, op);
		s->cached = op->cached;
	}
	if (op->error != 0 || op->got != want) {
		errno = op->error != 0 ? op->error : ESTALE;
		return -1;
	}
	s->turn++;
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
