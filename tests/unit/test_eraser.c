/* eraser.h: what is put in is gone when it has stopped, in every folder, and the claim is not the caller's any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/crypto.h"
#include "host/log.h"
#include "host/clock.h"
#include "sender/eraser.h"
#include "tests/unit/tmpdir.h"

enum { CLAIMS = 5, FILES = 40 };

static struct claim_folder folder;

static int setup(void **state)
{
	if (crypto_init() != 0 || tmpdir_make(state) != 0)
		return -1;
	log_init("test", NULL);
	return claim_open(&folder, tmpdir, "eltax");
}

static int teardown(void **state)
{
	claim_close(&folder);
	return tmpdir_remove(state);
}

static unsigned entries(const char *path)
{
	DIR *d = opendir(path);
	unsigned n = 0;

	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void erased_by_the_end(void **state)
{
	struct eraser *e = eraser_start();
	struct claim c;
	char name[32];

	(void)state;
	for (int i = 0; i < CLAIMS; i++) {
		assert_int_equal(claim_begin(&c, &folder), 0);
		for (int k = 0; k < FILES; k++) {
			snprintf(name, sizeof(name), "f%d", k);
			tmpdir_write(name, "x", 1, 0644);
			assert_int_equal(claim_take(&c, &folder, name, -1), 0);
		}
		eraser_put(e, &c, &folder);
		assert_int_equal(c.dir, -1);
		assert_int_equal(c.count, 0);
		claim_end(&c, &folder); /* nothing is left of it here */
	}
	eraser_stop(e);
	assert_int_equal(entries(tmpdir_path(".taken")), 0);
}

/* Nobody has to stop it: a moment after the last one, or before it where many wait. */
static void erased_by_itself(void **state)
{
	struct eraser *e = eraser_start();
	struct claim c;

	(void)state;
	for (int i = 0; i < ERASER_WAITING_MAX + 4; i++) {
		assert_int_equal(claim_begin(&c, &folder), 0);
		tmpdir_write("a", "x", 1, 0644);
		assert_int_equal(claim_take(&c, &folder, "a", -1), 0);
		eraser_put(e, &c, &folder);
	}
	for (int i = 0; i < 1000 && entries(tmpdir_path(".taken")) > 0; i++)
		clock_sleep_ns(10000000);
	assert_int_equal(entries(tmpdir_path(".taken")), 0);
	eraser_stop(e);
}

/* What comes faster than a disk erases does not pile up: each that waits has a descriptor, and its files' names in memory. */
static void no_more_than_so_many_wait(void **state)
{
	enum { MANY = 4 * ERASER_HELD_MAX };
	static struct claim c[MANY];
	struct eraser *e = eraser_start();
	char name[32];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(claim_begin(&c[i], &folder), 0);
		for (int k = 0; k < FILES; k++) {
			snprintf(name, sizeof(name), "f%d", k);
			tmpdir_write(name, "x", 1, 0644);
			assert_int_equal(claim_take(&c[i], &folder, name, -1), 0);
		}
	}
	for (int i = 0; i < MANY; i++)
		eraser_put(e, &c[i], &folder);
	assert_in_range(entries(tmpdir_path(".taken")), 0, ERASER_HELD_MAX + 1); /* and the one that the thread is at */
	eraser_stop(e);
	assert_int_equal(entries(tmpdir_path(".taken")), 0);
}

/* What is in the claim and is none of ours stays, with a line about it; the others go. */
static void what_cannot_be_erased(void **state)
{
	struct eraser *e = eraser_start();
	struct claim c;
	char path[200];

	(void)state;
	assert_int_equal(claim_begin(&c, &folder), 0);
	tmpdir_write("a", "x", 1, 0644);
	assert_int_equal(claim_take(&c, &folder, "a", -1), 0);
	snprintf(path, sizeof(path), ".taken/%s/b", c.id);
	tmpdir_write(path, "x", 1, 0644);
	snprintf(path, sizeof(path), ".taken/%s.sent/b", c.id);
	eraser_put(e, &c, &folder);
	assert_int_equal(access(tmpdir_path(path), F_OK), 0); /* from now on nobody takes it for unsent */
	eraser_stop(e);
	assert_int_equal(access(tmpdir_path(path), F_OK), 0);
	path[strlen(path) - 1] = 'a';
	assert_int_not_equal(access(tmpdir_path(path), F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(erased_by_the_end), cmocka_unit_test(erased_by_itself),
		cmocka_unit_test(no_more_than_so_many_wait), cmocka_unit_test(what_cannot_be_erased) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
