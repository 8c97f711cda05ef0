/* udp_frame.h - one UDP datagram in IPv4 in Ethernet: read strictly, written afresh.
 * Freestanding.  Lengths are without the frame check sequence, which the MAC takes off. */
#ifndef KM_FIRMWARE_UDP_FRAME_H
#define KM_FIRMWARE_UDP_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "core/frame.h"
#include "firmware/why.h"

enum {
	UDP_FRAME_ETH_LEN = 14,
	UDP_FRAME_IP_LEN = 20,
	UDP_FRAME_UDP_LEN = 8,
	UDP_FRAME_OVERHEAD = UDP_FRAME_ETH_LEN + UDP_FRAME_IP_LEN + UDP_FRAME_UDP_LEN, /* 42 */
	UDP_FRAME_MAX = UDP_FRAME_OVERHEAD + FRAME_MAX_LEN,
};

struct udp_end {
	uint8_t mac[6];
	uint32_t ip;   /* 10.77.0.1 = 0x0A4D0001 */
	uint16_t port; /* of a source that is read: 0 = any */
};

/* Is frame[0..n-1] exactly one datagram from one end to the other?  FILTER_PASS:
 * it lies at frame + UDP_FRAME_OVERHEAD, *len bytes; else the first rule that it breaks. */
enum filter_why udp_frame_get(uint16_t *len, const uint8_t *frame, size_t n, const struct udp_end *from,
    const struct udp_end *to) __attribute__((warn_unused_result));
/* Write a frame around datagram[0..len-1] (at most FRAME_MAX_LEN); its bytes, or 0 if room is too small.  No overlap. */
size_t udp_frame_put(uint8_t *out, size_t room, const uint8_t *datagram, uint16_t len, const struct udp_end *from,
    const struct udp_end *to);

#endif
