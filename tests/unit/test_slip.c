/* slip.h: what goes in comes out; what is mistyped is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <string.h>

#include "codec/slip.h"
#include "tests/unit/seeded.h"
#include "tests/unit/vectors.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* Any slip: from one number to as many ranges as fit. */
static struct slip some(void)
{
	struct slip s = { .ref = (uint32_t)seeded_below(1 << SLIP_REF_BITS), .day = (uint32_t)seeded_below(SLIP_DAY_MAX + 1) };
	uint64_t next = 1;
	size_t wanted = 1 + seeded_below(SLIP_RANGES_MAX);

	for (size_t i = 0; i < wanted; i++) {
		uint64_t first = next + (seeded() >> (8 + seeded_below(56))), last = first + (seeded() >> (8 + seeded_below(56)));
		if (slip_add(&s, first, last) != 0)
			break;
		next = last + 2;
	}
	if (s.ranges == 0)
		assert_int_equal(slip_add(&s, 7, 7), 0);
	return s;
}

static void same(const struct slip *a, const struct slip *b)
{
	assert_int_equal(a->ref, b->ref);
	assert_int_equal(a->day, b->day);
	assert_int_equal(a->ranges, b->ranges);
	assert_memory_equal(a->range, b->range, a->ranges * sizeof(a->range[0]));
}

static void there_and_back(void **state)
{
	char text[SLIP_TEXT_MAX], again[SLIP_TEXT_MAX];

	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct slip s = some(), t;
		slip_write(text, &s);
		assert_true(strlen(text) < sizeof(text));
		assert_int_equal(slip_read(&t, text, NULL), SLIP_OK);
		same(&s, &t);
		slip_write(again, &t);
		assert_string_equal(text, again);
	}
}

/* As a person may type it. */
static void forms_of_writing(void **state)
{
	struct slip s = { .ref = 1, .day = 1 }, t;
	char text[SLIP_TEXT_MAX], typed[2 * SLIP_TEXT_MAX];

	(void)state;
	assert_int_equal(slip_add(&s, 1, 1), 0);
	slip_write(text, &s);
	assert_non_null(strchr(text, '0'));
	assert_non_null(strchr(text, '1'));
	for (int form = 0; form < 4; form++) {
		size_t n = 0;
		for (const char *p = text; *p != '\0'; p++) {
			char c = *p;
			if (c == '-' && form != 0)
				c = ' ';
			if (c == '0' && form > 1)
				c = 'O';
			if (c == '1' && form > 1)
				c = form == 2 ? 'I' : 'l';
			typed[n++] = form == 3 ? (char)tolower(c) : c;
			if (form == 0 && c == '-')
				n--; /* no separators at all */
		}
		typed[n] = '\0';
		if (slip_read(&t, typed, NULL) != SLIP_OK)
			fail_msg("not read: %s", typed);
		same(&s, &t);
	}
}

/* Every character replaced by every other, and every two neighbours swapped. */
static void every_slip_of_the_pen(void **state)
{
	unsigned long tried = 0;

	(void)state;
	for (int i = 0; i < 300; i++) {
		struct slip s = some(), t;
		char text[SLIP_TEXT_MAX], bad[SLIP_TEXT_MAX];
		size_t n = 0;
		slip_write(text, &s);
		for (const char *p = text; *p != '\0'; p++)
			if (*p != '-')
				text[n++] = *p;
		text[n] = '\0';
		for (size_t at = 0; at < n; at++) {
			for (int c = 1; c < 256; c++) {
				char typed = (char)toupper(c) == 'O' ? '0' : toupper(c) == 'I' || toupper(c) == 'L' ? '1' : (char)toupper(c);
				strcpy(bad, text);
				bad[at] = (char)c;
				if (typed == text[at])
					continue;
				tried++;
				if (slip_read(&t, bad, NULL) == SLIP_OK)
					fail_msg("%s read as good; it was %s", bad, text);
			}
			strcpy(bad, text);
			bad[at] = text[at + 1];
			bad[at + 1] = text[at];
			if (at + 1 == n || bad[at] == text[at])
				continue;
			tried++;
			if (slip_read(&t, bad, NULL) == SLIP_OK)
				fail_msg("%s read as good; it was %s", bad, text);
		}
	}
	assert_true(tried > 1000000);
}

/* Up to four wrong characters, a lost group, a doubled character: seeded. */
static void worse_mistakes(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct slip s = some(), t;
		char text[SLIP_TEXT_MAX], again[SLIP_TEXT_MAX], bad[SLIP_TEXT_MAX + 1];
		size_t n;
		slip_write(text, &s);
		strcpy(bad, text);
		n = strlen(text);
		size_t at = seeded_below(n - 1);
		switch (seeded_below(3)) {
		case 0:
			for (int k = 0; k < 4; k++) {
				at = seeded_below(n);
				if (bad[at] != '-')
					bad[at] = alphabet[seeded_below(32)];
			}
			break;
		case 1:
			memmove(bad + at, bad + at + 1, n - at);
			break;
		default:
			memmove(bad + at + 1, bad + at, n - at + 1);
			break;
		}
		if (slip_read(&t, bad, NULL) != SLIP_OK)
			continue;
		/* Only a hyphen was touched, or a character replaced by itself. */
		slip_write(again, &t);
		assert_string_equal(again, text);
	}
}

