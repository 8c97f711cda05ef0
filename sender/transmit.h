/* transmit.h - datagrams of one length into the connected UDP socket, a batch in one call.
 *
 * The caller fills slots, tags them, and flushes.  A run of slots is one
 * message that the kernel or the device cuts into datagrams (UDP_SEGMENT), and
 * the few messages of a batch are one sendmmsg().  A symbol need not be copied
 * into its slot: between head and tag the kernel takes it from where it lies.
 * Where the kernel does not know the option, or the device's checksums do not
 * allow it, a message is one datagram; which of both it is, the log says once.
 * Why this way: what a datagram costs is the walk down the network stack, not
 * the system call.  Measured from process to process over veth at MTU 1500,
 * sendmsg, sendmmsg and io_uring alike gave 3 Gbit/s (batching alone 5 %),
 * segments 2.4 times as much, and io_uring's zero-copy send less than a plain one.
 *
 * What the kernel says is
 * sorted here: an ICMP error that loopback or a wrong peer provokes
 * (ECONNREFUSED) and a packet filter's refusal (EPERM) are counted and the
 * datagram counts as sent, for nothing may come back on this link and loss is
 * what the code is for; no room (ENOBUFS, EAGAIN) and a link that is down are
 * temporary, and the rest of the batch stays for the next flush. */
#ifndef KM_TRANSMIT_H
#define KM_TRANSMIT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/frame.h"

enum {
	TRANSMIT_SLOTS = 88,          /* two full messages of datagrams for an MTU of 1500 */
	TRANSMIT_SEGMENTS_MAX = 64,   /* of one message: UDP_MAX_SEGMENTS of the kernels that have fewest */
	TRANSMIT_MESSAGE_MAX = 65507, /* bytes of UDP payload in one IPv4 packet */
};

struct transmit {
	int fd;
	uint32_t n;               /* bytes of each datagram */
	unsigned segments;        /* datagrams a message; 1 = no segmentation offload */
	unsigned filled, gone;    /* slots filled; of these, already with the kernel */
	uint8_t *buf;             /* TRANSMIT_SLOTS * n */
	const uint8_t *symbol[TRANSMIT_SLOTS]; /* n - FRAME_SYMBOL_OVERHEAD bytes of someone else's; NULL: in the slot */
	struct iovec iov[3 * TRANSMIT_SLOTS];  /* a datagram: head, symbol, tag */
	struct mmsghdr msg[TRANSMIT_SLOTS];
	uint64_t datagrams, refused, blocked; /* counters */
	uint64_t complained_ns;   /* when the last warning was logged */
};

void transmit_init(struct transmit *t, int fd, uint32_t n); /* fatal on failure */
void transmit_free(struct transmit *t);

static inline uint8_t *transmit_slot(const struct transmit *t, unsigned i)
{
	return t->buf + (size_t)i * t->n;
}

/* The next slot is filled, but for this symbol if it is not NULL; then it lies still until the batch has gone, or
 * until transmit_own(). */
static inline void transmit_push(struct transmit *t, const uint8_t *symbol)
{
	t->symbol[t->filled++] = symbol;
}

/* The symbol of slot i, wherever it is. */
static inline const uint8_t *transmit_symbol(const struct transmit *t, unsigned i)
{
	return t->symbol[i] != NULL ? t->symbol[i] : transmit_slot(t, i) + FRAME_SYMBOL_HEAD_LEN;
}

/* Copy all symbols of the batch into their slots: memory that some lie in is given back. */
void transmit_own(struct transmit *t);

/* Hand the filled slots to the kernel.  0: all gone, the batch is empty again.
 * Otherwise the ns to wait before another flush. */
uint64_t transmit_flush(struct transmit *t, uint64_t now_ns);

/* Datagrams of n bytes that one message may hold, at least 1. */
unsigned transmit_segments(uint32_t n);

#endif
