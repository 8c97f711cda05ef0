/* pacing.h: the batch and what may be caught up, from rate and burst; and together with the pacer, no burst beyond them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/pacer.h"
#include "sender/pacing.h"
#include "tests/unit/seeded.h"

#define US 1000ull
#define MS 1000000ull
#define S 1000000000ull

enum { SMALL = 1538, SMALL_SEGMENTS = 44, LARGE = 9026, LARGE_SEGMENTS = 7, SLOTS = 88 };

static const struct {
	uint64_t rate, burst_ns;
	uint32_t wire;
	unsigned segments, batch;
} table[] = {
	/* One datagram takes 12.3 ms, 1.23 ms, 123 us, 12.3 us, 3.08 us, 1.23 us. */
	{ 1000000, 300 * US, SMALL, SMALL_SEGMENTS, 1 },
	{ 10000000, 300 * US, SMALL, SMALL_SEGMENTS, 1 },
	{ 100000000, 300 * US, SMALL, SMALL_SEGMENTS, 1 }, /* two would fill the burst, with nothing left to catch up */
	{ 1000000000, 300 * US, SMALL, SMALL_SEGMENTS, 16 },
	{ 4000000000, 300 * US, SMALL, SMALL_SEGMENTS, 44 }, /* 64 fit; one whole message */
	{ 10000000000, 300 * US, SMALL, SMALL_SEGMENTS, 88 },
	{ 1000000000000, 100 * MS, SMALL, SMALL_SEGMENTS, 88 },
	{ 4000000000, 300 * US, SMALL, 1, 65 },              /* no segmentation offload: single datagrams, one call */
	{ 1000000000, 1 * US, SMALL, SMALL_SEGMENTS, 1 },    /* a burst below one datagram */
	{ 10000000000, 300 * US, LARGE, LARGE_SEGMENTS, 27 }, /* three messages and one of six */
	{ 5000000000, 300 * US, LARGE, LARGE_SEGMENTS, 13 },
	{ 3500000000, 300 * US, LARGE, LARGE_SEGMENTS, 7 },  /* 9 fit; a message of two would be short */
	{ 1000000000, 300 * US, LARGE, LARGE_SEGMENTS, 2 },
	{ 1000000000000, 100 * MS, 1, 64, 64 },               /* cheaper than a ns each */
	{ 1, 1, 65000, 1, 1 },
};

static void batch_sizes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct pacing p = pacing_of(table[i].rate, table[i].burst_ns, table[i].wire, table[i].segments, SLOTS);
		if (p.batch != table[i].batch)
			fail_msg("row %zu: %u datagrams at once, expected %u", i, p.batch, table[i].batch);
	}
}

/* Whatever the sleeps do, what has left is never more than the line of the peak rate plus one burst, seen from any
 * moment on: the level of a bucket that drains at 17/16 of the rate. */
static void bursts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct pacing p = pacing_of(table[i].rate, table[i].burst_ns, table[i].wire, table[i].segments, SLOTS);
		double one_ns = (double)table[i].wire * 8e9 / (double)table[i].rate, level = 0, most = 0;
		double limit = (double)table[i].burst_ns > one_ns ? (double)table[i].burst_ns : one_ns;
		uint64_t now = S, before = S;
		struct pacer_pair pacer;

		pacer_pair_init(&pacer, table[i].rate, p.catch_ns, PACING_DEBT_NS, now);
		for (unsigned n = 0; n < 20000; n++) {
			now += pacer_pair_wait(&pacer, now) + seeded_below(n % 50 == 0 ? 5 * MS : 100 * US);
			double drained = (double)(now - before) * (PACER_FASTER + 1) / PACER_FASTER;
			level = level > drained ? level - drained : 0;
			before = now;
			if (pacer_pair_wait(&pacer, now) > 0)
				continue;
			pacer_pair_sent(&pacer, table[i].wire * p.batch, now);
			level += one_ns * p.batch;
			most = level > most ? level : most;
		}
		if (most > limit + 2) /* ns of rounding */
			fail_msg("row %zu: a burst of %.0f ns, allowed are %.0f", i, most, limit);
	}
}

/* Sleeps that last up to the allowance too long cost no rate. */
static void late_sleeps(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct pacing p = pacing_of(table[i].rate, table[i].burst_ns, table[i].wire, table[i].segments, SLOTS);
		uint64_t now = S, sent = 0;
		struct pacer_pair pacer;

		if (p.catch_ns == 0)
			continue;
		pacer_pair_init(&pacer, table[i].rate, p.catch_ns, PACING_DEBT_NS, now);
		while (sent < 10000) {
			uint64_t wait = pacer_pair_wait(&pacer, now);
			if (wait > 0) {
				now += wait + seeded_below(p.catch_ns);
				continue;
			}
			pacer_pair_sent(&pacer, table[i].wire * p.batch, now);
			sent += p.batch;
		}
		double ideal = (double)sent * table[i].wire * 8e9 / (double)table[i].rate, took = (double)(now - S);
		if (took > ideal * 1.001 + 2 * (double)p.catch_ns)
			fail_msg("row %zu: %.0f ns for what should take %.0f", i, took, ideal);
	}
}

