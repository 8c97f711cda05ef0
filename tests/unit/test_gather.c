/* gather.h: the bytes of a group are those of the object and zeros behind it, whether pieces of the window are kept for them, or
 * they are read, or some of both; and what is kept is let go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/big.h"
#include "host/log.h"
#include "sender/disk.h"
#include "sender/gather.h"
#include "tests/unit/seeded.h"
#include "tests/unit/tmpdir.h"

enum { LEN = 5 * WINDOW_PIECE + 4321, PIECES = 4, KEY = 7 };

static uint8_t *bytes;
static struct window w, r;
static int fd;

static int setup(void **state)
{
	int memfd = window_create(PIECES);

	seeded_init();
	log_init("test", NULL);
	if (tmpdir_make(state) != 0 || window_open(&w, memfd, true) != 0 || window_open(&r, memfd, false) != 0)
		return -1;
	bytes = malloc(LEN);
	seeded_bytes(bytes, LEN);
	tmpdir_write("object", bytes, LEN, 0600);
	fd = open(tmpdir_path("object"), O_RDONLY);
	(void)disk_direct(fd, true);
	return close(memfd);
}

static int teardown(void **state)
{
	window_close(&r);
	window_close(&w);
	close(fd);
	free(bytes);
	return tmpdir_remove(state);
}

static void show(unsigned i, uint64_t index)
{
	assert_true(window_take_back(&w, i)); /* nobody keeps it */
	memcpy(window_piece(&w, i), bytes + index * WINDOW_PIECE, WINDOW_PIECE);
	window_show(&w, i, KEY, index);
}

/* The group's symbols as they come, piece by piece; how many pieces were kept. */
static unsigned gathered(const struct gather_from *f, uint64_t start, size_t symbols, uint32_t slen)
{
	size_t room = symbols * slen, at = 0;
	uint8_t *memory = big_alloc(gather_size(room, slen)), *want = calloc(symbols, slen);
	struct gather *g = gather_begin(memory, start, room, slen);
	unsigned kept = 0;

	memcpy(want, bytes + start, LEN - start < room ? LEN - start : room);
	for (unsigned i = 0; i < gather_pieces(g); i++) {
		enum gather_got got = gather_piece(g, f, i);
		assert_int_not_equal(got, GATHER_FAILED);
		kept += got == GATHER_KEPT;
		for (; at + slen <= gather_have(g, i); at += slen)
			assert_memory_equal(gather_symbol(g, at), want + at, slen);
	}
	assert_int_equal(at, room);
	for (at = 0; at < room; at += slen) /* and all of it stays */
		assert_memory_equal(gather_symbol(g, at), want + at, slen);
	gather_end(g);
	gather_end(g);
	free(want);
	free(memory);
	return kept;
}

static void groups(void **state)
{
	static const uint32_t slens[] = { 2, 64, 1400, 8896, 60000 };
	const struct gather_from disk = { .fd = fd, .key = KEY, .len = LEN }, both = { .fd = fd, .key = KEY, .len = LEN, .window = &r };

	(void)state;
	for (unsigned turn = 0; turn < 60; turn++) {
		uint32_t slen = slens[turn % 5];
		uint64_t first = seeded_below(LEN / slen), start = first * slen;
		size_t most = (LEN - start + slen - 1) / slen, symbols = 1 + seeded_below((uint32_t)most);
		/* Any pieces in any order: side by side in the window or not. */
		for (unsigned i = 0; i < PIECES; i++)
			show(i, seeded_below(LEN / WINDOW_PIECE));
		assert_int_equal(gathered(&disk, start, symbols, slen), 0);
		(void)gathered(&both, start, symbols, slen);
	}
	for (unsigned i = 0; i < PIECES; i++)
		show(i, (i * 3) % PIECES);
	assert_int_equal(gathered(&both, 0, LEN / 1400 + 1, 1400), PIECES);
	assert_int_equal(gathered(&both, WINDOW_PIECE / 1400 * 1400, 1, 1400), 2); /* one symbol in two pieces */
	for (unsigned i = 0; i < PIECES; i++)
		assert_true(window_take_back(&w, i));
}

/* An object that became shorter is an error, and not zeros. */
static void a_cut_object(void **state)
{
	const struct gather_from f = { .fd = fd, .key = KEY, .len = LEN + 5000 };
	uint8_t *memory = big_alloc(gather_size(8000, 100));
	struct gather *g = gather_begin(memory, LEN / 100 * 100, 8000, 100);

	(void)state;
	assert_int_equal(gather_piece(g, &f, 0), GATHER_FAILED);
	gather_end(g);
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(groups), cmocka_unit_test(a_cut_object) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
