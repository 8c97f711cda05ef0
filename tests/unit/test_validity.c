/* validity.h: dates, and the days at either end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "receiver/receiver_conf.h"
#include "receiver/validity.h"

#define DAY UINT64_C(86400)

static void dates(void **state)
{
	static const struct { const char *text; int want; uint64_t s; } t[] = {
		{ "1970-01-01", 0, 0 }, { "2026-11-21", 0, 1795219200 }, { "2028-02-29", 0, 1835395200 }, { "9999-12-31", 0, 253402214400 },
		{ "2027-02-29", -1, 0 }, { "2026-02-31", -1, 0 }, { "2026-13-01", -1, 0 }, { "2026-00-01", -1, 0 }, { "2026-01-00", -1, 0 },
		{ "1969-12-30", -1, 0 }, { "2026-1-01", -1, 0 }, { "2026-01-01 ", -1, 0 }, { "", -1, 0 }, { "2026/01/01", -1, 0 },
		{ "-026-01-01", -1, 0 }, { "2026-01-01T00:00:00Z", -1, 0 }, { "2026-+1-01", -1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint64_t s = 0;
		if (validity_date(t[i].text, &s) != t[i].want || s != t[i].s)
			fail_msg("\"%s\": %llu", t[i].text, (unsigned long long)s);
	}
}

static void days_at_either_end(void **state)
{
	const struct receiver_peer from = { .valid_from = 100 * DAY }, until = { .valid_until = 200 * DAY }, always = { .key = "" },
		both = { .valid_from = 100 * DAY, .valid_until = 200 * DAY };

	(void)state;
	assert_true(validity_at(&always, 0) && validity_at(&always, UINT64_MAX));
	assert_false(validity_at(&from, 100 * DAY - 1));
	assert_true(validity_at(&from, 100 * DAY) && validity_at(&from, UINT64_MAX));
	assert_true(validity_at(&until, 0) && validity_at(&until, 201 * DAY - 1));
	assert_false(validity_at(&until, 201 * DAY));
	assert_false(validity_at(&both, 0));
	assert_true(validity_at(&both, 150 * DAY));
	assert_false(validity_at(&both, 300 * DAY));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(dates), cmocka_unit_test(days_at_either_end) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
