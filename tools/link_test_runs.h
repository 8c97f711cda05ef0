/* link_test_runs.h - which run and which step a datagram of a test belongs to,
 * and what became of each step.  Pure, of fixed size: nothing is allocated, and
 * no loop is longer, by what a datagram says.
 *
 * The receiver may begin before or after the sender, and may miss anything: the
 * plan and the counts of ended steps stand in every datagram. */
#ifndef KM_LINK_TEST_RUNS_H
#define KM_LINK_TEST_RUNS_H

#include <stdint.h>

#include "tools/link_test_stats.h"
#include "tools/link_test_wire.h"

enum {
	LINK_TEST_RUNS = 4,           /* followed at once: of one that was broken off and begun again, both are told apart */
	LINK_TEST_RUN_WEAK = 100,     /* datagrams; a run of fewer gives way when there are too many */
};

struct link_test_step {
	int begun;              /* the track is there */
	int deaf;               /* it was (or began) before we listened: what is missing at its head is not lost */
	int ended;              /* its count is known */
	uint64_t damaged;       /* arrived, pattern not as sent; its number counts as missing */
	uint64_t marks;         /* end markers */
	uint64_t first_ns, last_ns;    /* arrival of data, kernel's clock; 0 = none yet */
	uint64_t arrivals;             /* new numbers between these, both included */
	uint64_t first_seq, first_age; /* of the sender's clock: how fast it really sent */
	uint64_t last_seq, last_age;
	uint64_t backwards;     /* arrivals before the one before: the clock was set back */
	struct link_test_track track;
	struct link_test_gaps gaps;
};

struct link_test_run {
	int used, done;         /* done: the end of the last step was seen */
	struct link_test_plan plan;
	unsigned newest;        /* highest step seen */
	uint64_t datagrams;     /* with a whole head */
	uint64_t last_mono_ns;  /* our clock, when the last one was taken */
	struct link_test_step step[LINK_TEST_STEPS];
};

struct link_test_runs {
	struct link_test_run run[LINK_TEST_RUNS];
	uint64_t foreign;       /* not of a test */
	uint64_t unreadable;    /* damaged head: of no step */
	uint64_t contradicting; /* of a known run, with another plan */
	uint64_t crowded;       /* of a run beyond LINK_TEST_RUNS */
	uint64_t drops;         /* by the kernel, told with a datagram */
	uint64_t pending;       /* of these, not yet given to a step */
};

/* A datagram.  rx_ns: kernel's time of arrival (wall clock); now_ns: monotonic; listening_ns: for how long we have
 * listened; drops: by the kernel since the datagram before. */
void link_test_runs_take(struct link_test_runs *r, const uint8_t *buf, size_t n, uint64_t rx_ns, uint64_t now_ns,
    uint64_t listening_ns, uint64_t drops);
/* Nothing more comes; the drops that no datagram told of. */
void link_test_runs_finish(struct link_test_runs *r, uint64_t drops);
/* The run to report: one that was seen to its end before one that was not, then the one with most datagrams; NULL: none. */
const struct link_test_run *link_test_runs_main(const struct link_test_runs *r);
/* Has every run ended, or been silent for too long to go on? 0 while there is none. */
int link_test_runs_over(const struct link_test_runs *r, uint64_t now_ns);

/* --- what came out --- */
enum link_test_state {
	LINK_TEST_HEARD,
	LINK_TEST_ALL_LOST,   /* it was sent, and nothing arrived */
	LINK_TEST_DEAF,       /* it was over before we listened */
	LINK_TEST_NOT_SENT,   /* the run was broken off before, as far as was seen */
};

struct link_test_outcome {
	enum link_test_state state;
	int partly;           /* we began to listen in its middle */
	int ended;            /* how many were sent is known; else missing ones at the end are not counted */
	int reached;          /* the sender kept the rate, at least nine tenths of it */
	int cut;              /* the sender ended it before its time */
	uint64_t rate, planned;
	uint64_t expected;    /* received + lost */
	uint64_t received, lost_link, lost_host, damaged, again, late, late_most, stale, drops, backwards;
	uint64_t bursts, burst_most;
	double burst_squares;
	double burst_ms;      /* the longest */
	double sent_rate, received_rate; /* bit/s on the wire; 0 where not known */
	uint64_t p50, p99, p999, silence; /* ns between arrivals; the longest */
};

/* After link_test_runs_finish(). */
void link_test_outcome(const struct link_test_run *run, unsigned step, struct link_test_outcome *o);

#endif
