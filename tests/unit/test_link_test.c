/* link-test without a network: the datagrams, whose step they are, the proposal, and what is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/seeded.h"
#include "tests/unit/tmpdir.h"
#include "tools/link_test_advice.c" /* the tools are in no archive */
#undef NS_PER_MS
#undef NS_PER_S
#include "tools/link_test_plot.c"
#include "tools/link_test_report.c"
#include "tools/link_test_runs.c"
#include "tools/link_test_stats.c"
#undef GOLDEN
#include "tools/link_test_wire.c"
#include "tools/wide.c"

enum { LEN = 512, STEPS = 3 };
#define PER_DATAGRAM ((LEN + LINK_TEST_EXTRA) * 8) /* bit/s for one datagram a second */
#define SECOND 1000000000ull

/* Three steps of 1000, 2000 and 4000 datagrams, a second each. */
static struct link_test_plan plan_of(uint64_t run)
{
	return (struct link_test_plan){ .run = run, .begin_ms = 1795230000000, .len = LEN, .step_ms = 1000, .steps = STEPS,
		.rate = { 1000 * PER_DATAGRAM, 2000 * PER_DATAGRAM, 4000 * PER_DATAGRAM } };
}

/* --- datagrams --- */
static void round_trip(void **state)
{
	static uint8_t buf[LINK_TEST_LEN_MAX];
	static const uint32_t lens[] = { LINK_TEST_LEN_MIN, 512, 1472, 8960, LINK_TEST_LEN_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct link_test_head h = { .plan = plan_of(0xF0E1D2C3B4A59687u), .kind = LINK_TEST_DATA, .step = 1, .seq = 7, .age_ns = 1234567890123,
			.sent = { 3 } }, got;
		h.plan.len = lens[i];
		link_test_encode(buf, &h);
		assert_int_equal(link_test_decode(&got, buf, lens[i]), LINK_TEST_OK);
		assert_true(same_plan(&got.plan, &h.plan) && got.plan.run == h.plan.run && got.kind == h.kind && got.step == 1 && got.seq == 7 &&
		    got.age_ns == h.age_ns && memcmp(got.sent, h.sent, sizeof(h.sent)) == 0);
	}
	assert_true(get16(buf) != 0x6B6D); /* the protocol's magic: a daemon must not take it for its own */
}

/* Every single bit, and every length but its own. */
static void damage(void **state)
{
	uint8_t buf[LEN + 8];
	struct link_test_head h = { .plan = plan_of(5), .kind = LINK_TEST_END, .step = 2, .sent = { 1000, 2000, 4000 } }, got;

	(void)state;
	memset(buf, 0, sizeof(buf));
	link_test_encode(buf, &h);
	for (unsigned bit = 0; bit < 8 * LEN; bit++) {
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		enum link_test_err e = link_test_decode(&got, buf, LEN), want = bit < 32 ? LINK_TEST_EFOREIGN :
		    bit < 8 * LINK_TEST_HEAD ? LINK_TEST_EHEAD : LINK_TEST_EPATTERN;
		if (e != want)
			fail_msg("bit %u: %d, not %d", bit, e, want);
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t n = 0; n <= LEN + 8; n++)
		assert_true((link_test_decode(&got, buf, n) == LINK_TEST_OK) == (n == LEN));
	/* two flips in the head, which a plain sum would let pass */
	for (unsigned i = 8; i + 8 < LINK_TEST_HEAD; i++) {
		buf[i] ^= 0x80;
		buf[i + 8] ^= 0x80;
		assert_int_equal(link_test_decode(&got, buf, LEN), LINK_TEST_EHEAD);
		buf[i] ^= 0x80;
		buf[i + 8] ^= 0x80;
	}
}

static void spoil_check(uint8_t *buf)
{
	put64(buf + AT_CHECK, check_of(buf));
}

