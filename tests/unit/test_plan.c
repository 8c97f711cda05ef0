/* test_plan.c - the redundancy arithmetic, against exact values
 * (tests/vectors/plan.txt), against simulation, and against every burst.
 *
 * The simulations are seeded; KATAMICHI_SEED sets the seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/core/plan.h"

static uint64_t random_state;

static double uniform(void) /* splitmix64, 0 .. 1 */
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static uint64_t below(uint64_t n)
{
	return (uint64_t)(uniform() * (double)n);
}

static struct plan_in usual(uint64_t size)
{
	return (struct plan_in){
		.size = size,
		.symbol = 1408,
		.wire = 1538,
		.loss = 0.01,
		.failure = 1e-9,
		.burst_ns = 0,
		.rate = 1000000000,
		.block_max = 24000000,
		.group_max = 64u << 20,
	};
}

static void test_exact(void **state)
{
	FILE *f = fopen("tests/vectors/plan.txt", "r");
	char line[200];
	unsigned k, r, tails = 0, repairs = 0;
	double loss, v;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL) {
		if (sscanf(line, "tail %u %u %lf %lf", &k, &r, &loss, &v) == 4) {
			double got = plan_failure(k, r, loss);
			assert_true(fabs(got - v) <= 1e-9 * v);
			tails++;
		} else if (sscanf(line, "repair %u %lf %lf %u", &k, &loss, &v,
		    &r) == 4) {
			assert_int_equal(plan_repair(k, loss, v), r);
			repairs++;
		} else {
			assert_int_equal(line[0], '#');
		}
	}
	assert_true(tails > 100 && repairs > 200);
	fclose(f);
}

static void test_edges(void **state)
{
	(void)state;
	assert_true(plan_failure(10, 0, 0) == 0);
	assert_true(plan_failure(10, 5, 1) == 1);
	assert_true(plan_failure(0, 5, 0.5) == 0);
	assert_true(plan_failure(1, 0, 0.25) == 0.25);
	assert_true(fabs(plan_failure(1, 1, 0.25) - 0.0625) < 1e-15);
	assert_true(plan_failure(60000, 5000, 1e-6) == 0); /* below 1e-300 */
	assert_true(plan_failure(60000, 10, 0.5) > 0.999999);
	assert_int_equal(plan_repair(10, 0, 1e-9), 0);
	assert_int_equal(plan_repair(60000, 0.5, 1e-9), UINT32_MAX);
	assert_int_equal(plan_repair(65536, 0.01, 1e-9), UINT32_MAX);
	assert_int_equal(plan_repair(65535, 1e-9, 1e-3), 0);
}

/* Lose each of k + r by itself; the share of trials with more than r gone is
 * what plan_failure() says, to four standard deviations. */
static void simulate(uint32_t k, double loss, double failure, unsigned trials)
{
	uint32_t r = plan_repair(k, loss, failure);
	double p = plan_failure(k, r, loss);
	unsigned failed = 0;

	assert_true(p <= failure);
	assert_true(r == 0 || plan_failure(k, r - 1, loss) > failure);
	for (unsigned t = 0; t < trials; t++) {
		uint32_t lost = 0;
		for (uint32_t i = 0; i < k + r; i++)
			lost += uniform() < loss;
		failed += lost > r;
	}
	double sigma = sqrt(p * (1 - p) / trials);
	assert_true(fabs((double)failed / trials - p) < 4 * sigma + 1.0 / trials);
}

static void test_simulation(void **state)
{
	(void)state;
	simulate(1, 0.1, 1e-2, 300000);
	simulate(20, 0.01, 1e-2, 300000);
	simulate(100, 0.05, 1e-2, 60000);
	simulate(711, 0.01, 1e-2, 20000);
	simulate(3, 0.1, 1e-3, 300000);
	simulate(50, 0.02, 1e-3, 200000);
	simulate(300, 0.1, 1e-3, 30000);
}

/* One round of an object as it goes over the link. */
struct round {
	struct plan p;
	uint32_t *block; /* of each datagram in order */
	size_t n, gap;   /* gap: first datagram after the pause, or n */
};

static const struct plan_block *block_of(const struct plan *p, uint64_t b)
{
	return b + 1 == p->blocks ? &p->last : &p->full;
}

