/* content.h: which files a channel carries, by their types and their bytes.
 * Everything is fed whole, byte by byte, and in seeded pieces: the same answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "content/content.h"
#include "content/magic.h"
#include "seeded.h"
#include "zip_build.h"

static struct content *content;
static char said[CONTENT_WHY_MAX];

/* 0 accepted, -1 refused; pieces of at most `most` bytes. */
static int feed(const struct content_policy *p, const char *name, const uint8_t *data, size_t n, size_t most)
{
	int result = 0;

	content_begin(content, p, (const uint8_t *)name, strlen(name));
	for (size_t at = 0, m; at < n && result == 0; at += m) {
		uint8_t *piece;

		m = most == 0 ? 1 + seeded_below(700) : most;
		m = m < n - at ? m : n - at;
		piece = malloc(m); /* exact, so that a sanitizer sees a read behind it */
		memcpy(piece, data + at, m);
		result = content_bytes(content, piece, m);
		free(piece);
	}
	result = result == 0 ? content_end(content) : -1;
	snprintf(said, sizeof(said), "%s", content_why(content));
	return result;
}

static int ask(const char *policy, const char *name, const void *data, size_t n)
{
	struct content_policy p;
	const char *why;
	int whole, single, pieces;
	size_t head;

	assert_int_equal(content_policy_named(&p, policy, &why), 0);
	head = content_policy_looks_at(&p, n); /* all that has to be shown */
	if (feed(&p, name, data, head, n + 1) != feed(&p, name, data, n, n + 1))
		fail_msg("%s: %zu of %zu bytes do not tell what all of it tells", name, head, n);
	whole = feed(&p, name, data, n, n + 1);
	single = feed(&p, name, data, n, 1);
	pieces = feed(&p, name, data, n, 0);
	if (whole != single || whole != pieces)
		fail_msg("%s: whole %d, by bytes %d, in pieces %d", name, whole, single, pieces);
	if ((whole == 0) != (said[0] == '\0'))
		fail_msg("%s: answer %d, but it said \"%s\"", name, whole, said);
	return whole;
}

struct row {
	const char *what;
	const char *name;
	const char *bytes;
	size_t n;
	const char *why; /* a part of the reason; NULL: accepted */
};
#define B(s) s, sizeof(s) - 1

static void run(const char *policy, const struct row *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int got = ask(policy, r[i].name, r[i].bytes, r[i].n);

		if (r[i].why == NULL ? got != 0 : got == 0 || strstr(said, r[i].why) == NULL)
			fail_msg("%s: expected %s, got %d \"%s\"", r[i].what, r[i].why != NULL ? r[i].why : "yes", got, said);
	}
}

static void test_types(void **state)
{
	static const struct row t[] = {
		{ "a type the channel carries", "a.csv", B("1,2\r\n"), NULL },
		{ "letter case does not matter", "A.CSV", B("1,2\r\n"), NULL },
		{ "another type", "a.zip", B("x"), "not one that the channel carries" },
		{ "no extension", "csv", B("1,2\r\n"), "not one that the channel carries" },
		{ "only an extension", ".csv", B("1,2\r\n"), "not one that the channel carries" },
		{ "two extensions: the last counts", "a.csv.exe", B("1,2\r\n"), "not one that the channel carries" },
		{ "macros of an office", "a.xlsm", B("PK\3\4"), "not one that the channel carries" },
		{ "a program under a good name", "a.csv", B("\x7f" "ELF\2\1\1"), "program" },
		{ "a script", "a.csv", B("#!/bin/sh\n"), "program" },
		{ "a name of eight bits", "\x8d\x90.csv", B("1\n"), NULL },
	};
	static const struct row any[] = {
		{ "any: bytes", "a.bin", B("\0\1\2"), NULL }, { "any: a broken zip is no matter", "a.zip", B("PK\3\4"), NULL },
		{ "any: but no program", "a", B("MZ\x90\0\3\0"), "program" }, { "any: nothing", "a", B(""), NULL },
	};
	static const struct row update[] = { { "update: programs are what it is for", "setup.exe", B("MZ\x90\0\3\0"), NULL } };

	(void)state;
	run("eltax", t, sizeof(t) / sizeof(t[0]));
	run("any", any, sizeof(any) / sizeof(any[0]));
	run("update", update, 1);
}

