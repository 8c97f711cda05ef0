/* link_test_host.h - what this host counts about what it did not hand to us:
 * bad checksums, and losses below the socket.  Read from /proc; needs no
 * rights, and sends nothing (not even to the kernel by netlink). */
#ifndef KM_LINK_TEST_HOST_H
#define KM_LINK_TEST_HOST_H

#include <netinet/in.h>
#include <stdint.h>

struct link_test_host {
	char dev[16];         /* the interface with that address; empty: any, or not found */
	uint32_t ring, ring_max; /* frames that it receives ahead, and may at most; 0: it has no such ring */
	uint64_t errors;      /* frames with errors (checksum, length), of the interface */
	uint64_t dropped;     /* frames for which the interface or the kernel had no room */
	uint64_t fifo;        /* of the interface's own memory */
	uint64_t checksums;   /* UDP datagrams with a wrong checksum, of the whole host */
	uint64_t no_room;     /* UDP datagrams for which a socket had no room, of the whole host */
};

void link_test_host_read(struct link_test_host *h, const struct in_addr *listen);
/* What was added since *before. */
void link_test_host_since(struct link_test_host *h, const struct link_test_host *before);

#endif