/* The group's symbols number from.. of those that a block sends in this part */
static void send_part(struct round *s, uint64_t g, bool second)
{
	uint64_t from = plan_group_first(&s->p, g);
	uint64_t to = plan_group_first(&s->p, g + 1);
	bool more = true;

	for (uint32_t n = 0; more; n++) {
		more = false;
		for (uint64_t b = from; b < to; b++) {
			const struct plan_block *k = block_of(&s->p, b);
			uint32_t count = second ? k->r - k->r1 : k->k + k->r1;
			if (n >= count)
				continue;
			more = true;
			if (s->block != NULL)
				s->block[s->n] = (uint32_t)b;
			s->n++;
		}
	}
}

/* Only objects of one group are spaced here, so the pause is in one place. */
static struct round send(const struct plan *p)
{
	struct round s = { .p = *p };

	for (int pass = 0; pass < 2; pass++) {
		if (pass == 1)
			s.block = malloc(s.n * sizeof *s.block);
		s.n = 0;
		for (uint64_t g = 0; g < p->groups; g++)
			send_part(&s, g, false);
		s.gap = s.n;
		if (p->spacing_ns > 0) {
			assert_int_equal(p->groups, 1);
			send_part(&s, 0, true);
		}
	}
	return s;
}

static bool complete(const struct plan *p, const uint32_t *lost)
{
	for (uint64_t b = 0; b < p->blocks; b++)
		if (lost[b] > block_of(p, b)->r)
			return false;
	return true;
}

/* Wherever a burst begins, it alone is survived. */
static void every_burst(const struct plan *p)
{
	struct round s = send(p);
	uint32_t *lost = calloc(p->blocks, sizeof *lost);
	size_t burst = p->burst_symbols;

	for (size_t part = 0; part < 2; part++) {
		size_t from = part ? s.gap : 0, to = part ? s.n : s.gap;
		memset(lost, 0, p->blocks * sizeof *lost);
		for (size_t end = from; end < to; end++) {
			lost[s.block[end]]++;
			if (end - from >= burst)
				lost[s.block[end - burst]]--;
			if (!complete(p, lost)) {
				fprintf(stderr, "burst ending at %zu of %zu: "
				    "k %u r %u, blocks %llu depth %u\n", end,
				    s.n, p->full.k, p->full.r,
				    (unsigned long long)p->blocks, p->depth);
				assert_true(false);
			}
		}
	}
	free(lost);
	free(s.block);
}

static void test_every_burst(void **state)
{
	(void)state;
	for (int i = 0; i < 400; i++) {
		struct plan_in in = usual(1 + below(1u << (1 + below(22))));
		struct plan p;
		in.symbol = 64;
		in.wire = 130;
		in.loss = i % 3 == 0 ? 0 : 0.02;
		in.block_max = 64 * (1 + below(1000));
		in.group_max = 64 * (10 + below(100000));
		in.burst_ns = below(1u << (1 + below(21)));
		if (plan_object(&in, &p) != PLAN_OK)
			continue;
		if (p.spacing_ns == 0 || p.groups == 1)
			every_burst(&p);
	}
}

/* Streams: whatever is left at the end, its group survives every burst. */
static void test_every_tail(void **state)
{
	(void)state;
	for (int i = 0; i < 60; i++) {
		struct plan_in in = usual(0);
		struct plan p, tail;
		in.symbol = 1024;
		in.wire = 1100;
		in.block_max = 1024 * (20 + below(1500));
		in.burst_ns = below(1u << (1 + below(24)));
		in.loss = i % 2 ? 0.03 : 0;
		assert_int_equal(plan_object(&in, &p), PLAN_OK);
		for (int j = 0; j < 20; j++) {
			uint64_t most = (uint64_t)p.depth * p.full.k;
			uint64_t rest = j == 0 ? 1 : j == 1 ? most :
			    1 + below(most);
			assert_int_equal(plan_tail(&in, &p, rest, &tail),
			    PLAN_OK);
			assert_int_equal(tail.symbols, rest);
			assert_int_equal((tail.blocks - 1) * tail.full.k +
			    tail.last.k, rest);
			every_burst(&tail);
		}
		assert_int_equal(plan_tail(&in, &p, 0, &tail), PLAN_EINPUT);
		assert_int_equal(plan_tail(&in, &p,
		    (uint64_t)p.depth * p.full.k + 1, &tail), PLAN_EINPUT);
	}
}