static void test_csv(void **state)
{
	static const struct row t[] = {
		{ "nothing to report", "a.csv", B(""), NULL },
		{ "quoted, CR LF", "a.csv", B("\"a\",\"b\"\r\n\"1\",\"2\"\r\n"), NULL },
		{ "LF, no line end at the end", "a.csv", B("a,b\n1,2"), NULL },
		{ "doubled quotation marks, line end and comma inside", "a.csv", B("\"a\"\"\r\n,\",b\n1,2\n"), NULL },
		{ "empty fields", "a.csv", B(",,\n,,\n"), NULL },
		{ "empty lines at the end", "a.csv", B("a,b\n1,2\n\n\r\n"), NULL },
		{ "empty lines in one column are rows", "a.csv", B("a\n\nb\n"), NULL },
		{ "byte order mark", "a.csv", B("\xEF\xBB\xBF\"\xE8\xA6\x8B\"\n1\n"), NULL },
		{ "CP932, second bytes 5c and 7c", "a.csv", B("\"\x95\x5C\x8E\xA6\",\"\x83\x7C\"\r\n1,2\r\n"), NULL },
		{ "CP932, local character f040, half-width kana", "a.csv", B("\xF0\x40,\xB1\xB2\n1,2\n"), NULL },
		{ "the old end mark", "a.csv", B("a,b\r\n1,2\r\n\x1A"), NULL },
		{ "something behind the old end mark", "a.csv", B("a,b\r\n\x1A" "1,2\r\n"), "end mark" },
		{ "one column less", "a.csv", B("a,b,c\n1,2\n"), "row 2 has 2 columns, the first 3" },
		{ "one column more, in the last line", "a.csv", B("a,b\n1,2\n1,2,3"), "row 3 has 3 columns" },
		{ "zero byte", "a.csv", B("a,b\n\0,2\n"), "zero byte" },
		{ "zero byte inside quotation marks", "a.csv", B("a,b\n\"\0\",2\n"), "zero byte" },
		{ "escape character", "a.csv", B("a,\x1B[2J\n"), "control character (1b)" },
		{ "CR alone", "a.csv", B("a,b\r1,2\r"), "CR without LF" },
		{ "CR at the very end", "a.csv", B("a,b\r"), "CR without LF" },
		{ "open quotation mark", "a.csv", B("a,\"b\n1,2\n"), "not closed" },
		{ "quotation mark in a bare field", "a.csv", B("a,b\"c\"\n"), "middle of a field" },
		{ "text behind the closing mark", "a.csv", B("\"a\"b,c\n"), "middle of a field" },
		{ "empty line in the middle", "a.csv", B("a,b\n\n1,2\n"), "empty line" },
		{ "a byte order mark before CP932, which nobody reads alike", "a.csv",
		  B("\xEF\xBB\xBF\"a\",bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n\x95\x5C,2\n"), "encodings" },
		{ "the first line tells Excel another separator", "a.csv", B("sep=;\r\na;b\r\n"), "sep=" },
		{ "the same in quotation marks, behind a byte order mark", "a.csv", B("\xEF\xBB\xBF\"SEP=\t\"\n1\n"), "sep=" },
		{ "a column of that name", "a.csv", B("sep,set\n=,1\n"), NULL },
		{ "in no encoding", "a.csv", B("a,\xFF\xFE\n"), "encodings" },
		{ "a character cut short in both encodings", "a.csv", B("a,\xE8"), "cut short" },
		{ "UTF-8 in a longer form than needed", "a.csv", B("\xEF\xBB\xBF" "a,\xC0\xAF\xFD\n"), "encodings" },
	};
	struct content_policy p = { .types = CONTENT_CSV, .csv = CONTENT_UTF8 };
	const char *sjis = "\x95\x5C\n";

	(void)state;
	run("eltax", t, sizeof(t) / sizeof(t[0]));
	assert_int_equal(feed(&p, "a.csv", (const uint8_t *)sjis, 3, 3), -1);
	p.csv = CONTENT_CP932;
	assert_int_equal(feed(&p, "a.csv", (const uint8_t *)sjis, 3, 3), 0);
}

