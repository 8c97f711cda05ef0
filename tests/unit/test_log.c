/* log.h and clock.h: lines that nobody can forge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host/clock.h"
#include "host/exits.h"
#include "host/log.h"
#include "tests/unit/child.h"

static struct child c;

static void matches(const char *pattern)
{
	regex_t re;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&re, c.text, 0, NULL, 0) != 0)
		fail_msg("not as %s: %s", pattern, c.text);
	regfree(&re);
}

#define STAMP "^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z "

static void say_warning(void *role)
{
	log_init("katamichi-sender", role);
	log_warn("%s: %d files", "eltax", 3);
	log_debug("not shown");
}

static void say_debug(void *unused)
{
	(void)unused;
	setenv("KATAMICHI_DEBUG", "1", 1);
	log_init("katamichi-sender", NULL);
	log_debug("shown");
}

static void say_tool(void *unused)
{
	(void)unused;
	log_init_tool("katamichi");
	log_error("no such file");
}

static void say_uninitialised(void *unused)
{
	(void)unused;
	log_error("early");
}

static void say_die(void *unused)
{
	(void)unused;
	log_init("katamichi-sender", "spool");
	errno = ENOSPC;
	log_die(EXIT_SYSTEM, "outbox: %m");
}

static void formats(void **state)
{
	char role[] = "spool";

	(void)state;
	unsetenv("KATAMICHI_DEBUG");
	unsetenv("JOURNAL_STREAM");
	child_run(&c, say_warning, role, 0);
	matches(STAMP "katamichi-sender\\[spool\\] warning: eltax: 3 files\n$");
	child_run(&c, say_warning, NULL, 0);
	matches(STAMP "katamichi-sender warning: eltax: 3 files\n$");
	child_run(&c, say_warning, role, 1);
	assert_string_equal(c.text, "<4>[spool] eltax: 3 files\n");
	child_run(&c, say_warning, NULL, 1);
	assert_string_equal(c.text, "<4>eltax: 3 files\n");
	child_run(&c, say_debug, NULL, 0);
	matches(STAMP "katamichi-sender debug: shown\n$");
	child_run(&c, say_tool, NULL, 0);
	assert_string_equal(c.text, "katamichi: no such file\n");
	child_run(&c, say_uninitialised, NULL, 0);
	assert_string_equal(c.text, "katamichi: early\n");
	child_run(&c, say_die, NULL, 0);
	matches(STAMP "katamichi-sender\\[spool\\] error: outbox: No space left on device\n$");
	assert_int_equal(c.code, EXIT_SYSTEM);
	/* A JOURNAL_STREAM that was inherited, but is not our standard error. */
	setenv("JOURNAL_STREAM", "1:2", 1);
	child_run(&c, say_warning, role, 0);
	matches(STAMP);
	setenv("JOURNAL_STREAM", "garbage", 1);
	child_run(&c, say_warning, role, 0);
	matches(STAMP);
	unsetenv("JOURNAL_STREAM");
}

static void say_text(void *text)
{
	log_init_tool("t");
	log_info("%s", (const char *)text);
}

static void nobody_forges(void **state)
{
	static char name[] = "a\n<3>forged\r\x1B[31m\x7F\xC2\x9B\xE2\x80\xAE" "cod.\x95\x5C 表示ソ";

	(void)state;
	child_run(&c, say_text, name, 0);
	assert_string_equal(c.text, "t: a\\x0a<3>forged\\x0d\\x1b[31m\\x7f\\xc2\\x9b\\xe2\\x80\\xaecod.\\x95\\ 表示ソ\n");
}

static void say_long(void *fd)
{
	char text[10000];

	(void)fd;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	log_init("katamichi-sender", "spool");
	log_error("%s", text);
	memset(text, '\n', sizeof text - 1);
	log_error("%s", text);
}

/* However long, a line is one line that a pipe takes in one piece. */
static void long_lines(void **state)
{
	(void)state;
	child_run(&c, say_long, NULL, 0);
	char *second = strchr(c.text, '\n');
	assert_non_null(second);
	assert_in_range((uintmax_t)(second - c.text), 3500, 4095);
	assert_in_range(strlen(second + 1), 3500, 4096);
	assert_ptr_equal(strchr(second + 1, '\n'), c.text + c.len - 1);
	assert_memory_equal(c.text + c.len - 4, "...\n", 4);
}

static void show(void **state)
{
	static const struct {
		const char *in;
		size_t n, size;
		const char *out;
	} row[] = {
		{ "abc", 3, 16, "abc" },
		{ "abc", 3, 4, "abc" },
		{ "abcd", 4, 4, "..." },
		{ "abcdef", 6, 6, "ab..." },
		{ "abc", 3, 3, ".." },
		{ "abc", 3, 1, "" },
		{ "a\0b", 3, 16, "a\\x00b" },
		{ "\xE8\xA1\xA8\xE8\xA1\xA8", 6, 7, "表表" },
		{ "\xE8\xA1\xA8\xE8\xA1\xA8", 6, 6, "..." },      /* no character is cut in two */
		{ "\xE8\xA1\xA8\xE8\xA1\xA8" "a", 7, 7, "表..." },
		{ "\n\n", 2, 8, "\\x0a..." },                     /* nor an escape */
		{ "\xE8\xA1", 2, 16, "\\xe8\\xa1" },
		{ "", 0, 4, "" },
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		memset(out, '#', sizeof out);
		assert_ptr_equal(log_show(out, row[i].size, row[i].in, row[i].n), out);
		assert_string_equal(out, row[i].out);
		assert_int_equal(out[row[i].size], '#');
	}
	memset(out, '#', sizeof out);
	log_show(out, 0, "abc", 3);
	assert_int_equal(out[0], '#');
}

static void errno_is_kept(void **state)
{
	(void)state;
	int null = open("/dev/full", O_WRONLY), kept = dup(STDERR_FILENO);
	assert_true(null >= 0 && kept >= 0);
	dup2(null, STDERR_FILENO);
	errno = EXDEV;
	log_error("to a full device");
	int after = errno;
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(null);
	assert_int_equal(after, EXDEV);
}

static void clocks(void **state)
{
	char iso[21];

	(void)state;
	clock_iso(iso, 0);
	assert_string_equal(iso, "1970-01-01T00:00:00Z");
	clock_iso(iso, 1795228923);
	assert_string_equal(iso, "2026-11-21T02:42:03Z");
	clock_iso(iso, 951782399);
	assert_string_equal(iso, "2000-02-28T23:59:59Z");
	clock_iso(iso, 253402300799);
	assert_string_equal(iso, "9999-12-31T23:59:59Z");
	clock_iso(iso, UINT64_MAX); /* no year of five digits: 20 characters are all there is room for */
	assert_string_equal(iso, "9999-12-31T23:59:59Z");
	uint64_t t = clock_mono_ns();
	clock_sleep_ns(2000000);
	assert_in_range(clock_mono_ns() - t, 2000000, 5000000000);
	assert_true(clock_wall_ms() > 1700000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats), cmocka_unit_test(nobody_forges), cmocka_unit_test(long_lines), cmocka_unit_test(show),
		cmocka_unit_test(errno_is_kept), cmocka_unit_test(clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