/* Handing a batch over takes two fifths of its time at the rate, and datagrams leave all through it; now and then it is
 * held up before, for up to 5 ms, and no wake-up is on time.  No rate is lost but what the hold-ups cost, and no burst is
 * longer than allowed. */
static void handing_over_takes_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct pacing p = pacing_of(table[i].rate, table[i].burst_ns, table[i].wire, table[i].segments, SLOTS);
		uint64_t flush = p.batch_ns * 2 / 5, now = S, before = S, sent = 0, held = 0;
		double level = 0, most = 0, limit = (double)(table[i].burst_ns > p.batch_ns ? table[i].burst_ns : p.batch_ns);
		struct pacer_pair pacer;

		pacer_pair_init(&pacer, table[i].rate, p.catch_ns, PACING_DEBT_NS, now);
		for (unsigned n = 0; n < 20000; n++) {
			uint64_t wait = pacer_pair_wait(&pacer, now), hold = n > 1000 && n % 1000 == 0 ? seeded_below(5 * MS) : 0;
			now += wait + (wait > 0 ? seeded_below(p.catch_ns / 2 + 1) : 0);
			uint64_t began = now;
			now += hold + flush;
			held += hold;
			/* All of it in the last `flush` ns. */
			double drained = (double)(now - before) * (PACER_FASTER + 1) / PACER_FASTER;
			level += (double)p.batch_ns;
			level = level > drained ? level - drained : 0;
			before = now;
			most = level > most ? level : most;
			pacer_pair_sent(&pacer, table[i].wire * p.batch, pacing_left(&p, began, now));
			sent += p.batch_ns;
		}
		double took = (double)(now - S), ideal = (double)sent;
		if (took > ideal * 1.002 + (double)held + (double)(PACING_DEBT_NS + p.catch_ns))
			fail_msg("row %zu: %.0f ns for what should take %.0f, held up for %.0f", i, took, ideal, (double)held);
		if (most > limit + 2)
			fail_msg("row %zu: a burst of %.0f ns, allowed are %.0f", i, most, limit);
	}
}

/* Sleeps end earlier by what they usually last too long, and only where that matters; one long delay makes no spinner. */
static void sleeps_learn(void **state)
{
	struct pacing slow = pacing_of(30000000, 300 * US, SMALL, SMALL_SEGMENTS, SLOTS);
	struct pacing fast = pacing_of(1000000000, 300 * US, SMALL, SMALL_SEGMENTS, SLOTS);

	(void)state;
	assert_int_equal(slow.catch_ns, 0);
	assert_int_equal(slow.early_ns, 0);
	for (unsigned i = 0; i < 200; i++) {
		pacing_overslept(&slow, 40 * US);
		pacing_overslept(&fast, 40 * US);
	}
	assert_in_range(slow.early_ns, 40 * US - 100, 40 * US);
	assert_int_equal(fast.early_ns, 0);
	pacing_overslept(&slow, 50 * MS);
	assert_in_range(slow.early_ns, 43 * US, 44 * US);
	for (unsigned i = 0; i < 1000; i++)
		pacing_overslept(&slow, 50 * MS);
	assert_in_range(slow.early_ns, 100 * US - 100, 100 * US);
	for (unsigned i = 0; i < 1000; i++)
		pacing_overslept(&slow, 0);
	assert_in_range(slow.early_ns, 0, US);
}

/* What handing over usually takes is no delay, to within the rounding of a mean; what it took beyond that is one. */
static void handing_over_is_learnt(void **state)
{
	struct pacing p = pacing_of(1000000000, 300 * US, SMALL, SMALL_SEGMENTS, SLOTS);

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		(void)pacing_left(&p, S, S + 60 * US);
	assert_in_range(pacing_left(&p, S, S + 60 * US), S, S + 100);
	assert_in_range(pacing_left(&p, S, S + 90 * US), S + 30 * US, S + 30 * US + 100);
}

/* What is shorter than a sleep is dear is waited for awake, and so is the last of a sleep where sleeps are too coarse. */
static void short_waits(void **state)
{
	struct pacing p = pacing_of(1000000000, 300 * US, SMALL, SMALL_SEGMENTS, SLOTS);

	(void)state;
	assert_int_equal(pacing_sleep(&p, 1), 0);
	assert_int_equal(pacing_sleep(&p, 10 * US), 0);
	assert_int_equal(pacing_sleep(&p, 40 * US), 40 * US);
	assert_int_equal(pacing_sleep(&p, 5 * S), 5 * S);
	p.early_ns = 50 * US;
	assert_int_equal(pacing_sleep(&p, 40 * US), 0);
	assert_int_equal(pacing_sleep(&p, 400 * US), 350 * US);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batch_sizes), cmocka_unit_test(bursts), cmocka_unit_test(late_sleeps), cmocka_unit_test(sleeps_learn),
		cmocka_unit_test(short_waits), cmocka_unit_test(handing_over_takes_time),
		cmocka_unit_test(handing_over_is_learnt),
	};

	seeded_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
