/* pacer.h: the rate to the last bit, and no burst beyond the allowance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/pacer.h"
#include "tests/unit/seeded.h"

#define SECOND 1000000000ull

/* An hour of a sender that wakes up to `late` ns after the time, in trains of
 * `train` bytes (large where the rate is, so that the test stays short). */
static void hour_at(uint64_t rate, uint32_t train, uint64_t late)
{
	const uint64_t start = 123456789, end = start + 3600 * SECOND, burst = 300000;
	struct pacer p;
	uint64_t now = start, bytes = 0;

	pacer_init(&p, rate, burst, now);
	while (now < end) {
		uint64_t wait = pacer_wait(&p, now);
		if (wait > 0) {
			now += wait + (late > 0 ? seeded() % late : 0);
			continue;
		}
		pacer_sent(&p, train, now);
		bytes += train;
	}
	double want = (double)rate / 8 * 3600, got = (double)bytes, slack = (double)train + (double)rate / 8 * 0.0003;
	if (got < want * (1 - 1e-6) - slack || got > want * (1 + 1e-6) + slack)
		fail_msg("%llu bit/s: %.0f bytes instead of %.0f", (unsigned long long)rate, got, want);
}

static void no_drift(void **state)
{
	(void)state;
	hour_at(1000000, 1538, 0);
	hour_at(1000000, 1538, 290000);
	hour_at(9999991, 1538, 290000); /* a prime: every cost has a rest */
	hour_at(100000000, 15380, 200000);
	hour_at(1000000000, 153800, 200000);
	hour_at(9999999967, 1538000, 200000);
	hour_at(100000000000, 15380000, 200000);
}

/* The bare numbers over an hour of single datagrams at 100 Gbit/s, without the loop. */
static void exact(void **state)
{
	struct pacer p;
	const uint64_t rate = 100000000003;

	(void)state;
	pacer_init(&p, rate, 0, 0);
	for (uint64_t i = 1; i <= 1000000; i++) {
		pacer_sent(&p, 1538, 0);
		if (i % 1000 != 0)
			continue;
		unsigned __int128 bits = (unsigned __int128)i * 1538 * 8 * SECOND;
		assert_int_equal(p.next_ns, (uint64_t)(bits / rate));
		assert_int_equal(p.rest, (uint64_t)(bits % rate));
	}
}

static void late_sender(void **state)
{
	struct pacer p;
	unsigned sent = 0;

	(void)state;
	pacer_init(&p, 1000000000, 300000, 5 * SECOND); /* 1 Gbit/s: 1250 bytes are 10 us */
	assert_int_equal(pacer_wait(&p, 5 * SECOND), 0);
	pacer_sent(&p, 1250, 5 * SECOND);
	assert_int_equal(pacer_wait(&p, 5 * SECOND), 10000);
	assert_int_equal(pacer_wait(&p, 5 * SECOND + 9999), 1);
	assert_int_equal(pacer_wait(&p, 5 * SECOND + 10000), 0);
	/* Asleep for a second: 300 us may be made up for, and not a datagram more. */
	for (; pacer_wait(&p, 6 * SECOND) == 0; sent++)
		pacer_sent(&p, 1250, 6 * SECOND);
	assert_int_equal(sent, 30 + 1);
	assert_int_equal(pacer_wait(&p, 6 * SECOND), 10000);
	/* Idle at the start gives no credit either: the clock begins at init. */
	pacer_init(&p, 1000000000, 300000, 100);
	pacer_sent(&p, 1250, 100);
	assert_int_equal(pacer_wait(&p, 100), 10000);
}

/* No interval, wherever it begins, holds more than rate * (d + burst) and one datagram. */
static void invariant(void **state)
{
	enum { MANY = 1500 };
	static uint64_t at[MANY];
	static uint32_t size[MANY];
	const uint64_t rate = 777777777, burst = 250000;
	struct pacer p;
	uint64_t now = 1;
	unsigned n = 0;

	(void)state;
	pacer_init(&p, rate, burst, now);
	while (n < MANY) {
		if (pacer_wait(&p, now) == 0) {
			size[n] = (uint32_t)(300 + seeded_below(9000));
			at[n] = now;
			pacer_sent(&p, size[n++], now);
		} else {
			now += seeded_below(20) == 0 ? seeded_below(2000000) : pacer_wait(&p, now);
		}
	}
	for (unsigned i = 0; i < MANY; i++) {
		uint64_t bytes = 0;
		for (unsigned j = i; j < MANY; j++) {
			bytes += size[j];
			double most = (double)rate / 8 * (double)(at[j] - at[i] + burst) / 1e9 + size[j] + 1;
			assert_true((double)bytes <= most);
		}
	}
}

static void extremes(void **state)
{
	struct pacer p;

	(void)state;
	pacer_init(&p, 0, 0, 0); /* no division by zero */
	pacer_sent(&p, 1, 0);
	assert_int_equal(pacer_wait(&p, 0), 8 * SECOND);
	pacer_init(&p, 1000000000000000, 0, 0);
	p.rest = 999999999999999;
	pacer_sent(&p, 1u << 30, 0); /* the largest train: no overflow */
	assert_int_equal(p.next_ns, ((1ull << 33) * SECOND + 999999999999999) / 1000000000000000);
	pacer_init(&p, 1000000000, UINT64_MAX, 10); /* burst beyond time itself */
	pacer_sent(&p, 1250, 20);
	assert_int_equal(p.next_ns, 10010);
}

