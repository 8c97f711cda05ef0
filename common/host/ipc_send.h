/* ipc_send.h - messages with descriptors (see ipc_recv.h); never linked into the receiver's link executable. */
#ifndef KM_IPC_SEND_H
#define KM_IPC_SEND_H

#include "host/ipc_recv.h"

/* 1 sent, 0 full (non-blocking), -1 the peer is gone.  fds stay the caller's. */
int ipc_send_fds(int sock, uint32_t type, const void *body, size_t n, const int *fds, unsigned count)
    __attribute__((warn_unused_result));
void ipc_pair(int sock[2]); /* SOCK_SEQPACKET, CLOEXEC, buffers of 1 MiB; fatal on failure */

#endif