/* Heads with a right check that no sender makes: each field at its edges. */
static void hostile(void **state)
{
	static const struct { unsigned at, size; uint64_t v; const char *why; } table[] = {
		{ 6, 1, 0, "kind" }, { 6, 1, 3, "kind" }, { 7, 1, 0, "no step" }, { 7, 1, 17, "too many steps" }, { 7, 1, 255, "too many steps" },
		{ 7, 1, 2, "a rate beyond the steps" }, { 7, 1, 4, "a step without a rate" }, { 8, 1, 3, "step beyond" }, { 8, 1, 255, "step beyond" },
		{ 9, 1, 1, "reserved" }, { 11, 1, 1, "reserved" }, { 12, 4, 0, "no time" }, { 12, 4, 3600001, "too long" }, { 12, 4, UINT32_MAX, "too long" },
		{ 24, 8, 2000, "number planned for no one" }, { 24, 8, UINT64_MAX, "number" }, { 48, 8, 0, "no rate" }, { 48, 8, 9999, "rate" },
		{ 48, 8, UINT64_MAX, "rate above the next" },
		{ 80, 8, UINT64_MAX, "rate whose product wraps" }, { 80, 8, LINK_TEST_RATE_MAX + 1, "rate" }, { 64, 8, 1000 * PER_DATAGRAM, "rates do not rise" },
		{ 56, 8, 1001, "more sent than planned" }, { 56, 8, UINT64_MAX, "more sent than planned" }, { 72, 8, 1, "count of a step not ended" },
		{ 48 + 16 * 15, 8, 1, "rate of no step" }, { 56 + 16 * 15, 8, 1, "count of no step" }, { 4, 2, LEN - 8, "length" },
	};
	uint8_t buf[LEN];
	struct link_test_head h = { .plan = plan_of(5), .kind = LINK_TEST_DATA, .step = 1, .seq = 1999, .sent = { 1000 } }, got;

	(void)state;
	link_test_encode(buf, &h);
	assert_int_equal(link_test_decode(&got, buf, LEN), LINK_TEST_OK);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		link_test_encode(buf, &h);
		for (unsigned j = 0; j < table[i].size; j++)
			buf[table[i].at + j] = (uint8_t)(table[i].v >> 8 * (table[i].size - 1 - j));
		spoil_check(buf);
		memset(&got, 0xA5, sizeof(got));
		if (link_test_decode(&got, buf, LEN) != LINK_TEST_EHEAD)
			fail_msg("%s was taken", table[i].why);
		assert_int_equal(got.seq, 0xA5A5A5A5A5A5A5A5u); /* untouched */
	}
}

/* --- a sender and a link, in time --- */
static struct link_test_runs *runs;
static struct {
	struct link_test_head head;
	uint64_t now_ns, bound_ns; /* one clock for both hosts */
	uint64_t begun_ns, drops;
	int deaf;                  /* arrivals are not seen: the receiver is not there yet */
} sim;

static void sim_begin(uint64_t run, uint64_t bound_ns, uint64_t begun_ns)
{
	memset(&sim, 0, sizeof(sim));
	sim.head.plan = plan_of(run);
	sim.bound_ns = bound_ns;
	sim.begun_ns = sim.now_ns = begun_ns;
}

static void arrive(const uint8_t *buf, size_t n)
{
	if (sim.now_ns < sim.bound_ns)
		return;
	link_test_runs_take(runs, buf, n, 1795230000 * SECOND + sim.now_ns, sim.now_ns, sim.now_ns - sim.bound_ns, sim.drops);
	sim.drops = 0;
}

/* fate: 0 arrives, 'x' lost, 'h' dropped by the kernel, 'd' damaged, '2' twice */
static void datagram(char fate)
{
	uint8_t buf[LEN];

	sim.head.age_ns = sim.now_ns - sim.begun_ns;
	link_test_encode(buf, &sim.head);
	if (fate == 'd')
		buf[LEN - 1] ^= 4;
	if (fate == 'h')
		sim.drops++;
	else if (fate != 'x')
		arrive(buf, LEN);
	if (fate == '2')
		arrive(buf, LEN);
}

/* A step of which the first `count` are sent; fate_of(seq). marks: are the end markers seen? */
static void sim_step(unsigned step, uint64_t count, char (*fate_of)(uint64_t), int marks)
{
	sim.head.step = step;
	sim.head.kind = LINK_TEST_DATA;
	for (sim.head.seq = 0; sim.head.seq < count; sim.head.seq++) {
		datagram(fate_of != NULL ? fate_of(sim.head.seq) : 0);
		sim.now_ns += SECOND / (1000u << step);
	}
	sim.head.seq = 0;
	sim.head.kind = LINK_TEST_END;
	sim.head.sent[step] = count;
	for (unsigned i = 0; i < 10; i++) {
		sim.now_ns += 25000000;
		datagram(marks ? 0 : 'x');
	}
}

