/* encode.c - see encode.h. */
#include "sender/encode.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "codec/fec.h"
#include "host/big.h"
#include "host/exits.h"
#include "host/log.h"
#include "sender/disk.h"

_Static_assert((int)ENCODE_SOURCE_ROOM <= (int)GATHER_MAX, "the source of any group that is kept");

/* A thread, its jobs in their order, and its own memory, kept from block to block. */
struct worker {
	struct encoder *e;
	pthread_t thread;
	struct encode_job *head, **tail;
	uint8_t *source;
	size_t source_room;
	void *work;
	size_t work_room;
	const uint8_t *src[FEC_ORDER];
	uint8_t *out[FEC_ORDER];
};

/* Two, so that a small object never waits for a group of a large one to be read and encoded. */
enum { QUICK, BULK, WORKERS };

struct encoder {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct worker worker[WORKERS];
	const struct window *window;
	bool stop;
	int event;
	size_t used;            /* bytes of parity of all jobs not yet released */
	size_t kept;            /* bytes of source of these */
	struct recycle memory;
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
		bytes += (size_t)encode_count(layout_block(&j->l, &j->g, b), j->late) * j->l.slen;
	return bytes;
}

bool encode_room(const struct encoder *e, size_t bytes)
{
	return e->used == 0 || e->used + bytes <= ENCODE_ROOM;
}

/* --- memory --- */

/* Grow *p to n bytes; its contents are lost. */
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

static struct recycle_piece take_memory(struct encoder *e, size_t n)
{
	struct recycle_piece p = recycle_take(&e->memory, n);

	if (p.at == NULL)
		log_die(EXIT_SYSTEM, "out of memory for %zu bytes of an object", n);
	return p;
}

/* --- the threads --- */

static size_t group_len(const struct encode_job *j)
{
	uint32_t last = j->first + j->blocks - 1;

	return ((size_t)(j->blocks - 1) * j->g.kfull + geometry_k(&j->g, last)) * j->g.slen;
}

static void tell(const struct encoder *e)
{
	const uint64_t one = 1;

	if (write(e->event, &one, sizeof(one)) < 0)
		log_debug("encoder: no event");
}

static struct gather_from from_of(const struct encoder *e, const struct encode_job *j)
{
	return (struct gather_from){ .fd = j->fd, .key = j->key, .len = j->g.len, .window = e->window };
}

/* The block's source symbols, into w->src; 0, or -1 if they cannot be had. */
static int block_source(struct worker *w, struct encode_job *j, uint32_t b, uint32_t k)
{
	uint64_t at = geometry_offset(&j->g, b, 0);
	size_t slen = j->l.slen, room = k * slen;
	const struct gather_from from = from_of(w->e, j);

	if (j->source != NULL) {
		size_t first = (size_t)(at - geometry_offset(&j->g, j->first, 0));
		for (uint32_t i = 0; i < k; i++)
			w->src[i] = gather_symbol(j->source, first + i * slen);
		return 0;
	}
	if (need(&w->source, &w->source_room, room + 2 * DISK_ALIGN) != 0 || gather_read(&from, w->source, at, room) != 0)
		return -1;
	for (uint32_t i = 0; i < k; i++)
		w->src[i] = w->source + at % DISK_ALIGN + i * slen;
	return 0;
}

/* Who sends is told when there is something that took its time. */
static int gather_group(const struct encoder *e, struct encode_job *j)
{
	const struct gather_from from = from_of(e, j);
	unsigned pieces = j->source != NULL ? gather_pieces(j->source) : 0;

	for (unsigned i = 0; i < pieces; i++) {
		enum gather_got got = gather_piece(j->source, &from, i);
		if (got == GATHER_FAILED)
			return -1;
		atomic_store(&j->have, gather_have(j->source, i));
		if (got == GATHER_READ || i + 1 == pieces)
			tell(e);
	}
	return 0;
}

/* One block; the slice may run over the end of the parity space, so in up to two pieces. */
static int encode_block(struct worker *w, struct encode_job *j, uint32_t b, uint8_t *parity)
{
	const struct layout_block *lb = layout_block(&j->l, &j->g, b);
	uint32_t k = geometry_k(&j->g, b), m = 1u << lb->mlog, slen = j->l.slen;
	uint32_t count = encode_count(lb, j->late), first = encode_number(lb, j->round, j->late, 0);
	uint32_t head = count < m - first ? count : m - first;

	if (count == 0)
		return 0;
	if (block_source(w, j, b, k) != 0 || need(&w->work, &w->work_room, fec_encode_work(k, m, slen)) != 0)
		return -1;
	for (uint32_t i = 0; i < count; i++)
		w->out[i] = parity + (size_t)i * slen;
	if (fec_encode(k, m, slen, w->src, first, head, w->out, w->work) != FEC_OK)
		return -1;
	if (head < count && fec_encode(k, m, slen, w->src, 0, count - head, w->out + head, w->work) != FEC_OK)
		return -1;
	return 0;
}

