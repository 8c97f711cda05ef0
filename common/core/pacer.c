/* pacer.c - see pacer.h */
#include "core/pacer.h"

void pacer_init(struct pacer *p, uint64_t rate, uint64_t burst_ns, uint64_t now_ns)
{
	p->rate = rate > 0 ? rate : 1;
	p->burst_ns = burst_ns;
	p->next_ns = now_ns;
	p->rest = 0;
}

uint64_t pacer_wait(const struct pacer *p, uint64_t now_ns)
{
	return p->next_ns > now_ns ? p->next_ns - now_ns : 0;
}

void pacer_sent(struct pacer *p, uint32_t wire_bytes, uint64_t now_ns)
{
	uint64_t cost;

	if (now_ns > p->burst_ns && p->next_ns < now_ns - p->burst_ns) {
		/* Later than may be made up for: the time before that is lost. */
		p->next_ns = now_ns - p->burst_ns;
		p->rest = 0;
	}
	/* 2^30 bytes: 2^33 bits * 1e9 and a rest below 1e15 stay under 2^64. */
	cost = (uint64_t)wire_bytes * 8 * 1000000000u + p->rest;
	p->next_ns += cost / p->rate;
	p->rest = cost % p->rate;
}
