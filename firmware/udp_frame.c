/* udp_frame.c - see udp_frame.h */
#include "firmware/udp_frame.h"

#include <string.h>

#include "core/bytes.h"

enum {
	ETHERTYPE_IP = 0x0800,
	PROTOCOL_UDP = 17,
	TTL = 64,
	FLAG_DONT = 0x4000, /* do not fragment; the other flags and the offset are refused */
	/* Offsets in the frame. */
	AT_DST_MAC = 0, AT_SRC_MAC = 6, AT_TYPE = 12, AT_IP = 14, AT_TOTAL = 16, AT_FLAGS = 20, AT_TTL = 22, AT_PROTOCOL = 23,
	AT_IP_SUM = 24, AT_SRC_IP = 26, AT_DST_IP = 30, AT_SRC_PORT = 34, AT_DST_PORT = 36, AT_UDP_LEN = 38, AT_UDP_SUM = 40,
};

/* The sum of 16-bit words, folded, in the byte order of the machine: the Internet checksum does not mind the order,
 * as long as the result is taken apart the same way (RFC 1071, section 2 B).  So it can be taken by aligned words. */
typedef uint32_t __attribute__((may_alias)) word;

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xFFFF) + (sum >> 16);
	return (uint16_t)sum;
}

static uint32_t native16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* n <= 65535: the sum cannot overflow. */
static uint64_t add_native(const uint8_t *p, size_t n)
{
	uint64_t sum = 0;

	if (((uintptr_t)p & 3) == 2 && n >= 2) {
		sum = native16(p);
		p += 2, n -= 2;
	}
	if (((uintptr_t)p & 3) == 0)
		for (; n >= 16; p += 16, n -= 16) {
			const word *w = (const word *)(const void *)p;
			sum += (uint64_t)w[0] + w[1] + w[2] + w[3];
		}
	for (; n > 1; p += 2, n -= 2)
		sum += native16(p);
	if (n == 1) {
		const uint8_t last[2] = { p[0], 0 };
		sum += native16(last);
	}
	return sum;
}

static uint32_t add(uint32_t sum, const uint8_t *p, size_t n)
{
	const uint16_t native = fold(add_native(p, n));
	uint8_t b[2];

	memcpy(b, &native, sizeof b);
	return sum + get16(b);
}

/* UDP's sum covers the addresses, the protocol and the length as well. */
static uint16_t udp_sum(const uint8_t *frame, uint16_t udp_len)
{
	uint32_t sum = add(PROTOCOL_UDP + (uint32_t)udp_len, frame + AT_SRC_IP, 8);

	return fold(add(sum, frame + AT_SRC_PORT, udp_len));
}

static enum filter_why check_ip(const uint8_t *f, size_t n, const struct udp_end *from, const struct udp_end *to)
{
	if (f[AT_IP] != 0x45)
		return FILTER_IHL;
	if (get16(f + AT_TOTAL) != n - UDP_FRAME_ETH_LEN)
		return FILTER_IP_LEN;
	if (fold(add(0, f + AT_IP, UDP_FRAME_IP_LEN)) != 0xFFFF)
		return FILTER_IP_SUM;
	if ((get16(f + AT_FLAGS) & ~FLAG_DONT) != 0)
		return FILTER_FRAGMENT;
	if (f[AT_PROTOCOL] != PROTOCOL_UDP)
		return FILTER_PROTOCOL;
	if (get32(f + AT_SRC_IP) != from->ip)
		return FILTER_SRC_IP;
	return get32(f + AT_DST_IP) == to->ip ? FILTER_PASS : FILTER_DST_IP;
}

enum filter_why udp_frame_get(uint16_t *len, const uint8_t *f, size_t n, const struct udp_end *from, const struct udp_end *to)
{
	enum filter_why why;

	if (n < UDP_FRAME_OVERHEAD + FRAME_MIN_LEN || n > UDP_FRAME_MAX)
		return FILTER_SIZE;
	if (memcmp(f + AT_DST_MAC, to->mac, 6) != 0)
		return FILTER_DST_MAC;
	if (memcmp(f + AT_SRC_MAC, from->mac, 6) != 0)
		return FILTER_SRC_MAC;
	if (get16(f + AT_TYPE) != ETHERTYPE_IP)
		return FILTER_ETHERTYPE;
	why = check_ip(f, n, from, to);
	if (why != FILTER_PASS)
		return why;
	if (from->port != 0 && get16(f + AT_SRC_PORT) != from->port)
		return FILTER_SRC_PORT;
	if (get16(f + AT_DST_PORT) != to->port)
		return FILTER_DST_PORT;
	if (get16(f + AT_UDP_LEN) != n - UDP_FRAME_ETH_LEN - UDP_FRAME_IP_LEN)
		return FILTER_UDP_LEN;
	/* 0 means "not computed": then nobody has checked the bytes since the sender. */
	if (get16(f + AT_UDP_SUM) == 0 || udp_sum(f, get16(f + AT_UDP_LEN)) != 0xFFFF)
		return FILTER_UDP_SUM;
	*len = (uint16_t)(n - UDP_FRAME_OVERHEAD);
	return FILTER_PASS;
}

size_t udp_frame_put(uint8_t *out, size_t room, const uint8_t *datagram, uint16_t len, const struct udp_end *from,
    const struct udp_end *to)
{
	const uint16_t udp_len = (uint16_t)(UDP_FRAME_UDP_LEN + len);
	uint16_t sum;

	if (len > FRAME_MAX_LEN || room < (size_t)UDP_FRAME_OVERHEAD + len)
		return 0;
	memset(out, 0, UDP_FRAME_OVERHEAD); /* type of service, identification and both sums */
	memcpy(out + AT_DST_MAC, to->mac, 6);
	memcpy(out + AT_SRC_MAC, from->mac, 6);
	put16(out + AT_TYPE, ETHERTYPE_IP);
	out[AT_IP] = 0x45;
	put16(out + AT_TOTAL, (uint16_t)(UDP_FRAME_IP_LEN + udp_len));
	put16(out + AT_FLAGS, FLAG_DONT);
	out[AT_TTL] = TTL;
	out[AT_PROTOCOL] = PROTOCOL_UDP;
	put32(out + AT_SRC_IP, from->ip);
	put32(out + AT_DST_IP, to->ip);
	put16(out + AT_IP_SUM, (uint16_t)~fold(add(0, out + AT_IP, UDP_FRAME_IP_LEN)));
	put16(out + AT_SRC_PORT, from->port);
	put16(out + AT_DST_PORT, to->port);
	put16(out + AT_UDP_LEN, udp_len);
	memcpy(out + UDP_FRAME_OVERHEAD, datagram, len);
	sum = (uint16_t)~udp_sum(out, udp_len);
	put16(out + AT_UDP_SUM, sum != 0 ? sum : 0xFFFF);
	return (size_t)UDP_FRAME_OVERHEAD + len;
}
