/* test_units.c - numbers with units */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/host/units.h"

#define BAD UINT64_MAX /* expected to be refused */

struct row {
	const char *text;
	uint64_t want;
};

static void check(int (*f)(const char *, uint64_t *), const struct row *t)
{
	for (; t->text != NULL; t++) {
		uint64_t v = 77;
		int r = f(t->text, &v);
		if (t->want == BAD) {
			assert_int_equal(r, -1);
			assert_int_equal(v, 77);
		} else {
			assert_int_equal(r, 0);
			assert_int_equal(v, t->want);
		}
	}
}

static void test_size(void **state)
{
	static const struct row t[] = {
		{ "0", 0 }, { "1", 1 }, { "1B", 1 }, { "10K", 10240 },
		{ "10KiB", 10240 }, { "1.5K", 1536 }, { "2.50M", 2621440 },
		{ "10G", 10737418240 }, { "1T", 1099511627776 },
		{ "0.0009765625K", 1 }, { "007", 7 }, { "1.0", 1 },
		{ "0.0000K", 0 },
		{ "18446744073709551614", UINT64_MAX - 1 },
		{ "18446744073709551616", BAD }, { "16777216T", BAD },
		{ "16777215T", 18446742974197923840u },
		{ "", BAD }, { "K", BAD }, { ".5K", BAD }, { "1.", BAD },
		{ "1.K", BAD }, { "1.5", BAD }, { "0.3K", BAD },
		{ "1k", BAD }, { "1KB", BAD }, { "1 K", BAD }, { " 1", BAD },
		{ "1 ", BAD }, { "+1", BAD }, { "-1", BAD }, { "0x10", BAD },
		{ "1e3", BAD }, { "1,5K", BAD }, { "1..5K", BAD },
		{ "1.5.5K", BAD }, { "1Kx", BAD }, { "\xef\xbc\x91", BAD },
		{ NULL, 0 },
	};

	(void)state;
	check(units_size, t);
	assert_int_equal(units_size(NULL, &(uint64_t){ 0 }), -1);
}

static void test_rate(void **state)
{
	static const struct row t[] = {
		{ "1G", 1000000000 }, { "2.5Gbit", 2500000000 },
		{ "100Mbit", 100000000 }, { "1000", 1000 }, { "9bit", 9 },
		{ "1.5k", 1500 }, { "1.5K", 1500 }, { "10T", 10000000000000 },
		{ "0.0005k", BAD }, { "1Gb", BAD }, { "1GiB", BAD },
		{ "20000000T", BAD }, { "bit", BAD },
		{ NULL, 0 },
	};

	(void)state;
	check(units_rate, t);
}

static void test_time(void **state)
{
	static const struct row t[] = {
		{ "0", 0 }, { "20ms", 20000000 }, { "1.5s", 1500000000 },
		{ "7us", 7000 }, { "3ns", 3 }, { "10min", 600000000000 }, { "10m", 600000000000 },
		{ "1h", 3600000000000 }, { "2d", 172800000000000 },
		{ "0.5us", 500 }, { "0s", 0 },
		{ "20", BAD }, { "0.5ns", BAD }, { "1S", BAD },
		{ "300000d", BAD }, { "", BAD },
		{ NULL, 0 },
	};

	(void)state;
	check(units_time, t);
}

static void test_ratio(void **state)
{
	static const struct {
		const char *text;
		double want; /* -1: refused */
	} t[] = {
		{ "0", 0 }, { "1", 1 }, { "0.01", 0.01 }, { "1%", 0.01 },
		{ "100%", 1 }, { "2.5%", 0.025 }, { "1e-9", 1e-9 },
		{ "2.5e-12", 2.5e-12 }, { "1e-2%", 1e-4 }, { "0%", 0 },
		{ "0.000001", 1e-6 }, { "1e-30", 1e-30 },
		{ "1.1", -1 }, { "101%", -1 }, { "-1%", -1 }, { "1e2", -1 },
		{ "1e-", -1 }, { "1e-9999", -1 }, { "nan", -1 },
		{ "inf", -1 }, { "0x1", -1 }, { "1%%", -1 }, { "% ", -1 },
		{ "", -1 }, { ".5", -1 }, { "1 %", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		double v = 7;
		int r = units_ratio(t[i].text, &v);
		assert_int_equal(r, t[i].want < 0 ? -1 : 0);
		assert_true(v == (t[i].want < 0 ? 7 : t[i].want));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_ratio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