#define DECL "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
static void test_xml(void **state)
{
	static const struct row t[] = {
		{ "plain", "a.xml", B(DECL "<\xE7\x94\xB3 a=\"1\">&amp;&#x8868;<b/></\xE7\x94\xB3>\n"), NULL },
		{ "no declaration", "a.xml", B("<a/>"), NULL },
		{ "byte order mark", "a.xml", B("\xEF\xBB\xBF" DECL "<a/>"), NULL },
		{ "Shift_JIS, tags with 5c and 5d as second byte", "a.xml",
		    B("<?xml version='1.0' encoding='Shift_JIS'?><\x95\x5C><\x83\x5D/>\xB1</\x95\x5C>"), NULL },
		{ "Shift_JIS, tags that differ in the second byte", "a.xml",
		    B("<?xml version='1.0' encoding='Shift_JIS'?><\x95\x5C></\x95\x5D>"), "well-formed" },
		{ "standalone", "a.xml", B("<?xml version=\"1.0\" encoding=\"utf-8\" standalone='yes' ?><a/>"), NULL },
		{ "comment, CDATA, instruction", "a.xml", B("<a><!-- x --><![CDATA[<b>]]><?x y?></a>"), NULL },
		{ "nothing", "a.xml", B(""), "well-formed" },
		{ "tags that do not match", "a.xml", B("<a><b></a></b>"), "well-formed" },
		{ "cut short", "a.xml", B("<a><b>"), "well-formed" },
		{ "two roots", "a.xml", B("<a/><b/>"), "well-formed" },
		{ "an attribute twice", "a.xml", B("<a x='1' x='2'/>"), "well-formed" },
		{ "DTD", "a.xml", B("<!DOCTYPE a><a/>"), "DTD" },
		{ "external entity", "a.xml", B("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>"), "DTD" },
		{ "external DTD", "a.xml", B("<!DOCTYPE a SYSTEM \"http://203.0.113.1/a.dtd\"><a/>"), "DTD" },
		{ "undefined entity", "a.xml", B("<a>&x;</a>"), "well-formed" },
		{ "UTF-16 with mark", "a.xml", B("\xFF\xFE<\0a\0/\0>\0"), "UTF-16" },
		{ "UTF-16 without", "a.xml", B("<\0a\0/\0>\0"), "UTF-16" },
		{ "declares UTF-16, is not", "a.xml", B("<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>"), "other than UTF-8" },
		{ "declares UTF-7", "a.xml", B("<?xml version=\"1.0\" encoding=\"UTF-7\"?><a/>"), "other than UTF-8" },
		{ "declares UTF-8, is CP932", "a.xml", B(DECL "<\x90\x5C>\x95\x8E&</\x90\x5C>"), "not in the encoding" },
		{ "declares CP932 behind a mark of UTF-8", "a.xml",
		    B("\xEF\xBB\xBF<?xml version='1.0' encoding='CP932'?><a/>"), "byte order mark" },
		{ "an encoding hidden in the version", "a.xml",
		    B("<?xml version=\"1.0' encoding='Shift_JIS'\"?><a/>"), "declaration" },
		{ "version 1.1, where control characters pass", "a.xml", B("<?xml version=\"1.1\"?><a/>"), "declaration" },
		{ "zero byte", "a.xml", B("<a>\0</a>"), "zero" },
		{ "control character", "a.xml", B("<a>\x1B</a>"), "well-formed" },
	};
	static char deep[8 * 200];
	size_t n = 0;

	(void)state;
	run("eltax", t, sizeof(t) / sizeof(t[0]));
	for (int i = 0; i < 101; i++)
		n += (size_t)sprintf(deep + n, "<a>");
	for (int i = 0; i < 101; i++)
		n += (size_t)sprintf(deep + n, "</a>");
	assert_int_equal(ask("eltax", "a.xml", deep, n), -1);
	assert_non_null(strstr(said, "within each other"));
	assert_int_equal(ask("eltax", "a.xml", deep + 3, n - 7), 0); /* 100 */
}

