/* clock.h: what is a jump, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "host/clock.h"

#define YEAR (365 * INT64_C(86400000)) /* ms */

static void jumps(void **state)
{
	static const struct { const char *why; int64_t wall; uint64_t mono_s; int64_t want; } t[] = {
		{ "the first look", 1000000, 10, 0 },
		{ "a second later", 1001000, 11, 0 },
		{ "a day without a look", 1001000 + 86400000, 11 + 86400, 0 },
		{ "a correction of half a second", 1001500 + 86400000, 11 + 86400, 0 },
		{ "nearly a jump", 1031499 + 86400000, 11 + 86400, 0 },
		{ "one", 1061499 + 86400000, 11 + 86400, 30000 },
		{ "it is told once", 1062499 + 86400000, 12 + 86400, 0 },
		{ "ten years on", 1062499 + 86400000 + 10 * YEAR, 12 + 86400, 10 * YEAR },
		{ "and back", 1062499 + 86400000, 12 + 86400, -10 * YEAR },
		{ "to 1970", 0, 12 + 86400, -(1062499 + INT64_C(86400000)) },
	};
	struct clock_watch w = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (clock_watch_look(&w, (uint64_t)t[i].wall, t[i].mono_s * 1000000000u) != t[i].want)
			fail_msg("%s", t[i].why);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(jumps) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
