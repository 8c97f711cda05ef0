/* listen.h - the receiver's one socket: made here, or passed in by systemd. */
#ifndef KM_LISTEN_H
#define KM_LISTEN_H

#include "receiver/receiver_conf.h"

/* A bound UDP socket with the configured buffer, non-blocking.  If the service
 * manager passed one in (LISTEN_PID, LISTEN_FDS: sd_listen_fds(3)), it is taken,
 * provided that it is what the configuration says; it has then gathered
 * datagrams since before this program was started.  With degraded a smaller
 * buffer is only warned of.  Fatal (EXIT_SYSTEM) otherwise, after one line. */
int listen_socket(const struct receiver_conf *c, int degraded);

#endif
