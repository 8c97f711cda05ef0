/* link_test_wire.h - the datagrams of `katamichi link-test`.
 *
 * Each one tells everything: which run it belongs to, the rate of every step,
 * how many datagrams each finished step sent, its own step, number and age.  A
 * receiver that sees any of them knows the plan; none is required.  They are
 * not authenticated: a test is made on a link where nobody else sends.
 *
 * Big-endian, one length in a run, a multiple of 8:
 *    0  magic 4, length 2, kind 1, steps 1, step 1, zero 3, step time 4 (ms)
 *   16  run 8, sequence 8, age 8 (ns since the run began), begin 8 (wall clock, ms)
 *   48  LINK_TEST_STEPS times: rate 8 (bit/s), datagrams sent 8 (0 until the step has ended)
 *  304  check 8 over all before it
 *  312  pattern: words that follow from run, step and sequence
 * Pure: no allocation, I/O or clock. */
#ifndef KM_LINK_TEST_WIRE_H
#define KM_LINK_TEST_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define LINK_TEST_MAGIC 0x4B4C5431u /* no datagram of the protocol begins so (frame.h) */
#define LINK_TEST_RATE_MAX 1000000000000ull /* bit/s */

enum {
	LINK_TEST_STEPS = 16,
	LINK_TEST_HEAD = 48 + 16 * LINK_TEST_STEPS + 8 /* check */,
	LINK_TEST_LEN_MIN = LINK_TEST_HEAD + 8,
	LINK_TEST_LEN_MAX = 65504,         /* the largest multiple of 8 in a UDP datagram */
	LINK_TEST_STEP_MS_MAX = 3600000,
	LINK_TEST_RATE_MIN = 10000,        /* bit/s: about one datagram a second */
	LINK_TEST_EXTRA = 28 + 14 + 24,    /* IPv4 and UDP; Ethernet; FCS, preamble, gap: bytes on the wire besides */
	LINK_TEST_PAUSE_MS = 250,          /* between two steps */
};
_Static_assert(LINK_TEST_HEAD == 312, "the layout above");

enum link_test_kind { LINK_TEST_DATA = 1, LINK_TEST_END = 2 /* of the step; its count is in the table */ };

/* What is the same in all datagrams of a run. */
struct link_test_plan {
	uint64_t run;      /* random */
	uint64_t begin_ms; /* sender's wall clock */
	uint32_t len;      /* bytes of a datagram */
	uint32_t step_ms;  /* how long a step lasts */
	unsigned steps;    /* 1 .. LINK_TEST_STEPS */
	uint64_t rate[LINK_TEST_STEPS]; /* bit/s on the wire, growing */
};

struct link_test_head {
	struct link_test_plan plan;
	enum link_test_kind kind;
	unsigned step;
	uint64_t seq;      /* from 0 in each step; kind END: 0 */
	uint64_t age_ns;   /* since the run began, sender's clock */
	uint64_t sent[LINK_TEST_STEPS]; /* of ended steps: below `step`, and `step` itself if kind is END */
};

/* Datagrams of a step as planned: rate * time, at least one. */
uint64_t link_test_planned(const struct link_test_plan *p, unsigned step);
/* ns from one datagram to the next at the step's rate. */
double link_test_spacing(const struct link_test_plan *p, unsigned step);

enum link_test_err {
	LINK_TEST_OK = 0,
	LINK_TEST_EFOREIGN = -1, /* not a datagram of a test */
	LINK_TEST_EHEAD = -2,    /* one whose head is damaged, or makes no sense */
	LINK_TEST_EPATTERN = -3, /* head whole, pattern damaged */
};
/* buf[0..n-1] into *h.  Every field is within the bounds above and consistent afterwards (rates grow,
 * seq and sent below or equal to what was planned).  *h is filled for LINK_TEST_OK and LINK_TEST_EPATTERN only. */
enum link_test_err link_test_decode(struct link_test_head *h, const uint8_t *buf, size_t n)
    __attribute__((warn_unused_result));
/* Write the datagram of h->plan.len bytes; the caller vouches for the ranges. */
void link_test_encode(uint8_t *buf, const struct link_test_head *h);

#endif
