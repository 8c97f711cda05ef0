/* schedule.h: who is next, in tables; shares and starvation by running it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "sender/schedule.h"

#define S 1000000000ull

static void the_best_goes(void **state)
{
	static const struct {
		const char *why;
		struct schedule_item item[4];
		uint32_t turn;
		int64_t credit;
		int want;
		uint64_t wake;
	} t[] = {
		{ "nothing", { { 0 } }, 0, 0, -1, UINT64_MAX },
		{ "the smaller", { { 1, 0, 0, 900, 1, 0, 0, 0 }, { 1, 0, 0, 100, 2, 0, 0, 0 } }, 0, 0, 1, 0 },
		{ "of equals the older", { { 1, 0, 0, 100, 2, 0, 0, 0 }, { 1, 0, 0, 100, 1, 0, 0, 0 } }, 0, 0, 1, 0 },
		{ "on the fourth turn the oldest", { { 1, 0, 0, 900, 1, 0, 0, 0 }, { 1, 0, 0, 100, 2, 0, 0, 0 } }, 3, 0, 0, 0 },
		{ "new before repeats, however small", { { 1, 1, 0, 1, 1, 0, 0, 0 }, { 1, 0, 0, 900, 2, 0, 0, 0 } }, 0, 0, 1, 0 },
		{ "a repeat that has earned its share", { { 1, 1, 0, 1, 1, 0, 0, 0 }, { 1, 0, 0, 900, 2, 0, 0, 0 } }, 0, 1, 0, 0 },
		{ "a repeat alone, without credit", { { 1, 1, 0, 1, 1, 0, 0, 0 } }, 0, -5, 0, 0 },
		{ "blocked ones never", { { 1, 0, 1, 1, 1, 0, 0, 0 }, { 1, 1, 0, 900, 2, 0, 0, 0 } }, 0, -5, 1, 0 },
		{ "not before its time", { { 1, 0, 0, 1, 1, 11 * S, 0, 0 }, { 1, 0, 0, 900, 2, 0, 0, 0 } }, 0, 0, 1, 0 },
		{ "when to come back", { { 1, 0, 0, 1, 1, 12 * S, 0, 0 }, { 1, 1, 0, 1, 1, 11 * S, 0, 0 } }, 0, 0, -1, 11 * S },
		{ "a blocked one has no time", { { 1, 0, 1, 1, 1, 11 * S, 0, 0 } }, 0, 0, -1, UINT64_MAX },
		{ "the higher priority, however large and late", { { 1, 0, 0, 1, 1, 0, 1, 5 }, { 1, 0, 0, 900, 2, 0, 2, 6 } }, 0, 0, 1, 0 },
		{ "on the fourth turn the oldest of the lower ones", { { 1, 0, 0, 1, 1, 0, 1, 6 }, { 1, 0, 0, 9, 3, 0, 2, 5 },
		    { 1, 0, 0, 9, 2, 0, 3, 5 } }, 3, 0, 2, 0 },
		{ "priority among repeats, too", { { 1, 1, 0, 1, 1, 0, 1, 5 }, { 1, 1, 0, 900, 2, 0, 2, 6 } }, 0, 0, 1, 0 },
		{ "new ones of a low priority before repeats of a high one", { { 1, 1, 0, 1, 1, 0, 1, 9 }, { 1, 0, 0, 900, 2, 0, 2, 1 } }, 0, 0,
		    1, 0 },
		{ "exactly its time", { { 1, 0, 0, 1, 1, 10 * S, 0, 0 } }, 0, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct schedule s = { .credit = t[i].credit, .turn = t[i].turn };
		uint64_t wake = 0;
		int got = schedule_pick(&s, t[i].item, 4, 10 * S, &wake);
		if (got != t[i].want || (got < 0 && wake != t[i].wake))
			fail_msg("%s: got %d, wake %llu", t[i].why, got, (unsigned long long)wake);
	}
}

/* A large object beside endless small ones: it gets its fourth, they get the rest. */
static void a_large_one_goes_on(void **state)
{
	struct schedule_item item[2] = { { 1, 0, 0, 1u << 30, 1, 0, 0, 0 }, { 1, 0, 0, 1000, 2, 0, 0, 0 } };
	unsigned turns[2] = { 0, 0 };
	struct schedule s = { 0 };
	uint64_t wake;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		int got = schedule_pick(&s, item, 2, 10 * S, &wake);
		assert_in_range(got, 0, 1);
		turns[got]++;
		schedule_sent(&s, &item[got], 1000);
		item[1].since_ns = i + 3; /* always another small one */
	}
	assert_int_equal(turns[0], 250);
	assert_int_equal(turns[1], 750);
}

