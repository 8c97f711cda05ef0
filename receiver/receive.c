/* receive.c - datagrams from the socket in batches (receive.h). */
#include "receiver/receive.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "host/exits.h"
#include "host/log.h"

struct receive {
	int sock;
	uint8_t *room;
	unsigned kept, last; /* last: the first of the last batch */
	struct mmsghdr msg[RECEIVE_KEPT];
	struct iovec iov[RECEIVE_KEPT];
};

struct receive *
receive_new(int sock)
{
	struct receive *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->sock = sock;
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

void
receive_free(struct receive *r)
{
	if (r == NULL)
		return;
	munmap(r->room, (size_t)RECEIVE_KEPT * RECEIVE_ROOM);
	free(r);
}

unsigned
receive_batch(struct receive *r)
{
	unsigned room = RECEIVE_KEPT - r->kept;
	int n;

	if (room == 0)
		return 0;
	n = recvmmsg(r->sock, r->msg + r->kept, room < RECEIVE_BATCH ? room : RECEIVE_BATCH, MSG_DONTWAIT, NULL);
	if (n > 0) {
		r->last = r->kept;
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

const uint8_t *
receive_data(const struct receive *r, unsigned i, size_t *n)
{
	*n = r->msg[r->last + i].msg_len;
	return r->iov[r->last + i].iov_base;
}

unsigned
receive_kept(const struct receive *r)
{
	return r->kept;
}

void
receive_release(struct receive *r)
{
	r->kept = 0;
}

void
receive_kernel(int sock, uint64_t *dropped, uint64_t *room, uint64_t *used)
{
	uint32_t m[SK_MEMINFO_VARS] = { 0 };
	socklen_t n = sizeof(m);

	if (getsockopt(sock, SOL_SOCKET, SO_MEMINFO, m, &n) != 0)
		return;
	*dropped = m[SK_MEMINFO_DROPS];
	*room = m[SK_MEMINFO_RCVBUF];
	*used = m[SK_MEMINFO_RMEM_ALLOC];
}
