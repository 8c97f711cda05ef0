/* name.h: which names are carried (PROTOCOL.md, sections 2.4, 2.5, 7.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/name.h"

#define ROW(why, bytes, want) { why, (const uint8_t *)(bytes), sizeof(bytes) - 1, want }

static const struct row {
	const char *why;
	const uint8_t *name;
	size_t n;
	enum name_err want;
} rows[] = {
	ROW("plain", "report.csv", NAME_OK),
	ROW("one byte", "a", NAME_OK),
	ROW("a blank at either end is a name", " a ", NAME_OK),
	ROW("a dot inside", "a..b", NAME_OK),
	ROW("a dash first: our affair, not the name's", "-rf", NAME_OK),
	/* Japanese as the sources write it. */
	ROW("three characters whose second CP932 byte is 5C, in UTF-8", "表示能力ソ十.csv", NAME_OK),
	ROW("the same in CP932", "\x95\x5C\x8E\xA6\x94\x5C\x97\xCD\x83\x5C\x8F\x5C.csv", NAME_OK),
	ROW("髙﨑 in UTF-8", "髙﨑.xml", NAME_OK),
	ROW("髙﨑 in CP932: extensions of NEC and IBM", "\xFB\xFC\xFA\xB1.xml", NAME_OK),
	ROW("NFC", "\xE3\x81\x8C.txt", NAME_OK),
	ROW("NFD: another name", "\xE3\x81\x8B\xE3\x82\x99.txt", NAME_OK),
	ROW("half-width katakana in CP932", "\xB6\xC0\xB6\xC5", NAME_OK),
	ROW("gaiji in CP932", "\xF0\x40\xFC\xFC", NAME_OK),
	ROW("gaiji in UTF-8 (private use)", "\xEE\x80\x80", NAME_OK),
	ROW("outside the BMP", "\xF0\xA0\xAE\xB7.txt", NAME_OK),
	ROW("U+10FFFF", "\xF4\x8F\xBF\xBF", NAME_OK),
	ROW("a joiner without direction", "a\xE2\x80\x8D" "b", NAME_OK),
	/* Nothing, and ways out of the folder. */
	ROW("empty", "", NAME_EEMPTY),
	ROW("this folder", ".", NAME_EHIDDEN),
	ROW("the folder above", "..", NAME_EHIDDEN),
	ROW("hidden", ".bashrc", NAME_EHIDDEN),
	ROW("a folder", "a/b", NAME_ESLASH),
	ROW("absolute", "/etc/passwd", NAME_ESLASH),
	ROW("only a slash", "/", NAME_ESLASH),
	ROW("climbing", "a/../../b", NAME_ESLASH),
	ROW("a backslash", "a\\b", NAME_ESLASH),
	ROW("a backslash last", "a\\", NAME_ESLASH),
	ROW("a backslash behind a CP932 pair", "\x95\x5C\\", NAME_ESLASH),
	ROW("a slash behind a half-width CP932 character", "\xB6/", NAME_ESLASH),
	/* Control characters. */
	ROW("NUL", "a\0b", NAME_ECONTROL),
	ROW("NUL last", "a\0", NAME_ECONTROL),
	ROW("newline", "a\nb", NAME_ECONTROL),
	ROW("carriage return", "a\r", NAME_ECONTROL),
	ROW("escape", "\x1B[2J", NAME_ECONTROL),
	ROW("unit separator", "a\x1F", NAME_ECONTROL),
	ROW("delete", "a\x7F", NAME_ECONTROL),
	ROW("U+0080", "a\xC2\x80", NAME_ECONTROL),
	ROW("U+009F", "a\xC2\x9F", NAME_ECONTROL),
	ROW("U+00A0 is none", "a\xC2\xA0", NAME_OK),
	ROW("newline in CP932", "\x95\x5C\n", NAME_ECONTROL),
	ROW("delete in CP932", "\x95\x5C\x7F", NAME_ECONTROL),
	/* Characters that change how others are shown.  All are well-formed CP932 as well. */
	ROW("U+061C", "a\xD8\x9C", NAME_EBIDI),
	ROW("U+200D is none", "\xE2\x80\x8D", NAME_OK),
	ROW("U+200E", "a\xE2\x80\x8E", NAME_EBIDI),
	ROW("U+200F", "a\xE2\x80\x8F", NAME_EBIDI),
	ROW("U+2010 is none", "\xE2\x80\x90", NAME_OK),
	ROW("U+2028", "a\xE2\x80\xA8", NAME_EBIDI),
	ROW("U+2029", "a\xE2\x80\xA9", NAME_EBIDI),
	ROW("U+202A", "a\xE2\x80\xAA", NAME_EBIDI),
	ROW("U+202E, so that cod.exe is shown as exe.doc", "a\xE2\x80\xAE" "cod.exe", NAME_EBIDI),
	ROW("U+202F is none", "\xE2\x80\xAF", NAME_OK),
	ROW("U+2065 is none", "\xE2\x81\xA5", NAME_OK),
	ROW("U+2066", "a\xE2\x81\xA6", NAME_EBIDI),
	ROW("U+2069", "a\xE2\x81\xA9", NAME_EBIDI),
	ROW("U+206A is none", "\xE2\x81\xAA", NAME_OK),
	ROW("byte order mark", "\xEF\xBB\xBF" "a", NAME_EBIDI),
	/* Neither the one nor the other. */
	ROW("overlong slash, two bytes", "a\xC0\xAF" "b", NAME_OK), /* as CP932: two half-width katakana. Not a slash. */
	ROW("overlong slash, three bytes", "a\xE0\x80\xAF", NAME_OK), /* as CP932: a pair and a half-width one */
	ROW("overlong slash, four bytes, as neither", "a\xF0\x80\x80\xAF", NAME_ECODING),
	ROW("overlong dot", "\xC0\xAE\xC0\xAE", NAME_OK), /* half-width katakana */
	ROW("surrogate", "a\xED\xA0\x80", NAME_ECODING),
	ROW("surrogate pair of CESU-8", "\xED\xA0\x80\xED\xB0\x80", NAME_ECODING),
	ROW("above U+10FFFF", "\xF4\x90\x80\x80", NAME_ECODING),
	ROW("five bytes", "\xF8\x88\x80\x80\x80", NAME_ECODING),
	ROW("FF", "\xFF", NAME_ECODING),
	ROW("FE", "a\xFE", NAME_ECODING),
	ROW("FD", "\xFD\x40", NAME_ECODING),
	ROW("80 alone", "\x80", NAME_ECODING),
	ROW("A0 alone", "\xA0", NAME_ECODING),
	ROW("CP932 lead byte at the end", "abc\x95", NAME_ECODING),
	ROW("CP932 lead byte before a slash", "\x95/", NAME_ECODING),
	ROW("CP932 lead byte before a newline", "\x95\n", NAME_ECODING),
	ROW("CP932 second byte 7F", "\x95\x7F", NAME_ECODING),
	ROW("CP932 second byte 3F", "\x95\x3F", NAME_ECODING),
	ROW("CP932 second byte FD", "\x95\xFD", NAME_ECODING),
	ROW("UTF-8 cut in the middle", "a\xE8\xA1", NAME_OK), /* E8 A1 is a CP932 pair; only cut after one byte is it neither */
	ROW("UTF-8 cut after one byte", "a\xE8", NAME_ECODING),
};

