/* encode.c - see encode.h. */
#include "sender/encode.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "codec/fec.h"
#include "host/big.h"
#include "host/exits.h"
#include "host/log.h"

struct encoder {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct encode_job *head, **tail;
	bool stop;
	int event;
	size_t used;            /* bytes of parity of all jobs not yet released */
	/* The thread's own memory, kept from block to block. */
	uint8_t *source;
	size_t source_room;
	void *work;
	size_t work_room;
	const uint8_t **src;
	uint8_t **out;
};

uint32_t encode_count(const struct layout_block *b, bool late)
{
	return late ? b->r - b->r1 : b->r1;
}

uint32_t encode_number(const struct layout_block *b, uint32_t round, bool late, uint32_t i)
{
	uint64_t at = (uint64_t)round * b->r + (late ? b->r1 : 0) + i;

	return (uint32_t)(at & ((1u << b->mlog) - 1));
}

size_t encode_bytes(const struct encode_job *j)
{
	size_t bytes = 0;

	for (uint32_t b = j->first; b < j->first + j->blocks; b++)
		bytes += (size_t)encode_count(layout_block(j->l, j->g, b), j->late) * j->l->slen;
	return bytes;
}

bool encode_room(const struct encoder *e, size_t bytes)
{
	return e->used == 0 || e->used + bytes <= ENCODE_ROOM;
}

/* Grow *p to n bytes aligned to 64; its contents are lost. */
static int need(void *p, size_t *room, size_t n)
{
	void **at = p;

	if (n <= *room)
		return 0;
	free(*at);
	*room = 0;
	*at = big_alloc(n);
	if (*at == NULL)
		return -1;
	*room = n;
	return 0;
}

/* The block's source bytes, zero past the object's end. */
static int read_block(struct encoder *e, const struct encode_job *j, uint32_t b, uint32_t k)
{
	size_t room = (size_t)k * j->l->slen, have = 0;
	uint64_t at = geometry_offset(j->g, b, 0);
	size_t want = j->g->len - at < room ? (size_t)(j->g->len - at) : room;

	if (need(&e->source, &e->source_room, room) != 0)
		return -1;
	while (have < want) {
		ssize_t n = pread(j->fd, e->source + have, want - have, (off_t)(at + have));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		have += (size_t)n;
	}
	memset(e->source + want, 0, room - want);
	return 0;
}

/* One block; the slice may run over the end of the parity space, so in up to two pieces. */
static int encode_block(struct encoder *e, const struct encode_job *j, uint32_t b, uint8_t *parity)
{
	const struct layout_block *lb = layout_block(j->l, j->g, b);
	uint32_t k = geometry_k(j->g, b), m = 1u << lb->mlog, slen = j->l->slen;
	uint32_t count = encode_count(lb, j->late), first = encode_number(lb, j->round, j->late, 0);
	uint32_t head = count < m - first ? count : m - first;

	if (count == 0)
		return 0;
	if (read_block(e, j, b, k) != 0 || need(&e->work, &e->work_room, fec_encode_work(k, m, slen)) != 0)
		return -1;
	for (uint32_t i = 0; i < k; i++)
		e->src[i] = e->source + (size_t)i * slen;
	for (uint32_t i = 0; i < count; i++)
		e->out[i] = parity + (size_t)i * slen;
	if (fec_encode(k, m, slen, e->src, first, head, e->out, e->work) != FEC_OK)
		return -1;
	if (head < count && fec_encode(k, m, slen, e->src, 0, count - head, e->out + head, e->work) != FEC_OK)
		return -1;
	return 0;
}

static int encode_group(struct encoder *e, struct encode_job *j)
{
	uint8_t *at = j->parity;

	for (uint32_t b = j->first; b < j->first + j->blocks; b++) {
		if (encode_block(e, j, b, at) != 0)
			return -1;
		at += (size_t)encode_count(layout_block(j->l, j->g, b), j->late) * j->l->slen;
	}
	return 0;
}

static void *encoder_run(void *arg)
{
	struct encoder *e = arg;
	const uint64_t one = 1;

	pthread_mutex_lock(&e->lock);
	for (;;) {
		while (e->head == NULL && !e->stop)
			pthread_cond_wait(&e->changed, &e->lock);
		if (e->stop)
			break;
		struct encode_job *j = e->head;
		e->head = j->next;
		if (e->head == NULL)
			e->tail = &e->head;
		pthread_mutex_unlock(&e->lock);
		int state = encode_group(e, j) == 0 ? ENCODE_READY : ENCODE_FAILED;
		pthread_mutex_lock(&e->lock);
		atomic_store(&j->state, state);
		pthread_cond_broadcast(&e->changed);
		if (write(e->event, &one, sizeof(one)) < 0)
			log_debug("encoder: no event");
	}
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

struct encoder *encoder_start(void)
{
	struct encoder *e = calloc(1, sizeof(*e));

	if (e == NULL)
		log_die(EXIT_SYSTEM, "out of memory");
	e->src = calloc(FEC_ORDER, sizeof(*e->src));
	e->out = calloc(FEC_ORDER, sizeof(*e->out));
	e->tail = &e->head;
	e->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (e->src == NULL || e->out == NULL || e->event < 0)
		log_die(EXIT_SYSTEM, "out of memory or descriptors");
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->changed, NULL);
	if (pthread_create(&e->thread, NULL, encoder_run, e) != 0)
		log_die(EXIT_SYSTEM, "cannot start a thread");
	return e;
}

void encoder_stop(struct encoder *e)
{
	pthread_mutex_lock(&e->lock);
	e->stop = true;
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
	pthread_join(e->thread, NULL);
	pthread_cond_destroy(&e->changed);
	pthread_mutex_destroy(&e->lock);
	close(e->event);
	free(e->source);
	free(e->work);
	free(e->src);
	free(e->out);
	free(e);
}

int encoder_fd(const struct encoder *e)
{
	return e->event;
}

void encoder_clear(struct encoder *e)
{
	uint64_t n;

	if (read(e->event, &n, sizeof(n)) < 0)
		n = 0; /* nothing had happened */
}

bool encode_submit(struct encoder *e, struct encode_job *j)
{
	size_t bytes = encode_bytes(j);

	if (!encode_room(e, bytes))
		return false;
	j->bytes = bytes;
	j->next = NULL;
	if (bytes == 0) {
		atomic_store(&j->state, ENCODE_READY);
		return true;
	}
	j->parity = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
	if (j->parity == NULL)
		log_die(EXIT_SYSTEM, "out of memory for %zu bytes of parity", bytes);
	e->used += bytes;
	atomic_store(&j->state, ENCODE_QUEUED);
	pthread_mutex_lock(&e->lock);
	*e->tail = j;
	e->tail = &j->next;
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
	return true;
}

void encode_release(struct encoder *e, struct encode_job *j)
{
	if (atomic_load(&j->state) == ENCODE_IDLE)
		return;
	pthread_mutex_lock(&e->lock);
	while (atomic_load(&j->state) == ENCODE_QUEUED)
		pthread_cond_wait(&e->changed, &e->lock);
	pthread_mutex_unlock(&e->lock);
	e->used -= j->bytes;
	free(j->parity);
	j->parity = NULL;
	j->bytes = 0;
	atomic_store(&j->state, ENCODE_IDLE);
}