/* Whole objects under loss and a burst in every round */
static void simulate_object(struct plan_in in, unsigned trials)
{
	struct plan p;
	unsigned failed = 0;

	assert_int_equal(plan_object(&in, &p), PLAN_OK);
	assert_true(p.fail <= in.failure);
	struct round s = send(&p);
	uint32_t *lost = calloc(p.blocks, sizeof *lost);
	for (unsigned t = 0; t < trials; t++) {
		size_t at = below(s.n), end = at + p.burst_symbols;
		if (at < s.gap && end > s.gap)
			end = s.gap;
		memset(lost, 0, p.blocks * sizeof *lost);
		for (size_t i = 0; i < s.n; i++)
			lost[s.block[i]] += (i >= at && i < end) ||
			    uniform() < in.loss;
		failed += !complete(&p, lost);
	}
	double sigma = sqrt(in.failure / trials);
	assert_true((double)failed / trials <= in.failure + 4 * sigma);
	free(lost);
	free(s.block);
}

static void test_objects(void **state)
{
	struct plan_in in = usual(100000);

	(void)state;
	in.failure = 1e-2;
	simulate_object(in, 20000);
	in.burst_ns = 300000; /* 26 datagrams */
	simulate_object(in, 20000);
	in.burst_ns = 20000000; /* more than the object */
	simulate_object(in, 20000);
	in.size = 2000000;
	in.block_max = 300000;
	in.burst_ns = 1000000;
	simulate_object(in, 4000);
	in.failure = 1e-3;
	simulate_object(in, 4000);
	in.size = 1;
	in.burst_ns = 20000000;
	in.loss = 0.1;
	simulate_object(in, 100000);
}

/* The figures of the issue: 10 GB, failure 1e-9, blocks of 24 MB */
static void test_redundancy(void **state)
{
	static const struct {
		double loss, over; /* what it may be over p / (1 - p) */
	} t[] = { { 0.01, 0.0065 }, { 0.1, 0.022 } };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct plan_in in = usual(10000000000);
		struct plan p;
		in.symbol = 1344;
		in.loss = t[i].loss;
		assert_int_equal(plan_object(&in, &p), PLAN_OK);
		assert_true(p.overhead <= in.loss / (1 - in.loss) + t[i].over);
		assert_true(p.fail <= in.failure && p.fail > 0.5e-9);
		in.burst_ns = 20000000;
		assert_int_equal(plan_object(&in, &p), PLAN_OK);
		assert_true(p.depth > 1 && p.fail <= in.failure);
	}
}

static void check_shape(const struct plan_in *in, const struct plan *p)
{
	const struct plan_block *b[] = { &p->full, &p->last };

	assert_true((p->blocks - 1) * p->full.k + p->last.k == p->symbols);
	assert_true(in->size == 0 ||
	    (p->symbols - 1) * in->symbol < in->size);
	assert_true(p->last.k >= 1 && p->last.k <= p->full.k);
	assert_true(p->depth >= 1 && p->depth <= PLAN_DEPTH_MAX);
	assert_true(plan_group_first(p, 0) == 0);
	assert_true(plan_group_first(p, p->groups) == p->blocks);
	for (uint64_t g = 0; g < p->groups && g < 100; g++) {
		uint64_t n = plan_group_first(p, g + 1) -
		    plan_group_first(p, g);
		assert_true(n >= 1 && n <= p->depth);
	}
	for (int i = 0; i < 2; i++) {
		uint32_t m = 1u << b[i]->log2m;
		assert_true((uint64_t)b[i]->k * in->symbol <=
		    in->block_max);
		assert_true(b[i]->r >= PLAN_REPAIR_MIN && b[i]->r <= m);
		assert_true(b[i]->log2m <= 15 && b[i]->k + m <= 65536);
		assert_true((b[i]->r1 < b[i]->r) == (p->spacing_ns > 0));
		assert_true(b[i]->r - b[i]->r1 >= b[i]->k ||
		    p->spacing_ns == 0);
	}
	assert_true(p->fail <= in->failure);
	assert_true(p->spacing_ns == 0 || p->spacing_ns > in->burst_ns);
}

