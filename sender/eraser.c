/* eraser.c - see eraser.h. */
#include "sender/eraser.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "host/exits.h"
#include "host/log.h"

#define NS 1000000000ull

struct item {
	struct item *next;
	struct claim claim;
	const struct claim_folder *folder;
};

struct eraser {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct item *head, **tail;
	unsigned count;
	uint64_t last_ns; /* when the last one was put in */
	bool stop;
};

static void erase(struct item *i)
{
	if (claim_erase(&i->claim, i->folder) != 0)
		log_warn("%s/.taken/%s: sent, but cannot be erased: %s; the next start tries again", i->folder->path,
		    i->claim.id, strerror(errno));
	claim_end(&i->claim, i->folder);
	free(i);
}

/* The oldest, of which there is one.  By whoever has the lock. */
static struct item *take(struct eraser *e)
{
	struct item *i = e->head;

	e->count--;
	e->head = i->next;
	if (e->head == NULL)
		e->tail = &e->head;
	return i;
}

/* Until there is one whose time has come; false: stopped, and there is none. */
static bool wait_for_one(struct eraser *e)
{
	while (!e->stop && e->count <= ERASER_WAITING_MAX) {
		uint64_t due = e->last_ns + ERASER_QUIET_NS;
		const struct timespec t = { (time_t)(due / NS), (long)(due % NS) };
		if (e->head == NULL)
			pthread_cond_wait(&e->wake, &e->lock);
		else if (clock_mono_ns() >= due)
			break;
		else
			pthread_cond_clockwait(&e->wake, &e->lock, CLOCK_MONOTONIC, &t);
	}
	return e->head != NULL;
}

static void *run(void *arg)
{
	struct eraser *e = arg;

	pthread_mutex_lock(&e->lock);
	while (wait_for_one(e)) {
		struct item *i = take(e);
		pthread_mutex_unlock(&e->lock);
		erase(i);
		pthread_mutex_lock(&e->lock);
	}
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

struct eraser *eraser_start(void)
{
	struct eraser *e = calloc(1, sizeof(*e));

	if (e == NULL)
		log_die(EXIT_SYSTEM, "out of memory");
	e->tail = &e->head;
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->wake, NULL);
	if (pthread_create(&e->thread, NULL, run, e) != 0)
		log_die(EXIT_SYSTEM, "cannot start a thread");
	return e;
}

void eraser_stop(struct eraser *e)
{
	pthread_mutex_lock(&e->lock);
	e->stop = true;
	pthread_cond_signal(&e->wake);
	pthread_mutex_unlock(&e->lock);
	pthread_join(e->thread, NULL);
	pthread_cond_destroy(&e->wake);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

void eraser_put(struct eraser *e, struct claim *c, const struct claim_folder *f)
{
	struct item *i = calloc(1, sizeof(*i)), *oldest = NULL;

	if (i == NULL)
		log_die(EXIT_SYSTEM, "out of memory");
	claim_sent(c, f);
	i->claim = *c;
	i->folder = f;
	memset(c, 0, sizeof(*c));
	c->dir = -1;
	pthread_mutex_lock(&e->lock);
	*e->tail = i;
	e->tail = &i->next;
	e->count++;
	e->last_ns = clock_mono_ns();
	if (e->count > ERASER_HELD_MAX)
		oldest = take(e);
	pthread_cond_signal(&e->wake);
	pthread_mutex_unlock(&e->lock);
	if (oldest != NULL)
		erase(oldest);
}
