/* sealer.c - see sealer.h; what an object is made of is in sealer_object.c. */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "host/big.h"
#include "host/exits.h"
#include "host/log.h"
#include "sender/sealer_private.h"

void sealer_tell(const struct sealer *s)
{
	const uint64_t one = 1;

	if (write(s->event, &one, sizeof(one)) < 0)
		log_debug("sealer: no event");
}

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
		sealer_run_job(s, j);
		pthread_mutex_lock(&s->lock);
		s->done = j;
		sealer_tell(s);
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
	if (rate >= BIG_EARLY_RATE)
		object_file_make(&s->file);
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
