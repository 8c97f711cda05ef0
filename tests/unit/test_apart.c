/* apart.h: two threads on two processors; one processor, or many, are left as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "host/apart.h"
#include "tests/unit/child.h"

enum { NONE = -1, MANY = CPU_SETSIZE };

static const struct {
	int given[4]; /* ends with NONE */
	int first, second; /* NONE: left alone */
} table[] = {
	{ { 0, 1, NONE }, 0, 1 },
	{ { 3, 7, NONE }, 3, 7 },
	{ { 0, MANY - 1, NONE }, 0, MANY - 1 },
	{ { MANY - 2, MANY - 1, NONE }, MANY - 2, MANY - 1 },
	{ { NONE }, NONE, NONE },
	{ { 0, NONE }, NONE, NONE },
	{ { 5, NONE }, NONE, NONE },
	{ { 0, 1, 2, NONE }, NONE, NONE },
};

static void check(size_t row, unsigned which, int want)
{
	cpu_set_t given, one;

	CPU_ZERO(&given);
	CPU_ZERO(&one);
	for (size_t i = 0; table[row].given[i] != NONE; i++)
		CPU_SET((size_t)table[row].given[i], &given);
	if (apart_choose(&one, &given, which) != (want != NONE))
		fail_msg("row %zu, thread %u", row, which);
	assert_int_equal(CPU_COUNT(&one), want != NONE);
	if (want != NONE && !CPU_ISSET((size_t)want, &one))
		fail_msg("row %zu, thread %u: another processor", row, which);
}

static void choices(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		check(i, 0, table[i].first);
		check(i, 1, table[i].second);
	}
}

/* In a process of its own, with as many processors as it is given; what the calls do to it is as the choice says. */
static void stay(void *processors)
{
	cpu_set_t given, before, want, now;

	CPU_ZERO(&before);
	if (sched_getaffinity(0, sizeof(given), &given) != 0)
		_exit(1);
	for (size_t i = 0, left = *(const unsigned *)processors; i < CPU_SETSIZE && left > 0; i++)
		if (CPU_ISSET(i, &given)) {
			CPU_SET(i, &before);
			left--;
		}
	if (sched_setaffinity(0, sizeof(before), &before) != 0)
		_exit(2);
	for (unsigned which = 0; which < 4; which++) { /* there and back again */
		apart_stay(which % 2);
		want = before;
		(void)apart_choose(&want, &before, which % 2);
		if (sched_getaffinity(0, sizeof(now), &now) != 0 || !CPU_EQUAL(&now, &want))
			_exit(3);
	}
}

static void threads_stay(void **state)
{
	static struct child c;

	(void)state;
	for (unsigned processors = 1; processors <= 3; processors++) {
		child_run(&c, stay, &processors, 0);
		assert_int_equal(c.code, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(choices), cmocka_unit_test(threads_stay) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
