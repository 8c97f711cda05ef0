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

void pacer_pair_init(struct pacer_pair *p, uint64_t rate, uint64_t burst_ns, uint64_t debt_ns, uint64_t now_ns)
{
	/* Rounded up: at a few bit/s the peak must not be the rate itself. */
	pacer_init(&p->mean, rate, debt_ns, now_ns);
	pacer_init(&p->peak, rate + (rate + PACER_FASTER - 1) / PACER_FASTER, burst_ns, now_ns);
}

uint64_t pacer_pair_wait(const struct pacer_pair *p, uint64_t now_ns)
{
	uint64_t mean = pacer_wait(&p->mean, now_ns), peak = pacer_wait(&p->peak, now_ns);

	return mean > peak ? mean : peak;
}

void pacer_pair_sent(struct pacer_pair *p, uint32_t wire_bytes, uint64_t now_ns)
{
	pacer_sent(&p->mean, wire_bytes, now_ns);
	pacer_sent(&p->peak, wire_bytes, now_ns);
}

void pacer_pair_idle(struct pacer_pair *p, uint64_t now_ns)
{
	if (p->mean.next_ns < now_ns) {
		p->mean.next_ns = now_ns;
		p->mean.rest = 0;
	}
}