static struct link_test_outcome out[STEPS];
static struct link_test_advice advice;

static void evaluate(uint64_t run)
{
	const struct link_test_run *m;

	link_test_runs_finish(runs, sim.drops);
	m = link_test_runs_main(runs);
	assert_non_null(m);
	assert_int_equal(m->plan.run, run);
	for (unsigned i = 0; i < STEPS; i++) {
		link_test_outcome(m, i, &out[i]);
		assert_int_equal(out[i].received + out[i].lost_link + out[i].lost_host, out[i].expected);
	}
	link_test_advise(m, &advice);
}

static int fresh(void **state)
{
	(void)state;
	free(runs);
	runs = calloc(1, sizeof(*runs));
	return runs != NULL ? 0 : -1;
}

static char all_lost(uint64_t seq) { (void)seq; return 'x'; }
static char ends_lost(uint64_t seq) { return seq == 0 || seq >= 1990 ? 'x' : 0; }
static char hundredth(uint64_t seq) { return seq % 100 == 50 ? 'x' : 0; }
static char a_burst(uint64_t seq) { return seq >= 500 && seq < 540 ? 'x' : 0; }
static char host_drops(uint64_t seq) { return seq >= 100 && seq < 200 ? 'h' : 0; }
static char host_tail(uint64_t seq) { return seq >= 3900 ? 'h' : 0; }
static char tail_of_second(uint64_t seq) { return seq >= 1900 ? 'h' : 0; }
static char head_lost(uint64_t seq) { return seq < 5 ? 'x' : 0; }
static char mixed(uint64_t seq) { return seq == 3 ? 'd' : seq == 5 ? '2' : 0; }
static char third(uint64_t seq) { return seq % 3 == 0 ? 'x' : 0; }

static void clean_run(void **state)
{
	(void)state;
	sim_begin(7, 0, SECOND);
	for (unsigned i = 0; i < STEPS; i++)
		sim_step(i, 1000u << i, NULL, 1);
	assert_true(link_test_runs_over(runs, sim.now_ns + 2 * SECOND));
	evaluate(7);
	for (unsigned i = 0; i < STEPS; i++) {
		assert_int_equal(out[i].state, LINK_TEST_HEARD);
		assert_int_equal(out[i].received, 1000u << i);
		assert_int_equal(out[i].lost_link + out[i].lost_host + out[i].again + out[i].late, 0);
		assert_true(out[i].reached && out[i].ended && !out[i].partly && !out[i].cut);
		assert_true(fabs(out[i].received_rate / (double)out[i].rate - 1) < 0.001 && fabs(out[i].sent_rate / (double)out[i].rate - 1) < 0.001);
		assert_true(out[i].p50 >= SECOND / (1000u << i) && out[i].p50 <= SECOND / (1000u << i) * 33 / 32);
	}
	assert_true(advice.good && advice.limit == LINK_TEST_NO_LIMIT);
	assert_int_equal(advice.rate, 4000 * PER_DATAGRAM);
	assert_int_equal(advice.datagrams, 7000);
	assert_true(fabs(advice.upper - 2.9957 / 7000) < 1e-6); /* the rule of three */
	assert_true(fabs(advice.loss - 0.00043) < 1e-9);
	assert_int_equal(advice.burst_ns, 5000000);
	assert_int_equal(advice.buffer, 4 << 20);
}

/* First and last datagrams lost, and in the last step all markers: the next step, or nobody, tells of the end. */
static void ends(void **state)
{
	(void)state;
	sim_begin(7, 0, SECOND);
	sim_step(0, 1000, NULL, 0);
	sim_step(1, 2000, ends_lost, 0);
	sim_step(2, 4000, NULL, 0);
	assert_false(link_test_runs_over(runs, sim.now_ns + SECOND));
	assert_true(link_test_runs_over(runs, sim.now_ns + 60 * SECOND));
	evaluate(7);
	assert_int_equal(out[0].lost_link, 0);
	assert_true(out[0].ended && out[1].ended && !out[2].ended);
	assert_int_equal(out[1].lost_link, 11);
	assert_int_equal(out[1].bursts, 2);
	assert_int_equal(out[1].burst_most, 10);
	assert_int_equal(advice.limit, LINK_TEST_LIMIT_END);
	assert_int_equal(advice.good_step, 1);
}

