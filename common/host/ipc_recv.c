/* ipc_recv.c - see ipc_recv.h */
#include "host/ipc_recv.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "host/exits.h"
#include "host/log.h"

_Static_assert(offsetof(struct ipc_msg, body) % 16 == 0, "the body is used as a struct");

/* Descriptors of a received message into m->fd. */
static void take_fds(struct ipc_msg *m, struct msghdr *h)
{
	unsigned have = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n && have < IPC_FDS_MAX; i++)
			memcpy(&m->fd[have++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	}
}

enum ipc_result ipc_recv(int sock, struct ipc_msg *m)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov[2] = { { &m->type, sizeof m->type }, { m->body, sizeof m->body } };
	struct msghdr h = { .msg_iov = iov, .msg_iovlen = 2, .msg_control = &control, .msg_controllen = sizeof control };
	ssize_t n;

	for (unsigned i = 0; i < IPC_FDS_MAX; i++)
		m->fd[i] = -1;
	do
		n = recvmsg(sock, &h, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return IPC_AGAIN;
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return IPC_CLOSED;
	if (n < 0)
		log_die(EXIT_INTERNAL, "message from another process of ours: %m");
	take_fds(m, &h);
	if ((size_t)n < sizeof m->type || (h.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		log_die(EXIT_INTERNAL, "message from another process of ours: %zd bytes, cut short", n);
	m->len = (size_t)n - sizeof m->type;
	return IPC_GOT;
}

const void *ipc_body(const struct ipc_msg *m, size_t n)
{
	if (m->len != n)
		log_die(EXIT_INTERNAL, "message %u from another process of ours: %zu bytes instead of %zu", m->type, m->len, n);
	return m->body;
}

int ipc_write(int sock, uint32_t type, const void *body, size_t n)
{
	/* writev() on a SOCK_SEQPACKET socket makes one packet of all parts. */
	struct iovec iov[2] = { { &type, sizeof type }, { (void *)(uintptr_t)body, n } };
	ssize_t r;

	if (n > IPC_MAX)
		log_die(EXIT_INTERNAL, "message %u: %zu bytes are too many", type, n);
	do
		r = writev(sock, iov, n > 0 ? 2 : 1);
	while (r < 0 && errno == EINTR);
	if (r >= 0)
		return 1;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return 0;
	if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN)
		return -1;
	log_die(EXIT_INTERNAL, "message %u of %zu bytes to another process of ours: %m", type, n);
}
