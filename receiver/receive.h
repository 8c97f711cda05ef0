/* receive.h - datagrams from the socket in batches (recvmmsg), nothing else.
 *
 * Where the interface joins datagrams of one length (generic receive offload),
 * the kernel hands over many in one piece (UDP_GRO): they are cut apart here,
 * and everything behind sees single datagrams, whose own length field has to
 * agree with the cut (PROTOCOL.md, section 3.6).  Asked for always: at MTU 1500
 * it raised the raw ceiling from 6.5 to 15.3 Gbit/s (0.60 to 0.15 CPU s/GB), at
 * 9000 from 18 to 35, and where the interface does not join it costs nothing.
 *
 * Why drain and nap (proc_link.c), by recvmmsg: waking a process for each few
 * datagrams is dearer than taking them, so it empties the socket, sleeps 500 us
 * and lets them gather.  io_uring (multishot with a ring of buffers) in this
 * process took 0.594 against 0.602 CPU s/GB unpaced at MTU 1500 and more at a
 * given rate (0.81 against 0.57 at 3 Gbit/s), for it wakes up for few; and it
 * would need a kernel and a system call that recvmmsg does not.
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
