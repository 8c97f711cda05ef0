/* admit.h, content/magic.h, inspect.h: what may not enter a channel, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "content/magic.h"
#include "sender/admit.h"
#include "sender/inspect.h"
#include "sender/messages.h"
#include "tests/unit/tmpdir.h"

static void files_and_others(void **state)
{
	static const struct {
		const char *name;
		mode_t mode;
		nlink_t links;
		off_t size;
		enum admit want;
		const char *why; /* is in the reason */
	} t[] = {
		{ "a.csv", S_IFREG | 0644, 1, 1000, ADMIT_OK, "" },
		{ "a.csv", S_IFREG | 0644, 1, 0, ADMIT_OK, "" },
		{ "a.csv", S_IFREG | 0644, 1, 1001, ADMIT_SIZE, "1001 bytes" },
		{ "a.csv", S_IFREG | 0644, 2, 1, ADMIT_LINKS, "2 names" },
		{ "a.csv", S_IFREG | S_ISUID | 0755, 1, 1, ADMIT_SETUID, "set-user-ID" },
		{ "a.csv", S_IFREG | S_ISGID | 0755, 1, 1, ADMIT_SETUID, "set-group-ID" },
		{ "a", S_IFDIR | 0755, 2, 1, ADMIT_KIND, "folder" },
		{ "a", S_IFLNK | 0777, 1, 1, ADMIT_KIND, "symbolic link" },
		{ "a", S_IFIFO | 0644, 1, 0, ADMIT_KIND, "FIFO" },
		{ "a", S_IFSOCK | 0644, 1, 0, ADMIT_KIND, "socket" },
		{ "a", S_IFCHR | 0644, 1, 0, ADMIT_KIND, "device" },
		{ "a", S_IFBLK | 0644, 1, 0, ADMIT_KIND, "device" },
		{ "a\nb", S_IFREG | 0644, 1, 1, ADMIT_NAME, "control" },
		{ "..\\x", S_IFREG | 0644, 1, 1, ADMIT_NAME, "" },
		{ "\xe8\xa1\xa8.csv", S_IFREG | 0644, 1, 1, ADMIT_OK, "" },       /* 表 in UTF-8 */
		{ "\x95\x5c.csv", S_IFREG | 0644, 1, 1, ADMIT_OK, "" },           /* 表 in CP932: 5C is its second byte */
		{ "a\xe2\x80\xae" "vsc.exe", S_IFREG | 0644, 1, 1, ADMIT_NAME, "" }, /* right-to-left override */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		const struct stat st = { .st_mode = t[i].mode, .st_nlink = t[i].links, .st_size = t[i].size };
		const char *what = NULL;
		char why[160] = "";
		enum admit got = admit_file(t[i].name, &st, 1000, why, sizeof(why), &what);
		if (got != t[i].want || strstr(why, t[i].why) == NULL)
			fail_msg("%zu: %d, %s", i, got, why);
		if (got != ADMIT_OK)
			assert_true(what != NULL && why[0] != '\0');
	}
}

#define B(bytes) bytes, sizeof(bytes) - 1
static const struct {
	const char *bytes;
	size_t n;
	int program;
} starts[] = {
	{ B(""), 0 }, { B("a"), 0 }, { B("<?xml version=\"1.0\"?>"), 0 }, { B("%PDF-1.7"), 0 }, { B("PK\x03\x04"), 0 },
	{ B("\xff\xd8\xff\xe0"), 0 }, { B("\x7f" "ELF\x02\x01\x01"), 1 }, { B("\x7f" "EL"), 0 },
	{ B("MZ\x90\x00\x03\x00\x00\x00"), 1 }, { B("MZ,name,kana\r\n1,2,3\r\n"), 0 }, { B("MZ"), 0 },
	{ B("#!/bin/sh\n"), 1 }, { B("\xef\xbb\xbf#!/bin/sh"), 1 }, { B("# a comment"), 0 },
	{ B("\xca\xfe\xba\xbe\x00\x00\x00\x34"), 1 }, { B("\xcf\xfa\xed\xfe\x07"), 1 }, { B("\xfe\xed\xfa\xcf"), 1 },
	{ B("\x4c\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46 rest"), 1 },
	{ B("\x4c\x00\x00\x00\x01\x14\x02\x00"), 0 }, { B("@ECHO off\r\n"), 1 }, { B("@echo"), 0 }, { B("\0asm\x01"), 1 },
};

static void programs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if ((magic_program((const uint8_t *)starts[i].bytes, starts[i].n) != NULL) != starts[i].program)
			fail_msg("start %zu", i);
}

static int inspected(struct content *c, int fd, uint64_t size, uint32_t *checks)
{
	static const struct content_policy any;
	const struct inspect_file f = { .fd = fd, .size = size, .name = (const uint8_t *)"f", .name_len = 1 };
	char why[160];

	return inspect_claimed(c, &any, &f, checks, why, sizeof(why));
}

static void inspected_by_descriptor(void **state)
{
	struct content *c = content_new();
	uint32_t checks = 99;
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		tmpdir_write("f", starts[i].bytes, starts[i].n, 0644);
		fd = open(tmpdir_path("f"), O_RDONLY);
		assert_int_equal(inspected(c, fd, starts[i].n, &checks), starts[i].program);
		assert_int_equal(checks, starts[i].program ? 0 : CONTENT_PROGRAM);
		/* another size than was claimed */
		assert_int_equal(inspected(c, fd, starts[i].n + 1, &checks), 1);
		close(fd);
	}
	fd = open(tmpdir, O_RDONLY);
	assert_int_equal(inspected(c, fd, 4096, &checks), 1);
	close(fd);
	content_free(c);
}

static void names_of_checks(void **state)
{
	const char *out[4];

	(void)state;
	assert_int_equal(inspect_names(CONTENT_PROGRAM, CONTENT_PROGRAM, out, 4), 3);
	assert_string_equal(out[0], "name");
	assert_string_equal(out[1], "program");
	assert_string_equal(out[2], "size");
	/* one file without: the transfer does not claim it */
	assert_int_equal(inspect_names(0, CONTENT_PROGRAM, out, 4), 2);
	assert_string_equal(out[1], "size");
	/* a type's check is made on each file of that type */
	assert_int_equal(inspect_names(0, CONTENT_CSV, out, 4), 3);
	assert_string_equal(out[0], "csv");
	assert_int_equal(inspect_names(CONTENT_PROGRAM, 0, out, 1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_and_others), cmocka_unit_test(programs), cmocka_unit_test(inspected_by_descriptor),
		cmocka_unit_test(names_of_checks),
	};

	return cmocka_run_group_tests(tests, tmpdir_make, tmpdir_remove);
}
