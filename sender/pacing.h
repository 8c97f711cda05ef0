/* pacing.h - how many datagrams leave at once, and how late a sender may catch up.
 *
 * What the receiver's buffers have to bear is a burst: datagrams closer
 * together than the rate says.  It has two parts, the batch that one call
 * hands over and the catching up after a sleep that lasted too long, and both
 * together stay within
 *     max(one datagram, rate * burst).
 * Half of it goes to the batch, so as much is left for a late wake-up.  Where
 * the burst holds fewer than two datagrams they leave one by one, and what
 * may be caught up is at most a quarter of the distance between two: enough
 * that the rate is kept, too little for a pair.
 * Pure: no clock, no socket. */
#ifndef KM_PACING_H
#define KM_PACING_H

#include <stdint.h>

struct pacing {
	unsigned batch;    /* datagrams of one call, at least 1 */
	uint64_t catch_ns; /* burst_ns of the pacer (core/pacer.h) */
};

/* rate in bit/s on the wire, at least 1; wire: bytes of one datagram there.
 * segments: datagrams that one message can carry; a batch larger than that is
 * a multiple of it, so that no message is short.  slots: the largest batch. */
struct pacing pacing_of(uint64_t rate, uint64_t burst_ns, uint32_t wire, unsigned segments, unsigned slots);

#endif
