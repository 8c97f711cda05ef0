/* pacer.h - when the next datagram may leave: a token bucket with time as a parameter,
 * and two of them for a sender that wakes up late.
 * Freestanding.  Rate counts bits on the wire, so the caller adds headers.
 * Invariant: in any interval of d ns at most rate * (d + burst_ns) and one
 * datagram leave.  Exact: no rounding adds up, a sender that is never more than
 * burst_ns late reaches the rate to the last bit. */
#ifndef KM_PACER_H
#define KM_PACER_H

#include <stdint.h>

struct pacer {
	uint64_t rate;     /* bit/s, 1 .. 1e15 */
	uint64_t burst_ns; /* how far a sender that was late may catch up */
	uint64_t next_ns;  /* monotonic time at which the bucket allows the next datagram */
	uint64_t rest;     /* fraction of a ns not yet charged, in units of 1 / rate ns; < rate */
};

void pacer_init(struct pacer *p, uint64_t rate, uint64_t burst_ns, uint64_t now_ns);
/* ns to wait before a datagram may leave; 0 = now. */
uint64_t pacer_wait(const struct pacer *p, uint64_t now_ns);
/* A datagram (or a train of them) of so many bytes on the wire, 1 GiB at most, left at now_ns. */
void pacer_sent(struct pacer *p, uint32_t wire_bytes, uint64_t now_ns);

/* One bucket cannot do both for a process that other work delays by milliseconds:
 * with a small burst it loses the rate, with a large one it sends the burst.
 * So what a delay cost is a debt, paid back by going faster by one part in
 * PACER_FASTER until it is paid; what is owed beyond debt_ns is forgiven.
 * Invariants, for any interval of d ns:
 *     at most rate * (1 + 1/PACER_FASTER) * (d + burst_ns) and one train leave,
 *     at most rate * (d + debt_ns) and one train leave.
 * A sender that is never idle and never behind by more than debt_ns reaches the
 * rate, as long as its delays take less than one part in PACER_FASTER + 1 of the
 * time beyond burst_ns each. */
enum { PACER_FASTER = 16 };

struct pacer_pair {
	struct pacer mean; /* the rate, with debt_ns */
	struct pacer peak; /* the rate and a sixteenth, with burst_ns */
};

void pacer_pair_init(struct pacer_pair *p, uint64_t rate, uint64_t burst_ns, uint64_t debt_ns, uint64_t now_ns);
uint64_t pacer_pair_wait(const struct pacer_pair *p, uint64_t now_ns);
void pacer_pair_sent(struct pacer_pair *p, uint32_t wire_bytes, uint64_t now_ns);
/* There was nothing to send until now_ns: nothing is owed for that time. */
void pacer_pair_idle(struct pacer_pair *p, uint64_t now_ns);

#endif
