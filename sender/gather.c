/* gather.c - see gather.h. */
#include "sender/gather.h"

#include <stdbool.h>
#include <string.h>

#include "sender/disk.h"

enum { PIECES_MAX = GATHER_MAX / WINDOW_PIECE + 2, SEAM_ALIGN = 64 };

struct gather {
	uint64_t first;            /* the piece of the object that the group begins in */
	size_t skew, room;         /* where in it; bytes of the group */
	uint32_t slen;
	const struct window *window; /* that pieces of it are kept of */
	uint8_t *own;              /* the group's bytes lie from own + skew % DISK_ALIGN on, as far as it has them itself */
	uint8_t *seam;             /* symbols that two pieces share, one behind each piece */
	const uint8_t *at[PIECES_MAX]; /* where the group's first byte in each piece lies */
	unsigned number[PIECES_MAX];   /* of the window */
	bool kept[PIECES_MAX];
};
_Static_assert(sizeof(struct gather) <= DISK_ALIGN, "in the first page");
_Static_assert(WINDOW_PIECE % DISK_ALIGN == 0, "pieces are read past the page cache");

/* --- reading --- */

static size_t in_object(const struct gather_from *f, uint64_t at, size_t room)
{
	if (f->len == 0)
		return room;
	if (at >= f->len)
		return 0;
	return f->len - at < room ? (size_t)(f->len - at) : room;
}

/* Up to n bytes from a place on, n and at aligned; fewer only at the file's end, or where *more is true. */
static long long read_some(const struct gather_from *f, uint8_t *to, size_t n, uint64_t at, bool *more)
{
	size_t near = f->window != NULL ? window_copy(f->window, f->key, at, to, n) : 0;

	*more = near > 0;
	return near > 0 ? (long long)near : disk_read(f->fd, to, n, at);
}

int gather_read(const struct gather_from *f, uint8_t *memory, uint64_t at, size_t room)
{
	size_t skew = (size_t)(at % DISK_ALIGN), want = in_object(f, at, room), end = want > 0 ? skew + want : 0;

	for (size_t have = 0; have < end;) {
		size_t n = end - have < DISK_PIECE ? (end - have + DISK_ALIGN - 1) & ~(size_t)(DISK_ALIGN - 1) : DISK_PIECE;
		bool more;
		long long got = read_some(f, memory + have, n, at - skew + have, &more);
		if (got < 0)
			return -1;
		have += (size_t)got;
		if ((size_t)got < n && have < end && !more)
			return -1; /* shorter than it was */
	}
	memset(memory + skew + want, 0, room - want);
	return 0;
}

/* --- a group --- */

static size_t seam_len(uint32_t slen)
{
	return ((size_t)slen + SEAM_ALIGN - 1) / SEAM_ALIGN * SEAM_ALIGN;
}

static size_t own_len(size_t room)
{
	return (room + 2 * DISK_ALIGN + SEAM_ALIGN - 1) / SEAM_ALIGN * SEAM_ALIGN;
}

size_t gather_size(size_t room, uint32_t slen)
{
	return DISK_ALIGN + own_len(room) + (room / WINDOW_PIECE + 1) * seam_len(slen);
}

struct gather *gather_begin(uint8_t *memory, uint64_t start, size_t room, uint32_t slen)
{
	struct gather *g = (struct gather *)(void *)memory;

	memset(g, 0, sizeof(*g));
	g->first = start / WINDOW_PIECE;
	g->skew = (size_t)(start % WINDOW_PIECE);
	g->room = room;
	g->slen = slen;
	g->own = memory + DISK_ALIGN;
	g->seam = g->own + own_len(room);
	return g;
}

unsigned gather_pieces(const struct gather *g)
{
	return (unsigned)((g->skew + g->room + WINDOW_PIECE - 1) / WINDOW_PIECE);
}

/* Byte of the group that piece i begins with. */
static size_t begin_of(const struct gather *g, size_t i)
{
	return i == 0 ? 0 : (size_t)i * WINDOW_PIECE - g->skew;
}

size_t gather_have(const struct gather *g, unsigned i)
{
	size_t next = begin_of(g, i + 1);

	return next < g->room ? next : g->room;
}

/* Do piece i and the one behind it lie side by side? */
static bool joined(const struct gather *g, size_t i)
{
	return g->at[i + 1] == g->at[i] + (begin_of(g, i + 1) - begin_of(g, i));
}

/* The symbol, if there is one, that begins in the piece before this one and ends here. */
static void sew(struct gather *g, unsigned i)
{
	size_t border = begin_of(g, i), head = border % g->slen;
	uint8_t *to = g->seam + (i - 1) * seam_len(g->slen);

	if (head == 0 || joined(g, i - 1))
		return;
	memcpy(to, g->at[i - 1] + (border - head - begin_of(g, i - 1)), head);
	memcpy(to + head, g->at[i], g->slen - head);
}

static bool keep(struct gather *g, const struct gather_from *f, unsigned i)
{
	const uint8_t *at = f->window != NULL ? window_keep(f->window, f->key, g->first + i, &g->number[i]) : NULL;

	if (at == NULL)
		return false;
	g->window = f->window;
	g->kept[i] = true;
	g->at[i] = at + (i == 0 ? g->skew : 0);
	return true;
}

enum gather_got gather_piece(struct gather *g, const struct gather_from *f, unsigned i)
{
	size_t begin = begin_of(g, i), skew = g->skew % DISK_ALIGN;
	bool kept = keep(g, f, i);

	if (!kept) {
		/* Every piece but the first begins between two blocks of the disk, so what is read with one is within it. */
		uint8_t *to = g->own + (i == 0 ? 0 : skew + begin);
		if (gather_read(f, to, g->first * WINDOW_PIECE + g->skew + begin, gather_have(g, i) - begin) != 0)
			return GATHER_FAILED;
		g->at[i] = g->own + skew + begin;
	}
	if (i > 0)
		sew(g, i);
	return kept ? GATHER_KEPT : GATHER_READ;
}

const uint8_t *gather_symbol(const struct gather *g, size_t at)
{
	size_t i = (g->skew + at) / WINDOW_PIECE;

	if (at + g->slen > begin_of(g, i + 1) && !joined(g, i))
		return g->seam + i * seam_len(g->slen);
	return g->at[i] + (at - begin_of(g, i));
}

void gather_end(struct gather *g)
{
	for (unsigned i = 0; i < PIECES_MAX; i++)
		if (g->kept[i])
			window_let_go(g->window, g->number[i]);
	memset(g->kept, 0, sizeof(g->kept));
}