/* Two channels with much to send, one of them with many objects: each gets half, and the third, of lower priority, a quarter of the turns. */
static void channels_share(void **state)
{
	struct schedule_item item[8] = { { 1, 0, 0, 1u << 30, 1, 0, 0, 5 }, { 1, 0, 0, 1u << 29, 2, 0, 1, 5 } };
	uint64_t bytes[3] = { 0 }, wake;
	struct schedule s = { 0 };

	(void)state;
	for (unsigned i = 2; i < 8; i++)
		item[i] = (struct schedule_item){ 1, 0, 0, 1u << i, 3, 0, 1, 5 };
	for (unsigned i = 0; i < 10000; i++) {
		int got = schedule_pick(&s, item, 8, 10 * S, &wake);
		bytes[item[got].channel] += 1000;
		schedule_sent(&s, &item[got], 1000);
	}
	assert_in_range(bytes[0], 4990000, 5010000);
	item[7].channel = 2;
	item[7].priority = 4;
	memset(bytes, 0, sizeof(bytes));
	for (unsigned i = 0; i < 10000; i++) {
		int got = schedule_pick(&s, item, 8, 10 * S, &wake);
		bytes[item[got].channel] += 1000;
		schedule_sent(&s, &item[got], 1000);
	}
	assert_int_equal(bytes[2], 2500000);
	assert_in_range(bytes[0], 3740000, 3760000);
}

/* A channel that had nothing for long does not shut out the others when it comes back. */
static void silence_is_not_saved_up(void **state)
{
	struct schedule_item item[2] = { { 1, 0, 0, 1u << 30, 1, 0, 0, 5 }, { 0, 0, 0, 1u << 30, 2, 0, 1, 5 } };
	unsigned turns[2] = { 0, 0 };
	struct schedule s = { 0 };
	uint64_t wake;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(schedule_pick(&s, item, 2, 10 * S, &wake), 0);
		schedule_sent(&s, &item[0], 1000);
	}
	item[1].used = true;
	for (unsigned i = 0; i < 100; i++) {
		int got = schedule_pick(&s, item, 2, 10 * S, &wake);
		turns[got]++;
		schedule_sent(&s, &item[got], 1000);
	}
	assert_in_range(turns[1], 49, 52);
}

static void repeats_keep_a_twentieth(void **state)
{
	struct schedule_item item[2] = { { 1, 0, 0, 1u << 30, 1, 0, 0, 0 }, { 1, 1, 0, 1u << 30, 1, 0, 0, 0 } };
	uint64_t bytes[2] = { 0, 0 }, wake;
	struct schedule s = { 0 };

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		int got = schedule_pick(&s, item, 2, 10 * S, &wake);
		bytes[got] += 90000;
		schedule_sent(&s, &item[got], 90000);
	}
	assert_in_range(bytes[1] * 1000 / (bytes[0] + bytes[1]), 48, 52);
}

/* What repeats send while the link is idle does not keep them waiting for long afterwards. */
static void idle_time_is_not_paid_back(void **state)
{
	struct schedule_item again = { 1, 1, 0, 1u << 30, 1, 0, 0, 0 }, fresh = { 1, 0, 0, 1u << 30, 1, 0, 0, 0 };
	struct schedule s = { 0 };

	(void)state;
	for (unsigned i = 0; i < 100000; i++)
		schedule_sent(&s, &again, 1000000);
	assert_int_equal(s.credit, -SCHEDULE_CREDIT_MAX);
	for (unsigned i = 0; i < 100000; i++)
		schedule_sent(&s, &fresh, 1000000);
	assert_int_equal(s.credit, SCHEDULE_CREDIT_MAX);
}

static void repeats_come_when_configured(void **state)
{
	static const uint64_t repeat[] = { 60, 600, 3600 };
	static const struct { uint32_t rounds; uint64_t want; } t[] = {
		{ 0, 1060 }, { 1, 1060 }, { 2, 1600 }, { 3, 4600 }, { 4, 4600 }, { UINT32_MAX, 4600 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(schedule_due(repeat, 3, t[i].rounds, 1000), t[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_goes), cmocka_unit_test(a_large_one_goes_on),
		cmocka_unit_test(channels_share), cmocka_unit_test(silence_is_not_saved_up),
		cmocka_unit_test(repeats_keep_a_twentieth), cmocka_unit_test(idle_time_is_not_paid_back),
		cmocka_unit_test(repeats_come_when_configured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
