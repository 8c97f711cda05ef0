/* erase.h: the name is gone when the call returns, the blocks a little later, and no other file is touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/erase.h"
#include "host/log.h"
#include "tests/unit/tmpdir.h"

enum { LARGE = 40 << 20, PIECE = 8 << 20, WAIT_MS = 10000 };
static int dir;

static int setup(void **state)
{
	if (tmpdir_make(state) != 0)
		return -1;
	log_init("test", NULL);
	dir = open(tmpdir_path("."), O_RDONLY | O_DIRECTORY);
	return dir < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	close(dir);
	return tmpdir_remove(state);
}

/* Another descriptor of a file that has so many bytes. */
static int make(const char *name, off_t size)
{
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	return fd;
}

static struct stat state_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st;
}

static void the_name_at_once(void **state)
{
	static const off_t sizes[] = { 0, 1, PIECE, PIECE + 1, LARGE };

	(void)state;
	for (int running = 0; running < 2; running++) {
		if (running)
			erase_start();
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			close(make("f", sizes[i]));
			assert_int_equal(erase_file(dir, "f"), 0);
			assert_int_equal(faccessat(dir, "f", F_OK, 0), -1);
			assert_int_equal(erase_file(dir, "f"), -1);
			assert_int_equal(errno, ENOENT);
		}
	}
	erase_stop();
}

/* A reader of it sees the file become shorter: that is what gives the disk its blocks back. */
static void then_the_blocks(void **state)
{
	int fd = make("f", LARGE);

	(void)state;
	erase_start();
	assert_int_equal(erase_file(dir, "f"), 0);
	for (int i = 0; i < WAIT_MS && state_of(fd).st_size > PIECE; i++)
		(void)poll(NULL, 0, 1);
	assert_true(state_of(fd).st_size <= PIECE);
	erase_stop();
	close(fd);
}

/* What has another name, or is another's behind a link, is not ours to shorten. */
static void others_stay(void **state)
{
	int kept = make("kept", LARGE), linked = make("linked", LARGE), folder;

	(void)state;
	assert_int_equal(linkat(dir, "kept", dir, "name", 0), 0);
	assert_int_equal(symlinkat("linked", dir, "link"), 0);
	assert_int_equal(mkdirat(dir, "folder", 0700), 0);
	erase_start();
	assert_int_equal(erase_file(dir, "name"), 0);
	assert_int_equal(erase_file(dir, "link"), 0);
	folder = erase_file(dir, "folder");
	erase_stop();
	assert_int_equal(folder, -1);
	assert_int_equal(state_of(kept).st_size, LARGE);
	assert_int_equal(state_of(linked).st_size, LARGE);
	assert_int_equal(state_of(kept).st_nlink, 1);
	close(kept);
	close(linked);
}

/* More than may wait, and an end in the middle: all names are gone, and no descriptor is left. */
static void many(void **state)
{
	char name[16];
	int before = make("first", 0);

	(void)state;
	close(before);
	erase_start();
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		close(make(name, LARGE));
		assert_int_equal(erase_file(dir, name), 0);
	}
	erase_stop();
	assert_int_equal(openat(dir, "f0", O_RDONLY), -1);
	int after = make("last", 0);
	assert_int_equal(after, before);
	close(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_name_at_once, setup, teardown), cmocka_unit_test_setup_teardown(then_the_blocks, setup, teardown),
		cmocka_unit_test_setup_teardown(others_stay, setup, teardown), cmocka_unit_test_setup_teardown(many, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
