/* receive.h - datagrams from the socket in batches (recvmmsg), nothing else.
 *
 * Where the interface joins datagrams of one length (generic receive offload),
 * the kernel hands over many in one piece (UDP_GRO): they are cut apart here,
 * and everything behind sees single datagrams, whose own length field has to
 * agree with the cut (PROTOCOL.md, section 3.6).
 *
 * The socket is bound and never connected, and this executable has no call
 * that could send on it. */
#ifndef KM_RECEIVE_H
#define KM_RECEIVE_H

#include <stddef.h>
#include <stdint.h>

enum {
	RECEIVE_BATCH = 64,   /* pieces of one call */
	RECEIVE_KEPT = 512,   /* that stay where they are until receive_release() */
	RECEIVE_ROOM = 65536, /* bytes for each: no piece is longer */
};

struct receive;

struct receive *receive_new(int sock); /* NULL: no memory */
void receive_free(struct receive *r);
/* Whatever is there, without waiting, as far as there is room: how many pieces.  A socket error is fatal. */
unsigned receive_batch(struct receive *r);
/* The next datagram of the last batch, or NULL; it stays in place until receive_release(). */
const uint8_t *receive_next(struct receive *r, size_t *n);
unsigned receive_kept(const struct receive *r); /* pieces not released; RECEIVE_KEPT: no room */
void receive_release(struct receive *r);
/* Datagrams dropped by the kernel so far for want of room, the room, and what is in it (SO_MEMINFO). */
void receive_kernel(int sock, uint64_t *dropped, uint64_t *room, uint64_t *used);

#endif