static void table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum name_err e = name_check(rows[i].name, rows[i].n);
		if (e != rows[i].want)
			fail_msg("%s: %d (%s) instead of %d", rows[i].why, e, name_strerror(e), rows[i].want);
	}
}

static void lengths(void **state)
{
	uint8_t name[256];

	(void)state;
	memset(name, 'a', sizeof name);
	assert_int_equal(name_check(name, 255), NAME_OK);
	assert_int_equal(name_check(name, 256), NAME_ELONG);
	for (size_t i = 0; i + 3 <= 255; i += 3)
		memcpy(name + i, "\xE3\x81\x82", 3);
	assert_int_equal(name_check(name, 255), NAME_OK); /* 85 characters */
	assert_int_equal(name_check(name, 254), NAME_OK); /* the last cut in two: valid CP932 */
	assert_false(name_is_utf8(name, 254));
}

/* Every single byte, and every pair, against the rules written another way. */
static void every_pair(void **state)
{
	(void)state;
	for (unsigned a = 0; a < 256; a++)
		for (unsigned b = 0; b < 256; b++) {
			const uint8_t name[2] = { (uint8_t)a, (uint8_t)b };
			int ascii_a = a >= 0x20 && a < 0x7F && a != '/' && a != '\\';
			int ascii_b = b >= 0x20 && b < 0x7F && b != '/' && b != '\\';
			int kana_a = a >= 0xA1 && a <= 0xDF, kana_b = b >= 0xA1 && b <= 0xDF;
			int utf8 = a >= 0xC2 && a <= 0xDF && b >= 0x80 && b <= 0xBF;
			int sjis = ((a >= 0x81 && a <= 0x9F) || (a >= 0xE0 && a <= 0xFC)) && b >= 0x40 && b <= 0xFC && b != 0x7F;
			int want = utf8 ? !(a == 0xC2 && b < 0xA0) && !(a == 0xD8 && b == 0x9C)
			                : sjis || ((ascii_a || kana_a) && (ascii_b || kana_b));
			if (a == '.')
				want = 0;
			if ((name_check(name, 2) == NAME_OK) != want)
				fail_msg("%02x %02x: %d", a, b, name_check(name, 2));
		}
}

