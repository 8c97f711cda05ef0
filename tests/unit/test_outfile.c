/* outfile.h: what was handed over stands in the file, and the hash is of it,
 * whatever the lengths of file and pieces; an error is told, never swallowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "receiver/outfile.h"
#include "tests/unit/seeded.h"
#include "tests/unit/tmpdir.h"

enum { MAX = 8 * OUTFILE_BUFFER + 4096 };

static struct outfile *o;
static uint8_t data[MAX], back[MAX + 1];

static int setup(void **state)
{
	seeded_bytes(data, 65536);
	for (size_t n = 65536; n < MAX; n++)
		data[n] = (uint8_t)(data[n - 65536] + 1);
	o = outfile_new();
	return o == NULL || tmpdir_make(state) != 0;
}

static int teardown(void **state)
{
	outfile_free(o);
	return tmpdir_remove(state);
}

static int fresh(const char *name)
{
	int fd;

	tmpdir_write(name, "", 0, 0600);
	fd = open(tmpdir_path(name), O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void hand_over(size_t n, size_t piece)
{
	for (size_t at = 0; at < n;) {
		size_t part = piece != 0 ? piece : 1 + seeded_below(200000);

		if (part > n - at)
			part = n - at;
		assert_int_equal(outfile_write(o, data + at, part), 0);
		at += part;
	}
}

static void expect(const char *name, size_t n, const uint8_t *sha256)
{
	uint8_t mine[HASH_LEN];
	int fd = open(tmpdir_path(name), O_RDONLY | O_CLOEXEC);

	assert_int_equal(read(fd, back, sizeof(back)), n);
	close(fd);
	assert_memory_equal(back, data, n);
	crypto_sha256(mine, data, n);
	assert_memory_equal(mine, sha256, HASH_LEN);
}

static void lengths(void **state)
{
	static const struct {
		size_t n;     /* bytes of the file */
		size_t said;  /* what was expected of it: more or less must not hurt */
		size_t piece; /* 0: random */
	} row[] = { { 0, 0, 1 }, { 1, 1, 1 }, { 4096, 4096, 4096 }, { OUTFILE_BUFFER - 1, OUTFILE_BUFFER - 1, 0 },
		{ OUTFILE_BUFFER, OUTFILE_BUFFER, 0 }, { OUTFILE_BUFFER + 1, OUTFILE_BUFFER + 1, 0 },
		{ 2 * OUTFILE_BUFFER, 2 * OUTFILE_BUFFER, OUTFILE_BUFFER }, { MAX, MAX, 65521 }, { MAX - 1, MAX - 1, 0 },
		{ MAX - 513, MAX - 513, MAX }, { 10, MAX, 3 }, { 3 * OUTFILE_BUFFER, 1, 0 }, { 0, MAX, 1 } };
	uint8_t sha256[HASH_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		int fd = fresh("f");
		outfile_begin(o, fd, row[i].said);
		hand_over(row[i].n, row[i].piece);
		assert_int_equal(outfile_end(o, sha256), 0);
		close(fd);
		expect("f", row[i].n, sha256);
	}
}

/* Given up in the middle: the next file has nothing of it, and its descriptor is not used any more. */
static void aborted(void **state)
{
	uint8_t sha256[HASH_LEN];

	(void)state;
	for (int i = 0; i < 20; i++) {
		int fd = fresh("a");
		outfile_begin(o, fd, MAX);
		hand_over(seeded_below(MAX), 0);
		outfile_abort(o);
		close(fd);
		fd = fresh("b");
		outfile_begin(o, fd, 3 * OUTFILE_BUFFER);
		hand_over(3 * OUTFILE_BUFFER, 0);
		assert_int_equal(outfile_end(o, sha256), 0);
		close(fd);
		expect("b", 3 * OUTFILE_BUFFER, sha256);
	}
}

static void errors(void **state)
{
	static const struct {
		size_t n;
		int full; /* a disk without room; else a descriptor that cannot write */
		int error;
	} row[] = { { 10, 1, ENOSPC }, { 3 * OUTFILE_BUFFER + 5, 1, ENOSPC }, { 10, 0, EBADF }, { MAX, 0, EBADF } };
	uint8_t sha256[HASH_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		int fd = open(row[i].full ? "/dev/full" : "/dev/null", row[i].full ? O_WRONLY : O_RDONLY), r;

		outfile_begin(o, fd, row[i].n);
		r = outfile_write(o, data, row[i].n);
		if (r == 0)
			r = outfile_end(o, sha256);
		assert_int_equal(r, row[i].error);
		close(fd);
	}
	/* and is not carried into the next */
	lengths(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lengths), cmocka_unit_test(aborted), cmocka_unit_test(errors) };

	seeded_init();
	return crypto_init() != 0 ? 1 : cmocka_run_group_tests(tests, setup, teardown);
}
