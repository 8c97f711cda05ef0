/* syncs.h: all are done when the wait is over, whoever did them, and the first error of each is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "host/syncs.h"
#include "tests/unit/tmpdir.h"

enum { MANY = 200 /* more than wait in line at a time */ };

static int setup(void **state)
{
	return tmpdir_make(state);
}

static int teardown(void **state)
{
	return tmpdir_remove(state);
}

static void work(struct syncs *s)
{
	int fd = open(tmpdir_path("a"), O_RDWR | O_CREAT, 0600), good = 0, bad = 0, closed[MANY], pipes[2];

	assert_true(fd >= 0);
	assert_int_equal(pipe(pipes), 0);
	for (int turn = 0; turn < 3; turn++) {
		for (int i = 0; i < MANY; i++) {
			closed[i] = dup(fd);
			assert_true(closed[i] >= 0);
			syncs_add(s, closed[i], true, &good);
		}
		syncs_add(s, fd, false, &good);
		syncs_wait(s);
		assert_int_equal(good, 0);
		for (int i = 0; i < MANY; i++)
			assert_int_equal(fcntl(closed[i], F_GETFD), -1); /* they were ours to close */
		assert_int_not_equal(fcntl(fd, F_GETFD), -1);
	}
	syncs_add(s, fd, false, &bad);
	syncs_add(s, pipes[0], true, &bad); /* a pipe cannot be synced */
	syncs_add(s, fd, false, &good);
	syncs_wait(s);
	assert_int_equal(bad, EINVAL);
	assert_int_equal(good, 0);
	syncs_wait(s); /* nothing to wait for */
	close(pipes[1]);
	close(fd);
}

static void by_threads(void **state)
{
	struct syncs *s = syncs_start();

	(void)state;
	assert_non_null(s);
	work(s);
	syncs_stop(s);
}

static void by_itself(void **state)
{
	(void)state;
	work(NULL);
	syncs_stop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(by_threads), cmocka_unit_test(by_itself) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