static void step_lost(void **state)
{
	(void)state;
	sim_begin(7, 0, SECOND);
	sim_step(0, 1000, NULL, 1);
	sim_step(1, 2000, all_lost, 0);
	assert_false(link_test_runs_over(runs, sim.now_ns)); /* patience */
	sim_step(2, 4000, NULL, 1);
	evaluate(7);
	assert_int_equal(out[1].state, LINK_TEST_ALL_LOST);
	assert_int_equal(out[1].lost_link, 2000);
	assert_int_equal(out[1].burst_most, 2000);
	assert_int_equal(out[2].received, 4000);
	assert_int_equal(advice.limit, LINK_TEST_LIMIT_LINK);
	assert_int_equal(advice.limit_step, 1);
	assert_int_equal(advice.rate, 1000 * PER_DATAGRAM);
}

/* The receiver begins in the middle of step 0, and in the pause after it. */
static void begun_late(void **state)
{
	(void)state;
	sim_begin(7, SECOND + SECOND / 2, SECOND);
	for (unsigned i = 0; i < STEPS; i++)
		sim_step(i, 1000u << i, NULL, 1);
	evaluate(7);
	assert_int_equal(out[0].state, LINK_TEST_HEARD);
	assert_true(out[0].partly);
	assert_int_equal(out[0].received, 500);
	assert_int_equal(out[0].lost_link, 0); /* what came before we listened was not lost */
	assert_int_equal(out[1].received, 2000);
	assert_true(advice.good && advice.limit == LINK_TEST_NO_LIMIT);

	fresh(NULL);
	sim_begin(7, 2 * SECOND + 100000000, SECOND);
	for (unsigned i = 0; i < STEPS; i++)
		sim_step(i, 1000u << i, NULL, 1);
	evaluate(7);
	assert_int_equal(out[0].state, LINK_TEST_DEAF);
	assert_int_equal(out[1].received, 2000);
	assert_false(out[1].partly);
	assert_true(advice.good && advice.rate == 4000 * PER_DATAGRAM);
}

/* Listening in time, yet the whole first step is lost: that is the link's. */
static void first_step_lost(void **state)
{
	(void)state;
	sim_begin(7, 0, SECOND);
	sim_step(0, 1000, all_lost, 0);
	sim_step(1, 2000, NULL, 1);
	evaluate(7);
	assert_int_equal(out[0].state, LINK_TEST_ALL_LOST);
	assert_int_equal(out[0].lost_link, 1000);
	assert_false(advice.good);
	assert_int_equal(advice.limit, LINK_TEST_LIMIT_LINK);
}

static void killed(void **state)
{
	(void)state;
	sim_begin(7, 0, SECOND);
	sim_step(0, 1000, NULL, 1);
	sim_step(1, 700, NULL, 0);
	assert_true(link_test_runs_over(runs, sim.now_ns + 60 * SECOND));
	evaluate(7);
	assert_int_equal(out[1].received, 700);
	assert_int_equal(out[1].lost_link, 0); /* what was never sent was not lost */
	assert_false(out[1].ended);
	assert_int_equal(out[2].state, LINK_TEST_NOT_SENT);
	assert_int_equal(advice.limit, LINK_TEST_LIMIT_END);
	assert_int_equal(advice.rate, 1000 * PER_DATAGRAM);
}

/* Broken off and begun again, and the tail of one mixed into the other. */
static void two_runs(void **state)
{
	uint8_t old[LEN];

	(void)state;
	sim_begin(7, 0, SECOND);
	sim_step(0, 1000, NULL, 1);
	sim_step(1, 1500, NULL, 0);
	link_test_encode(old, &(struct link_test_head){ .plan = plan_of(7), .kind = LINK_TEST_DATA, .step = 1, .seq = 1600, .age_ns = 2 * SECOND,
		.sent = { 1000 } });
	uint64_t now = sim.now_ns;
	sim_begin(8, 0, now);
	sim_step(0, 1000, NULL, 1);
	arrive(old, LEN);
	sim_step(1, 2000, hundredth, 1);
	arrive(old, LEN);
	sim_step(2, 4000, NULL, 1);
	evaluate(8); /* the one seen to its end */
	assert_int_equal(out[0].received, 1000);
	assert_int_equal(out[1].lost_link, 20);
	assert_int_equal(out[2].received, 4000);
	assert_int_equal(runs->run[0].plan.run, 7);
	assert_int_equal(runs->run[0].step[1].track.received, 1501);
	assert_int_equal(runs->run[0].step[1].track.again, 1);
}

