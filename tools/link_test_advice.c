/* link_test_advice.c - see link_test_advice.h */
#include "tools/link_test_advice.h"

#include <math.h>
#include <string.h>

#define LOSS_MIN 1e-4
#define LOSS_MAX 0.9   /* of sender.conf */
#define WORSE_MIN 1e-3 /* below that share no step is called worse */
#define WORSE_TIMES 3
#define HOPELESS 0.5   /* of a link that is told nothing better by lower steps */
#define BUFFER_MIN (4ull << 20)
#define BUFFER_MAX (1ull << 30) /* what a socket takes is counted in an int */

/* sk_buff 256, head room and headers 106, shared info 320; the data lie in a power of two. */
uint64_t link_test_truesize(uint32_t len)
{
	uint64_t room = 512;

	while (room < (uint64_t)len + 106 + 320)
		room *= 2;
	return room + 256;
}

uint32_t link_test_ring(const struct link_test_advice *a, uint32_t len)
{
	uint64_t frames = a->rate / ((uint64_t)(len + LINK_TEST_EXTRA) * 8) * 2 / 1000;
	uint32_t ring = 256;

	while (ring < 65536 && ring < frames)
		ring *= 2;
	return ring;
}

static double upper_of(uint64_t datagrams, uint64_t lost, uint64_t bursts, double squares)
{
	double n = (double)datagrams, mean = bursts > 0 ? (double)lost / (double)bursts : 1;
	double by_events = link_test_upper(bursts) * mean / n, by_spread = ((double)lost + 1.645 * sqrt(squares)) / n;
	double upper = by_events > by_spread ? by_events : by_spread;

	return datagrams == 0 || upper > 1 ? 1 : upper;
}

/* May the climb go on over this step? */
static enum link_test_limit judge(const struct link_test_outcome *o, const struct link_test_advice *below)
{
	double share = o->expected > 0 ? (double)o->lost_link / (double)o->expected : 1;

	if (o->state == LINK_TEST_ALL_LOST)
		return LINK_TEST_LIMIT_LINK;
	if (o->state == LINK_TEST_NOT_SENT || !o->ended)
		return LINK_TEST_LIMIT_END;
	if (o->lost_host > 0)
		return LINK_TEST_LIMIT_HOST;
	/* One that fell behind ends short, too, but then everything that it sent was seen. */
	if (o->cut && o->reached)
		return LINK_TEST_LIMIT_END;
	if (below->good ? share > WORSE_MIN && share > WORSE_TIMES * below->upper : share > HOPELESS)
		return LINK_TEST_LIMIT_LINK;
	return LINK_TEST_NO_LIMIT;
}

/* Up, to two digits: a number for a configuration file. */
static double round_up(double share)
{
	double unit = pow(10, floor(log10(share)) - 1);

	return ceil(share / unit - 1e-9) * unit;
}

/* What was really sent, where that was clearly less: three digits, down. */
static uint64_t kept_rate(uint64_t rate, double sent)
{
	double unit = sent >= 1000 ? pow(10, floor(log10(sent)) - 2) : 1;

	return sent >= 0.98 * (double)rate ? rate : (uint64_t)floor(sent / unit) * (uint64_t)unit;
}

static void propose(const struct link_test_run *run, struct link_test_advice *a)
{
	uint64_t wire_bits = (uint64_t)(run->plan.len + LINK_TEST_EXTRA) * 8, stalled;
	double ms = ceil(2 * a->burst_ms - 1e-9);

	a->loss = a->upper < LOSS_MIN ? LOSS_MIN : round_up(a->upper);
	if (a->loss > LOSS_MAX)
		a->loss = LOSS_MAX;
	a->burst_ns = (ms < LINK_TEST_BURST_FLOOR_MS ? LINK_TEST_BURST_FLOOR_MS : (uint64_t)ms) * 1000000;
	stalled = a->rate / wire_bits * LINK_TEST_STALL_MS / 1000 + 1;
	/* The kernel doubles what it is asked for, so half of what it charges is asked. */
	for (a->buffer = BUFFER_MIN; a->buffer < BUFFER_MAX && a->buffer < stalled * link_test_truesize(run->plan.len) / 2;)
		a->buffer *= 2;
}

void link_test_advise(const struct link_test_run *run, struct link_test_advice *a)
{
	struct link_test_outcome o;
	double squares = 0;
	int kept = 1;

	memset(a, 0, sizeof(*a));
	for (unsigned i = 0; i < run->plan.steps; i++) {
		link_test_outcome(run, i, &o);
		if (o.state == LINK_TEST_DEAF)
			continue;
		a->limit = judge(&o, a);
		a->limit_step = i;
		if (a->limit != LINK_TEST_NO_LIMIT)
			break;
		a->good = 1;
		a->good_step = i;
		kept = o.reached;
		if (kept_rate(o.rate, o.sent_rate) > a->rate)
			a->rate = kept_rate(o.rate, o.sent_rate);
		a->datagrams += o.expected;
		a->lost += o.lost_link;
		a->bursts += o.bursts;
		squares += o.burst_squares;
		a->upper = upper_of(a->datagrams, a->lost, a->bursts, squares);
		if (o.burst_ms > a->burst_ms)
			a->burst_ms = o.burst_ms;
	}
	a->good = a->good && a->rate > 0;
	if (!a->good)
		return;
	if (a->limit == LINK_TEST_NO_LIMIT && !kept)
		a->limit = LINK_TEST_LIMIT_SENDER;
	a->measured = (double)a->lost / (double)a->datagrams;
	propose(run, a);
}