/* A declaration that ends beyond what is gathered to read it. */
static void test_xml_long_head(void **state)
{
	char text[600] = "<?xml version=\"1.0\"";

	(void)state;
	memset(text + strlen(text), ' ', 300);
	strcat(text, "?><a/>");
	assert_int_equal(ask("eltax", "a.xml", text, strlen(text)), -1);
	strcpy(text, "<a>");
	memset(text + 3, 'x', 400);
	strcpy(text + 403, "</a>");
	assert_int_equal(ask("eltax", "a.xml", text, strlen(text)), 0);
}

#define PDF "%PDF-1.7\nx\nstartxref\n9\n%%EOF"
static void test_pdf(void **state)
{
	static const struct row t[] = {
		{ "plain", "a.pdf", B(PDF "\n"), NULL }, { "no line end", "a.pdf", B(PDF), NULL },
		{ "version 2", "a.pdf", B("%PDF-2.0\nstartxref\r\n0\r\n%%EOF\r\n"), NULL },
		{ "nothing", "a.pdf", B(""), "begin" }, { "only a head", "a.pdf", B("%PDF-1.7"), "end like" },
		{ "something before it", "a.pdf", B("GIF89a" PDF), "begin" },
		{ "a zip behind it", "a.pdf", B(PDF "PK\3\4"), "end like" },
		{ "cut short", "a.pdf", B("%PDF-1.7\nx\nstartxref\n9\n%%EO"), "end like" },
		{ "no number", "a.pdf", B("%PDF-1.7\nx\nstartxref\n%%EOF"), "startxref" },
		{ "a program's name", "a.pdf", B("\x7f" "ELF"), "program" },
	};
	static char big[3000];

	(void)state;
	run("eltax", t, sizeof(t) / sizeof(t[0]));
	memset(big, 'x', sizeof(big));
	memcpy(big, "%PDF-1.4", 8);
	memcpy(big + sizeof(big) - 20, "\nstartxref\n7\n%%EOF\n\n", 20);
	assert_int_equal(ask("eltax", "a.pdf", big, sizeof(big)), 0);
}

#define SOF "\xFF\xC0\x00\x0B\x08\x00\x10\x00\x10\x01\x01\x11\x00"
#define SOS "\xFF\xDA\x00\x08\x01\x01\x00\x00\x3F\x00"
#define JPEG "\xFF\xD8\xFF\xE0\x00\x04JF" SOF SOS "ab\xFF\x00\xFF\xD0" "c\xFF\xD9"
static void test_jpeg(void **state)
{
	static const struct row t[] = {
		{ "plain", "a.jpg", B(JPEG), NULL }, { "padded", "a.jpeg", B(JPEG "\0\0\0"), NULL },
		{ "a preview behind it", "a.jpg", B(JPEG JPEG), NULL },
		{ "a script behind it", "a.jpg", B(JPEG "<?php"), "behind" },
		{ "half a preview behind it", "a.jpg", B(JPEG "\xFF\xD8\xFF\xE0"), "cut short" },
		{ "nothing", "a.jpg", B(""), "begin" }, { "a PNG", "a.jpg", B("\x89PNG\r\n\x1A\n"), "begin" },
		{ "cut short", "a.jpg", B("\xFF\xD8" SOF SOS "abc"), "cut short" },
		{ "no scan", "a.jpg", B("\xFF\xD8" SOF "\xFF\xD9"), "no image" },
		{ "segment shorter than its length", "a.jpg", B("\xFF\xD8\xFF\xE0\x00\x01" SOF SOS "\xFF\xD9"), "length" },
		{ "segment that ends elsewhere", "a.jpg", B("\xFF\xD8\xFF\xE0\x00\x03JF" SOF SOS "\xFF\xD9"), "does not end" },
		{ "width of zero", "a.jpg", B("\xFF\xD8\xFF\xC0\x00\x0B\x08\x00\x10\x00\x00\x01\x01\x11\x00" SOS "\xFF\xD9"), "pixels" },
	};

	(void)state;
	run("pittari", t, sizeof(t) / sizeof(t[0]));
}

