/* link_frame.c - see link_frame.h */
#include "firmware/link_frame.h"

#include <string.h>

#include "core/bytes.h"

enum { AT_TYPE = 12, AT_VERSION = 14, AT_EPOCH = 16, AT_SEQUENCE = 20, AT_LEN = 28 };

static const uint8_t link_macs[12] = { 0x02, 0x6B, 0x6D, 0, 0, 0x0B, 0x02, 0x6B, 0x6D, 0, 0, 0x0A };

uint32_t link_crc32(const uint8_t *p, size_t n)
{
	/* Four bits at a time: 64 bytes of table, and quick enough for 1 Gbit/s on the boards' cores. */
	static const uint32_t nibble[16] = {
		0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
		0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
	};
	uint32_t c = 0xFFFFFFFF;

	for (size_t i = 0; i < n; i++) {
		c ^= p[i];
		c = c >> 4 ^ nibble[c & 15];
		c = c >> 4 ^ nibble[c & 15];
	}
	return ~c;
}

size_t link_frame_put(uint8_t *out, size_t room, const struct link_frame *f)
{
	const size_t body = (size_t)LINK_HEAD_LEN + f->len;

	if (room < body + LINK_CRC_LEN)
		return 0;
	memcpy(out, link_macs, sizeof link_macs);
	put16(out + AT_TYPE, LINK_ETHERTYPE);
	put16(out + AT_VERSION, LINK_VERSION);
	put32(out + AT_EPOCH, f->epoch);
	put64(out + AT_SEQUENCE, f->sequence);
	put16(out + AT_LEN, f->len);
	memcpy(out + LINK_HEAD_LEN, f->datagram, f->len);
	put32(out + body, link_crc32(out, body));
	return body + LINK_CRC_LEN;
}

enum filter_why link_frame_get(struct link_frame *f, const uint8_t *buf, size_t n)
{
	if (n < LINK_OVERHEAD + FRAME_MIN_LEN || n > LINK_OVERHEAD + FRAME_MAX_LEN)
		return FILTER_SIZE;
	if (memcmp(buf, link_macs, sizeof link_macs) != 0)
		return FILTER_LINK_MAC;
	if (get16(buf + AT_TYPE) != LINK_ETHERTYPE)
		return FILTER_LINK_TYPE;
	if (get16(buf + AT_VERSION) != LINK_VERSION)
		return FILTER_LINK_VERSION;
	/* Equal, not "fits", as everywhere.  n >= LINK_OVERHEAD, so this does not wrap. */
	if (get16(buf + AT_LEN) != n - LINK_OVERHEAD)
		return FILTER_LINK_LEN;
	if (get32(buf + n - LINK_CRC_LEN) != link_crc32(buf, n - LINK_CRC_LEN))
		return FILTER_LINK_CRC;
	f->epoch = get32(buf + AT_EPOCH);
	f->sequence = get64(buf + AT_SEQUENCE);
	f->datagram = buf + LINK_HEAD_LEN;
	f->len = get16(buf + AT_LEN);
	return FILTER_PASS;
}
