/* receive.c - datagrams from the socket in batches (receive.h). */
#include "receiver/receive.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "host/exits.h"
#include "host/log.h"

#ifndef UDP_GRO
#define UDP_GRO 104 /* linux/udp.h */
#endif

union control { /* room for the length of the datagrams that were joined */
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(int))];
};

struct receive {
	int sock;
	uint8_t *room;
	unsigned kept, piece; /* piece: the one that receive_next() is in */
	size_t at, step;      /* there: of the next datagram; and the length of each */
	union control control[RECEIVE_KEPT];
	struct mmsghdr msg[RECEIVE_KEPT];
	struct iovec iov[RECEIVE_KEPT];
};

struct receive *receive_new(int sock)
{
	struct receive *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->sock = sock;
	/* Refused by a kernel that does not know it: then datagrams come one by one. */
	(void)setsockopt(sock, IPPROTO_UDP, UDP_GRO, &(int){ 1 }, sizeof(int));
	/* Only the pages that datagrams reach are ever touched. */
	r->room = mmap(NULL, (size_t)RECEIVE_KEPT * RECEIVE_ROOM, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (r->room == MAP_FAILED) {
		free(r);
		return NULL;
	}
	(void)madvise(r->room, (size_t)RECEIVE_KEPT * RECEIVE_ROOM, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < RECEIVE_KEPT; i++) {
		r->iov[i].iov_base = r->room + i * RECEIVE_ROOM;
		r->iov[i].iov_len = RECEIVE_ROOM;
		r->msg[i].msg_hdr.msg_iov = &r->iov[i];
		r->msg[i].msg_hdr.msg_iovlen = 1;
	}
	return r;
}

void receive_free(struct receive *r)
{
	if (r == NULL)
		return;
	munmap(r->room, (size_t)RECEIVE_KEPT * RECEIVE_ROOM);
	free(r);
}

unsigned receive_batch(struct receive *r)
{
	unsigned room = RECEIVE_KEPT - r->kept;
	int n;

	if (room > RECEIVE_BATCH)
		room = RECEIVE_BATCH;
	for (unsigned i = r->kept; i < r->kept + room; i++) {
		r->msg[i].msg_hdr.msg_control = &r->control[i];
		r->msg[i].msg_hdr.msg_controllen = sizeof(r->control[i]);
	}
	if (room == 0)
		return 0;
	n = recvmmsg(r->sock, r->msg + r->kept, room, MSG_DONTWAIT, NULL);
	if (n > 0) {
		r->piece = r->kept;
		r->at = 0;
		r->kept += (unsigned)n;
		return (unsigned)n;
	}
	/* An address of this machine that went away, or an ICMP of an earlier
	 * owner of the port, is reported once and does not end the service. */
	if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ENOMEM && errno != ENOBUFS && errno != ENETDOWN &&
	    errno != ECONNREFUSED)
		log_die(EXIT_SYSTEM, "the link's socket: %s", strerror(errno));
	return 0;
}

/* The length of the datagrams joined in a piece; all of it if there is one only. */
static size_t step_of(struct msghdr *h, size_t all)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		int step;
		if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO || c->cmsg_len < CMSG_LEN(sizeof(step)))
			continue;
		memcpy(&step, CMSG_DATA(c), sizeof(step));
		if (step > 0)
			return (size_t)step;
	}
	return all;
}

const uint8_t *receive_next(struct receive *r, size_t *n)
{
	const uint8_t *d;

	for (; r->piece < r->kept; r->piece++, r->at = 0) {
		size_t all = r->msg[r->piece].msg_len;
		if (r->at == 0)
			r->step = step_of(&r->msg[r->piece].msg_hdr, all);
		else if (r->at >= all)
			continue;
		d = (const uint8_t *)r->iov[r->piece].iov_base + r->at;
		*n = all - r->at < r->step ? all - r->at : r->step;
		r->at += *n > 0 ? *n : 1; /* an empty one is a datagram too */
		return d;
	}
	return NULL;
}

unsigned receive_kept(const struct receive *r)
{
	return r->kept;
}

void receive_release(struct receive *r)
{
	r->kept = r->piece = 0;
}

void receive_kernel(int sock, uint64_t *dropped, uint64_t *room, uint64_t *used)
{
	uint32_t m[SK_MEMINFO_VARS] = { 0 };
	socklen_t n = sizeof(m);

	if (getsockopt(sock, SOL_SOCKET, SO_MEMINFO, m, &n) != 0)
		return;
	*dropped = m[SK_MEMINFO_DROPS];
	*room = m[SK_MEMINFO_RCVBUF];
	*used = m[SK_MEMINFO_RMEM_ALLOC];
}