static size_t png_chunk(uint8_t *out, const char *type, const char *data, uint32_t n)
{
	uint32_t crc;

	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(n >> (24 - 8 * i));
	memcpy(out + 4, type, 4);
	memcpy(out + 8, data, n);
	crc = (uint32_t)crc32(0, out + 4, 4 + n);
	for (int i = 0; i < 4; i++)
		out[8 + n + (uint32_t)i] = (uint8_t)(crc >> (24 - 8 * i));
	return 12 + n;
}

static void test_png(void **state)
{
	static const char head[] = "\0\0\0\x10\0\0\0\x10\x08\x02\0\0\0", flat[] = "\0\0\0\0\0\0\0\x10\x08\x02\0\0\0";
	uint8_t b[256];
	size_t n = 8, ihdr, idat;

	(void)state;
	memcpy(b, "\x89PNG\r\n\x1A\n", 8);
	n += png_chunk(b + n, "IHDR", head, 13), ihdr = n;
	n += png_chunk(b + n, "IDAT", "0123456789", 10), idat = n;
	n += png_chunk(b + n, "IEND", "", 0);
	assert_int_equal(ask("pittari", "a.png", b, n), 0);
	for (size_t cut = 0; cut < n; cut++)
		assert_int_equal(ask("pittari", "a.png", b, cut), -1);
	for (size_t i = 8; i < n; i++) { /* a chunk's checksum sees every byte of it */
		b[i] ^= 0x20;
		assert_int_equal(ask("pittari", "a.png", b, n), -1);
		b[i] ^= 0x20;
	}
	b[n] = 'x';
	assert_int_equal(ask("pittari", "a.png", b, n + 1), -1);
	assert_non_null(strstr(said, "behind"));
	memmove(b + ihdr, b + idat, n - idat); /* no IDAT */
	assert_int_equal(ask("pittari", "a.png", b, n - (idat - ihdr)), -1);
	assert_non_null(strstr(said, "no image"));
	(void)png_chunk(b + 8, "IHDR", flat, 13);
	assert_int_equal(ask("pittari", "a.png", b, n), -1);
	assert_non_null(strstr(said, "pixels"));
}

static struct zip_build zb;

static int ask_zip(void)
{
	return ask("pittari", "a.zip", zb.out, zb.n);
}

static void refuse_zip(const char *what, const char *why)
{
	if (ask_zip() == 0 || strstr(said, why) == NULL)
		fail_msg("%s: expected \"%s\", got \"%s\"", what, why, said);
}

static void zip_reset(void)
{
	zb.n = zb.listed_n = zb.entries = 0;
}