static void utf8_or_not(void **state)
{
	(void)state;
	assert_true(name_is_utf8((const uint8_t *)"", 0));
	assert_true(name_is_utf8((const uint8_t *)"a\xE2\x80\xAE", 4)); /* valid, if not wanted */
	assert_false(name_is_utf8((const uint8_t *)"\x95\x5C", 2));
	assert_false(name_is_utf8((const uint8_t *)"\xC0\xAF", 2));
	assert_false(name_is_utf8((const uint8_t *)"\xC1\xBF", 2));
	assert_false(name_is_utf8((const uint8_t *)"\xE0\x9F\xBF", 3));
	assert_false(name_is_utf8((const uint8_t *)"\xED\xBF\xBF", 3));
	assert_false(name_is_utf8((const uint8_t *)"\xF0\x8F\xBF\xBF", 4));
	assert_false(name_is_utf8((const uint8_t *)"\xF4\x90\x80\x80", 4));
	assert_false(name_is_utf8((const uint8_t *)"\xF5\x80\x80\x80", 4));
	assert_false(name_is_utf8((const uint8_t *)"\xE8\xA1\xA8", 2)); /* the third byte is there, but not ours */
}

static void channels(void **state)
{
	static const struct {
		const char *s;
		size_t n;
		bool want;
	} c[] = {
		{ "eltax", 5, true }, { "a", 1, true }, { "a-b_9", 5, true }, { "", 0, false }, { "9a", 2, false },
		{ "-a", 2, false }, { "_a", 2, false }, { "Eltax", 5, false }, { "el tax", 6, false }, { "el.tax", 6, false },
		{ "el/tax", 6, false }, { "..", 2, false }, { "a\0b", 3, false }, { "\xE8\xA1\xA8", 3, false },
		{ "abcdefghijklmnopqrstuvwxyz012345", 32, true }, { "abcdefghijklmnopqrstuvwxyz0123456", 33, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof c / sizeof c[0]; i++)
		assert_int_equal(name_channel_ok(c[i].s, c[i].n), c[i].want);
}

static void types(void **state)
{
	static const char *const t[][2] = {
		{ "report.csv", "csv" }, { "REPORT.CSV", "csv" }, { "a.tar.gz", "gz" }, { "a", "" }, { "a.", "" },
		{ "a.b c", "" }, { "表示能力ソ十.Xml", "xml" }, { "a.表", "" }, { "a.12345678", "12345678" },
		{ "a.123456789", "" }, { "\x83\x5C.zip", "zip" }, { "a.c\x83\x5C", "" }, { ".gz", "" }, { "a.7Z", "7z" },
		{ "a.\x95", "" },
	};
	char out[NAME_TYPE_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		memset(out, 'x', sizeof out);
		name_type(out, (const uint8_t *)t[i][0], strlen(t[i][0]));
		assert_string_equal(out, t[i][1]);
	}
}

static void order(void **state)
{
	static const struct {
		const char *a, *b;
		int want;
	} o[] = {
		{ "a", "b", -1 }, { "a", "a", 0 }, { "a", "ab", -1 }, { "ab", "b", -1 }, { "Z", "a", -1 },
		{ "a", "\x81", -1 }, /* bytes, not signed characters */
		{ "\xE3\x81\x8B\xE3\x82\x99", "\xE3\x81\x8C", -1 }, /* NFD and NFC are two names */
	};

	(void)state;
	for (size_t i = 0; i < sizeof o / sizeof o[0]; i++) {
		size_t an = strlen(o[i].a), bn = strlen(o[i].b);
		int ab = name_order((const uint8_t *)o[i].a, an, (const uint8_t *)o[i].b, bn);
		int ba = name_order((const uint8_t *)o[i].b, bn, (const uint8_t *)o[i].a, an);
		assert_int_equal((ab > 0) - (ab < 0), o[i].want);
		assert_int_equal((ba > 0) - (ba < 0), -o[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table), cmocka_unit_test(lengths), cmocka_unit_test(every_pair), cmocka_unit_test(utf8_or_not),
		cmocka_unit_test(channels), cmocka_unit_test(types), cmocka_unit_test(order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
