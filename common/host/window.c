/* window.c - see window.h */
#include "host/window.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "host/sealed.h"

enum { PAGE = 4096, KEPT_AT = PAGE, DATA_AT = 2 * PAGE };

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
	return sealed_create("katamichi-window", DATA_AT + (size_t)pieces * WINDOW_PIECE);
}

/* The one page that the reader writes. */
static int open_kept(struct window *w, int memfd)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, KEPT_AT);

	if (p == MAP_FAILED)
		return -1;
	w->kept = p;
	memset(p, 0, PAGE); /* what an earlier one kept */
	return 0;
}

int window_open(struct window *w, int memfd, bool writer)
{
	off_t size = sealed_size(memfd), pieces = (size - DATA_AT) / WINDOW_PIECE;
	void *p;

	memset(w, 0, sizeof(*w));
	if (size < 0)
		return -1;
	if (pieces < 1 || pieces > WINDOW_PIECES_MAX || size != DATA_AT + pieces * WINDOW_PIECE) {
		errno = EINVAL;
		return -1;
	}
	p = sealed_map(memfd, (size_t)size, writer ? PROT_READ | PROT_WRITE : PROT_READ);
	if (p == NULL)
		return -1;
	w->head = p;
	w->data = (uint8_t *)p + DATA_AT;
	w->pieces = (unsigned)pieces;
	if (writer) {
		w->kept = (void *)((uint8_t *)p + KEPT_AT);
	} else if (open_kept(w, memfd) != 0) {
		int error = errno;
		window_close(w);
		errno = error;
		return -1;
	}
	return 0;
}

void window_close(struct window *w)
{
	if (w->kept != NULL && (void *)w->kept != (uint8_t *)w->head + KEPT_AT)
		(void)munmap(w->kept, PAGE);
	if (w->head != NULL)
		(void)munmap(w->head, DATA_AT + (size_t)w->pieces * WINDOW_PIECE);
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

bool window_take_back(struct window *w, unsigned i)
{
	uint64_t turn = atomic_load(&w->head[i].turn);

	window_hide(w, i);
	/* Either the reader's mark is seen here, or it sees that the piece is hidden: both write before they look. */
	if (atomic_load(&w->kept[i]) == 0)
		return true;
	if (shown(turn))
		atomic_store(&w->head[i].turn, turn + 2);
	return false;
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

const uint8_t *window_keep(const struct window *w, uint64_t key, uint64_t index, unsigned *piece)
{
	for (unsigned i = 0; i < w->pieces; i++) {
		struct window_head *h = &w->head[i];
		uint64_t turn = atomic_load(&h->turn);
		if (!shown(turn) || atomic_load(&h->key) != key || atomic_load(&h->index) != index)
			continue;
		atomic_fetch_add(&w->kept[i], 1);
		if (atomic_load(&h->turn) == turn) {
			*piece = i;
			return window_piece(w, i);
		}
		window_let_go(w, i);
	}
	return NULL;
}

void window_let_go(const struct window *w, unsigned piece)
{
	atomic_fetch_sub(&w->kept[piece], 1);
}
