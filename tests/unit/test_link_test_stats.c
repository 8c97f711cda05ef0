/* link_test_stats.h: known patterns of loss have known counts and bursts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/seeded.h"
#include "tools/link_test_stats.c" /* the tools are in no archive */

static struct link_test_track t;

/* '.' arrived, 'x' lost by the link, 'h' dropped by the kernel, which the next arrival (or the end) tells. */
static void play(const char *pattern, uint64_t first)
{
	uint64_t drops = 0, seq = first;

	link_test_track_init(&t, first, 1e6 /* a datagram takes 1 ms */);
	for (; *pattern != '\0'; pattern++, seq++) {
		drops += *pattern == 'h';
		if (*pattern == '.') {
			assert_int_equal(link_test_track_take(&t, seq, drops), LINK_TEST_NEW);
			drops = 0;
		}
	}
	link_test_track_end(&t, seq, drops);
	link_test_track_finish(&t);
	assert_int_equal(t.received + t.lost_link + t.lost_host, seq - first);
}

static void patterns(void **state)
{
	static const struct {
		const char *pattern;
		uint64_t received, link, host, bursts, most, ones, twos, fours; /* bursts of 1, 2-3, 4-7 */
	} table[] = {
		{ "", 0, 0, 0, 0, 0, 0, 0, 0 },
		{ ".", 1, 0, 0, 0, 0, 0, 0, 0 },
		{ "x", 0, 1, 0, 1, 1, 1, 0, 0 },
		{ "h", 0, 0, 1, 0, 0, 0, 0, 0 },
		{ "..........", 10, 0, 0, 0, 0, 0, 0, 0 },
		{ "x.........", 9, 1, 0, 1, 1, 1, 0, 0 },          /* the first */
		{ ".........x", 9, 1, 0, 1, 1, 1, 0, 0 },          /* the last */
		{ "..x..xx..xxx..xxxx..", 10, 10, 0, 4, 4, 1, 2, 1 },
		{ "x.x.x.x.x.", 5, 5, 0, 5, 1, 5, 0, 0 },
		{ "xxxxxxxxxx", 0, 10, 0, 1, 10, 0, 0, 0 },         /* all: one burst, of 8 to 15 */
		{ "..hhh..", 4, 0, 3, 0, 0, 0, 0, 0 },
		{ "..h..x..hh", 6, 1, 3, 1, 1, 1, 0, 0 },          /* the end tells of the last two */
		{ "..xhhx...", 5, 2, 2, 1, 2, 0, 1, 0 },            /* what the host lost parts no burst of the link */
		{ ".xh.hx.", 3, 2, 2, 2, 1, 2, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (uint64_t first = 0; first <= 3 * LINK_TEST_WINDOW; first += LINK_TEST_WINDOW - 3) {
			play(table[i].pattern, first);
			if (t.received != table[i].received || t.lost_link != table[i].link || t.lost_host != table[i].host ||
			    t.bursts != table[i].bursts || t.burst_most != table[i].most || t.burst_by_count[0] != table[i].ones ||
			    t.burst_by_count[1] != table[i].twos || t.burst_by_count[2] != table[i].fours)
				fail_msg("\"%s\" from %llu: %llu %llu %llu, %llu bursts, longest %llu", table[i].pattern, (unsigned long long)first,
				    (unsigned long long)t.received, (unsigned long long)t.lost_link, (unsigned long long)t.lost_host,
				    (unsigned long long)t.bursts, (unsigned long long)t.burst_most);
		}
}

static void order(void **state)
{
	static const struct {
		uint64_t seq[8];
		unsigned n;
		uint64_t received, late, most, again, link;
	} table[] = {
		{ { 0, 1, 2, 3 }, 4, 4, 0, 0, 0, 0 },
		{ { 0, 2, 1, 3 }, 4, 4, 1, 1, 0, 0 },
		{ { 1, 0 }, 2, 2, 1, 1, 0, 0 },
		{ { 5, 0, 1, 2, 3, 4 }, 6, 6, 5, 5, 0, 0 },
		{ { 0, 0, 1, 1, 1 }, 5, 2, 0, 0, 3, 0 },
		{ { 0, 3, 1, 1 }, 4, 3, 1, 2, 1, 1 },
		{ { 7, 6, 5, 4, 3, 2, 1, 0 }, 8, 8, 7, 7, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		link_test_track_init(&t, 0, 1000);
		for (unsigned j = 0; j < table[i].n; j++)
			(void)link_test_track_take(&t, table[i].seq[j], 0);
		link_test_track_finish(&t);
		link_test_track_finish(&t); /* again is no harm */
		assert_int_equal(t.received, table[i].received);
		assert_int_equal(t.late, table[i].late);
		assert_int_equal(t.late_most, table[i].most);
		assert_int_equal(t.again, table[i].again);
		assert_int_equal(t.lost_link, table[i].link);
		assert_int_equal(t.bursts, table[i].link > 0);
	}
}

/* Gaps around the window's size, and the largest that a plan allows: counted at once, not one by one. */
static void jumps(void **state)
{
	static const uint64_t gap[] = { LINK_TEST_WINDOW - 1, LINK_TEST_WINDOW, LINK_TEST_WINDOW + 1, 3 * LINK_TEST_WINDOW + 7, 1ull << 39 };

	(void)state;
	for (size_t i = 0; i < sizeof(gap) / sizeof(gap[0]); i++)
		for (uint64_t drops = 0; drops <= 5; drops += 5) {
			link_test_track_init(&t, 0, 1000);
			(void)link_test_track_take(&t, 0, 0);
			assert_int_equal(link_test_track_take(&t, gap[i] + 1, drops), LINK_TEST_NEW);
			assert_int_equal(link_test_track_take(&t, 1, 0), gap[i] + 1 <= LINK_TEST_WINDOW ? LINK_TEST_LATE : LINK_TEST_STALE);
			uint64_t healed = gap[i] + 1 <= LINK_TEST_WINDOW;
			assert_int_equal(link_test_track_take(&t, gap[i] + 1, 0), LINK_TEST_AGAIN);
			link_test_track_finish(&t);
			assert_int_equal(t.received, 2 + healed);
			assert_int_equal(t.lost_host, drops);
			assert_int_equal(t.lost_link, gap[i] - drops - healed);
			assert_int_equal(t.bursts, 1);
			assert_int_equal(t.burst_most, gap[i] - drops - healed);
		}
}

static void bins_of_time(void **state)
{
	(void)state;
	play("..xxxx..x..", 0); /* 4 ms and 1 ms */
	assert_int_equal(t.burst_by_time[11], 1); /* 2.048 .. 4.096 ms */
	assert_int_equal(t.burst_by_time[9], 1);  /* 0.512 .. 1.024 ms */
	assert_true(t.burst_squares > 16.99 && t.burst_squares < 17.01);
}

/* A long random stream against a plain count: losses single and in bursts, the host's own, late ones, doubles. */
static void random_stream(void **state)
{
	enum { N = 2 * LINK_TEST_WINDOW + 12345, HELD = 64 };
	char *fate = calloc(1, N + 1);
	uint64_t link = 0, host = 0, bursts = 0, most = 0, run = 0, drops = 0, again = 0, held[HELD];
	unsigned kept = 0;

	(void)state;
	assert_non_null(fate);
	seeded_init();
	for (size_t i = 0; i < N; i++)
		fate[i] = '.';
	for (size_t i = 1; i + 300 < N; i += 1 + seeded_below(200))
		if (seeded_below(50) == 0)
			memset(fate + i, seeded_below(3) == 0 ? 'h' : 'x', seeded_below(250));
		else
			fate[i] = "xxh<<+"[seeded_below(6)];
	link_test_track_init(&t, 0, 1000);
	for (uint64_t i = 0; i < N; i++) {
		link += fate[i] == 'x';
		host += fate[i] == 'h';
		run += fate[i] == 'x';
		if (fate[i] != 'x' && fate[i] != 'h') {
			bursts += run > 0;
			most = run > most ? run : most;
			run = 0;
		}
		if (fate[i] == 'h') {
			drops++;
			continue;
		}
		if (fate[i] == 'x')
			continue;
		/* Held back, but not over a gap of the host's: whose loss a number is, could then not be told. */
		if (fate[i] == '<' && kept < HELD && drops == 0) {
			held[kept++] = i;
			continue;
		}
		assert_int_equal(link_test_track_take(&t, i, drops), LINK_TEST_NEW);
		drops = 0;
		if (fate[i] == '+') {
			assert_int_equal(link_test_track_take(&t, i, 0), LINK_TEST_AGAIN);
			again++;
		}
		for (; kept > 0 && (kept == HELD || seeded_below(30) == 0); kept--)
			assert_int_equal(link_test_track_take(&t, held[kept - 1], 0), LINK_TEST_LATE);
		/* The next one could be the host's. */
		if (i + 1 < N && fate[i + 1] == 'h')
			for (; kept > 0; kept--)
				assert_int_equal(link_test_track_take(&t, held[kept - 1], 0), LINK_TEST_LATE);
	}
	link_test_track_end(&t, N, drops);
	for (; kept > 0; kept--)
		assert_int_equal(link_test_track_take(&t, held[kept - 1], 0), LINK_TEST_LATE);
	link_test_track_finish(&t);
	assert_int_equal(t.lost_link + t.lost_host, link + host);
	assert_int_equal(t.lost_host, host);
	assert_int_equal(t.again, again);
	assert_int_equal(t.received, N - link - host);
	assert_int_equal(t.burst_most, most);
	assert_int_equal(t.bursts, bursts + (run > 0));
	free(fate);
}

static void intervals(void **state)
{
	static struct link_test_gaps g;

	(void)state;
	assert_int_equal(link_test_gaps_quantile(&g, 0.5), 0);
	for (unsigned i = 0; i < 10; i++)
		link_test_gaps_add(&g, i < 9 ? 3 : 20);
	assert_int_equal(link_test_gaps_quantile(&g, 0.9), 3);
	assert_int_equal(link_test_gaps_quantile(&g, 0.91), 20);
	memset(&g, 0, sizeof(g));
	for (uint64_t i = 1; i <= 100000; i++)
		link_test_gaps_add(&g, i * 1000);
	static const struct { double q; uint64_t want; } table[] = { { 0.5, 50000000 }, { 0.99, 99000000 }, { 0.999, 99900000 } };
	for (size_t i = 0; i < 3; i++) {
		uint64_t got = link_test_gaps_quantile(&g, table[i].q);
		if (got < table[i].want || got > table[i].want + table[i].want / 31)
			fail_msg("q %g: %llu, not %llu", table[i].q, (unsigned long long)got, (unsigned long long)table[i].want);
	}
	assert_int_equal(link_test_gaps_quantile(&g, 1), 100000000);
	assert_int_equal(g.most, 100000000);
	/* every bin: an interval is never above its bin's top, nor 1/32 below it */
	for (uint64_t ns = 1; ns < 1ull << 40; ns += ns / 37 + 1) {
		uint64_t top = gap_top(gap_bin(ns));
		if (top < ns || top - ns > ns / 31)
			fail_msg("%llu ns in a bin up to %llu", (unsigned long long)ns, (unsigned long long)top);
	}
	link_test_gaps_add(&g, UINT64_MAX); /* a clock that jumped */
	assert_int_equal(g.most, UINT64_MAX);
}

/* Tables of the Poisson distribution: half the chi-square quantile at 95 % with 2k+2 degrees of freedom. */
static void upper_limits(void **state)
{
	static const struct { uint64_t k; double want; } table[] = {
		{ 0, 2.9957 }, { 1, 4.7439 }, { 2, 6.2958 }, { 5, 10.5130 }, { 10, 16.9622 }, { 20, 29.0620 }, { 50, 63.2871 }, { 100, 118.0791 },
	};
	double before = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		double got = link_test_upper(table[i].k);
		if (fabs(got - table[i].want) > 0.002 * table[i].want)
			fail_msg("%llu: %.4f, not %.4f", (unsigned long long)table[i].k, got, table[i].want);
	}
	/* growing, also where the method changes */
	for (uint64_t k = 1; k < 1ull << 40; k = k * 3 / 2 + 1) {
		double u = link_test_upper(k);
		assert_true(u > before && u > (double)k);
		before = u;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns), cmocka_unit_test(order), cmocka_unit_test(jumps), cmocka_unit_test(bins_of_time),
		cmocka_unit_test(random_stream), cmocka_unit_test(intervals), cmocka_unit_test(upper_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
