/* record.h: the rows of the vectors in pieces of any size, and rows that are wrong in every way we know. */
#include "tests/unit/vectors.h"

#include "codec/record.h"
#include "core/bytes.h"
#include "tests/unit/seeded.h"

/* What came out, as a text: "F name size; D n; E; M n; S". Data of one file are summed. */
struct seen {
	char log[4096];
	size_t n, data, manifest;
	int stop; /* sink that stops: 1 file, 2 data, 3 end, 4 manifest, 5 signature */
};

static void note(struct seen *s, const char *what, const void *b, size_t n, uint64_t v)
{
	s->n += (size_t)snprintf(s->log + s->n, sizeof(s->log) - s->n, "%s%.*s %llu;", what, (int)n, (const char *)b,
	    (unsigned long long)v);
}

static int on_file(void *ctx, const uint8_t *name, size_t n, uint64_t size)
{
	note(ctx, "F", name, n, size);
	((struct seen *)ctx)->data = 0;
	return ((struct seen *)ctx)->stop == 1;
}

static int on_data(void *ctx, const uint8_t *data, size_t n)
{
	(void)data;
	assert_true(n > 0);
	((struct seen *)ctx)->data += n;
	return ((struct seen *)ctx)->stop == 2;
}

static int on_end(void *ctx, const uint8_t sha256[32])
{
	note(ctx, "E", "", 0, ((struct seen *)ctx)->data + sha256[0] * 0u);
	return ((struct seen *)ctx)->stop == 3;
}

static int on_manifest(void *ctx, const uint8_t *data, size_t n)
{
	(void)data;
	((struct seen *)ctx)->manifest += n;
	return ((struct seen *)ctx)->stop == 4;
}

static int on_signature(void *ctx, const uint8_t sig[64])
{
	note(ctx, "S", "", 0, ((struct seen *)ctx)->manifest + sig[0] * 0u);
	return ((struct seen *)ctx)->stop == 5;
}

static const struct record_sink sink = {on_file, on_data, on_end, on_manifest, on_signature};
static const struct record_limits wide = {RECORD_FILES_MAX, UINT64_MAX, UINT64_MAX};

static enum record_err feed(const struct record_limits *l, const uint8_t *b, size_t n, size_t piece, struct seen *s)
{
	struct record_reader r;
	enum record_err e = RECORD_OK;

	record_reader_init(&r, l, &sink, s);
	for (size_t at = 0; at < n && e == RECORD_OK;) {
		size_t take = piece != 0 ? piece : 1 + seeded_below(500);

		take = take < n - at ? take : n - at;
		e = record_read(&r, b + at, take);
		at += take;
	}
	if (e == RECORD_OK)
		return record_read_end(&r);
	assert_int_equal(record_read(&r, b, n), e); /* sticky */
	assert_int_equal(record_read_end(&r), e);
	return e;
}

static void vectors(void **state)
{
	static const size_t pieces[] = {1, 7, 8, 9, 300, 1 << 20, 0};
	struct vector v = vector_get("object", "records");
	struct seen first = {0};

	(void)state;
	assert_int_equal(feed(&wide, v.b, v.n, v.n, &first), RECORD_OK);
	assert_non_null(strstr(first.log, "Fa\"b.txt 250;E 250;Fa.csv 0;E 0;"));
	assert_int_equal(first.manifest, vector_get("object", "manifest").n);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct seen s = {0};

		assert_int_equal(feed(&wide, v.b, v.n, pieces[i], &s), RECORD_OK);
		assert_string_equal(s.log, first.log);
	}
	for (size_t n = 0; n < v.n; n++) { /* cut anywhere */
		struct seen s = {0};

		assert_int_equal(feed(&wide, v.b, n, 1 << 20, &s), RECORD_EEND);
	}
}

/* A row under construction. */
struct row {
	uint8_t b[8192];
	size_t n;
};

static void add_raw(struct row *r, uint32_t type, uint32_t len, const void *body, size_t n)
{
	put32(r->b + r->n, type);
	put32(r->b + r->n + 4, len);
	memcpy(r->b + r->n + 8, body, n);
	r->n += 8 + n;
}

