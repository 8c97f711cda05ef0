/* recycle.h: pieces come back, and all of them together stay within the bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sender/recycle.h"
#include "tests/unit/seeded.h"

#define MB (1u << 20)

static size_t all(const struct recycle *r)
{
	size_t n = r->lent;

	for (unsigned i = 0; i < RECYCLE_KEPT; i++)
		n += r->kept[i].room;
	return n;
}

static void the_same_comes_back(void **state)
{
	struct recycle r = { .most = 80 * MB };
	struct recycle_piece p = recycle_take(&r, 20 * MB);
	uint8_t *at = p.at;

	(void)state;
	assert_non_null(at);
	assert_int_equal((uintptr_t)at % 4096, 0);
	recycle_give(&r, &p);
	assert_null(p.at);
	recycle_give(&r, &p); /* nothing */
	assert_int_equal(r.lent, 0);
	p = recycle_take(&r, 5 * MB); /* a quarter of it */
	assert_ptr_equal(p.at, at);
	assert_int_equal(r.lent, 20 * MB); /* counts as large as it is */
	assert_true(recycle_fits(&r, 60 * MB));
	assert_false(recycle_fits(&r, 60 * MB + 1));
	recycle_give(&r, &p);
	p = recycle_take(&r, 5 * MB - 1); /* far too large for this */
	assert_ptr_not_equal(p.at, at);
	recycle_give(&r, &p);
	recycle_end(&r);
}

static void small_ones_are_not_kept(void **state)
{
	struct recycle r = { .most = 80 * MB };
	struct recycle_piece p = recycle_take(&r, 1000);

	(void)state;
	recycle_give(&r, &p);
	assert_int_equal(all(&r), 0);
}

/* What must be had in any case is had, and nothing is kept beside it. */
static void beyond_the_bound(void **state)
{
	struct recycle r = { .most = 8 * MB };
	struct recycle_piece a = recycle_take(&r, 4 * MB), b;

	(void)state;
	recycle_give(&r, &a);
	assert_int_equal(all(&r), 4 * MB);
	assert_false(recycle_fits(&r, 9 * MB));
	b = recycle_take(&r, 9 * MB);
	assert_non_null(b.at);
	assert_int_equal(all(&r), 9 * MB);
	assert_false(recycle_fits(&r, 0));
	recycle_give(&r, &b);
	recycle_end(&r);
}

/* Of many sizes, in any order. */
static void bounded(void **state)
{
	enum { PIECES = 12, TURNS = 20000 };
	struct recycle r = { .most = 80 * MB };
	struct recycle_piece p[PIECES] = { 0 };

	(void)state;
	for (unsigned turn = 0; turn < TURNS; turn++) {
		struct recycle_piece *one = &p[seeded_below(PIECES)];
		size_t n = 1 + seeded_below((size_t)1 << seeded_below(26));

		if (one->at != NULL)
			recycle_give(&r, one);
		else if (recycle_fits(&r, n))
			*one = recycle_take(&r, n);
		assert_true(all(&r) <= r.most);
	}
	for (unsigned i = 0; i < PIECES; i++)
		recycle_give(&r, &p[i]);
	assert_int_equal(r.lent, 0);
	recycle_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_comes_back), cmocka_unit_test(small_ones_are_not_kept), cmocka_unit_test(beyond_the_bound),
		cmocka_unit_test(bounded),
	};

	seeded_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
