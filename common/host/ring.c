/* ring.c - see ring.h */
#include "host/ring.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/sealed.h"

enum { PAGE = 4096, HEAD = 16, ALIGN = 16, SIZE_MIN = 65536, SIZE_MAX_LOG = 30, PAD = 1 };

struct ring_shared {
	_Atomic uint64_t head;
	_Atomic uint32_t reader_sleeps;
	uint8_t gap[52];
	_Atomic uint64_t tail;
	_Atomic uint32_t writer_sleeps;
	_Atomic uint64_t wanted; /* the tail for which it does */
};
_Static_assert(offsetof(struct ring_shared, tail) == 64, "one cache line each");

struct head {
	uint32_t len, kind;
	uint64_t tag;
};
_Static_assert(sizeof(struct head) == HEAD && HEAD % ALIGN == 0, "records stay aligned");

static bool size_ok(size_t n)
{
	return n >= SIZE_MIN && n <= (size_t)1 << SIZE_MAX_LOG && (n & (n - 1)) == 0;
}

int ring_create(size_t bytes)
{
	if (!size_ok(bytes)) {
		errno = EINVAL;
		return -1;
	}
	return sealed_create("katamichi-ring", PAGE + bytes);
}

/* All of it, head page and data; *size: of the data.  NULL and errno. */
static void *map(int memfd, int prot, size_t *size)
{
	off_t all = sealed_size(memfd);

	if (all < 0)
		return NULL;
	if (all <= PAGE || !size_ok((size_t)all - PAGE)) {
		errno = EINVAL;
		return NULL;
	}
	*size = (size_t)all - PAGE;
	return sealed_map(memfd, (size_t)all, prot);
}

int ring_open(struct ring *r, int memfd, int wake, bool reader)
{
	void *p;

	memset(r, 0, sizeof(*r));
	if ((p = map(memfd, PROT_READ | PROT_WRITE, &r->size)) == NULL)
		return -1;
	r->shared = p;
	r->data = (uint8_t *)p + PAGE;
	r->wake = wake;
	r->reader = reader;
	return 0;
}

void ring_close(struct ring *r)
{
	if (r->shared != NULL)
		(void)munmap(r->shared, PAGE + r->size);
	r->shared = NULL;
}

size_t ring_max(const struct ring *r)
{
	return r->size / 4 - HEAD;
}