static void test_zip(void **state)
{
	static const struct zip_lie with = { .descriptor = 1 }, without = { .descriptor = 2 };
	struct content_policy p = { .types = CONTENT_ZIP | CONTENT_CSV, .csv = CONTENT_UTF8 };

	(void)state;
	zip_reset();
	zb_add(&zb, "\xE6\xB7\xBB/", "", 0, 0, NULL);
	zb_add(&zb, "\xE6\xB7\xBB/a.csv", "1,2\n", 4, 0, NULL);
	zb_add(&zb, "b.csv", "1,2\n", 4, 1, NULL);
	zb_add(&zb, "c.csv", "1,2\n3,4\n", 8, 1, &with);
	zb_add(&zb, "d.csv", "1,2\n3,4\n", 8, 1, &without);
	zb_add(&zb, "e.csv", "", 0, 0, NULL);
	zb_add(&zb, "f.csv", "", 0, 1, NULL);
	zb_end(&zb, 0, "PK, a comment");
	if (ask_zip() != 0)
		fail_msg("a good zip: %s", said);
	assert_int_equal(feed(&p, "a.zip", zb.out, zb.n, zb.n), 0);
	assert_int_equal(content_made(content), CONTENT_ZIP | CONTENT_CSV | CONTENT_TYPE | CONTENT_PROGRAM);
	for (size_t cut = 0; cut < zb.n; cut++)
		assert_int_equal(ask("pittari", "a.zip", zb.out, cut), -1);
	zb.out[zb.n] = 0;
	assert_int_equal(ask("pittari", "a.zip", zb.out, zb.n + 1), -1);
	zip_reset();
	zb_end(&zb, 0, "");
	assert_int_equal(ask_zip(), 0); /* an empty one */
}

