/* replay.h against a model that remembers everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/replay.h"
#include "tests/unit/seeded.h"

static struct replay r;

static void borders(void **state)
{
	(void)state;
	replay_init(&r);
	assert_false(replay_fresh(&r, 0)); /* HELLO has none: it never gets here */
	assert_true(replay_fresh(&r, 1));
	replay_mark(&r, 1);
	assert_false(replay_fresh(&r, 1));
	assert_true(replay_fresh(&r, REPLAY_BITS + 1));
	assert_true(replay_fresh(&r, 2)); /* asking marks nothing */
	replay_mark(&r, REPLAY_BITS);
	assert_false(replay_fresh(&r, 1)); /* the lowest of the window, and marked */
	assert_true(replay_fresh(&r, 2));
	replay_mark(&r, REPLAY_BITS + 2);
	assert_false(replay_fresh(&r, 2)); /* below the window: seen or not */
	assert_true(replay_fresh(&r, 3));  /* the lowest of the window */
	assert_true(replay_fresh(&r, REPLAY_BITS + 1)); /* shares its bit with 1, which was marked */
	replay_mark(&r, 2);                /* below the window: changes nothing */
	assert_int_equal(r.top, REPLAY_BITS + 2);
	assert_false(replay_fresh(&r, REPLAY_BITS + 2));
}

/* A jump clears exactly what it passes over. */
static void jumps(void **state)
{
	static const uint64_t jump[] = { 1, 2, 63, 64, 65, 127, 128, 1000, REPLAY_BITS - 65, REPLAY_BITS - 64,
		REPLAY_BITS - 1, REPLAY_BITS, REPLAY_BITS + 1, 3 * REPLAY_BITS, 1ull << 40 };
	static const uint64_t start[] = { REPLAY_BITS, REPLAY_BITS + 1, REPLAY_BITS + 62, REPLAY_BITS + 63, 5 * REPLAY_BITS - 1 };

	(void)state;
	for (size_t s = 0; s < sizeof start / sizeof start[0]; s++)
		for (size_t j = 0; j < sizeof jump / sizeof jump[0]; j++) {
			const uint64_t old = start[s], top = old + jump[j];
			replay_init(&r);
			for (uint64_t pn = old - REPLAY_BITS + 1; pn <= old; pn++)
				replay_mark(&r, pn);
			replay_mark(&r, top);
			for (uint64_t pn = top - REPLAY_BITS + 1; pn <= top; pn++)
				if (replay_fresh(&r, pn) != (pn > old && pn < top))
					fail_msg("from %llu to %llu: %llu", (unsigned long long)old, (unsigned long long)top,
					    (unsigned long long)pn);
			assert_false(replay_fresh(&r, top - REPLAY_BITS));
		}
}

static void against_the_model(void **state)
{
	enum { SPAN = 8 * REPLAY_BITS };
	uint8_t *seen = calloc(1, SPAN);
	uint64_t top = 0;

	(void)state;
	seeded_init();
	assert_non_null(seen);
	replay_init(&r);
	for (unsigned i = 0; i < 400000; i++) {
		uint64_t pn = top + 1 + seeded_below(8); /* mostly forward, reordered, sometimes far back or ahead */
		unsigned how = (unsigned)seeded_below(100);
		if (how < 40)
			pn = top > 50 ? top - seeded_below(50) : 1;
		else if (how < 50)
			pn = 1 + seeded_below((size_t)top + 1);
		else if (how == 50 && i % 7 == 0)
			pn = top + seeded_below(REPLAY_BITS / 8);
		if (pn == 0 || pn >= SPAN)
			continue;
		int want = pn > top || (top - pn < REPLAY_BITS && !seen[pn]);
		assert_int_equal(replay_fresh(&r, pn), want);
		if (want && how % 3 != 0) { /* a third is refused by its tag */
			replay_mark(&r, pn);
			seen[pn] = 1;
			top = pn > top ? pn : top;
		}
	}
	assert_true(top > 3 * REPLAY_BITS);
	free(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(borders), cmocka_unit_test(jumps), cmocka_unit_test(against_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