static size_t padded(size_t n)
{
	return (HEAD + n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static void wake_peer(struct ring *r, _Atomic uint32_t *sleeps)
{
	if (atomic_load(sleeps) == 0 || atomic_exchange(sleeps, 0) == 0)
		return;
	if (write(r->wake, "", 1) != 1)
		return; /* full: it has bytes to wake up for; closed: whoever waits finds out */
}

/* --- writer --- */
/* The reader's index: not behind what it was, not beyond our own. */
static bool look_at_tail(struct ring *r)
{
	uint64_t tail = atomic_load(&r->shared->tail);

	if (tail < r->other || tail > r->mine || tail % ALIGN != 0)
		return false;
	r->other = tail;
	return true;
}

/* Bytes to give to a record with this body, filling up included. */
static size_t needed(const struct ring *r, size_t n)
{
	size_t at = (size_t)(r->mine & (r->size - 1)), all = padded(n);

	return r->size - at < all ? r->size - at + all : all;
}

static bool has_room(const struct ring *r, size_t n)
{
	return r->size - (size_t)(r->mine - r->other) >= needed(r, n);
}

enum ring_result ring_reserve(struct ring *r, size_t n, uint8_t **out)
{
	size_t at = (size_t)(r->mine & (r->size - 1));

	if (n > ring_max(r))
		return RING_BAD;
	if (!has_room(r, n)) {
		if (!look_at_tail(r))
			return RING_BAD;
		if (!has_room(r, n))
			return RING_NOTHING;
	}
	r->next = r->mine;
	if (r->size - at < padded(n)) { /* at least a head fits: everything is aligned to its size */
		const struct head pad = { (uint32_t)(r->size - at - HEAD), PAD, 0 };

		memcpy(r->data + at, &pad, HEAD);
		r->next += r->size - at;
		at = 0;
	}
	*out = r->data + at + HEAD;
	return RING_GOT;
}

void ring_commit(struct ring *r, uint64_t tag, size_t n)
{
	const struct head h = { (uint32_t)n, 0, tag };

	memcpy(r->data + (size_t)(r->next & (r->size - 1)), &h, HEAD);
	r->mine = r->next + padded(n);
	atomic_store(&r->shared->head, r->mine);
}

void ring_tell(struct ring *r)
{
	wake_peer(r, &r->shared->reader_sleeps);
}

/* --- reader --- */
static bool look_at_head(struct ring *r)
{
	uint64_t head = atomic_load(&r->shared->head);

	if (head < r->other || head - r->mine > r->size || head % ALIGN != 0)
		return false;
	r->other = head;
	return true;
}

void ring_give(struct ring *r, uint64_t upto)
{
	r->given = upto;
	atomic_store(&r->shared->tail, upto);
	if (atomic_load(&r->shared->writer_sleeps) != 0 && upto >= atomic_load(&r->shared->wanted))
		wake_peer(r, &r->shared->writer_sleeps);
}

enum ring_result ring_peek(struct ring *r, struct ring_record *out)
{
	for (;;) {
		struct head h;
		size_t at = (size_t)(r->mine & (r->size - 1)), all;

		if (r->mine == r->other && !look_at_head(r))
			return RING_BAD;
		if (r->mine == r->other)
			return RING_NOTHING;
		memcpy(&h, r->data + at, HEAD); /* aligned, so there is a head's room before the end */
		all = h.len > ring_max(r) && h.kind != PAD ? 0 : padded(h.len);
		if (all == 0 || h.kind > PAD || all > r->other - r->mine || all > r->size - at)
			return RING_BAD;
		/* Only what a record of ours could not use, so that a writer of nothing else cannot keep us here. */
		if (h.kind == PAD && (at == 0 || all != r->size - at || h.len >= ring_max(r) + HEAD))
			return RING_BAD;
		if (h.kind == PAD) {
			r->mine += all;
			if (r->given == r->mine - all)
				ring_give(r, r->mine);
			continue;
		}
		r->next = r->mine + all;
		*out = (struct ring_record){ h.tag, h.len, r->data + at + HEAD };
		return RING_GOT;
	}
}

uint64_t ring_keep(struct ring *r)
{
	return r->mine = r->next;
}

void ring_release(struct ring *r)
{
	ring_give(r, ring_keep(r));
}

/* --- sleep --- */
uint64_t ring_written(const struct ring *r)
{
	return r->mine;
}

bool ring_given(struct ring *r, uint64_t upto)
{
	return r->other >= upto || !look_at_tail(r) || r->other >= upto; /* an impossible tail: the next call says so */
}

bool ring_ask(struct ring *r, uint64_t upto)
{
	atomic_store(&r->shared->wanted, upto);
	atomic_store(&r->shared->writer_sleeps, 1);
	if (!ring_given(r, upto))
		return false;
	atomic_store(&r->shared->writer_sleeps, 0);
	return true;
}

bool ring_sleep(struct ring *r, size_t n)
{
	if (r->reader) {
		atomic_store(&r->shared->reader_sleeps, 1);
		if (atomic_load(&r->shared->head) == r->mine)
			return true;
		atomic_store(&r->shared->reader_sleeps, 0);
		return false;
	}
	/* Half of it at once, so that the two do not wake each other for every record. */
	if (ring_ask(r, r->mine > r->size / 2 ? r->mine - r->size / 2 : 0))
		return false;
	if (!has_room(r, n))
		return true;
	atomic_store(&r->shared->writer_sleeps, 0);
	return false;
}

bool ring_awake(struct ring *r)
{
	char bytes[64];
	ssize_t n;

	do
		n = read(r->wake, bytes, sizeof(bytes));
	while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 && errno == EAGAIN;
}

/* --- view --- */
int ring_view_open(struct ring_view *v, int memfd)
{
	const uint8_t *p = map(memfd, PROT_READ, &v->size);

	v->data = p == NULL ? NULL : p + PAGE;
	return p == NULL ? -1 : 0;
}

void ring_view_close(struct ring_view *v)
{
	if (v->data != NULL)
		(void)munmap((void *)(uintptr_t)(v->data - PAGE), PAGE + v->size);
	v->data = NULL;
}
