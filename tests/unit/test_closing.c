/* closing.h: what is written can be read; what is not just so is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "codec/closing.h"

static char text[8192];
static size_t len;

#define S64 "0101010101010101010101010101010101010101010101010101010101010101"
#define R64 "0202020202020202020202020202020202020202020202020202020202020202"
#define G32 "03030303030303030303030303030303"
#define M64 "0404040404040404040404040404040404040404040404040404040404040404"
#define O32 "05050505050505050505050505050505"
#define HEAD "katamichi-closing-1 daily\nat 2026-11-21T15:00:00Z\nsender " S64 "\nreceiver " R64 "\n"

static void write_one(void)
{
	struct closing_head h = { .kind = CLOSING_DAILY, .at = "2026-11-21T15:00:00Z" };
	struct closing_channel c = { .channel = "eltax", .first = 3, .last = 4, .newest = 9 }, none = { .channel = "pittari", .first = 1 };
	struct closing_entry e = { .number = 3 };
	struct closing_gone g[] = { { 2, 3 }, { 9, 9 } };

	memset(h.sender, 1, 32);
	memset(h.receiver, 2, 32);
	memset(c.generation, 3, 16);
	memset(none.generation, 3, 16);
	memset(e.manifest, 4, 32);
	memset(e.object, 5, 16);
	len = closing_put_head(text, &h);
	len += closing_put_channel(text + len, &c);
	len += closing_put_entry(text + len, &e);
	e.number = 4;
	len += closing_put_entry(text + len, &e);
	len += closing_put_gone(text + len, &g[0]);
	len += closing_put_gone(text + len, &g[1]);
	len += closing_put_channel(text + len, &none);
	len += closing_put_end(text + len);
}

static void there_and_back(void **state)
{
	struct closing c;

	(void)state;
	write_one();
	assert_string_equal(text, HEAD "channel eltax " G32 " 3 4 9\n3 " M64 " " O32 "\n4 " M64 " " O32 "\ngone 2 3\ngone 9 9\nchannel pittari " G32
	    " 1 0 0\nend\n");
	assert_int_equal(closing_open(&c, text, len), 0);
	assert_int_equal(c.head.kind, CLOSING_DAILY);
	assert_string_equal(c.head.at, "2026-11-21T15:00:00Z");
	assert_int_equal(c.head.sender[31], 1);
	assert_int_equal(c.head.receiver[0], 2);
	assert_int_equal(closing_next(&c), CLOSING_SECTION);
	assert_string_equal(c.channel.channel, "eltax");
	assert_int_equal(c.channel.newest, 9);
	assert_int_equal(closing_next(&c), CLOSING_ENTRY);
	assert_int_equal(c.entry.number, 3);
	assert_int_equal(c.entry.manifest[5], 4);
	assert_int_equal(c.entry.object[15], 5);
	assert_int_equal(closing_next(&c), CLOSING_ENTRY);
	assert_int_equal(closing_next(&c), CLOSING_GONE);
	assert_int_equal(c.range.first, 2);
	assert_int_equal(c.range.last, 3);
	assert_int_equal(closing_next(&c), CLOSING_GONE);
	assert_int_equal(c.range.first, 9);
	assert_int_equal(closing_next(&c), CLOSING_SECTION);
	assert_string_equal(c.channel.channel, "pittari");
	assert_int_equal(closing_next(&c), CLOSING_END);
	assert_int_equal(closing_check(text, len), 0);
}

/* Cut off anywhere, one byte more anywhere, any byte changed to one that cannot stand there. */
static void every_byte_counts(void **state)
{
	char bad[sizeof(text) + 1];

	(void)state;
	write_one();
	for (size_t n = 0; n < len; n++)
		if (closing_check(text, n) == 0)
			fail_msg("cut off at %zu", n);
	for (size_t at = 0; at <= len; at++) {
		memcpy(bad, text, at);
		bad[at] = '~';
		memcpy(bad + at + 1, text + at, len - at);
		if (closing_check(bad, len + 1) == 0)
			fail_msg("a byte more at %zu", at);
		if (at == len)
			break;
		memcpy(bad, text, len);
		bad[at] = '~';
		if (closing_check(bad, len) == 0)
			fail_msg("another byte at %zu", at);
	}
}