static void add(struct row *r, enum record_type type, const void *body, size_t n)
{
	record_put_head(r->b + r->n, type, (uint32_t)n);
	memcpy(r->b + r->n + 8, body, n);
	r->n += 8 + n;
}

static void add_file(struct row *r, const char *name, uint64_t size)
{
	uint8_t body[8 + 400];

	put64(body, size);
	memcpy(body + 8, name, strlen(name));
	add(r, RECORD_FILE, body, 8 + strlen(name));
}

static const uint8_t zeros[4096];

static void add_whole(struct row *r, const char *name, size_t size)
{
	add_file(r, name, size);
	if (size > 0)
		add(r, RECORD_DATA, zeros, size);
	add(r, RECORD_END, zeros, 32);
}

static void add_tail(struct row *r)
{
	add(r, RECORD_MANIFEST, zeros, 10);
	add(r, RECORD_SIGNATURE, zeros, 64);
}

static void expect(const struct row *r, enum record_err want, const char *why)
{
	static const size_t pieces[] = {1, 8192};

	for (size_t i = 0; i < 2; i++) {
		struct seen s = {0};
		enum record_err got = feed(&wide, r->b, r->n, pieces[i], &s);

		if (got != want)
			fail_msg("%s: %s, expected %s", why, record_strerror(got), record_strerror(want));
	}
}

static void order(void **state)
{
	/* Letters: f FILE of 4 bytes, 0 empty FILE, d DATA of 4, e END, m MANIFEST, s SIGNATURE. */
	static const struct { const char *row; enum record_err want; } t[] = {
		{"fdems", RECORD_OK}, {"0ems", RECORD_OK}, {"fdefdemmms", RECORD_OK},
		{"", RECORD_EEND}, {"fde", RECORD_EEND}, {"fdem", RECORD_EEND}, {"fd", RECORD_EEND},
		{"ms", RECORD_EORDER}, {"s", RECORD_EORDER}, {"d", RECORD_EORDER}, {"e", RECORD_EORDER}, {"fdes", RECORD_EORDER},
		{"ff", RECORD_EORDER}, {"fm", RECORD_EORDER}, {"fdfd", RECORD_EORDER}, {"fdee", RECORD_EORDER},
		{"fded", RECORD_EORDER}, {"fdemf", RECORD_EORDER}, {"fdemd", RECORD_EORDER}, {"fdeme", RECORD_EORDER},
		{"fe", RECORD_ESIZE}, {"fdd", RECORD_ESIZE}, {"0d", RECORD_ESIZE},
		{"fdemss", RECORD_EEND}, {"fdemsf", RECORD_EEND}, {"fdemsm", RECORD_EEND},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct row r = {.n = 0};
		char name[] = "a";

		for (const char *p = t[i].row; *p != '\0'; p++) {
			if (*p == 'f' || *p == '0') {
				add_file(&r, name, *p == 'f' ? 4 : 0);
				name[0]++;
			} else if (*p == 'd')
				add(&r, RECORD_DATA, zeros, 4);
			else if (*p == 'e')
				add(&r, RECORD_END, zeros, 32);
			else if (*p == 'm')
				add(&r, RECORD_MANIFEST, zeros, 10);
			else
				add(&r, RECORD_SIGNATURE, zeros, 64);
		}
		expect(&r, t[i].want, t[i].row);
	}
}