static int encode_group(struct worker *w, struct encode_job *j)
{
	uint8_t *at = j->parity;

	if (gather_group(w->e, j) != 0)
		return -1;
	for (uint32_t b = j->first; b < j->first + j->blocks; b++) {
		if (encode_block(w, j, b, at) != 0)
			return -1;
		at += (size_t)encode_count(layout_block(&j->l, &j->g, b), j->late) * j->l.slen;
	}
	return 0;
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	struct encoder *e = w->e;

	pthread_mutex_lock(&e->lock);
	for (;;) {
		while (w->head == NULL && !e->stop)
			pthread_cond_wait(&e->changed, &e->lock);
		if (e->stop)
			break;
		struct encode_job *j = w->head;
		w->head = j->next;
		if (w->head == NULL)
			w->tail = &w->head;
		pthread_mutex_unlock(&e->lock);
		int state = encode_group(w, j) == 0 ? ENCODE_READY : ENCODE_FAILED;
		pthread_mutex_lock(&e->lock);
		atomic_store(&j->state, state);
		pthread_cond_broadcast(&e->changed);
		tell(e);
	}
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

static void worker_start(struct worker *w, struct encoder *e)
{
	w->e = e;
	w->tail = &w->head;
	if (pthread_create(&w->thread, NULL, worker_run, w) != 0)
		log_die(EXIT_SYSTEM, "cannot start a thread");
}

static void worker_stop(struct worker *w)
{
	pthread_join(w->thread, NULL);
	free(w->source);
	free(w->work);
}

struct encoder *encoder_start(const struct window *window)
{
	struct encoder *e = calloc(1, sizeof(*e));

	if (e == NULL)
		log_die(EXIT_SYSTEM, "out of memory");
	e->window = window;
	e->memory.most = ENCODE_BOTH;
	e->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (e->event < 0)
		log_die(EXIT_SYSTEM, "out of descriptors");
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->changed, NULL);
	for (unsigned i = 0; i < WORKERS; i++)
		worker_start(&e->worker[i], e);
	return e;
}

static struct recycle_piece make_memory(struct encoder *e, size_t n)
{
	struct recycle_piece m = take_memory(e, n);

	big_make(m.at, m.room);
	return m;
}

void encoder_make(struct encoder *e, const struct layout *l)
{
	size_t source = (size_t)l->depth * l->kfull * l->slen, parity = (size_t)l->depth * encode_count(&l->full, false) * l->slen;
	struct worker *w = &e->worker[BULK];
	struct recycle_piece m[4];
	unsigned made = 0;

	for (unsigned i = 1; i <= 2; i++) { /* the one that leaves, and the next */
		if (i * parity <= ENCODE_ROOM)
			m[made++] = make_memory(e, parity);
		if (i * source <= ENCODE_SOURCE_ROOM)
			m[made++] = make_memory(e, gather_size(source, l->slen));
	}
	while (made > 0)
		recycle_give(&e->memory, &m[--made]);
	if (need(&w->work, &w->work_room, fec_encode_work(l->kfull, 1u << l->full.mlog, l->slen)) == 0)
		big_make(w->work, w->work_room);
}

void encoder_stop(struct encoder *e)
{
	pthread_mutex_lock(&e->lock);
	e->stop = true;
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
	for (unsigned i = 0; i < WORKERS; i++)
		worker_stop(&e->worker[i]);
	pthread_cond_destroy(&e->changed);
	pthread_mutex_destroy(&e->lock);
	close(e->event);
	recycle_end(&e->memory);
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

bool encode_room_ahead(const struct encoder *e, const struct encode_job *j)
{
	return e->used + 2 * encode_bytes(j) <= ENCODE_ROOM && e->kept + 2 * group_len(j) <= ENCODE_SOURCE_ROOM;
}

bool encode_submit(struct encoder *e, struct encode_job *j)
{
	size_t bytes = encode_bytes(j), source = gather_size(group_len(j), j->l.slen);
	struct worker *w = &e->worker[bytes + group_len(j) <= ENCODE_QUICK ? QUICK : BULK];

	if (!encode_room(e, bytes))
		return false;
	j->bytes = bytes;
	j->next = NULL;
	j->source = NULL;
	atomic_store(&j->have, 0);
	if (bytes == 0) {
		atomic_store(&j->state, ENCODE_READY);
		return true;
	}
	j->memory[0] = take_memory(e, bytes);
	j->parity = j->memory[0].at;
	if (e->kept + group_len(j) <= ENCODE_SOURCE_ROOM && recycle_fits(&e->memory, source)) {
		j->memory[1] = take_memory(e, source);
		j->source = gather_begin(j->memory[1].at, geometry_offset(&j->g, j->first, 0), group_len(j), j->l.slen);
		e->kept += group_len(j);
	}
	e->used += bytes;
	atomic_store(&j->state, ENCODE_QUEUED);
	pthread_mutex_lock(&e->lock);
	*w->tail = j;
	w->tail = &j->next;
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
	if (j->source != NULL) {
		e->kept -= group_len(j);
		gather_end(j->source);
	}
	for (unsigned i = 0; i < 2; i++)
		recycle_give(&e->memory, &j->memory[i]);
	j->parity = NULL;
	j->source = NULL;
	j->bytes = 0;
	atomic_store(&j->state, ENCODE_IDLE);
}
