/* pacing.c - see pacing.h. */
#include "sender/pacing.h"

#define NS_PER_S 1000000000ull
enum { BITS = 8 };

struct pacing pacing_of(uint64_t rate, uint64_t burst_ns, uint32_t wire, unsigned segments, unsigned slots)
{
	/* 64 datagrams of 64 KiB at 1 bit/s take 4e16 ns: no product here comes near 2^64. */
	uint64_t one_ns = (uint64_t)wire * BITS * NS_PER_S / rate;
	uint64_t half = one_ns > 0 ? burst_ns / 2 / one_ns : slots;
	struct pacing p = { .batch = 1 };

	if (half > 1)
		p.batch = half < slots ? (unsigned)half : slots;
	if (p.batch > segments && segments > 1)
		p.batch -= p.batch % segments;
	uint64_t batch_ns = ((uint64_t)wire * BITS * NS_PER_S * p.batch + rate - 1) / rate; /* rounded up */
	p.catch_ns = burst_ns > batch_ns ? burst_ns - batch_ns : 0;
	if (p.batch == 1 && p.catch_ns < one_ns / 4)
		p.catch_ns = one_ns / 4;
	return p;
}
