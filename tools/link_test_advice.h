/* link_test_advice.h - from the outcome of the steps to values for the
 * configuration files.  Pure.
 *
 * rate    the highest that was really sent in a step at which, and at all below
 *         which, this host lost nothing and the link was not clearly worse than
 *         at the steps below.
 * loss    of the steps up to that one, the upper limit at 95 %, with all losses
 *         of the link, bursts too (an object may meet several).  Losses that come
 *         together tell less than as many single ones, so the limit is
 *         the larger of  upper(bursts) * mean length / datagrams  (exact Poisson; no loss: 3 / datagrams)
 *         and  (lost + 1.645 sqrt(sum of squared lengths)) / datagrams.
 * burst   twice the longest burst of the link, at least BURST_FLOOR_MS.
 * buffer  what arrives at that rate in a stall of STALL_MS, as the kernel counts it. */
#ifndef KM_LINK_TEST_ADVICE_H
#define KM_LINK_TEST_ADVICE_H

#include <stdint.h>

#include "tools/link_test_runs.h"

enum {
	LINK_TEST_BURST_FLOOR_MS = 5,
	LINK_TEST_STALL_MS = 250,
};

enum link_test_limit {        /* what ended the climb */
	LINK_TEST_NO_LIMIT,   /* the highest rate of the test was good */
	LINK_TEST_LIMIT_HOST, /* this host lost datagrams */
	LINK_TEST_LIMIT_LINK, /* the link lost clearly more than below, or nearly everything */
	LINK_TEST_LIMIT_SENDER, /* the sender did not keep the highest rates */
	LINK_TEST_LIMIT_END,  /* the step was not seen to its end */
};

struct link_test_advice {
	int good;                    /* there is a proposal */
	enum link_test_limit limit;
	unsigned limit_step;
	unsigned good_step;          /* the highest good one */
	uint64_t datagrams, lost, bursts; /* of the good steps */
	double measured;             /* lost / datagrams */
	double upper;                /* the limit at 95 % */
	double burst_ms;             /* longest that was seen */
	uint64_t rate;               /* bit/s */
	double loss;                 /* upper, rounded up; 1e-4 .. 0.9 */
	uint64_t burst_ns;           /* whole ms */
	uint64_t buffer;             /* bytes, a power of two from 4 MiB */
};

void link_test_advise(const struct link_test_run *run, struct link_test_advice *a);
/* Memory that the kernel charges for one datagram of so many bytes (an estimate: drivers differ). */
uint64_t link_test_truesize(uint32_t len);
/* Frames that come in 2 ms at the proposed rate, a power of two from 256 to 65536: a ring that outlasts a late interrupt. */
uint32_t link_test_ring(const struct link_test_advice *a, uint32_t len);

#endif
