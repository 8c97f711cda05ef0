/* disk.h, object_file.h, source.h: bytes go to files and come back as they are, past the page cache and through it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/log.h"
#include "sender/object_file.h"
#include "sender/source.h"
#include "tests/unit/seeded.h"
#include "tests/unit/tmpdir.h"

enum { BIG = 9 * DISK_PIECE + 12345 };

static struct disk *disk;
static uint8_t *bytes;

static int setup(void **state)
{
	seeded_init();
	log_init("test", NULL);
	disk = disk_start();
	bytes = malloc(BIG);
	seeded_bytes(bytes, BIG);
	return tmpdir_make(state);
}

static int teardown(void **state)
{
	disk_stop(disk);
	free(bytes);
	return tmpdir_remove(state);
}

/* On the disk, and on a file system that knows no O_DIRECT (tmpfs, as memfd). */
static int open_file(bool in_memory)
{
	int fd = in_memory ? memfd_create("test", MFD_CLOEXEC) : open(tmpdir_path("file"), O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static const size_t lengths[] = {
	0, 1, 4095, 4096, 4097, DISK_PIECE - 1, DISK_PIECE, DISK_PIECE + 1, 3 * DISK_PIECE, 4 * DISK_PIECE + 4096, BIG,
};
enum { LENGTHS = sizeof(lengths) / sizeof(lengths[0]) };

/* The last whole pieces of what was written, and no others. */
static void look_into_window(const struct window *w, uint64_t key, size_t n)
{
	static uint8_t out[DISK_PIECE];
	size_t pieces = n / DISK_PIECE;

	for (size_t i = 0; w != NULL && i <= pieces; i++) {
		size_t got = window_copy(w, key, i * DISK_PIECE, out, DISK_PIECE);
		assert_int_equal(got, i < pieces && i + w->pieces > pieces ? DISK_PIECE : 0);
		assert_memory_equal(out, bytes + i * DISK_PIECE, got);
	}
}

static void written(void **state)
{
	struct object_file o;
	uint8_t *back = malloc(BIG);

	object_file_init(&o, disk, *state);
	for (unsigned i = 0; i < 2 * LENGTHS; i++) {
		size_t n = lengths[i / 2];
		int fd = open_file(i % 2);
		struct stat st;
		object_file_begin(&o, fd, n > DISK_PIECE, i);
		for (size_t at = 0; at < n;) {
			size_t part = 1 + seeded_below(400000);
			part = part < n - at ? part : n - at;
			if (seeded_below(2) == 0) { /* put there by the caller */
				size_t most;
				uint8_t *room = object_file_room(&o, &most);
				assert_in_range(most, 1, DISK_PIECE);
				part = part < most ? part : most;
				memcpy(room, bytes + at, part);
				assert_int_equal(object_file_write(&o, room, part), 0);
			} else {
				assert_int_equal(object_file_write(&o, bytes + at, part), 0);
			}
			at += part;
			/* What is said to be there is there, and in whole pieces. */
			uint64_t there = atomic_load(&o.there);
			assert_true(there <= at && there % DISK_PIECE == 0);
			assert_int_equal(fstat(fd, &st), 0);
			assert_true((uint64_t)st.st_size >= there);
		}
		assert_int_equal(object_file_settle(&o), 0);
		assert_int_equal(atomic_load(&o.there), n / DISK_PIECE * DISK_PIECE);
		assert_int_equal(object_file_end(&o), 0);
		look_into_window(*state, i, n);
		assert_int_equal(atomic_load(&o.there), n);
		assert_int_equal(o.length, n);
		assert_true(disk_direct(fd, false));
		assert_int_equal(disk_read(fd, back, BIG, 0), n);
		assert_memory_equal(back, bytes, n);
		close(fd);
	}
	object_file_free(&o);
	free(back);
}

static void written_in_a_window(void **state)
{
	struct window w;
	int fd = window_create(OBJECT_FILE_BUFFERS + 2);

	(void)state;
	assert_int_equal(window_open(&w, fd, true), 0);
	close(fd);
	void *in = &w;
	written(&in);
	window_close(&w);
}

/* A reader that keeps all of it hinders nobody: the file is written, and not shown. */
static void written_beside_a_window_that_is_kept(void **state)
{
	enum { LONG = 9 * DISK_PIECE };
	int memfd = window_create(1), fd = open_file(false);
	uint8_t *back = malloc(LONG);
	struct object_file o;
	struct window w, r;
	unsigned piece, none;

	(void)state;
	assert_int_equal(window_open(&w, memfd, true), 0);
	assert_int_equal(window_open(&r, memfd, false), 0);
	close(memfd);
	object_file_init(&o, disk, &w);
	object_file_begin(&o, fd, true, 1);
	assert_int_equal(object_file_write(&o, bytes, DISK_PIECE), 0);
	assert_int_equal(object_file_settle(&o), 0);
	assert_non_null(window_keep(&r, 1, 0, &piece));
	assert_int_equal(object_file_write(&o, bytes + DISK_PIECE, LONG - DISK_PIECE), 0);
	assert_int_equal(object_file_settle(&o), 0);
	for (unsigned i = 1; i < LONG / DISK_PIECE; i++)
		assert_null(window_keep(&r, 1, i, &none));
	assert_memory_equal(window_piece(&w, piece), bytes, DISK_PIECE);
	assert_true(disk_direct(fd, false));
	assert_int_equal(disk_read(fd, back, LONG, 0), LONG);
	assert_memory_equal(back, bytes, LONG);
	/* When it is let go it is used again. */
	window_let_go(&r, piece);
	object_file_begin(&o, fd, true, 2);
	assert_int_equal(object_file_write(&o, bytes, 2 * DISK_PIECE), 0);
	assert_int_equal(object_file_end(&o), 0);
	assert_non_null(window_keep(&r, 2, 0, &none));
	window_let_go(&r, none);
	object_file_free(&o);
	window_close(&r);
	window_close(&w);
	close(fd);
	free(back);
}

/* The first error sticks; the next file begins without it. */
static void a_write_that_fails(void **state)
{
	struct object_file o;
	int full = open("/dev/full", O_WRONLY), fd = open_file(false), error = 0;

	(void)state;
	assert_true(full >= 0);
	object_file_init(&o, disk, NULL);
	object_file_begin(&o, full, false, 0);
	for (unsigned i = 0; i < 9 && error == 0; i++)
		error = object_file_write(&o, bytes, DISK_PIECE);
	assert_int_equal(error, -1);
	assert_int_equal(o.error, ENOSPC);
	assert_int_equal(object_file_settle(&o), -1);
	assert_int_equal(object_file_end(&o), -1);
	object_file_begin(&o, fd, true, 0);
	assert_int_equal(object_file_write(&o, bytes, 100), 0);
	assert_int_equal(object_file_end(&o), 0);
	object_file_free(&o);
	close(full);
	close(fd);
}

/* The n bytes of a file come in their order, no part of two pieces; before part number `drop` they leave the page cache. */
static void read_through(struct source *s, int fd, size_t n, bool stored, unsigned drop)
{
	const uint8_t *data;
	size_t at = 0, part;
	int got = 1;

	assert_int_equal(pwrite(fd, bytes, n, 0), n);
	assert_int_equal(fdatasync(fd), 0);
	source_begin(s, fd, n, stored);
	for (unsigned i = 0; got > 0; i++) {
		if (i == drop)
			assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
		if ((got = source_next(s, &data, &part)) > 0) {
			assert_true(part <= n - at && at / DISK_PIECE == (at + part - 1) / DISK_PIECE);
			assert_memory_equal(data, bytes + at, part);
			at += part;
		}
	}
	assert_int_equal(got, 0);
	assert_int_equal(at, n);
	source_end(s);
	close(fd);
}

static void read_ahead(void **state)
{
	struct source s;

	(void)state;
	source_init(&s, disk);
	for (unsigned i = 0; i < 4 * LENGTHS; i++)
		read_through(&s, open_file(i % 2), lengths[i / 4], i % 4 >= 2, UINT_MAX);
	source_free(&s);
}

/* What was in the page cache leaves it in the middle of the file, here between two parts and there between two pieces. */
static void pushed_out_of_the_page_cache(void **state)
{
	struct source s;

	(void)state;
	source_init(&s, disk);
	for (unsigned parts = 0; parts <= 9; parts += 3)
		read_through(&s, open_file(false), BIG, true, parts);
	source_free(&s);
}

/* Whatever the claim noted, it is that many bytes or an error. */
static void a_file_of_another_length(void **state)
{
	struct source s;

	(void)state;
	source_init(&s, disk);
	for (unsigned i = 0; i < 2 * LENGTHS; i++)
		for (int more = -1; more <= 1; more += 2) {
			size_t n = lengths[i / 2], part;
			int fd = open_file(false), got;
			const uint8_t *data;
			if (n == 0 && more < 0)
				continue;
			assert_int_equal(pwrite(fd, bytes, n, 0), n);
			assert_int_equal(ftruncate(fd, (off_t)n + more), 0);
			source_begin(&s, fd, n, i % 2);
			while ((got = source_next(&s, &data, &part)) > 0)
				;
			assert_int_equal(got, -1);
			assert_int_equal(errno, ESTALE);
			source_end(&s);
			close(fd);
		}
	source_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(written, NULL), cmocka_unit_test(written_in_a_window), cmocka_unit_test(written_beside_a_window_that_is_kept),
		cmocka_unit_test(a_write_that_fails), cmocka_unit_test(read_ahead),
		cmocka_unit_test(pushed_out_of_the_page_cache), cmocka_unit_test(a_file_of_another_length),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