/* --- two buckets --- */
#define MS 1000000ull
#define US 1000ull

/* A minute of a sender whose machine delays it: every sleep by up to `late`,
 * and once in `every` sleeps by `stall`.  share: of the rate it must reach. */
static const struct {
	uint64_t rate;
	uint32_t train;
	uint64_t burst, late, stall;
	unsigned every;
	double least;
} delays[] = {
	{ 1000000, 1538, 0, 0, 0, 0, 0.999 },
	{ 1000000, 1538, 0, 500 * US, 0, 0, 0.999 },         /* a datagram takes 12.3 ms */
	{ 30000000, 1538, 0, 15 * US, 0, 0, 0.999 },         /* 410 us: a seventeenth of it is 24 us */
	{ 100000000, 1538, 170 * US, 100 * US, 0, 0, 0.999 },
	{ 1000000000, 18456, 150 * US, 100 * US, 10 * MS, 5000, 0.999 }, /* 10 ms every 0.74 s cost 1.4 % without a debt */
	{ 1000000000, 18456, 150 * US, 100 * US, 3 * MS, 500, 0.999 },
	{ 4000000000, 67672, 150 * US, 100 * US, 15 * MS, 5000, 0.999 },
	{ 10000000000, 135344, 150 * US, 60 * US, 5 * MS, 2000, 0.999 },
	{ 1000000000, 18456, 150 * US, 100 * US, 100 * MS, 5000, 0.86 }, /* beyond the debt: 80 of every 840 ms are forgiven */
};

static void debt_is_paid(void **state)
{
	const uint64_t start = 5 * SECOND, debt = 20 * MS;

	(void)state;
	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		uint64_t now = start, bytes = 0, sleeps = 0, long_ago = start;
		struct pacer_pair p;

		pacer_pair_init(&p, delays[i].rate, delays[i].burst, debt, now);
		while (now < start + 60 * SECOND) {
			uint64_t wait = pacer_pair_wait(&p, now);
			if (wait > 0) {
				now += wait + (delays[i].late > 0 ? seeded() % delays[i].late : 0);
				now += delays[i].every > 0 && ++sleeps % delays[i].every == 0 ? delays[i].stall : 0;
				continue;
			}
			pacer_pair_sent(&p, delays[i].train, now);
			bytes += delays[i].train;
			long_ago = now;
		}
		double share = (double)bytes * 8e9 / (double)delays[i].rate / (double)(long_ago - start);
		if (share < delays[i].least || share > 1 + 1e-3)
			fail_msg("row %zu: %.4f of the rate, at least %.4f expected", i, share, delays[i].least);
	}
}

/* Whatever the delays: no interval holds more than the peak's burst, nor more than the mean's debt. */
static void two_lines(void **state)
{
	enum { MANY = 1500, TRAIN = 12000 };
	static uint64_t at[MANY];
	const uint64_t rate = 777777777, burst = 100 * US, debt = 2 * MS;
	struct pacer_pair p;
	uint64_t now = SECOND;
	unsigned n = 0;

	(void)state;
	pacer_pair_init(&p, rate, burst, debt, now);
	while (n < MANY) {
		uint64_t wait = pacer_pair_wait(&p, now);
		if (wait == 0) {
			at[n++] = now;
			pacer_pair_sent(&p, TRAIN, now);
		} else {
			now += seeded_below(20) == 0 ? seeded_below(4 * MS) : wait;
		}
	}
	for (unsigned i = 0; i < MANY; i++)
		for (unsigned j = i; j < MANY; j++) {
			double bytes = (double)(j - i + 1) * TRAIN, d = (double)(at[j] - at[i]);
			assert_true(bytes <= (double)rate * 17 / 16 / 8 * (d + (double)burst) / 1e9 + TRAIN + 2);
			assert_true(bytes <= (double)rate / 8 * (d + (double)debt) / 1e9 + TRAIN + 2);
		}
}

/* After an hour with nothing to send the first datagrams are no faster than the others; a stall is a debt, idleness is none. */
static void idleness_earns_nothing(void **state)
{
	const uint64_t rate = 1000000000; /* 1250 bytes are 10 us; a sixteenth faster 9.41 us */
	struct pacer_pair p;
	uint64_t now = 3600 * SECOND;

	(void)state;
	pacer_pair_init(&p, rate, 0, 20 * MS, SECOND);
	pacer_pair_idle(&p, now);
	pacer_pair_sent(&p, 1250, now);
	assert_int_equal(pacer_pair_wait(&p, now), 10000);
	pacer_pair_idle(&p, now); /* with the next one not due yet it takes nothing away */
	assert_int_equal(pacer_pair_wait(&p, now), 10000);
	now += 10000 + MS; /* late by a millisecond */
	pacer_pair_sent(&p, 1250, now);
	assert_int_equal(pacer_pair_wait(&p, now), 9411);
	pacer_pair_idle(&p, now);
	pacer_pair_sent(&p, 1250, now + 9411);
	assert_int_equal(pacer_pair_wait(&p, now + 9411), 9412); /* forgiven, but the peak's own distance stays: 9411.76 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_drift), cmocka_unit_test(exact), cmocka_unit_test(late_sender), cmocka_unit_test(invariant),
		cmocka_unit_test(extremes), cmocka_unit_test(debt_is_paid), cmocka_unit_test(two_lines),
		cmocka_unit_test(idleness_earns_nothing),
	};

	seeded_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
