/* pacer.h - when the next datagram may leave: a token bucket with time as a parameter.
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

#endif
