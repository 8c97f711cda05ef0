/* harden.h - the host's own part of one-way: rules for the kernel, printed for
 * the administrator to read and run (katamichi-receiver --harden-print).
 *
 * The receiver's processes cannot send; the host's kernel can, by itself: ARP,
 * IPv6 neighbour discovery, ICMP errors, IGMP.  The script that is printed
 *   - ends that talk at its source (sysctl, arp off, multicast off);
 *   - drops and counts whatever is still put on the link's device, in the last
 *     hook before the driver, raw sockets included;
 *   - lets in only UDP to the receiver's address and port, from the sender's
 *     addresses where the configuration names them ([link] sender, sender_mac);
 *   - forwards nothing to or from the link.
 * It may be run again at any time.  Not covered: a process with CAP_NET_RAW that
 * asks to bypass the queues (PACKET_QDISC_BYPASS); that is the diode's part. */
#ifndef KM_HARDEN_H
#define KM_HARDEN_H

#include <stdio.h>

#include "receiver/receiver_conf.h"

/* 0, or EXIT_CONFIG or EXIT_SYSTEM after one logged line. */
int harden_print(const struct receiver_conf *c, FILE *out) __attribute__((warn_unused_result));

#endif
