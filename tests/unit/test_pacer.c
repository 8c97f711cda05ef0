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
	seeded_init();
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
	seeded_init();
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_drift), cmocka_unit_test(exact), cmocka_unit_test(late_sender), cmocka_unit_test(invariant),
		cmocka_unit_test(extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
