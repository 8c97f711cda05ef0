/* ipc_send.c - see ipc_send.h */
#include "host/ipc_send.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "host/exits.h"
#include "host/log.h"

enum { PAIR_BUFFER = 1 << 20 /* bytes: some sixteen of the largest messages */ };

int ipc_send_fds(int sock, uint32_t type, const void *body, size_t n, const int *fds, unsigned count)
{
	union {
		struct cmsghdr first;
		char bytes[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov[2] = { { &type, sizeof type }, { (void *)(uintptr_t)body, n } };
	struct msghdr h = { .msg_iov = iov, .msg_iovlen = n > 0 ? 2 : 1 };
	ssize_t r;

	if (n > IPC_MAX || count > IPC_FDS_MAX)
		log_die(EXIT_INTERNAL, "message %u: %zu bytes and %u descriptors are too many", type, n, count);
	memset(&control, 0, sizeof control);
	if (count > 0) {
		h.msg_control = &control;
		h.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.first.cmsg_level = SOL_SOCKET;
		control.first.cmsg_type = SCM_RIGHTS;
		control.first.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.first), fds, count * sizeof(int));
	}
	do
		r = sendmsg(sock, &h, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	if (r >= 0)
		return 1;
	/* ETOOMANYREFS: descriptors in flight exceed RLIMIT_NOFILE; the peer has to read some first. */
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ETOOMANYREFS)
		return 0;
	if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN)
		return -1;
	log_die(EXIT_INTERNAL, "message %u of %zu bytes to another process of ours: %m", type, n);
}

void ipc_pair(int sock[2])
{
	const int size = PAIR_BUFFER;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) != 0)
		log_die(EXIT_SYSTEM, "a socket pair between our processes: %m");
	for (int i = 0; i < 2; i++)
		/* Only a privileged process may exceed net.core.wmem_max; what the others get suffices. */
		if (setsockopt(sock[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
			(void)setsockopt(sock[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}