static void lengths(void **state)
{
	static const struct { const char *why; uint32_t type, len; int in_file; enum record_err want; } t[] = {
		{"type 0", 0, 0, 0, RECORD_EORDER}, {"type 6", 6u << 24, 0, 0, RECORD_EORDER},
		{"type 255", 0xFFu << 24, 0, 0, RECORD_EORDER}, {"reserved byte 1", 1u << 24 | 1u << 16, 9, 0, RECORD_EORDER},
		{"reserved byte 3", 1u << 24 | 1, 9, 0, RECORD_EORDER}, {"file without size", 1u << 24, 7, 0, RECORD_ESIZE},
		{"file, a name of 256 bytes", 1u << 24, 8 + 256, 0, RECORD_ESIZE},
		{"file, 4 GiB", 1u << 24, UINT32_MAX, 0, RECORD_ESIZE}, {"no data", 2u << 24, 0, 1, RECORD_ESIZE},
		{"more data than the size", 2u << 24, 5, 1, RECORD_ESIZE}, {"data, 4 GiB", 2u << 24, UINT32_MAX, 1, RECORD_ESIZE},
		{"end of 31", 3u << 24, 31, 2, RECORD_ESIZE}, {"end of 33", 3u << 24, 33, 2, RECORD_ESIZE},
		{"empty manifest", 4u << 24, 0, 3, RECORD_ESIZE},
		{"manifest of 1 MiB + 1", 4u << 24, RECORD_DATA_MAX + 1, 3, RECORD_ESIZE},
		{"signature of 63", 5u << 24, 63, 4, RECORD_ESIZE}, {"signature of 65", 5u << 24, 65, 4, RECORD_ESIZE},
		{"signature of 0", 5u << 24, 0, 4, RECORD_ESIZE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct row r = {.n = 0};

		if (t[i].in_file > 0)
			add_file(&r, "a", 4);
		if (t[i].in_file > 1)
			add(&r, RECORD_DATA, zeros, 4);
		if (t[i].in_file > 2)
			add(&r, RECORD_END, zeros, 32);
		if (t[i].in_file > 3)
			add(&r, RECORD_MANIFEST, zeros, 10);
		add_raw(&r, t[i].type, t[i].len, zeros, 8);
		expect(&r, t[i].want, t[i].why);
	}
}

/* DATA of more than 1 MiB is refused by its head, whatever the file's size; so is a file of 16 EiB of it. */
static void huge(void **state)
{
	struct row r = {.n = 0};

	(void)state;
	add_file(&r, "a", UINT64_MAX);
	add_raw(&r, 2u << 24, RECORD_DATA_MAX + 1, zeros, 8);
	expect(&r, RECORD_ESIZE, "data of 1 MiB + 1");
	r.n = 0;
	add_file(&r, "a", UINT64_MAX);
	add_raw(&r, 2u << 24, RECORD_DATA_MAX, zeros, 8);
	expect(&r, RECORD_EEND, "data of 1 MiB, cut");
}

static void names(void **state)
{
	static const char *const bad[] = {"", ".", "..", ".hidden", "a/b", "/etc/passwd", "../x", "a\\b", "a\nb", "a\x7F",
		"a\xE2\x80\xAE" "fdp.exe" /* U+202E */, "\xEF\xBB\xBF" "a", "\x83",
		"\xED\xA0\x80" /* surrogate; as CP932 the last byte stands alone */};
	static const char *const good[] = {"a", "\x95\x5C\x8E\xA6\x94\x5C\x97\xCD\x83\x5C\x8F\x5C.csv", "\xE3\x81\x8C",
		"\xE3\x81\x8B\xE3\x82\x99", "\xC0\xAE\xC0\xAE" /* no overlong "..": half-width katakana */};
	char name[300];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct row r = {.n = 0};

		add_whole(&r, bad[i], 1);
		add_tail(&r);
		expect(&r, RECORD_ENAME, bad[i]);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct row r = {.n = 0};

		add_whole(&r, good[i], 1);
		add_tail(&r);
		expect(&r, RECORD_OK, good[i]);
	}
	for (size_t n = 254; n <= 256; n++) {
		struct row r = {.n = 0};

		memset(name, 'x', n);
		name[n] = '\0';
		add_whole(&r, name, 0);
		add_tail(&r);
		expect(&r, n <= 255 ? RECORD_OK : RECORD_ESIZE, "long name");
	}
	struct row r = {.n = 0}; /* NUL inside: two names for whoever stops there */
	uint8_t body[8 + 3] = {0, 0, 0, 0, 0, 0, 0, 0, 'a', 0, 'b'};

	add(&r, RECORD_FILE, body, sizeof(body));
	expect(&r, RECORD_ENAME, "NUL");
}

