/* pacing.c - see pacing.h. */
#include "sender/pacing.h"

#define NS_PER_S 1000000000ull
enum {
	BITS = 8,
	COVERED_NS = 80000,  /* catch_ns that makes sleeping less unnecessary */
	EARLY_MAX_NS = 100000, /* a busy machine must not make a spinner of us */
	SHORT_NS = 15000,    /* processor time of falling asleep and waking up on a virtual machine: 20 us */
	SMOOTH = 16,         /* sleeps, or batches, that a mean goes back over */
};

/* The mean of the last SMOOTH or so. */
static void smooth(uint64_t *mean, uint64_t value)
{
	*mean += value / SMOOTH - *mean / SMOOTH;
}

struct pacing pacing_of(uint64_t rate, uint64_t burst_ns, uint32_t wire, unsigned segments, unsigned slots)
{
	/* 64 datagrams of 64 KiB at 1 bit/s take 4e16 ns: no product here comes near 2^64. */
	uint64_t one_ns = (uint64_t)wire * BITS * NS_PER_S / rate;
	uint64_t share = one_ns > 0 ? burst_ns * 2 / 3 / one_ns : slots;
	struct pacing p = { .batch = 1 };

	if (share > 1)
		p.batch = share < slots ? (unsigned)share : slots;
	if (segments > 1 && p.batch > segments && p.batch % segments < (segments + 1) / 2)
		p.batch -= p.batch % segments;
	p.batch_ns = ((uint64_t)wire * BITS * NS_PER_S * p.batch + rate - 1) / rate; /* rounded up */
	/* At the rate; what is caught up leaves at the peak's, so there is a seventeenth less of it. */
	uint64_t rest = burst_ns > p.batch_ns ? burst_ns - p.batch_ns : 0;
	p.catch_ns = rest - (rest + PACER_FASTER) / (PACER_FASTER + 1);
	return p;
}

uint64_t pacing_sleep(const struct pacing *p, uint64_t wait_ns)
{
	return wait_ns > SHORT_NS && wait_ns > p->early_ns ? wait_ns - p->early_ns : 0;
}

uint64_t pacing_left(struct pacing *p, uint64_t began_ns, uint64_t ended_ns)
{
	uint64_t took = ended_ns - began_ns, most = p->batch_ns / 2;
	uint64_t usual = p->usual_ns < took ? p->usual_ns : took;

	smooth(&p->usual_ns, took < most ? took : most);
	return ended_ns - usual;
}

void pacing_overslept(struct pacing *p, uint64_t late_ns)
{
	if (p->catch_ns < COVERED_NS)
		smooth(&p->early_ns, late_ns < EARLY_MAX_NS ? late_ns : EARLY_MAX_NS);
}
