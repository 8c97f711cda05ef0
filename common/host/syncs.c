/* syncs.c - see syncs.h */
#include "host/syncs.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 4, ROOM = 64 };

struct one {
	int fd;
	bool ours;
	int *error;
};

struct syncs {
	pthread_t thread[THREADS];
	unsigned threads;
	pthread_mutex_t lock;
	pthread_cond_t wake, done;
	struct one todo[ROOM];
	unsigned count, running;
	bool stop;
};

static int carry_out(const struct one *o)
{
	int error = fsync(o->fd) == 0 ? 0 : errno;

	if (o->ours)
		close(o->fd);
	return error;
}

/* One of those that wait, by whoever has the lock. */
static void do_one(struct syncs *s)
{
	struct one o = s->todo[--s->count];

	s->running++;
	pthread_mutex_unlock(&s->lock);
	int error = carry_out(&o);
	pthread_mutex_lock(&s->lock);
	if (*o.error == 0)
		*o.error = error;
	if (--s->running == 0 && s->count == 0)
		pthread_cond_signal(&s->done);
}

static void *run(void *arg)
{
	struct syncs *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->stop) {
		if (s->count > 0)
			do_one(s);
		else
			pthread_cond_wait(&s->wake, &s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

struct syncs *syncs_start(void)
{
	struct syncs *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	pthread_cond_init(&s->done, NULL);
	while (s->threads < THREADS && pthread_create(&s->thread[s->threads], NULL, run, s) == 0)
		s->threads++;
	if (s->threads == THREADS)
		return s;
	syncs_stop(s);
	return NULL;
}

void syncs_stop(struct syncs *s)
{
	if (s == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_broadcast(&s->wake);
	pthread_mutex_unlock(&s->lock);
	for (unsigned i = 0; i < s->threads; i++)
		pthread_join(s->thread[i], NULL);
	pthread_cond_destroy(&s->done);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

void syncs_add(struct syncs *s, int fd, bool ours, int *error)
{
	struct one o = { fd, ours, error };

	if (s == NULL) {
		int failed = carry_out(&o);
		if (*error == 0)
			*error = failed;
		return;
	}
	pthread_mutex_lock(&s->lock);
	while (s->count == ROOM)
		do_one(s);
	s->todo[s->count++] = o;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

void syncs_wait(struct syncs *s)
{
	if (s == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	while (s->count > 0 || s->running > 0) {
		if (s->count > 0)
			do_one(s);
		else
			pthread_cond_wait(&s->done, &s->lock);
	}
	pthread_mutex_unlock(&s->lock);
}
