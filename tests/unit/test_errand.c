/* errand.h: what is submitted comes back, and the descriptor tells the truth:
 * one that stays readable makes the receiving loop spin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>

#include "host/errand.h"

struct job {
	struct errand errand; /* first: run() gets its address */
	int ran;
};

static void run(struct errand *e)
{
	((struct job *)(void *)e)->ran++;
}

static int readable(const struct errands *t, int ms)
{
	struct pollfd p = { .fd = errands_fd(t), .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

static void descriptor(void **state)
{
	static const struct {
		unsigned submitted;
		int waiting; /* taken back by errands_take_wait() */
	} row[] = { { 1, 0 }, { 1, 1 }, { 2, 0 }, { 2, 1 }, { 50, 0 }, { 50, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct errands *t = errands_start();
		struct job job[50] = { { .ran = 0 } };
		unsigned back = 0;

		assert_non_null(t);
		assert_false(readable(t, 0));
		for (unsigned j = 0; j < row[i].submitted; j++) {
			job[j].errand.run = run;
			errands_submit(t, &job[j].errand);
		}
		while (back < row[i].submitted) {
			struct errand *e;

			if (!row[i].waiting)
				assert_true(readable(t, 10000));
			e = row[i].waiting ? errands_take_wait(t) : errands_take(t);
			back += e != NULL;
		}
		for (unsigned j = 0; j < row[i].submitted; j++)
			assert_int_equal(job[j].ran, 1);
		assert_int_equal(errands_pending(t), 0);
		assert_null(errands_take(t));
		assert_null(errands_take_wait(t));
		assert_false(readable(t, 0)); /* nothing left: it is quiet */
		errands_stop(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