static void test_every_size(void **state)
{
	static const double loss[] = { 0, 1e-6, 0.001, 0.01, 0.1, 0.5 };
	unsigned plans = 0;
	clock_t begun = clock();

	(void)state;
	for (uint64_t size = 0; size <= PLAN_SIZE_MAX;
	    size += 1 + size / (3 + below(10)))
		for (int i = 0; i < 24; i++) {
			struct plan_in in = usual(size);
			struct plan p;
			in.loss = loss[i % 6];
			in.burst_ns = i / 6 % 2 ? 20000000 : 0;
			if (i / 12) {
				in.symbol = 8896;
				in.wire = 9038;
				in.rate = 10000000000;
			}
			assert_int_equal(plan_object(&in, &p), PLAN_OK);
			check_shape(&in, &p);
			plans++;
		}
	double each = (double)(clock() - begun) / CLOCKS_PER_SEC / plans;
	printf("%u plans, %.0f us each\n", plans, 1e6 * each);
}

static void test_clean_link(void **state)
{
	struct plan_in in = usual(24000000);
	struct plan p;

	(void)state;
	in.loss = 0;
	assert_int_equal(plan_object(&in, &p), PLAN_OK);
	assert_int_equal(p.full.r, PLAN_REPAIR_MIN);
	assert_int_equal(p.spacing_ns, 0);
	assert_true(p.fail == 0);
	in.size = 1;
	assert_int_equal(plan_object(&in, &p), PLAN_OK);
	assert_int_equal(p.last.k, 1);
	assert_int_equal(p.last.r, PLAN_REPAIR_MIN);
}

static void test_bad_input(void **state)
{
	struct plan p;
	struct plan_in in;

	(void)state;
#define REFUSED(change) do { \
	in = usual(1000000); \
	in.change; \
	assert_int_equal(plan_object(&in, &p), PLAN_EINPUT); \
} while (0)
	REFUSED(size = PLAN_SIZE_MAX + 1);
	REFUSED(symbol = 0);
	REFUSED(symbol = 1407);
	REFUSED(symbol = 65536);
	REFUSED(wire = 1407);
	REFUSED(wire = UINT32_MAX);
	REFUSED(loss = -0.1);
	REFUSED(loss = 0.91);
	REFUSED(loss = NAN);
	REFUSED(loss = INFINITY);
	REFUSED(failure = 0);
	REFUSED(failure = 0.6);
	REFUSED(failure = NAN);
	REFUSED(burst_ns = UINT64_MAX);
	REFUSED(rate = 0);
	REFUSED(rate = UINT64_MAX);
	REFUSED(block_max = 1407);
	REFUSED(group_max = 0);
	assert_int_equal(plan_object(NULL, &p), PLAN_EINPUT);
	in = usual(1000000); /* the extremes themselves */
	in.loss = 0.9;
	in.failure = 1e-100;
	in.burst_ns = 3600000000000;
	in.rate = 10000000000000;
	int r = plan_object(&in, &p);
	assert_true(r == PLAN_OK || r == PLAN_EIMPOSSIBLE);
	in.block_max = UINT64_MAX;
	in.group_max = UINT64_MAX;
	in.symbol = 2;
	in.wire = 2;
	in.size = PLAN_SIZE_MAX;
	r = plan_object(&in, &p);
	assert_true(r == PLAN_OK || r == PLAN_EIMPOSSIBLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_bad_input),
		cmocka_unit_test(test_clean_link),
		cmocka_unit_test(test_redundancy),
		cmocka_unit_test(test_every_size),
		cmocka_unit_test(test_every_burst),
		cmocka_unit_test(test_every_tail),
		cmocka_unit_test(test_simulation),
		cmocka_unit_test(test_objects),
	};
	const char *s = getenv("KATAMICHI_SEED");

	random_state = s != NULL ? strtoull(s, NULL, 0) : 20260401;
	printf("KATAMICHI_SEED=%llu\n", (unsigned long long)random_state);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
