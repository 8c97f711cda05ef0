/* iface.h - what is known of this host's network interfaces. */
#ifndef KM_IFACE_H
#define KM_IFACE_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>

#define IFACE_SYS "/sys/class/net"

/* The interface that has this address: 0, or -1 if there is none. */
int iface_of_address(char name[static IF_NAMESIZE], struct in_addr address) __attribute__((warn_unused_result));

/* Speed of a device in bit/s; 0 = not known.  Of a virtual interface it is not
 * known: what veth, bridges and tunnels say there is made up.  sys: IFACE_SYS,
 * or a directory like it. */
uint64_t iface_speed(const char *sys, const char *name);

/* Datagrams of this socket leave and come by this interface only.  0, or -1 after one logged line. */
int iface_bind(int fd, const char *name) __attribute__((warn_unused_result));

#endif
