/* window.c - see window.h */
#include "host/window.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "host/sealed.h"

enum { PAGE = 4096 };

struct window_head {
	_Atomic uint64_t turn; /* shared memory begins with zeros: see shown() */
	_Atomic uint64_t key, index;
	uint64_t spare;
};
_Static_assert(WINDOW_PIECES_MAX * sizeof(struct window_head) <= PAGE, "all heads in the first page");

int window_create(unsigned pieces)
{
	if (pieces == 0 || pieces > WINDOW_PIECES_MAX) {
		errno = EINVAL;
		return -1;
	}
	return sealed_create("katamichi-window", PAGE + (size_t)pieces * WINDOW_PIECE);
}

int window_open(struct window *w, int memfd, bool writer)
{
	off_t size = sealed_size(memfd), pieces = (size - PAGE) / WINDOW_PIECE;
	void *p;

	memset(w, 0, sizeof(*w));
	if (size < 0)
		return -1;
	if (pieces < 1 || pieces > WINDOW_PIECES_MAX || size != PAGE + pieces * WINDOW_PIECE) {
		errno = EINVAL;
		return -1;
	}
	p = mmap(NULL, (size_t)size, writer ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, memfd, 0);
	if (p == MAP_FAILED)
		return -1;
	w->head = p;
	w->data = (uint8_t *)p + PAGE;
	w->pieces = (unsigned)pieces;
	return 0;
}

void window_close(struct window *w)
{
	if (w->head != NULL)
		(void)munmap(w->head, PAGE + (size_t)w->pieces * WINDOW_PIECE);
	memset(w, 0, sizeof(*w));
}

/* Each change of what a piece shows is a turn; 0 is before the first. */
static bool shown(uint64_t turn)
{
	return turn != 0 && turn % 2 == 0;
}

uint8_t *window_piece(const struct window *w, unsigned i)
{
	return w->data + (size_t)i * WINDOW_PIECE;
}

void window_hide(struct window *w, unsigned i)
{
	uint64_t turn = atomic_load(&w->head[i].turn);

	if (!shown(turn))
		return;
	atomic_store(&w->head[i].turn, turn + 1);
	atomic_thread_fence(memory_order_seq_cst); /* before any byte changes */
}

static bool shows(const struct window *w, unsigned i, uint64_t key)
{
	return shown(atomic_load(&w->head[i].turn)) && atomic_load(&w->head[i].key) == key;
}

void window_show(struct window *w, unsigned i, uint64_t key, uint64_t index)
{
	struct window_head *h = &w->head[i];

	for (unsigned k = 0; k < w->pieces; k++)
		if (shows(w, k, key) && atomic_load(&w->head[k].index) == index)
			window_hide(w, k);
	window_hide(w, i);
	atomic_store(&h->key, key);
	atomic_store(&h->index, index);
	atomic_store(&h->turn, (atomic_load(&h->turn) | 1) + 1);
}

void window_hide_file(struct window *w, uint64_t key)
{
	for (unsigned i = 0; i < w->pieces; i++)
		if (shows(w, i, key))
			window_hide(w, i);
}

size_t window_copy(const struct window *w, uint64_t key, uint64_t at, uint8_t *out, size_t n)
{
	uint64_t index = at / WINDOW_PIECE;
	size_t in_piece = (size_t)(at % WINDOW_PIECE), room = WINDOW_PIECE - in_piece;

	n = n < room ? n : room;
	for (unsigned i = 0; i < w->pieces; i++) {
		struct window_head *h = &w->head[i];
		uint64_t turn = atomic_load(&h->turn);
		if (!shown(turn) || atomic_load(&h->key) != key || atomic_load(&h->index) != index)
			continue;
		memcpy(out, window_piece(w, i) + in_piece, n);
		atomic_thread_fence(memory_order_seq_cst);
		if (atomic_load(&h->turn) == turn)
			return n;
	}
	return 0;
}
