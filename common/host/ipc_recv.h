/* ipc_recv.h - messages between our processes: the receiving half, and write().
 *
 * A message is one packet on a SOCK_SEQPACKET pair made by the main process:
 * a u32 type in host order, then a struct of the length that the type has.
 * An unknown type or another length means that a process of ours is not
 * itself any more: fatal.  Split from ipc_send.h so that an executable which
 * must not be able to send links no send call: a message without descriptors
 * is sent by writev(). */
#ifndef KM_IPC_RECV_H
#define KM_IPC_RECV_H

#include <stddef.h>
#include <stdint.h>

enum { IPC_MAX = 65536, IPC_FDS_MAX = 4 };

struct ipc_msg {
	uint32_t type;
	size_t len;            /* bytes of body */
	uint8_t body[IPC_MAX]; /* aligned for any struct */
	int fd[IPC_FDS_MAX];   /* received descriptors, CLOEXEC; -1 = none; the caller closes */
} __attribute__((aligned(16)));

enum ipc_result { IPC_GOT = 1, IPC_AGAIN = 0, IPC_CLOSED = -1 };
/* Next message.  Non-blocking sockets may answer IPC_AGAIN.  Errors other than these are fatal (log_die). */
enum ipc_result ipc_recv(int sock, struct ipc_msg *m) __attribute__((warn_unused_result));
/* The body as a struct of exactly n bytes, or fatal. */
const void *ipc_body(const struct ipc_msg *m, size_t n);
/* Send by writev(), which makes one packet too: 1 sent, 0 the socket is full (non-blocking), -1 the peer is gone. */
int ipc_write(int sock, uint32_t type, const void *body, size_t n) __attribute__((warn_unused_result));

#endif
