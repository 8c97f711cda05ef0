/* link_socket.h - the sender's one socket, made before anything else is started. */
#ifndef KM_LINK_SOCKET_H
#define KM_LINK_SOCKET_H

#include <stdbool.h>

#include "sender/sender_conf.h"

/* Is the destination an address of this host, and not loopback, which serves for trying things out? */
bool link_socket_to_self(const struct sender_conf *c);
/* A UDP socket connected to the destination, so that it is all that can be
 * reached, after everything that the configuration says about the way there has
 * been compared with what the host knows: interface, source address, route,
 * MTU, and the interface's speed, where it is known.  -1 after one logged line. */
int link_socket(const struct sender_conf *c) __attribute__((warn_unused_result));

#endif
