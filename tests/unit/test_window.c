/* window.h: what is shown can be copied until it is hidden or shown anew; nothing else can, and no memfd of another kind is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/sealed.h"
#include "host/window.h"

enum { PIECES = 3, PAGE = 4096, HEADS = 2 * PAGE };
static int memfd;
static struct window w, r;

static int setup(void **state)
{
	(void)state;
	memfd = window_create(PIECES);
	return memfd < 0 || window_open(&w, memfd, true) != 0 || window_open(&r, memfd, false) != 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	window_close(&r);
	window_close(&w);
	return close(memfd);
}

static void fill(unsigned i, uint8_t byte)
{
	memset(window_piece(&w, i), byte, WINDOW_PIECE);
}

/* How many bytes can be had, all of this value. */
static size_t look(uint64_t key, uint64_t at, size_t n, uint8_t byte)
{
	uint8_t *out = malloc(n);
	size_t got = window_copy(&r, key, at, out, n);

	for (size_t k = 0; k < got; k++)
		assert_int_equal(out[k], byte);
	free(out);
	return got;
}

/* Made before it is mapped, by both sides at the beginning of a large page; what one writes the other reads. */
static void made_early(void **state)
{
	enum { MANY = 5, LARGE = 2 << 20 };
	int fd = window_create(MANY);
	struct window writer, reader;
	unsigned piece;

	(void)state;
	assert_true(fd >= 0);
	sealed_make(fd);
	assert_int_equal(window_open(&writer, fd, true), 0);
	assert_int_equal(window_open(&reader, fd, false), 0);
	assert_int_equal((uintptr_t)writer.head % LARGE, 0);
	assert_int_equal((uintptr_t)reader.head % LARGE, 0);
	for (unsigned i = 0; i < MANY; i++) {
		for (size_t k = 0; k < WINDOW_PIECE; k++)
			assert_int_equal(window_piece(&writer, i)[k], 0);
		memset(window_piece(&writer, i), (int)i + 1, WINDOW_PIECE);
		window_show(&writer, i, 7, i);
		const uint8_t *p = window_keep(&reader, 7, i, &piece);
		assert_non_null(p);
		assert_int_equal(p[0], i + 1);
		assert_int_equal(p[WINDOW_PIECE - 1], i + 1);
	}
	window_close(&reader);
	window_close(&writer);
	close(fd);
}

static void shown_and_hidden(void **state)
{
	const uint64_t far = 1ull << 40;

	(void)state;
	assert_int_equal(look(0, 0, 10, 0), 0); /* zeros of fresh memory show nothing, of file 0 neither */
	fill(0, 'a');
	window_show(&w, 0, 7, 0);
	fill(1, 'b');
	window_show(&w, 1, 7, far);
	assert_int_equal(look(7, 0, 10, 'a'), 10);
	assert_int_equal(look(7, WINDOW_PIECE - 3, 10, 'a'), 3); /* the rest lies elsewhere */
	assert_int_equal(look(7, WINDOW_PIECE, 10, 0), 0);
	assert_int_equal(look(7, far * WINDOW_PIECE, WINDOW_PIECE, 'b'), WINDOW_PIECE);
	assert_int_equal(look(8, 0, 10, 0), 0);
	/* The same place again, in another piece: only the new one. */
	fill(2, 'c');
	window_show(&w, 2, 7, 0);
	assert_int_equal(look(7, 0, 10, 'c'), 10);
	window_hide(&w, 2);
	window_hide(&w, 2);
	assert_int_equal(look(7, 0, 10, 0), 0);
	window_show(&w, 2, 9, 0);
	window_hide_file(&w, 7);
	assert_int_equal(look(7, far * WINDOW_PIECE, 1, 0), 0);
	assert_int_equal(look(9, 0, 1, 'c'), 1);
	window_hide_file(&w, 9);
}

static void kept(void **state)
{
	unsigned one, two;

	(void)state;
	fill(0, 'a');
	window_show(&w, 0, 7, 3);
	fill(1, 'b');
	window_show(&w, 1, 7, 4);
	assert_null(window_keep(&r, 7, 5, &one));
	assert_null(window_keep(&r, 8, 3, &one));
	const uint8_t *at = window_keep(&r, 7, 3, &one);
	assert_non_null(at);
	assert_ptr_equal(window_keep(&r, 7, 3, &two), at); /* twice: of two groups that meet in it */
	assert_int_equal(two, one);
	for (unsigned i = 0; i < 2; i++) {
		assert_false(window_take_back(&w, 0));
		assert_int_equal(look(7, 3ull * WINDOW_PIECE, 10, 'a'), 10);
		assert_int_equal(at[WINDOW_PIECE - 1], 'a');
		window_let_go(&r, one);
	}
	assert_true(window_take_back(&w, 0));
	assert_true(window_take_back(&w, 0));
	assert_null(window_keep(&r, 7, 3, &one));
	assert_int_equal(look(7, 4ull * WINDOW_PIECE, 10, 'b'), 10);
	/* One that keeps what shows nothing only has it left alone; it does not appear. */
	atomic_store(&r.kept[2], 1);
	assert_false(window_take_back(&w, 2));
	assert_int_equal(look(0, 0, 10, 0), 0);
	atomic_store(&r.kept[2], 0);
	/* The next reader keeps nothing. */
	assert_non_null(window_keep(&r, 7, 4, &one));
	window_close(&r);
	assert_int_equal(window_open(&r, memfd, false), 0);
	assert_true(window_take_back(&w, 1));
}

