/* filter.h - the datagram filter of the diode box: what each node does with one frame.
 *
 *   sender > Ethernet > [ingress] > fibre > [egress] > Ethernet > receiver
 *
 * The ingress node accepts exactly one kind of frame (one MAC, IP and port to
 * another, a datagram of PROTOCOL.md, section 3.1, nothing before or behind
 * it), takes the datagram out, and puts it into a link frame of its own.  The
 * egress node believes none of that: it checks the link frame and the datagram
 * again, and writes new Ethernet, IP and UDP headers from its own configuration.
 *
 * Pure: no allocation, I/O, clock or state but the struct; time is a parameter.
 * Fail closed: a filter that is all zero, or whose configuration was refused,
 * drops everything. */
#ifndef KM_FIRMWARE_FILTER_H
#define KM_FIRMWARE_FILTER_H

#include <stddef.h>
#include <stdint.h>

#include "core/pacer.h"
#include "firmware/udp_frame.h"
#include "firmware/why.h"

enum { FILTER_WIRE_EXTRA = 8 /* preamble */ + 4 /* FCS */ + 12 /* gap */ };

struct filter_conf {
	/* Ingress: as the sender's frames have them.  Egress: as the receiver's shall have them. */
	struct udp_end from, to;
	uint16_t datagram_len; /* the one length that passes; 0 = any */
	uint64_t rate;         /* bit/s on the wire, with preamble, FCS and gap; above it is dropped */
	uint64_t burst_ns;     /* how much of the rate may come at once */
};

struct filter_count {
	uint64_t why[FILTER_WHYS]; /* frames; why[FILTER_PASS] went on */
	uint64_t lost;             /* egress: sequence numbers that never came */
	uint64_t boots;            /* egress: boot epochs seen after the first */
};

struct filter {
	int open;                  /* configured */
	int egress;
	struct filter_conf conf;
	struct pacer bucket;
	uint32_t epoch;            /* ingress: own; egress: of the last frame */
	uint64_t sequence;         /* of the last frame; 0 = none yet */
	int seen;                  /* egress: epoch and sequence are set */
	struct filter_count count;
};

/* 0, or -1 if the configuration cannot be right (a zero or group MAC, a zero IP
 * or port, no rate, a datagram length out of range): the filter is then closed.
 * boot_epoch: a number that differs at each start of the node. */
int filter_ingress_init(struct filter *f, const struct filter_conf *c, uint32_t boot_epoch, uint64_t now_ns)
    __attribute__((warn_unused_result));
int filter_egress_init(struct filter *f, const struct filter_conf *c, uint64_t now_ns) __attribute__((warn_unused_result));

/* Judge frame[0..n-1], count it, and write what goes on into out: its bytes,
 * or 0 = nothing.  out and frame do not overlap. */
size_t filter_frame(struct filter *f, uint8_t *out, size_t room, const uint8_t *frame, size_t n, uint64_t now_ns);

const char *filter_whystr(enum filter_why why); /* short name for the status line */

#endif