/* Who floods with runs of his own invention takes no place from the real one, nor keeps it out; and a known run's
 * plan cannot be changed. */
static void forged(void **state)
{
	uint8_t buf[LEN];
	struct link_test_head h = { .plan = plan_of(0), .kind = LINK_TEST_DATA, .seq = 999 };

	(void)state;
	sim_begin(7, 0, SECOND);
	for (h.plan.run = 100; h.plan.run < 200; h.plan.run++) {
		link_test_encode(buf, &h);
		arrive(buf, LEN);
	}
	sim_step(0, 1000, NULL, 1);
	for (h.plan.run = 200; h.plan.run < 300; h.plan.run++) {
		link_test_encode(buf, &h);
		arrive(buf, LEN);
	}
	h.plan.run = 7;
	h.plan.rate[2]++;
	link_test_encode(buf, &h);
	arrive(buf, LEN);
	h.plan.rate[2]--;
	h.plan.step_ms++;
	link_test_encode(buf, &h);
	arrive(buf, LEN);
	arrive((const uint8_t *)"km", 2);
	memset(buf, 0, LEN);
	arrive(buf, LEN); /* of the test's length: as if its first bytes had been hit */
	sim_step(1, 2000, NULL, 1);
	sim_step(2, 4000, NULL, 1);
	assert_true(link_test_runs_over(runs, sim.now_ns + 2 * SECOND)); /* the forged ones are not waited for */
	evaluate(7);
	assert_int_equal(out[0].received, 1000);
	assert_int_equal(runs->contradicting, 2);
	assert_int_equal(runs->foreign, 1);
	assert_int_equal(runs->unreadable, 1);
}

/* Sequence numbers beyond the count that the step had. */
static void beyond_the_end(void **state)
{
	uint8_t buf[LEN];

	(void)state;
	sim_begin(7, 0, SECOND);
	sim_step(0, 800, NULL, 1);
	link_test_encode(buf, &(struct link_test_head){ .plan = plan_of(7), .kind = LINK_TEST_DATA, .seq = 800, .age_ns = SECOND });
	arrive(buf, LEN);
	evaluate(7);
	assert_int_equal(out[0].expected, 800);
	assert_int_equal(runs->contradicting, 1);
	assert_true(out[0].cut && out[0].reached); /* stopped by somebody: no proposal from it */
	assert_false(advice.good);
}

static void damaged_and_doubled(void **state)
{
	(void)state;
	sim_begin(7, 0, SECOND);
	sim_step(0, 1000, mixed, 1);
	evaluate(7);
	assert_int_equal(out[0].received, 999);
	assert_int_equal(out[0].damaged, 1);
	assert_int_equal(out[0].lost_link, 1); /* for the code it is as good as lost */
	assert_int_equal(out[0].again, 1);
}

static void host_losses(void **state)
{
	(void)state;
	sim_begin(7, 0, SECOND);
	sim_step(0, 1000, hundredth, 1);
	sim_step(1, 2000, host_drops, 1);
	sim_step(2, 4000, host_tail, 1); /* the marker tells */
	evaluate(7);
	assert_int_equal(out[0].lost_link, 10);
	assert_int_equal(out[1].lost_host, 100);
	assert_int_equal(out[1].lost_link, 0);
	assert_int_equal(out[1].bursts, 0);
	assert_int_equal(out[2].lost_host, 100);
	assert_int_equal(out[2].lost_link, 0);
	assert_int_equal(advice.limit, LINK_TEST_LIMIT_HOST);
	assert_int_equal(advice.limit_step, 1);
	assert_int_equal(advice.rate, 1000 * PER_DATAGRAM);
	assert_true(advice.upper > 0.0169 && advice.upper < 0.0170); /* 16.96 of 1000 */
}