static void test_zip_lies(void **state)
{
	static const struct {
		const char *what, *name;
		int packed;
		struct zip_lie lie;
		const char *why;
	} t[] = {
		{ "encrypted", "a.csv", 0, { .flags = 1 }, "encrypted" },
		{ "strongly encrypted", "a.csv", 0, { .flags = 1 << 6 }, "not accepted" },
		{ "names hidden in the directory", "a.csv", 0, { .flags = 1 << 13 }, "not accepted" },
		{ "another method (12, bzip2)", "a.csv", 0, { .method = 12 }, "method 12" },
		{ "stored, end unknown", "a.csv", 0, { .flags = 1 << 3 }, "where it ends" },
		{ "climbs", "../../etc/cron.d/x.csv", 0, { 0 }, "climbs" },
		{ "climbs in the middle", "a/../../x.csv", 0, { 0 }, "climbs" },
		{ "climbs at the end", "a/..", 0, { 0 }, "climbs" },
		{ "absolute", "/etc/x.csv", 0, { 0 }, "absolute" },
		{ "a drive", "C:x.csv", 0, { 0 }, "colon" },
		{ "backslashes", "..\\x.csv", 0, { 0 }, "backslash" },
		{ "escape character in the name", "\x1B[2J.csv", 0, { 0 }, "control" },
		{ "right-to-left override in the name", "\xE2\x80\xAEvsc.csv", 0, { 0 }, "control" },
		{ "a name that is no UTF-8 and says it is", "\x95\x5C.csv", 0, { 0 }, "encoding" },
		{ "another name in the directory", "a.csv", 0, { .listed_name = "b.exe" }, "contradict" },
		{ "another size in the directory", "a.csv", 1, { .listed_size = 1 }, "contradict" },
		{ "another place in the directory", "a.csv", 1, { .offset = 1 }, "contradict" },
		{ "larger than it says", "a.csv", 1, { .size = -1 }, "not what its header says" },
		{ "smaller than it says", "a.csv", 1, { .size = 1 }, "not what its header says" },
		{ "stored, two sizes", "a.csv", 0, { .size = 1 }, "two sizes" },
		{ "wrong checksum", "a.csv", 1, { .crc = 1 }, "not what its header says" },
		{ "wrong checksum behind it", "a.csv", 1, { .crc = 1, .descriptor = 1 }, "not what its header says" },
		{ "a link", "a.csv", 0, { .mode = 0120777 }, "link" },
		{ "a device", "a.csv", 0, { .mode = 0060666 }, "link or a device" },
		{ "a link, made by DOS as it says", "a.csv", 0, { .mode = 0120777, .host = -1 }, "link" },
		{ "a second name of another type", "a.csv", 0, { .note = "a.hta", .listed_note = "a.hta" }, "second name" },
		{ "a second name of another type, only in the directory", "a.csv", 0, { .listed_note = "a.hta" }, "second name" },
		{ "two different second names", "a.csv", 0, { .note = "b.csv", .listed_note = "c.csv" }, "second name" },
		{ "a second name that another entry has", "a.csv", 0, { .note = "First.csv", .listed_note = "First.csv" }, "twice" },
		{ "the same, only in the directory", "a.csv", 0, { .listed_note = "last.csv" }, "twice" },
		{ "a folder by its second name", "a.csv", 0, { .note = "b.csv/" }, "second name" },
		{ "what Windows cannot write", "a?.csv", 0, { 0 }, "Windows" },
		{ "a device of Windows", "x/NUL.csv", 0, { 0 }, "Windows" },
		{ "a device of Windows, with blanks", "com7 .x.csv", 0, { 0 }, "Windows" },
		{ "a folder that Windows writes otherwise", "a./x.csv", 0, { 0 }, "Windows" },
		{ "a name that Windows writes otherwise", "a.csv ", 0, { 0 }, "Windows" },
		{ "not in the directory", "a.csv", 0, { .unlisted = 1 }, "contradict" },
		{ "a zip in the zip", "a.zip", 0, { 0 }, "inside the zip" },
		{ "a type the channel does not carry", "a.exe", 0, { 0 }, "in the zip: its type" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		zip_reset();
		zb_add(&zb, "first.csv", "1\n", 2, 0, NULL);
		zb_add(&zb, t[i].name, "1,2\n", 4, t[i].packed, &t[i].lie);
		zb_add(&zb, "last.csv", "1\n", 2, 1, NULL);
		zb_end(&zb, 0, "");
		refuse_zip(t[i].what, t[i].why);
	}
}

/* Readers that look from the file's end: a comment is where one may find another zip. */
static void test_zip_in_comment(void **state)
{
	static uint8_t hidden[200], record[76] = "PK\6\6";
	static const char *const good[] = { "nullified.csv", "com10.csv", "concert.csv", "a..b.csv", "x.y/a.csv" };
	struct zip_lie lie = { .listed_comment = record, .listed_comment_n = sizeof(record) };
	size_t n;

	(void)state;
	zip_reset();
	zb_add(&zb, "hidden.csv", "MZ", 2, 0, NULL);
	zb_end(&zb, 0, "");
	n = zb.n;
	assert_true(n <= sizeof(hidden));
	memcpy(hidden, zb.out, n);
	zip_reset();
	zb_add(&zb, "a.csv", "1\n", 2, 0, NULL);
	zb_end_bytes(&zb, 0, hidden, n);
	refuse_zip("a zip in the comment", "comment");

	zip_reset();
	memcpy(record + 56, "PK\6\7", 4); /* where the end record of ZIP64 would be found, right before the end record */
	zb_add(&zb, "a.csv", "1\n", 2, 0, &lie);
	zb_end(&zb, 0, "");
	refuse_zip("records of ZIP64 in an entry's comment", "ZIP64");
	record[56] = 'x';
	zip_reset();
	zb_add(&zb, "a.csv", "1\n", 2, 0, &lie);
	zb_end(&zb, 0, "a comment of its own");
	assert_int_equal(ask_zip(), 0);

	zip_reset();
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		zb_add(&zb, good[i], "1\n", 2, 0, NULL);
	lie = (struct zip_lie){ .note = "\xE8\xA1\xA8.CSV", .listed_note = "\xE8\xA1\xA8.CSV", .flags = 0 };
	zb_add(&zb, "_.csv", "1\n", 2, 0, &lie);
	zb_end(&zb, 0, "");
	if (ask_zip() != 0)
		fail_msg("good names: %s", said);
}

static void test_zip_contents(void **state)
{
	static uint8_t zeros[1 << 22];
	static const char program[] = "\x7f" "ELF....", ragged[] = "1,2\n3\n";

	(void)state;
	zip_reset();
	zb_add(&zb, "a.csv", program, sizeof(program) - 1, 1, NULL);
	zb_end(&zb, 0, "");
	refuse_zip("a program in it", "in the zip: it is a program");
	zip_reset();
	zb_add(&zb, "a.csv", ragged, sizeof(ragged) - 1, 1, NULL);
	zb_end(&zb, 0, "");
	refuse_zip("a bad CSV in it", "in the zip: row 2");
	zip_reset();
	zb_add(&zb, "a.csv", "1\n", 2, 0, NULL);
	zb_add(&zb, "A.csv", "1\n", 2, 0, NULL);
	zb_end(&zb, 0, "");
	refuse_zip("the same name on Windows", "twice");
	zip_reset();
	memset(zeros, '1', sizeof(zeros));
	zb_add(&zb, "a.csv", zeros, sizeof(zeros), 1, NULL);
	zb_end(&zb, 0, "");
	refuse_zip("a bomb", "times its size");
	zip_reset();
	zb_add(&zb, "a.csv", "1\n", 2, 0, NULL);
	zb_end(&zb, 1, "");
	refuse_zip("an entry too few", "contradict");
	zip_reset();
	zb_add(&zb, "a.csv", "1\n", 2, 0, NULL);
	zb.out[zb.n++] = 'x'; /* a gap: where an overlap or a stub would be */
	zb_end(&zb, 0, "");
	refuse_zip("a gap before the directory", "between the entries");
	zip_reset();
	for (unsigned i = 0; i <= 1000; i++) {
		char name[16];

		sprintf(name, "%u.csv", i);
		zb_add(&zb, name, "1\n", 2, 0, NULL);
	}
	zb_end(&zb, 0, "");
	refuse_zip("1,001 entries", "more than 1000");
}

/* Seeded damage: never a crash, and by the directory hardly ever a yes. */
static void test_damage(void **state)
{
	(void)state;
	zip_reset();
	zb_add(&zb, "a.csv", "1,2\n", 4, 0, NULL);
	zb_add(&zb, "b.xml", "<a>1</a>", 8, 1, NULL);
	zb_end(&zb, 0, "");
	for (int i = 0; i < 3000; i++) {
		size_t at = seeded_below(zb.n);
		uint8_t was = zb.out[at];

		zb.out[at] ^= (uint8_t)(1u << seeded_below(8));
		(void)ask("pittari", "a.zip", zb.out, zb.n);
		zb.out[at] = was;
	}
	assert_int_equal(ask_zip(), 0);
}

static void test_words(void **state)
{
	struct content_policy p;
	const char *why;

	(void)state;
	content_policy_of_channel(&p, "pittari");
	assert_int_equal(p.types, CONTENT_TYPES);
	assert_int_equal(content_policy_looks_at(&p, 4096), 4096);
	content_policy_of_channel(&p, "mine");
	assert_int_equal(p.types, 0);
	assert_int_equal(content_policy_looks_at(&p, 4096), MAGIC_LEN);
	assert_int_equal(content_policy_looks_at(&p, MAGIC_LEN - 1), MAGIC_LEN - 1);
	assert_int_equal(content_policy_types(&p, "xml  csv", &why), 0);
	assert_int_equal(p.types, CONTENT_XML | CONTENT_CSV);
	assert_int_equal(content_policy_types(&p, "xml docx", &why), -1);
	assert_int_equal(content_policy_types(&p, "", &why), -1);
	assert_int_equal(content_policy_csv(&p, "cp932", &why), 0);
	assert_int_equal(content_policy_csv(&p, "euc-jp", &why), -1);
	assert_int_equal(content_policy_named(&p, "everything", &why), -1);
}

static int open_content(void **state)
{
	(void)state;
	seeded_init();
	content = content_new();
	return content == NULL ? -1 : 0;
}

static int close_content(void **state)
{
	(void)state;
	content_free(content);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types), cmocka_unit_test(test_csv), cmocka_unit_test(test_xml),
		cmocka_unit_test(test_xml_long_head), cmocka_unit_test(test_pdf), cmocka_unit_test(test_jpeg),
		cmocka_unit_test(test_png), cmocka_unit_test(test_zip), cmocka_unit_test(test_zip_lies), cmocka_unit_test(test_zip_in_comment),
		cmocka_unit_test(test_zip_contents), cmocka_unit_test(test_damage), cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, open_content, close_content);
}