static void what_makes_no_sense(void **state)
{
#define ENTRY(n) #n " " M64 " " O32 "\n"
	static const struct { const char *why, *text; int want; } t[] = {
		{ "nothing at all was numbered", HEAD "end\n", 0 },
		{ "a kind that does not exist", "katamichi-closing-1 weekly\nat 2026-11-21T15:00:00Z\nsender " S64 "\nreceiver " R64 "\nend\n", -1 },
		{ "another version", "katamichi-closing-2 daily\nat 2026-11-21T15:00:00Z\nsender " S64 "\nreceiver " R64 "\nend\n", -1 },
		{ "number 0", HEAD "channel a " G32 " 0 0 0\n" ENTRY(0) "end\n", -1 },
		{ "last far below first", HEAD "channel a " G32 " 5 3 9\nend\n", -1 },
		{ "newest below last", HEAD "channel a " G32 " 1 1 0\n" ENTRY(1) "end\n", -1 },
		{ "a number left out", HEAD "channel a " G32 " 1 2 2\n" ENTRY(2) "end\n", -1 },
		{ "a number too few", HEAD "channel a " G32 " 1 2 2\n" ENTRY(1) "end\n", -1 },
		{ "a number too many", HEAD "channel a " G32 " 1 1 2\n" ENTRY(1) ENTRY(2) "end\n", -1 },
		{ "a number with a zero before it", HEAD "channel a " G32 " 01 1 1\n" ENTRY(1) "end\n", -1 },
		{ "a number beyond 2^62", HEAD "channel a " G32 " 4611686018427387904 4611686018427387904 4611686018427387904\nend\n", -1 },
		{ "a number of 20 digits", HEAD "channel a " G32 " 1 0 18446744073709551616\nend\n", -1 },
		{ "the largest that is none", HEAD "channel a " G32 " 4611686018427387903 4611686018427387902 4611686018427387903\nend\n", 0 },
		{ "no channel name", HEAD "channel ../x " G32 " 1 0 0\nend\n", -1 },
		{ "an empty channel name", HEAD "channel  " G32 " 1 0 0\nend\n", -1 },
		{ "capitals in a hash", HEAD "channel a 0303030303030303030303030303030A 1 0 0\nend\n", -1 },
		{ "all of them gone but one", HEAD "channel a " G32 " 10 9 9\ngone 1 1\ngone 3 9\nend\n", 0 },
		{ "each channel begins anew", HEAD "channel a " G32 " 10 9 9\ngone 9 9\nchannel b " G32 " 10 9 9\ngone 1 9\nend\n", 0 },
		{ "gone before any channel", HEAD "gone 1 1\nend\n", -1 },
		{ "gone before the numbers", HEAD "channel a " G32 " 1 1 1\ngone 1 1\n" ENTRY(1) "end\n", -1 },
		{ "gone from number 0", HEAD "channel a " G32 " 10 9 9\ngone 0 1\nend\n", -1 },
		{ "gone backwards", HEAD "channel a " G32 " 10 9 9\ngone 3 2\nend\n", -1 },
		{ "gone beyond the newest", HEAD "channel a " G32 " 10 9 9\ngone 3 10\nend\n", -1 },
		{ "gone twice", HEAD "channel a " G32 " 10 9 9\ngone 1 3\ngone 3 4\nend\n", -1 },
		{ "two ranges that are one", HEAD "channel a " G32 " 10 9 9\ngone 1 3\ngone 4 4\nend\n", -1 },
		{ "no end", HEAD, -1 },
		{ "something behind the end", HEAD "end\nend\n", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (closing_check(t[i].text, strlen(t[i].text)) != t[i].want)
			fail_msg("%s", t[i].why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back), cmocka_unit_test(every_byte_counts), cmocka_unit_test(what_makes_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
