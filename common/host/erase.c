/* erase.c - see erase.h. */
#include "host/erase.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/exits.h"
#include "host/log.h"

enum {
	PIECE = 8 << 20,  /* bytes given back at once; a smaller file goes as a whole */
	WAITING = 16,     /* files; with more than that the next one goes as a whole */
	PAUSE = 8,        /* times as long as a piece took, with one file; half of it with two ... */
};

static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	int fd[WAITING];
	unsigned count, first;
	bool running, stop;
} e = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER };

/* Is there more to give back of this file?  Another name it may have got is left alone. */
static bool give_back(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || st.st_nlink != 0 || st.st_size <= PIECE)
		return false;
	return ftruncate(fd, st.st_size - PIECE) == 0;
}

/* By whoever has the lock, which it lets go meanwhile. */
static void erase_first(void)
{
	int fd = e.fd[e.first];
	bool more = true;

	while (more && !e.stop) {
		unsigned waiting = e.count;
		pthread_mutex_unlock(&e.lock);
		uint64_t began = clock_mono_ns();
		more = give_back(fd);
		clock_sleep_ns((clock_mono_ns() - began) * PAUSE / waiting);
		pthread_mutex_lock(&e.lock);
	}
	e.first = (e.first + 1) % WAITING;
	e.count--;
	pthread_mutex_unlock(&e.lock);
	close(fd); /* what is left */
	pthread_mutex_lock(&e.lock);
}

static void *run(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&e.lock);
	for (;;) {
		while (e.count == 0 && !e.stop)
			pthread_cond_wait(&e.wake, &e.lock);
		if (e.count == 0)
			break;
		erase_first();
	}
	pthread_mutex_unlock(&e.lock);
	return NULL;
}

void erase_start(void)
{
	if (pthread_create(&e.thread, NULL, run, NULL) != 0)
		log_die(EXIT_SYSTEM, "cannot start a thread");
	e.running = true;
}

void erase_stop(void)
{
	pthread_mutex_lock(&e.lock);
	e.stop = true;
	pthread_cond_signal(&e.wake);
	pthread_mutex_unlock(&e.lock);
	if (e.running)
		pthread_join(e.thread, NULL);
	e.running = e.stop = false;
}

static bool later(int fd)
{
	bool room;

	pthread_mutex_lock(&e.lock);
	room = e.running && !e.stop && e.count < WAITING;
	if (room) {
		e.fd[(e.first + e.count++) % WAITING] = fd;
		pthread_cond_signal(&e.wake);
	}
	pthread_mutex_unlock(&e.lock);
	return room;
}

int erase_file(int dir, const char *name)
{
	struct stat st;
	int fd = -1, r;

	/* Not a file of ours to write into: then as any other. */
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && st.st_size > PIECE)
		fd = openat(dir, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	r = unlinkat(dir, name, 0);
	if (fd >= 0 && (r != 0 || !later(fd))) {
		int kept = errno;
		close(fd);
		errno = kept;
	}
	return r;
}
