/* pacing.h - how many datagrams leave at once, and how late a sender may catch up.
 *
 * What the receiver's buffers have to bear is a burst: datagrams closer
 * together than the rate says.  It has two parts, the batch that one call
 * hands over and the catching up after a sleep that lasted too long, and both
 * together stay within
 *     max(one datagram, rate * burst).
 * Two thirds of it go to the batch, for what costs processor time is the sleep
 * between two of them (20 us of it each on a virtual machine: a quarter of what sending
 * at 5 Gbit/s cost, with half of it); a third is left for a late wake-up.  Where
 * the burst holds fewer than two datagrams they leave one by one, never closer
 * than 16/17 of their distance.  What a delay cost beyond that is made up for
 * slowly (pacer.h, struct pacer_pair): up to PACING_DEBT_NS, by going a
 * sixteenth faster, which is no burst.  So a device on the way that drops what
 * exceeds the rate has to allow for PACING_DEBT_NS of it.
 * Pure: no clock, no socket. */
#ifndef KM_PACING_H
#define KM_PACING_H

#include <stdint.h>

#include "core/pacer.h"

/* Delays of other processes' time slices, some in a row; 2.5 MB at 1 Gbit/s,
 * a twelfth of what a receiver's buffer holds by default. */
#define PACING_DEBT_NS 20000000ull

struct pacing {
	unsigned batch;    /* datagrams of one call, at least 1 */
	uint64_t catch_ns; /* burst_ns of the pacer (core/pacer.h) */
	uint64_t early_ns; /* so much before a batch is due a sleep should end */
	uint64_t batch_ns; /* what a full batch takes at the rate */
	uint64_t usual_ns; /* what handing one over usually takes */
};

/* rate in bit/s on the wire, at least 1; wire: bytes of one datagram there.
 * segments: datagrams that one message can carry; of a batch larger than that
 * the last message is at least half full.  slots: the largest batch. */
struct pacing pacing_of(uint64_t rate, uint64_t burst_ns, uint32_t wire, unsigned segments, unsigned slots);

/* How long to sleep if the next batch is due in wait_ns: 0 = wait awake, for the rest of a sleep or because the wait is
 * shorter than a sleep is dear. */
uint64_t pacing_sleep(const struct pacing *p, uint64_t wait_ns);

/* The moment at which a batch counts as sent, which was handed over from began_ns to ended_ns.  Handing over takes its
 * time, and datagrams leave all through it: at 5 Gbit/s a quarter of what they take at the rate, at 18 a half.  So that
 * is no delay.  What it took beyond the usual may have been one before the first datagram left, and the next batch must
 * not come close: so much of it counts as late. */
uint64_t pacing_left(struct pacing *p, uint64_t began_ns, uint64_t ended_ns);

/* Where catch_ns does not cover what a sleep usually lasts too long (20 to 70 us),
 * sleeps are cut by the mean of that, and the rest is waited for awake: it pays
 * from some 20 to 50 Mbit/s, where datagrams leave singly but often.
 * late_ns: by how much the last sleep was longer than asked. */
void pacing_overslept(struct pacing *p, uint64_t late_ns);

#endif
