/* role.h - the one thing in which an ingress and an egress image differ: NODE_EGRESS, and the addresses. */
#ifndef KM_FIRMWARE_ROLE_H
#define KM_FIRMWARE_ROLE_H

#include "config.h"
#include "firmware/filter.h"
#include "map.h"

#ifdef NODE_EGRESS
#define ROLE_NAME "egress"
#define ROLE_RECEIVE MAC_FIBRE
#define ROLE_TRANSMIT MAC_HOST
#define ROLE_RECEIVE_NAME "fibre"
#define ROLE_TRANSMIT_NAME "host"
#define ROLE_RECEIVE_ADDRESS { 0x02, 0x6B, 0x6D, 0x00, 0x00, 0x0B } /* link_frame.h */
#define ROLE_TRANSMIT_ADDRESS CONFIG_EGRESS_MAC
#define ROLE_FROM_MAC CONFIG_EGRESS_MAC
#define ROLE_TO_MAC CONFIG_RECEIVER_MAC
#define ROLE_FROM_PORT CONFIG_PORT
/* What the other node let through at its rate arrives a little faster by this node's clock, or at once
 * after a pause of the other: no loss may come of two clocks. */
#define ROLE_RATE (CONFIG_RATE / 100 * 101)
#define ROLE_BURST (2 * (uint64_t)CONFIG_BURST)
#else
#define ROLE_NAME "ingress"
#define ROLE_RECEIVE MAC_HOST
#define ROLE_TRANSMIT MAC_FIBRE
#define ROLE_RECEIVE_NAME "host"
#define ROLE_TRANSMIT_NAME "fibre"
#define ROLE_RECEIVE_ADDRESS CONFIG_INGRESS_MAC
#define ROLE_TRANSMIT_ADDRESS { 0x02, 0x6B, 0x6D, 0x00, 0x00, 0x0A }
#define ROLE_FROM_MAC CONFIG_SENDER_MAC
#define ROLE_TO_MAC CONFIG_INGRESS_MAC
#define ROLE_FROM_PORT 0 /* whatever the sender's kernel chose */
#define ROLE_RATE CONFIG_RATE
#define ROLE_BURST CONFIG_BURST
#endif

#define ROLE_FILTER { \
	.from = { ROLE_FROM_MAC, CONFIG_SENDER_IP, ROLE_FROM_PORT }, \
	.to = { ROLE_TO_MAC, CONFIG_RECEIVER_IP, CONFIG_PORT }, \
	.datagram_len = CONFIG_DATAGRAM_LEN, .rate = ROLE_RATE, .burst_ns = ROLE_BURST }

#endif