/* The kernel dropped the tail of one step and all its markers, and says so with the next step; whose head the link lost. */
static void host_tail_then_link(void **state)
{
	(void)state;
	sim_begin(7, 0, SECOND);
	sim_step(0, 1000, NULL, 1);
	sim_step(1, 2000, tail_of_second, 0);
	sim_step(2, 4000, head_lost, 1);
	evaluate(7);
	assert_int_equal(out[1].lost_host, 100);
	assert_int_equal(out[1].lost_link, 0);
	assert_int_equal(out[2].lost_host, 0);
	assert_int_equal(out[2].lost_link, 5);
}

/* The link saturates at the third step: loss there is another thing than loss below. */
static void knee(void **state)
{
	(void)state;
	sim_begin(7, 0, SECOND);
	sim_step(0, 1000, hundredth, 1);
	sim_step(1, 2000, a_burst, 1);
	sim_step(2, 4000, third, 1);
	evaluate(7);
	assert_int_equal(advice.limit, LINK_TEST_LIMIT_LINK);
	assert_int_equal(advice.limit_step, 2);
	assert_int_equal(advice.rate, 2000 * PER_DATAGRAM);
	assert_int_equal(advice.lost, 50);
	/* 40 datagrams at 2000 a second: 20 ms, twice that */
	assert_true(fabs(advice.burst_ms - 20) < 0.001);
	assert_int_equal(advice.burst_ns, 40000000);
	/* clustered: ten single ones and one of 40 */
	assert_true(fabs(advice.upper - (50 + 1.645 * sqrt(10 + 1600)) / 3000) < 1e-6);
	assert_true(fabs(advice.loss - 0.039) < 1e-9);
}

static void truesizes(void **state)
{
	(void)state;
	assert_int_equal(link_test_truesize(1472), 2304); /* as the kernel charges on a virtual pair */
	assert_int_equal(link_test_truesize(8960), 16640);
	assert_true(link_test_truesize(512) == 1280 && link_test_truesize(LINK_TEST_LEN_MAX) == 131328);
}

/* --- what is written --- */
static char *print(const struct link_test_report *r, void (*f)(const struct link_test_report *, FILE *))
{
	char *data = NULL;
	size_t n;
	FILE *m = open_memstream(&data, &n);

	f(r, m);
	fclose(m);
	return data;
}

static void check_report(const struct link_test_report *r, const char *want)
{
	char *txt = print(r, link_test_report_text), *svg = print(r, link_test_plot);
	json_t *j = link_test_report_facts(r);

	assert_non_null(strstr(txt, want));
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "@format")), "katamichi-link-test-1");
	assert_true(strncmp(svg, "<svg ", 5) == 0 && strcmp(svg + strlen(svg) - 7, "</svg>\n") == 0);
	assert_null(strstr(svg, "nan"));
	assert_null(strstr(svg, "inf"));
	assert_null(strstr(txt, "nan"));
	json_decref(j);
	free(svg);
	free(txt);
}

static void reports(void **state)
{
	static struct link_test_report r;

	(void)state;
	r.runs = runs;
	link_test_report_make(&r);
	check_report(&r, "No datagram of a test arrived");
	sim_begin(7, 0, SECOND);
	sim_step(0, 1000, all_lost, 1);
	link_test_runs_finish(runs, 0);
	link_test_report_make(&r);
	check_report(&r, "Nothing can be proposed");
	sim_begin(8, 0, SECOND);
	sim_step(0, 1000, hundredth, 1);
	sim_step(1, 2000, host_drops, 1);
	sim_step(2, 4000, NULL, 1);
	link_test_runs_finish(runs, 0);
	link_test_report_make(&r);
	check_report(&r, "rate = 4624k");
}

