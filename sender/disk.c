/* disk.c - see disk.h. */
#include "sender/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "host/big.h"
#include "host/durable.h"
#include "host/exits.h"
#include "host/log.h"

struct disk {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct disk_op *head, **tail;
	bool stop;
};

bool disk_direct(int fd, bool want)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return false;
	if (((flags & O_DIRECT) != 0) == want)
		return true;
	return fcntl(fd, F_SETFL, want ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

uint8_t *disk_buffers(unsigned count)
{
	uint8_t *p = big_alloc((size_t)count * DISK_PIECE);

	if (p == NULL)
		log_die(EXIT_SYSTEM, "out of memory");
	return p;
}

/* A disk that wants a larger alignment than ours, or a file system that takes the flag and then does not want it. */
static bool give_up_direct(int fd)
{
	int kept = errno, flags = fcntl(fd, F_GETFL);

	if (kept == EINVAL && flags >= 0 && (flags & O_DIRECT) != 0 && disk_direct(fd, false))
		return true;
	errno = kept;
	return false;
}

long long disk_read(int fd, uint8_t *buf, size_t n, uint64_t at)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = pread(fd, buf + have, n - have, (off_t)(at + have));
		if (got < 0 && (errno == EINTR || give_up_direct(fd)))
			continue;
		if (got < 0)
			return -1;
		have += (size_t)got;
		if (got == 0 || have % DISK_ALIGN != 0) { /* only at its end does a file stop between two blocks ... */
			int flags = fcntl(fd, F_GETFL);
			if (got == 0 || (flags >= 0 && (flags & O_DIRECT) != 0)) /* ... of the disk */
				break;
		}
	}
	return (long long)have;
}

static int write_piece(const struct disk_op *op)
{
	if (op->n % DISK_ALIGN != 0 && !disk_direct(op->fd, false)) /* the end of the file */
		return -1;
	if (durable_pwrite_all(op->fd, op->buf, op->n, (long long)op->at) != 0 &&
	    (!give_up_direct(op->fd) || durable_pwrite_all(op->fd, op->buf, op->n, (long long)op->at) != 0))
		return -1;
	/* Buffered: keep the disk at work, so that the sync in the end is short.  A hint; the sync will tell. */
	int flags = fcntl(op->fd, F_GETFL);
	if (flags >= 0 && (flags & O_DIRECT) == 0 && op->n == DISK_PIECE)
		(void)sync_file_range(op->fd, (off_t)op->at, (off_t)op->n, SYNC_FILE_RANGE_WRITE);
	return 0;
}

bool disk_read_cached(int fd, uint8_t *buf, size_t n, uint64_t at)
{
	const struct iovec v = { buf, n };

	return preadv2(fd, &v, 1, (off_t)at, RWF_NOWAIT) == (ssize_t)n;
}

/* Without asking the disk: true if all of it was in memory.  The way fd is open is put in order for what comes next. */
static bool read_cached(struct disk_op *op)
{
	if (!disk_direct(op->fd, false))
		return false;
	if (disk_read_cached(op->fd, op->buf, op->n, op->at))
		return true;
	(void)disk_direct(op->fd, true);
	return false;
}

void disk_run_here(struct disk_op *op)
{
	op->error = 0;
	if (op->write) {
		op->error = write_piece(op) == 0 ? 0 : errno;
		op->got = op->error == 0 ? op->n : 0;
		return;
	}
	if (op->cached && (op->cached = read_cached(op))) {
		op->got = op->n;
		return;
	}
	long long got = disk_read(op->fd, op->buf, op->n, op->at);
	op->error = got < 0 ? errno : 0;
	op->got = got < 0 ? 0 : (size_t)got;
}

static void *disk_run(void *arg)
{
	struct disk *d = arg;

	pthread_mutex_lock(&d->lock);
	for (;;) {
		while (d->head == NULL && !d->stop)
			pthread_cond_wait(&d->changed, &d->lock);
		if (d->head == NULL)
			break;
		struct disk_op *op = d->head;
		d->head = op->next;
		if (d->head == NULL)
			d->tail = &d->head;
		pthread_mutex_unlock(&d->lock);
		disk_run_here(op);
		pthread_mutex_lock(&d->lock);
		op->pending = false;
		pthread_cond_broadcast(&d->changed);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

struct disk *disk_start(void)
{
	struct disk *d = calloc(1, sizeof(*d));

	if (d == NULL)
		log_die(EXIT_SYSTEM, "out of memory");
	d->tail = &d->head;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->changed, NULL);
	if (pthread_create(&d->thread, NULL, disk_run, d) != 0)
		log_die(EXIT_SYSTEM, "cannot start a thread");
	return d;
}

void disk_stop(struct disk *d)
{
	pthread_mutex_lock(&d->lock);
	d->stop = true;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	pthread_cond_destroy(&d->changed);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

void disk_submit(struct disk *d, struct disk_op *op)
{
	pthread_mutex_lock(&d->lock);
	op->pending = true;
	op->next = NULL;
	*d->tail = op;
	d->tail = &op->next;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
}

void disk_wait(struct disk *d, struct disk_op *op)
{
	pthread_mutex_lock(&d->lock);
	while (op->pending)
		pthread_cond_wait(&d->changed, &d->lock);
	pthread_mutex_unlock(&d->lock);
}
