/* errand.c - a thread that runs errands (errand.h). */
#include "host/errand.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct queue {
	struct errand *head, **tail;
};

struct errands {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake, ready;
	struct queue todo, done;
	unsigned pending; /* the owner's count, not shared */
	int stop;
	int fd;
};

static void put(struct queue *q, struct errand *e)
{
	e->next = NULL;
	*q->tail = e;
	q->tail = &e->next;
}

static struct errand *get(struct queue *q)
{
	struct errand *e = q->head;

	if (e != NULL && (q->head = e->next) == NULL)
		q->tail = &q->head;
	return e;
}

static void *work(void *arg)
{
	struct errands *t = arg;
	struct errand *e;

	pthread_mutex_lock(&t->lock);
	for (;;) {
		while ((e = get(&t->todo)) == NULL && !t->stop)
			pthread_cond_wait(&t->wake, &t->lock);
		if (e == NULL)
			break;
		pthread_mutex_unlock(&t->lock);
		e->run(e);
		pthread_mutex_lock(&t->lock);
		put(&t->done, e);
		pthread_cond_signal(&t->ready);
		if (eventfd_write(t->fd, 1) != 0)
			continue; /* only at 2^64 - 1: it is readable all the same */
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

struct errands *errands_start(void)
{
	struct errands *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	if ((t->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
		goto free_it;
	t->todo.tail = &t->todo.head;
	t->done.tail = &t->done.head;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->wake, NULL);
	pthread_cond_init(&t->ready, NULL);
	if (pthread_create(&t->thread, NULL, work, t) != 0)
		goto close_fd;
	return t;
close_fd:
	close(t->fd);
free_it:
	free(t);
	return NULL;
}

void errands_submit(struct errands *t, struct errand *e)
{
	t->pending++;
	pthread_mutex_lock(&t->lock);
	put(&t->todo, e);
	pthread_cond_signal(&t->wake);
	pthread_mutex_unlock(&t->lock);
}

/* The next finished one, the lock held.  With the last of them the descriptor
 * goes quiet: a loop that polls it would spin otherwise. */
static struct errand *take(struct errands *t)
{
	struct errand *e = get(&t->done);
	eventfd_t v;

	if (e != NULL && t->done.head == NULL && eventfd_read(t->fd, &v) != 0)
		v = 0; /* was not readable: nothing to reset */
	return e;
}

struct errand *errands_take(struct errands *t)
{
	struct errand *e;

	if (t->pending == 0)
		return NULL;
	pthread_mutex_lock(&t->lock);
	e = take(t);
	pthread_mutex_unlock(&t->lock);
	if (e != NULL)
		t->pending--;
	return e;
}

struct errand *errands_take_wait(struct errands *t)
{
	struct errand *e;

	if (t->pending == 0)
		return NULL;
	pthread_mutex_lock(&t->lock);
	while ((e = take(t)) == NULL)
		pthread_cond_wait(&t->ready, &t->lock);
	pthread_mutex_unlock(&t->lock);
	t->pending--;
	return e;
}

unsigned errands_pending(const struct errands *t)
{
	return t->pending;
}

int errands_fd(const struct errands *t)
{
	return t->fd;
}

void errands_stop(struct errands *t)
{
	if (t == NULL)
		return;
	pthread_mutex_lock(&t->lock);
	t->stop = 1;
	pthread_cond_signal(&t->wake);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	close(t->fd);
	pthread_mutex_destroy(&t->lock);
	pthread_cond_destroy(&t->wake);
	pthread_cond_destroy(&t->ready);
	free(t);
}