/* What the other process does to find piece `index` of file 5: 1 there it was, 0 it was not, -1 it held other bytes than its own. */
typedef int find(uint64_t index);

static int all_of(const uint8_t *at, uint64_t index)
{
	for (size_t i = 0; i < WINDOW_PIECE; i += 64)
		if (at[i] != (uint8_t)index)
			return -1;
	return 1;
}

static int find_kept(uint64_t index)
{
	unsigned piece;
	const uint8_t *at = window_keep(&r, 5, index, &piece);
	int found;

	if (at == NULL)
		return 0;
	found = all_of(at, index);
	window_let_go(&r, piece);
	return found;
}

static int find_copied(uint64_t index)
{
	static uint8_t out[WINDOW_PIECE];

	return window_copy(&r, 5, index * WINDOW_PIECE, out, sizeof(out)) > 0 ? all_of(out, index) : 0;
}

enum { WAITING, LOOKING, ENOUGH };

static void look_all_the_time(find *f, const _Atomic uint32_t *stage)
{
	unsigned found = 0;

	for (uint64_t k = 0; atomic_load(stage) == LOOKING; k++) {
		int what = f(k % 8);
		if (what < 0)
			_exit(1);
		found += (unsigned)what;
	}
	_exit(found > 0 ? 0 : 2);
}

static bool hidden(unsigned piece)
{
	window_hide(&w, piece);
	return true;
}

static bool taken_back(unsigned piece)
{
	return window_take_back(&w, piece);
}

/* Another process looks for pieces while they are taken (where they can be) and filled all the time. */
static void found_while_it_changes(find *f, bool (*take)(unsigned))
{
	_Atomic uint32_t *stage = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;

	assert_ptr_not_equal(stage, MAP_FAILED);
	pid_t reader = fork();
	assert_true(reader >= 0);
	if (reader == 0) {
		atomic_store(stage, LOOKING);
		look_all_the_time(f, stage);
	}
	while (atomic_load(stage) == WAITING)
		usleep(100);
	for (unsigned k = 0; k < 3000; k++) {
		if (!take(k % PIECES))
			continue;
		fill(k % PIECES, (uint8_t)(k % 8));
		window_show(&w, k % PIECES, 5, k % 8);
	}
	usleep(1000); /* what stands still is found at least */
	atomic_store(stage, ENOUGH);
	assert_int_equal(waitpid(reader, &status, 0), reader);
	assert_int_equal(status, 0);
	munmap(stage, PAGE);
	window_hide_file(&w, 5);
}

/* What is kept does not change. */
static void kept_while_it_changes(void **state)
{
	(void)state;
	found_while_it_changes(find_kept, taken_back);
}

/* What is copied is never of two of them. */
static void copied_while_it_changes(void **state)
{
	(void)state;
	found_while_it_changes(find_copied, hidden);
}

static void no_window(void **state)
{
	static const struct { off_t size; int seals; } bad[] = {
		{ 0, F_SEAL_SHRINK | F_SEAL_GROW }, { HEADS, F_SEAL_SHRINK | F_SEAL_GROW },
		{ HEADS + WINDOW_PIECE - 1, F_SEAL_SHRINK | F_SEAL_GROW }, { HEADS + WINDOW_PIECE + 1, F_SEAL_SHRINK | F_SEAL_GROW },
		{ HEADS + (off_t)(WINDOW_PIECES_MAX + 1) * WINDOW_PIECE, F_SEAL_SHRINK | F_SEAL_GROW },
		{ HEADS + WINDOW_PIECE, F_SEAL_GROW }, /* it could become shorter while it is read */
	};
	struct window x;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int fd = memfd_create("x", MFD_ALLOW_SEALING);
		assert_int_equal(ftruncate(fd, bad[i].size), 0);
		assert_int_equal(fcntl(fd, F_ADD_SEALS, bad[i].seals), 0);
		assert_int_equal(window_open(&x, fd, false), -1);
		close(fd);
	}
	FILE *plain = tmpfile(); /* of the right size, but any process can cut it */
	assert_non_null(plain);
	assert_int_equal(ftruncate(fileno(plain), HEADS + WINDOW_PIECE), 0);
	assert_int_equal(window_open(&x, fileno(plain), false), -1);
	assert_int_equal(errno, EINVAL);
	fclose(plain);
	assert_int_equal(window_create(0), -1);
	assert_int_equal(window_create(WINDOW_PIECES_MAX + 1), -1);
	assert_int_equal(ftruncate(memfd, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(made_early), cmocka_unit_test(shown_and_hidden), cmocka_unit_test(kept), cmocka_unit_test(kept_while_it_changes), cmocka_unit_test(copied_while_it_changes),
		cmocka_unit_test(no_window) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
