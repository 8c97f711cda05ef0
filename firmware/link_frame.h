/* link_frame.h - what crosses the fibre between the two nodes.
 *
 * Nothing of the sender's Ethernet, IP and UDP headers is in it: that is the
 * protocol break.  All integers big-endian.
 *
 * | at | size | field                                               |
 * |----|------|-----------------------------------------------------|
 * | 0  | 6    | destination, always 02:6B:6D:00:00:0B               |
 * | 6  | 6    | source, always 02:6B:6D:00:00:0A                    |
 * | 12 | u16  | ethertype 88B5 (IEEE 802, local experiments)        |
 * | 14 | u16  | version 1                                           |
 * | 16 | u32  | boot epoch: a number of the ingress node's own that differs at each start |
 * | 20 | u64  | sequence, from 1                                    |
 * | 28 | u16  | length p of the datagram                            |
 * | 30 | p    | the datagram                                        |
 * | 30 + p | u32 | CRC-32 (IEEE 802.3) over all bytes before it     |
 *
 * The datagram begins 2 bytes past a multiple of 4, as in UDP over Ethernet,
 * so that both copies are aligned alike.  A frame has exactly 34 + p bytes.
 * Freestanding. */
#ifndef KM_FIRMWARE_LINK_FRAME_H
#define KM_FIRMWARE_LINK_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "core/frame.h"
#include "firmware/why.h"

enum {
	LINK_ETHERTYPE = 0x88B5,
	LINK_VERSION = 1,
	LINK_HEAD_LEN = 6 + 6 /* MAC */ + 2 /* ethertype */ + 2 /* version */ + 4 /* epoch */ + 8 /* sequence */ + 2 /* length */,
	LINK_CRC_LEN = 4,
	LINK_OVERHEAD = LINK_HEAD_LEN + LINK_CRC_LEN,
};
_Static_assert(LINK_HEAD_LEN == 30, "the table above");

struct link_frame {
	uint32_t epoch;
	uint64_t sequence;
	const uint8_t *datagram; /* in the frame that was read */
	uint16_t len;
};

/* Write the frame of f into out; its bytes, or 0 if room is too small.  out and f->datagram do not overlap. */
size_t link_frame_put(uint8_t *out, size_t room, const struct link_frame *f);
/* Read the frame buf[0..n-1]: FILTER_PASS, FILTER_SIZE or FILTER_LINK_*; *f is then set, or untouched.
 * The datagram inside is not looked at. */
enum filter_why link_frame_get(struct link_frame *f, const uint8_t *buf, size_t n) __attribute__((warn_unused_result));
uint32_t link_crc32(const uint8_t *p, size_t n);
/* The CRC of some bytes with crc and p[0..n-1] behind them; of none it is 0. */
uint32_t link_crc32_more(uint32_t crc, const uint8_t *p, size_t n);

#endif
