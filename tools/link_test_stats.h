/* link_test_stats.h - the statistics of a stepped test: pure, of fixed size.
 *
 * A track follows the sequence numbers of one step.  Numbers may come late by
 * up to LINK_TEST_WINDOW; what leaves the window is final: it arrived, or the
 * link lost it, or this host did (the kernel said how many it dropped just
 * before a datagram; so many of the gap before it are the host's).  Runs of
 * numbers that the link lost are its bursts. */
#ifndef KM_LINK_TEST_STATS_H
#define KM_LINK_TEST_STATS_H

#include <stdint.h>

enum {
	LINK_TEST_WINDOW = 1 << 18, /* datagrams */
	LINK_TEST_BURSTS = 40,      /* bin i: bursts of 2^i .. 2^(i+1)-1 datagrams; planned numbers are below 2^40 */
	LINK_TEST_TIMES = 64,       /* bin i: bursts below 1 us * 2^(i+1), not below 1 us * 2^i (bin 0: all shorter) */
	LINK_TEST_FINE = 32,        /* bins in a doubling of the intervals: read back within 3 % */
	LINK_TEST_GAPS = 40 * LINK_TEST_FINE, /* intervals up to 2^40 ns, 18 minutes */
};

enum link_test_arrival { LINK_TEST_NEW, LINK_TEST_LATE /* new, overtaken */, LINK_TEST_AGAIN, LINK_TEST_STALE };

struct link_test_track {
	double spacing_ns;      /* of datagrams as announced: makes times of bursts */
	uint64_t first;         /* sequence number at which it began */
	uint64_t low, high;     /* [low, high) is in the window; below is final */
	uint64_t received;      /* different numbers that arrived whole (final only after finish) */
	uint64_t lost_link, lost_host;
	uint64_t again;         /* arrived more than once */
	uint64_t stale;         /* arrived too late to say whether new */
	uint64_t late;          /* arrived after a higher number */
	uint64_t late_most;     /* by how many numbers, at most */
	uint64_t drops;         /* that the kernel told of at this step */
	uint64_t burst;         /* length of the run that is open at low */
	uint64_t bursts, burst_most;
	double burst_squares;   /* sum of the squares of their lengths: how clustered the losses are */
	uint64_t burst_by_count[LINK_TEST_BURSTS];
	uint64_t burst_by_time[LINK_TEST_TIMES];
	uint8_t state[LINK_TEST_WINDOW];
};

void link_test_track_init(struct link_test_track *t, uint64_t first, double spacing_ns);
/* Number seq arrived whole, and the kernel dropped so many datagrams since the one before it. */
enum link_test_arrival link_test_track_take(struct link_test_track *t, uint64_t seq, uint64_t drops);
/* The step is known to have `sent` datagrams: those above the highest are missing.  They may still come. */
void link_test_track_end(struct link_test_track *t, uint64_t sent, uint64_t drops);
/* Nothing more comes: all is final.  Again is no harm. */
void link_test_track_finish(struct link_test_track *t);

/* Intervals of arrival. */
struct link_test_gaps {
	uint64_t count, most;
	uint32_t bin[LINK_TEST_GAPS];
};
void link_test_gaps_add(struct link_test_gaps *g, uint64_t ns);
/* The smallest interval that a share q of all do not exceed, up to the bin's width (3 %); 0 if there is none. */
uint64_t link_test_gaps_quantile(const struct link_test_gaps *g, double q);

/* Upper limit of what is expected where k were counted, at 95 %: exact Poisson (3.0 for none: the rule of three). */
double link_test_upper(uint64_t k);

#endif