static void saved_once(void **state)
{
	static struct link_test_report r;
	char path[300];
	int dir;

	(void)state;
	r.runs = runs;
	link_test_report_make(&r);
	(void)snprintf(path, sizeof(path), "%s/new/", tmpdir);
	dir = link_test_report_open(path);
	assert_true(dir >= 0);
	assert_int_equal(link_test_report_save(&r, dir, path), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(faccessat(dir, names[i], R_OK, 0), 0);
	assert_int_equal(faccessat(dir, "report.json.part", F_OK, 0), -1);
	assert_int_equal(link_test_report_open(path), -1);             /* said before a test is begun */
	assert_int_equal(link_test_report_save(&r, dir, path), -1);    /* and held when one came in between */
	assert_int_equal(faccessat(dir, "report.json.part", F_OK, 0), -1);
	close(dir);
	(void)snprintf(path, sizeof(path), "%s/none/new", tmpdir);
	assert_int_equal(link_test_report_open(path), -1);             /* only the last part is made */
	tmpdir_write("file", "x", 1, 0600);
	assert_int_equal(link_test_report_open(tmpdir_path("file")), -1);
}

/* Noise into everything: no crash, no hang, and the books balance. */
static void noise(void **state)
{
	uint8_t buf[LEN];

	(void)state;
	seeded_init();
	sim_begin(7, 0, SECOND);
	for (unsigned i = 0; i < 20000; i++) {
		struct link_test_head h = { .plan = plan_of(1 + seeded_below(7)), .kind = seeded_below(20) == 0 ? LINK_TEST_END : LINK_TEST_DATA,
			.step = (unsigned)seeded_below(STEPS), .age_ns = seeded() >> seeded_below(64) };
		if (h.plan.run == 6) /* a plan as large as there is */
			h.plan = (struct link_test_plan){ .run = 6, .len = LEN, .step_ms = LINK_TEST_STEP_MS_MAX, .steps = STEPS,
				.rate = { LINK_TEST_RATE_MAX - 2, LINK_TEST_RATE_MAX - 1, LINK_TEST_RATE_MAX } };
		for (unsigned s = 0; s < STEPS; s++)
			if (s < h.step || (s == h.step && h.kind == LINK_TEST_END))
				h.sent[s] = seeded() % (link_test_planned(&h.plan, s) + 1);
		h.seq = h.kind == LINK_TEST_END ? 0 : seeded() % link_test_planned(&h.plan, h.step);
		link_test_encode(buf, &h);
		if (seeded_below(10) == 0) {
			buf[seeded_below(LEN)] ^= (uint8_t)seeded();
			if (seeded_below(2) == 0)
				spoil_check(buf);
		}
		sim.drops += seeded_below(30) == 0 ? seeded_below(1000) : 0;
		sim.now_ns += seeded_below(1000000);
		arrive(buf, seeded_below(100) == 0 ? seeded_below(LEN) : LEN);
	}
	link_test_runs_finish(runs, 0);
	for (unsigned i = 0; i < LINK_TEST_RUNS; i++)
		for (unsigned s = 0; runs->run[i].used && s < STEPS; s++) {
			link_test_outcome(&runs->run[i], s, &out[s]);
			assert_int_equal(out[s].received + out[s].lost_link + out[s].lost_host, out[s].expected);
			assert_true(out[s].expected <= out[s].planned);
		}
}

/* 2 ms of frames: 1538 bytes on the wire at 1472, 9026 at 8960. */
static void rings(void **state)
{
	static const struct { uint64_t rate; uint32_t len, ring; } table[] = {
		{ 1000000, 1472, 256 }, { 1000000000, 1472, 256 }, { 2000000000, 1472, 512 }, { 10000000000, 1472, 2048 },
		{ 10000000000, 8960, 512 }, { 1000000000000, 1472, 65536 }, { 0, 1472, 256 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct link_test_advice a = { .good = 1, .rate = table[i].rate };
		assert_int_equal(link_test_ring(&a, table[i].len), table[i].ring);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rings),
		cmocka_unit_test(round_trip), cmocka_unit_test(damage), cmocka_unit_test(hostile), cmocka_unit_test_setup(clean_run, fresh),
		cmocka_unit_test_setup(ends, fresh), cmocka_unit_test_setup(step_lost, fresh), cmocka_unit_test_setup(begun_late, fresh),
		cmocka_unit_test_setup(first_step_lost, fresh), cmocka_unit_test_setup(killed, fresh), cmocka_unit_test_setup(two_runs, fresh),
		cmocka_unit_test_setup(forged, fresh), cmocka_unit_test_setup(beyond_the_end, fresh), cmocka_unit_test_setup(damaged_and_doubled, fresh),
		cmocka_unit_test_setup(host_losses, fresh), cmocka_unit_test_setup(host_tail_then_link, fresh), cmocka_unit_test_setup(knee, fresh), cmocka_unit_test(truesizes),
		cmocka_unit_test_setup(reports, fresh), cmocka_unit_test_setup(saved_once, fresh), cmocka_unit_test_setup(noise, fresh),
	};
	int failed = cmocka_run_group_tests(tests, tmpdir_make, tmpdir_remove);

	free(runs);
	return failed;
}