static void name_order_matters(void **state)
{
	static const struct { const char *a, *b; enum record_err want; } t[] = {
		{"a", "b", RECORD_OK}, {"a", "aa", RECORD_OK}, {"a", "a", RECORD_ENAME}, {"b", "a", RECORD_ENAME},
		{"aa", "a", RECORD_ENAME}, {"a", "\xE3\x81\x8C", RECORD_OK}, {"\xE3\x81\x8C", "a", RECORD_ENAME},
		{"\xE3\x81\x8B\xE3\x82\x99", "\xE3\x81\x8C", RECORD_OK}, /* NFD and NFC of one character are two names */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct row r = {.n = 0};

		add_whole(&r, t[i].a, 3);
		add_whole(&r, t[i].b, 3);
		add_tail(&r);
		expect(&r, t[i].want, t[i].b);
	}
}

static void limits(void **state)
{
	static const struct { struct record_limits l; enum record_err want; } t[] = {
		{{2, 100, 150}, RECORD_OK}, {{1, 100, 150}, RECORD_ELIMIT}, {{0, 100, 150}, RECORD_ELIMIT},
		{{2, 99, 150}, RECORD_ELIMIT}, {{2, 100, 149}, RECORD_ELIMIT}, {{2, 100, 99}, RECORD_ELIMIT},
		{{UINT32_MAX, UINT64_MAX, UINT64_MAX}, RECORD_OK},
	};
	struct row r = {.n = 0};

	(void)state;
	add_whole(&r, "a", 100);
	add_whole(&r, "b", 50);
	add_tail(&r);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct seen s = {0};

		assert_int_equal(feed(&t[i].l, r.b, r.n, 0, &s), t[i].want);
	}
	/* Two sizes whose sum wraps to something small. */
	r.n = 0;
	add_file(&r, "a", 0);
	add(&r, RECORD_END, zeros, 32);
	add_file(&r, "b", UINT64_MAX - 3);
	struct record_limits l = {10, UINT64_MAX, 1000};
	struct seen s = {0};

	assert_int_equal(feed(&l, r.b, r.n, 0, &s), RECORD_ELIMIT);
}

static void how_many(void **state)
{
	struct record_reader r;
	struct seen s = {0};
	enum record_err e = RECORD_OK;
	char name[16];

	(void)state;
	record_reader_init(&r, &(struct record_limits){UINT32_MAX, UINT64_MAX, UINT64_MAX}, &sink, &s);
	for (unsigned i = 0; i < RECORD_FILES_MAX + 1u && e == RECORD_OK; i++) {
		struct row one = {.n = 0};

		(void)snprintf(name, sizeof(name), "%06u", i);
		add_whole(&one, name, 0);
		s.n = 0;
		e = record_read(&r, one.b, one.n);
		assert_int_equal(e, i < RECORD_FILES_MAX ? RECORD_OK : RECORD_ELIMIT);
	}
	assert_int_equal(e, RECORD_ELIMIT);
	/* 4 MiB of manifest and one byte more. */
	struct row one = {.n = 0};
	uint8_t head[RECORD_HEAD_LEN], *mib = vector_keep(1 << 20);

	record_reader_init(&r, &wide, &sink, &s);
	add_whole(&one, "a", 0);
	assert_int_equal(record_read(&r, one.b, one.n), RECORD_OK);
	memset(mib, 0, 1 << 20);
	for (int i = 0; i < 4; i++) {
		record_put_head(head, RECORD_MANIFEST, 1 << 20);
		assert_int_equal(record_read(&r, head, sizeof(head)), RECORD_OK);
		assert_int_equal(record_read(&r, mib, 1 << 20), RECORD_OK);
	}
	record_put_head(head, RECORD_MANIFEST, 1);
	assert_int_equal(record_read(&r, head, sizeof(head)), RECORD_ESIZE);
}

static void sinks_that_stop(void **state)
{
	struct row r = {.n = 0};

	(void)state;
	add_whole(&r, "a", 5);
	add_tail(&r);
	for (int stop = 1; stop <= 5; stop++) {
		struct seen s = {.stop = stop};

		assert_int_equal(feed(&wide, r.b, r.n, 0, &s), RECORD_ESINK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors), cmocka_unit_test(order), cmocka_unit_test(lengths), cmocka_unit_test(huge),
		cmocka_unit_test(names), cmocka_unit_test(name_order_matters), cmocka_unit_test(limits),
		cmocka_unit_test(how_many), cmocka_unit_test(sinks_that_stop),
	};

	seeded_init();
	assert_int_equal(crypto_init(), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
