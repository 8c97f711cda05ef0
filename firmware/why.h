/* why.h - why a frame was dropped: one counter for each, in both nodes.
 * A number, once given, keeps its meaning: the status line prints them by name. */
#ifndef KM_FIRMWARE_WHY_H
#define KM_FIRMWARE_WHY_H

enum filter_why {
	FILTER_PASS = 0,
	FILTER_CLOSED,       /* the node was never configured, or its configuration is refused */
	FILTER_SIZE,         /* shorter than any datagram in its headers, or longer than any frame */
	FILTER_DST_MAC,
	FILTER_SRC_MAC,
	FILTER_ETHERTYPE,    /* not IPv4: also ARP, IPv6, VLAN tags */
	FILTER_IHL,          /* not version 4, or with options */
	FILTER_IP_LEN,       /* total length differs from the frame's: also bytes behind the packet */
	FILTER_IP_SUM,
	FILTER_FRAGMENT,     /* a fragment, or the reserved flag */
	FILTER_PROTOCOL,     /* not UDP */
	FILTER_SRC_IP,
	FILTER_DST_IP,
	FILTER_SRC_PORT,
	FILTER_DST_PORT,
	FILTER_UDP_LEN,
	FILTER_UDP_SUM,      /* wrong, or none */
	FILTER_DATAGRAM_LEN, /* not the one length that is configured */
	FILTER_HEAD_SIZE,    /* the datagram's own head: FRAME_ESIZE, EMAGIC, EKIND, EFIELD of common/core */
	FILTER_HEAD_MAGIC,
	FILTER_HEAD_KIND,
	FILTER_HEAD_FIELD,
	FILTER_RATE,         /* faster than the token bucket allows */
	FILTER_LINK_MAC,     /* egress: the link frame's own fields */
	FILTER_LINK_TYPE,
	FILTER_LINK_VERSION,
	FILTER_LINK_LEN,
	FILTER_LINK_CRC,
	FILTER_LINK_SEQUENCE, /* a number that was there already: fibre does not reorder */
	FILTER_ROOM,         /* the caller's buffer is too small: an error of the driver */
	FILTER_WHYS
};

#endif
