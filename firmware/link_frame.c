/* link_frame.c - see link_frame.h */
#include "firmware/link_frame.h"

#include <string.h>

#include "core/bytes.h"

enum { AT_TYPE = 12, AT_VERSION = 14, AT_EPOCH = 16, AT_SEQUENCE = 20, AT_LEN = 28 };

static const uint8_t link_macs[12] = { 0x02, 0x6B, 0x6D, 0, 0, 0x0B, 0x02, 0x6B, 0x6D, 0, 0, 0x0A };

/* CRC-32 four bytes at a time: slice[k][b] is what byte b does to a remainder that k more bytes follow.  The CRC is linear,
 * so 8 numbers make the 256 of a slice. */
#define BIT(i, b, v) ((i) >> (b) & 1 ? (v) : 0)
#define ONE(i, a0, a1, a2, a3, a4, a5, a6, a7) \
	(BIT(i, 0, a0) ^ BIT(i, 1, a1) ^ BIT(i, 2, a2) ^ BIT(i, 3, a3) ^ BIT(i, 4, a4) ^ BIT(i, 5, a5) ^ BIT(i, 6, a6) ^ BIT(i, 7, a7))
#define FOUR(i, ...) ONE(i, __VA_ARGS__), ONE(i + 1, __VA_ARGS__), ONE(i + 2, __VA_ARGS__), ONE(i + 3, __VA_ARGS__)
#define SIXTEEN(i, ...) FOUR(i, __VA_ARGS__), FOUR(i + 4, __VA_ARGS__), FOUR(i + 8, __VA_ARGS__), FOUR(i + 12, __VA_ARGS__)
#define SIXTY_FOUR(i, ...) \
	SIXTEEN(i, __VA_ARGS__), SIXTEEN(i + 16, __VA_ARGS__), SIXTEEN(i + 32, __VA_ARGS__), SIXTEEN(i + 48, __VA_ARGS__)
#define SLICE(...) SIXTY_FOUR(0, __VA_ARGS__), SIXTY_FOUR(64, __VA_ARGS__), SIXTY_FOUR(128, __VA_ARGS__), SIXTY_FOUR(192, __VA_ARGS__)
static const uint32_t slice[4][256] = {
	{ SLICE(0x77073096, 0xEE0E612C, 0x076DC419, 0x0EDB8832, 0x1DB71064, 0x3B6E20C8, 0x76DC4190, 0xEDB88320) },
	{ SLICE(0x191B3141, 0x32366282, 0x646CC504, 0xC8D98A08, 0x4AC21251, 0x958424A2, 0xF0794F05, 0x3B83984B) },
	{ SLICE(0x01C26A37, 0x0384D46E, 0x0709A8DC, 0x0E1351B8, 0x1C26A370, 0x384D46E0, 0x709A8DC0, 0xE1351B80) },
	{ SLICE(0xB8BC6765, 0xAA09C88B, 0x8F629757, 0xC5B428EF, 0x5019579F, 0xA032AF3E, 0x9B14583D, 0xED59B63B) },
};

/* The four bytes at an aligned p, the first one lowest. */
static uint32_t low_first(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, __builtin_assume_aligned(p, 4), sizeof v); /* one instruction, also where unaligned ones are forbidden */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap32(v);
#endif
	return v;
}

uint32_t link_crc32_more(uint32_t crc, const uint8_t *p, size_t n)
{
	uint32_t c = ~crc;

	for (; n > 0 && ((uintptr_t)p & 3) != 0; p++, n--)
		c = c >> 8 ^ slice[0][(c ^ *p) & 255];
	for (; n >= 4; p += 4, n -= 4) {
		c ^= low_first(p);
		c = slice[3][c & 255] ^ slice[2][c >> 8 & 255] ^ slice[1][c >> 16 & 255] ^ slice[0][c >> 24];
	}
	for (; n > 0; p++, n--)
		c = c >> 8 ^ slice[0][(c ^ *p) & 255];
	return ~c;
}

uint32_t link_crc32(const uint8_t *p, size_t n)
{
	return link_crc32_more(0, p, n);
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