static void what_is_no_slip(void **state)
{
	static const struct { const char *why, *text; enum slip_err want; } rows[] = {
		{ "nothing", "", SLIP_ELENGTH },
		{ "hyphens", "----", SLIP_ELENGTH },
		{ "a U", "1234-U", SLIP_ECHAR },
		{ "a full stop", "1234.", SLIP_ECHAR },
		{ "Japanese", "片道", SLIP_ECHAR },
		{ "zeros", "0000-0000-0000-0000-0", SLIP_ECHECK },
		{ "one symbol more than any", "11111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
		    "1", SLIP_ELENGTH },
	};
	struct slip t = { .day = 99 };
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (slip_read(&t, rows[i].text, &at) != rows[i].want)
			fail_msg("%s", rows[i].why);
	assert_int_equal(t.day, 99); /* untouched */
	assert_int_equal(slip_read(&t, "12 4U", &at), SLIP_ECHAR);
	assert_int_equal(at, 4);
}

static void ranges_in_order(void **state)
{
	struct slip s = { 0 };

	(void)state;
	assert_int_equal(slip_add(&s, 0, 5), -1); /* numbers begin with 1 */
	assert_int_equal(slip_add(&s, 5, 4), -1);
	assert_int_equal(slip_add(&s, 5, SLIP_NUMBER_MAX + 1), -1);
	assert_int_equal(slip_add(&s, 5, 9), 0);
	assert_int_equal(slip_add(&s, 9, 9), -1);
	assert_int_equal(slip_add(&s, 10, 10), -1); /* is one range with the other: there is one way only to write a slip */
	assert_int_equal(slip_add(&s, 11, 11), 0);
	assert_int_equal(slip_add(&s, 1, 1), -1);
	assert_int_equal(s.ranges, 2);
	assert_int_equal(slip_add(&s, SLIP_NUMBER_MAX, SLIP_NUMBER_MAX), 0);
	/* until it is full */
	memset(&s, 0, sizeof(s));
	for (uint64_t i = 1; slip_add(&s, i, i) == 0; i += 2)
		;
	assert_int_equal(s.ranges, SLIP_RANGES_MAX);
}

static void bound_to_its_stream(void **state)
{
	uint8_t a[32] = { 1 }, b[32] = { 2 }, g[16] = { 3 }, h[16] = { 4 };

	(void)state;
	assert_int_equal(slip_ref(a, b, g, "eltax"), slip_ref(a, b, g, "eltax"));
	assert_int_not_equal(slip_ref(a, b, g, "eltax"), slip_ref(b, a, g, "eltax"));
	assert_int_not_equal(slip_ref(a, b, g, "eltax"), slip_ref(a, b, h, "eltax"));
	assert_int_not_equal(slip_ref(a, b, g, "eltax"), slip_ref(a, b, g, "pittari"));
	assert_true(slip_ref(a, b, g, "eltax") < 1 << SLIP_REF_BITS);
}

static void days(void **state)
{
	(void)state;
	assert_int_equal(slip_day(0), 0); /* a clock that does not know */
	assert_int_equal(slip_day(SLIP_EPOCH_S), 0);
	assert_int_equal(slip_day(SLIP_EPOCH_S + 86400), 1);
	assert_int_equal(slip_day(UINT64_MAX), SLIP_DAY_MAX);
}

/* Computed by a program that shares no code with this one (tests/vectors/slip.py). */
static void vectors(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		char prefix[16], text[SLIP_TEXT_MAX];
		struct slip s = { 0 };
		snprintf(prefix, sizeof(prefix), "slip%d", i);
		struct vector day = vector_of("slip", prefix, "day"), ranges = vector_of("slip", prefix, "ranges");
		s.ref = slip_ref(vector_of("slip", prefix, "sender").b, vector_of("slip", prefix, "receiver").b,
		    vector_of("slip", prefix, "generation").b, (const char *)vector_of("slip", prefix, "channel").b);
		s.day = (uint32_t)day.b[0] << 8 | day.b[1];
		for (size_t k = 0; k < ranges.n; k += 16) {
			uint64_t v[2] = { 0, 0 }; /* first, last */
			for (size_t b = 0; b < 16; b++)
				v[b / 8] = v[b / 8] << 8 | ranges.b[k + b];
			assert_int_equal(slip_add(&s, v[0], v[1]), 0);
		}
		slip_write(text, &s);
		assert_string_equal(text, (const char *)vector_of("slip", prefix, "text").b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back), cmocka_unit_test(forms_of_writing), cmocka_unit_test(every_slip_of_the_pen),
		cmocka_unit_test(worse_mistakes), cmocka_unit_test(what_is_no_slip), cmocka_unit_test(ranges_in_order),
		cmocka_unit_test(bound_to_its_stream), cmocka_unit_test(days), cmocka_unit_test(vectors),
	};

	seeded_init();
	if (crypto_init() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
