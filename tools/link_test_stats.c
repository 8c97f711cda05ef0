/* link_test_stats.c - see link_test_stats.h */
#include "tools/link_test_stats.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum { LOST_LINK = 0, LOST_HOST = 1, SEEN = 2 };

static uint8_t *slot(struct link_test_track *t, uint64_t seq)
{
	return &t->state[seq % LINK_TEST_WINDOW];
}

void link_test_track_init(struct link_test_track *t, uint64_t first, double spacing_ns)
{
	memset(t, 0, offsetof(struct link_test_track, state)); /* a state is written before it is read */
	t->spacing_ns = spacing_ns;
	t->first = t->low = t->high = first;
}

static unsigned log2_floor(uint64_t n)
{
	return n > 1 ? 63 - (unsigned)__builtin_clzll(n) : 0;
}

static void close_burst(struct link_test_track *t)
{
	double us = (double)t->burst * t->spacing_ns / 1000;
	unsigned n = log2_floor(t->burst), ms = us >= 9e18 ? LINK_TEST_TIMES - 1 : log2_floor((uint64_t)us);

	if (t->burst == 0)
		return;
	t->bursts++;
	t->burst_squares += (double)t->burst * (double)t->burst;
	t->burst_by_count[n < LINK_TEST_BURSTS ? n : LINK_TEST_BURSTS - 1]++;
	t->burst_by_time[ms < LINK_TEST_TIMES ? ms : LINK_TEST_TIMES - 1]++;
	if (t->burst > t->burst_most)
		t->burst_most = t->burst;
	t->burst = 0;
}

/* n numbers of one fate become final.  What the host lost neither ends nor lengthens a burst of the link: nobody
 * knows what the link would have done with it. */
static void settle(struct link_test_track *t, uint8_t state, uint64_t n)
{
	if (n == 0)
		return;
	if (state == SEEN) {
		close_burst(t);
	} else if (state == LOST_HOST) {
		t->lost_host += n;
	} else {
		t->lost_link += n;
		t->burst += n;
	}
}

static void settle_below(struct link_test_track *t, uint64_t low)
{
	for (; t->low < low && t->low < t->high; t->low++)
		settle(t, *slot(t, t->low), 1);
}

/* The next n numbers are missing, for now.  Bounded by the window, whatever n is. */
static void push_missing(struct link_test_track *t, uint8_t state, uint64_t n)
{
	if (n > LINK_TEST_WINDOW) {
		settle_below(t, t->high);
		settle(t, state, n - LINK_TEST_WINDOW);
		t->high += n - LINK_TEST_WINDOW;
		t->low = t->high;
		n = LINK_TEST_WINDOW;
	}
	if (t->high + n - t->low > LINK_TEST_WINDOW)
		settle_below(t, t->high + n - LINK_TEST_WINDOW);
	for (; n > 0; n--)
		*slot(t, t->high++) = state;
}

/* A gap: of its numbers, as many as the kernel dropped are the host's. */
static void push_gap(struct link_test_track *t, uint64_t n, uint64_t drops)
{
	uint64_t host = n < drops ? n : drops;

	push_missing(t, LOST_LINK, n - host);
	push_missing(t, LOST_HOST, host);
}

enum link_test_arrival link_test_track_take(struct link_test_track *t, uint64_t seq, uint64_t drops)
{
	t->drops += drops;
	if (seq < t->low) {
		t->stale++;
		return LINK_TEST_STALE;
	}
	if (seq < t->high) {
		uint8_t *s = slot(t, seq);
		if (*s == SEEN) {
			t->again++;
			return LINK_TEST_AGAIN;
		}
		*s = SEEN;
		t->received++;
		t->late++;
		if (t->high - 1 - seq > t->late_most)
			t->late_most = t->high - 1 - seq;
		return LINK_TEST_LATE;
	}
	push_gap(t, seq - t->high, drops);
	push_missing(t, LOST_LINK, 1);
	*slot(t, seq) = SEEN;
	t->received++;
	return LINK_TEST_NEW;
}

void link_test_track_end(struct link_test_track *t, uint64_t sent, uint64_t drops)
{
	t->drops += drops;
	if (sent > t->high)
		push_gap(t, sent - t->high, drops);
}

void link_test_track_finish(struct link_test_track *t)
{
	settle_below(t, t->high);
	close_burst(t);
}

/* --- intervals --- */
/* Below FINE ns each its own bin; above, FINE bins a doubling. */
static unsigned gap_bin(uint64_t ns)
{
	if (ns < LINK_TEST_FINE)
		return (unsigned)ns;
	unsigned shift = log2_floor(ns) - log2_floor(LINK_TEST_FINE);
	uint64_t bin = (uint64_t)(shift + 1) * LINK_TEST_FINE + (ns >> shift) - LINK_TEST_FINE;

	return bin < LINK_TEST_GAPS ? (unsigned)bin : LINK_TEST_GAPS - 1;
}

/* The largest interval of a bin. */
static uint64_t gap_top(unsigned bin)
{
	if (bin < LINK_TEST_FINE)
		return bin;
	unsigned shift = bin / LINK_TEST_FINE - 1;

	return (((uint64_t)(bin % LINK_TEST_FINE) + LINK_TEST_FINE + 1) << shift) - 1;
}

void link_test_gaps_add(struct link_test_gaps *g, uint64_t ns)
{
	g->count++;
	g->bin[gap_bin(ns)]++;
	if (ns > g->most)
		g->most = ns;
}

uint64_t link_test_gaps_quantile(const struct link_test_gaps *g, double q)
{
	uint64_t want = (uint64_t)ceil(q * (double)g->count), sum = 0;

	if (g->count == 0)
		return 0;
	for (unsigned i = 0; i < LINK_TEST_GAPS; i++) {
		sum += g->bin[i];
		if (sum >= want && sum > 0)
			return gap_top(i) < g->most ? gap_top(i) : g->most;
	}
	return g->most;
}

/* --- how sure --- */
/* P[at most k | mean m]: terms from the largest index down, until they no longer count. */
static double poisson_at_most(uint64_t k, double m)
{
	double sum = 0, log_m = log(m);

	for (uint64_t i = k + 1; i-- > 0;) {
		double term = exp((double)i * log_m - m - lgamma((double)i + 1));
		sum += term;
		if (term < sum * 1e-12)
			break;
	}
	return sum;
}

double link_test_upper(uint64_t k)
{
	double low = (double)k, high = (double)k + 4 * sqrt((double)k + 1) + 4;

	if (k > 1000000) /* the normal approximation is exact enough, and quick */
		return low + 1.645 * sqrt(low) + 2;
	/* P falls as the mean grows; at `high` it is well below 5 %. */
	for (int i = 0; i < 60; i++) {
		double m = (low + high) / 2;
		if (m > 0 && poisson_at_most(k, m) > 0.05)
			low = m;
		else
			high = m;
	}
	return high;
}
