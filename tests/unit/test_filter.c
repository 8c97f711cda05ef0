/* firmware/filter.h: every class of bad frame, each with its counter, at both nodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/bytes.h"
#include "core/frame.h"
#include "firmware/filter.h"
#include "firmware/link_frame.h"
#include "tests/unit/seeded.h"

enum { D = 1472, N = D + UDP_FRAME_OVERHEAD, L = D + LINK_OVERHEAD, ROOM = 2048 };

static const struct filter_conf in_conf = {
	.from = { { 2, 0, 0, 0, 1, 1 }, 0x0A4D0001, 0 },
	.to = { { 2, 0, 0, 0, 2, 1 }, 0x0A4D0002, 5150 },
	.datagram_len = D, .rate = 1000000000, .burst_ns = 1000000,
};
static const struct filter_conf out_conf = {
	.from = { { 2, 0, 0, 0, 3, 1 }, 0x0A4E0001, 5151 },
	.to = { { 2, 0, 0, 0, 4, 1 }, 0x0A4E0002, 5152 },
	.datagram_len = D, .rate = 1000000000, .burst_ns = 1000000,
};
static const uint64_t start = 1000000000;

static uint8_t datagram[D], frame[ROOM], link_bytes[ROOM], out[ROOM];

/* A datagram of the protocol, and the frame of the sender around it. */
static void good(void)
{
	const struct frame_head h = { FRAME_SYMBOL, D, 0, 4, 7, 9 };
	struct udp_end from = in_conf.from;

	for (size_t i = 0; i < D; i++)
		datagram[i] = (uint8_t)(i * 7 + 1);
	frame_put_head(datagram, &h);
	from.port = 40000; /* whatever the sender's kernel chose */
	memset(frame, 0, sizeof frame);
	assert_int_equal(udp_frame_put(frame, sizeof frame, datagram, D, &from, &in_conf.to), N);
}

/* Sums of a changed frame made right again, so that only the rule in question is broken. */
static uint16_t ones(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i < n; i++)
		sum += (uint32_t)p[i] << (i % 2 == 0 ? 8 : 0);
	while (sum >> 16 != 0)
		sum = (sum & 0xFFFF) + (sum >> 16);
	return (uint16_t)sum;
}

static void mend_ip(uint8_t *f)
{
	put16(f + 24, 0);
	put16(f + 24, (uint16_t)~ones(f + 14, 20, 0));
}

static void mend_udp(uint8_t *f, size_t n)
{
	put16(f + 40, 0);
	uint16_t pseudo = ones(f + 26, 8, 17 + (uint32_t)get16(f + 38));
	uint16_t sum = (uint16_t)~ones(f + 34, n - 34, pseudo);
	put16(f + 40, sum != 0 ? sum : 0xFFFF);
}

enum mend { NONE, IP, UDP, BOTH };

static const struct bad {
	const char *why;
	size_t at, size;
	uint32_t value;
	enum mend mend;
	enum filter_why want;
} bad_frames[] = {
	{ "nothing wrong", 200, 1, 9, UDP, FILTER_PASS },
	{ "other type of service: does not cross", 15, 1, 0xFF, IP, FILTER_PASS },
	{ "other identification: does not cross", 18, 2, 0xBEEF, IP, FILTER_PASS },
	{ "other time to live: does not cross", 22, 1, 1, IP, FILTER_PASS },
	{ "may be fragmented, but is not", 20, 2, 0, IP, FILTER_PASS },
	{ "other source port: does not cross", 34, 2, 1, UDP, FILTER_PASS },
	{ "broadcast", 0, 4, 0xFFFFFFFF, NONE, FILTER_DST_MAC },
	{ "MAC of another host", 5, 1, 2, NONE, FILTER_DST_MAC },
	{ "multicast", 0, 1, 3, NONE, FILTER_DST_MAC },
	{ "from an unknown device", 11, 1, 9, NONE, FILTER_SRC_MAC },
	{ "from ourselves: a reflection", 10, 2, 0x0201, NONE, FILTER_SRC_MAC },
	{ "ARP", 12, 2, 0x0806, NONE, FILTER_ETHERTYPE },
	{ "IPv6", 12, 2, 0x86DD, NONE, FILTER_ETHERTYPE },
	{ "VLAN tag", 12, 2, 0x8100, NONE, FILTER_ETHERTYPE },
	{ "a length instead of a type (802.3)", 12, 2, 1500, NONE, FILTER_ETHERTYPE },
	{ "our own link frame, looped back", 12, 2, LINK_ETHERTYPE, NONE, FILTER_ETHERTYPE },
	{ "options", 14, 1, 0x46, IP, FILTER_IHL },
	{ "header shorter than a header", 14, 1, 0x44, IP, FILTER_IHL },
	{ "header of no bytes", 14, 1, 0x40, IP, FILTER_IHL },
	{ "version 6 in an IPv4 frame", 14, 1, 0x65, IP, FILTER_IHL },
	{ "version 0", 14, 1, 0x05, IP, FILTER_IHL },
	{ "total length one less: a byte behind the packet", 16, 2, N - 15, IP, FILTER_IP_LEN },
	{ "total length one more", 16, 2, N - 13, IP, FILTER_IP_LEN },
	{ "total length 0 (segmentation offload)", 16, 2, 0, IP, FILTER_IP_LEN },
	{ "total length at its maximum", 16, 2, 65535, IP, FILTER_IP_LEN },
	{ "IP checksum off by one", 24, 2, 1, NONE, FILTER_IP_SUM },
	{ "a header bit flipped on the way", 18, 1, 0x80, NONE, FILTER_IP_SUM },
	{ "first fragment", 20, 2, 0x2000, IP, FILTER_FRAGMENT },
	{ "last fragment", 20, 2, 0x0010, IP, FILTER_FRAGMENT },
	{ "fragment at the highest offset", 20, 2, 0x1FFF, IP, FILTER_FRAGMENT },
	{ "reserved flag: a bit for a covert channel", 20, 2, 0x8000, IP, FILTER_FRAGMENT },
	{ "ICMP", 23, 1, 1, IP, FILTER_PROTOCOL },
	{ "TCP", 23, 1, 6, IP, FILTER_PROTOCOL },
	{ "UDP-Lite", 23, 1, 136, IP, FILTER_PROTOCOL },
	{ "from another address", 26, 4, 0x0A4D0003, BOTH, FILTER_SRC_IP },
	{ "from no address", 26, 4, 0, BOTH, FILTER_SRC_IP },
	{ "to another address", 30, 4, 0x0A4D0001, BOTH, FILTER_DST_IP },
	{ "to all", 30, 4, 0xFFFFFFFF, BOTH, FILTER_DST_IP },
	{ "to another port", 36, 2, 5151, UDP, FILTER_DST_PORT },
	{ "to port 0", 36, 2, 0, UDP, FILTER_DST_PORT },
	{ "UDP length one less: slack in the packet", 38, 2, D + 7, UDP, FILTER_UDP_LEN },
	{ "UDP length one more", 38, 2, D + 9, UDP, FILTER_UDP_LEN },
	{ "UDP length 0", 38, 2, 0, UDP, FILTER_UDP_LEN },
	{ "UDP length without its own header", 38, 2, 7, UDP, FILTER_UDP_LEN },
	{ "no UDP checksum", 40, 2, 0, NONE, FILTER_UDP_SUM },
	{ "UDP checksum wrong", 40, 2, 1, NONE, FILTER_UDP_SUM },
	{ "a bit of the datagram flipped on the way", 700, 1, 0xFE, NONE, FILTER_UDP_SUM },
	{ "another protocol's magic", 42, 2, 0x1234, UDP, FILTER_HEAD_MAGIC },
	{ "another version", 44, 1, 2, UDP, FILTER_HEAD_MAGIC },
	{ "unknown kind", 45, 1, 4, UDP, FILTER_HEAD_KIND },
	{ "SYMBOL without packet number", 54, 4, 0, UDP, FILTER_PASS }, /* the low bytes follow below */
	{ "HELLO that has a packet number", 45, 1, 1, UDP, FILTER_HEAD_KIND },
	{ "length field one less: slack behind the tag", 46, 2, D - 1, UDP, FILTER_HEAD_SIZE },
	{ "length field one more", 46, 2, D + 1, UDP, FILTER_HEAD_SIZE },
	{ "lane 16", 48, 1, 16, UDP, FILTER_HEAD_FIELD },
	{ "M = 2^16", 49, 1, 16, UDP, FILTER_HEAD_KIND },
	{ "epoch 0", 50, 4, 0, UDP, FILTER_HEAD_FIELD },
};

/* One frame into a fresh ingress filter: what the counters say of it. */
static enum filter_why judge(const struct filter_conf *c, const uint8_t *f, size_t n, size_t *made)
{
	struct filter filter;
	enum filter_why why = FILTER_WHYS;
	uint64_t all = 0;

	assert_int_equal(filter_ingress_init(&filter, c, 1, start), 0);
	memset(out, 0xEE, sizeof out);
	*made = filter_frame(&filter, out, sizeof out, f, n, start);
	for (unsigned i = 0; i < FILTER_WHYS; i++) {
		all += filter.count.why[i];
		if (filter.count.why[i] == 1)
			why = (enum filter_why)i;
	}
	assert_int_equal(all, 1); /* each frame is counted, and once */
	assert_true((*made > 0) == (why == FILTER_PASS));
	if (*made == 0)
		assert_int_equal(out[0], 0xEE); /* nothing of a dropped frame is in the buffer */
	return why;
}

static void classes(void **state)
{
	size_t made;

	(void)state;
	for (size_t i = 0; i < sizeof bad_frames / sizeof bad_frames[0]; i++) {
		const struct bad *b = &bad_frames[i];
		good();
		for (size_t j = 0; j < b->size; j++)
			frame[b->at + j] = (uint8_t)(b->value >> 8 * (b->size - 1 - j));
		if (b->mend == IP || b->mend == BOTH)
			mend_ip(frame);
		if (b->mend == UDP || b->mend == BOTH)
			mend_udp(frame, N);
		enum filter_why why = judge(&in_conf, frame, N, &made);
		if (why != b->want)
			fail_msg("%s: %s instead of %s", b->why, filter_whystr(why), filter_whystr(b->want));
	}
	good();
	memset(frame + 54, 0, 6); /* SYMBOL with packet number 0 */
	mend_udp(frame, N);
	assert_int_equal(judge(&in_conf, frame, N, &made), FILTER_HEAD_KIND);
}

/* Frames of other lengths than the one, honest and not. */
static void lengths(void **state)
{
	struct filter_conf any = in_conf;
	size_t made;

	(void)state;
	any.datagram_len = 0;
	good();
	for (size_t n = 0; n < N; n++) { /* cut at every byte */
		enum filter_why want = n < UDP_FRAME_OVERHEAD + FRAME_MIN_LEN ? FILTER_SIZE : FILTER_IP_LEN;
		assert_int_equal(judge(&any, frame, n, &made), want);
	}
	assert_int_equal(judge(&any, frame, N, &made), FILTER_PASS);
	assert_int_equal(judge(&any, frame, N + 1, &made), FILTER_IP_LEN); /* padding is a covert channel */
	for (uint16_t d = 250; d < 300; d++) { /* well-formed, of another length */
		put16(datagram + 4, d);
		size_t n = udp_frame_put(frame, sizeof frame, datagram, d, &in_conf.from, &in_conf.to);
		put16(frame + 34, 1);
		mend_udp(frame, n);
		assert_int_equal(judge(&any, frame, n, &made), d < FRAME_MIN_LEN ? FILTER_SIZE : FILTER_PASS);
		assert_int_equal(judge(&in_conf, frame, n, &made), d < FRAME_MIN_LEN ? FILTER_SIZE : FILTER_DATAGRAM_LEN);
	}
	static uint8_t huge[UDP_FRAME_MAX + 1];
	assert_int_equal(judge(&any, huge, sizeof huge, &made), FILTER_SIZE);
}

/* Whatever bit of the frame is flipped, it either does not pass, or what passes is the same datagram. */
static void every_bit(void **state)
{
	static uint8_t reference[ROOM];
	unsigned passed = 0;
	size_t made;

	(void)state;
	good();
	assert_int_equal(judge(&in_conf, frame, N, &made), FILTER_PASS);
	memcpy(reference, out, made);
	for (size_t i = 0; i < 8 * N; i++) {
		frame[i / 8] ^= (uint8_t)(1u << i % 8);
		if (judge(&in_conf, frame, N, &made) == FILTER_PASS) {
			assert_int_equal(made, L);
			assert_memory_equal(out, reference, L);
			passed++;
		}
		frame[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	assert_int_equal(passed, 0); /* a sum covers every byte that no rule fixes */
}

static void link_layout(void **state)
{
	size_t made;

	(void)state;
	assert_int_equal(link_crc32((const uint8_t *)"123456789", 9), 0xCBF43926);
	good();
	assert_int_equal(judge(&in_conf, frame, N, &made), FILTER_PASS);
	assert_int_equal(made, L);
	assert_memory_equal(out, "\x02\x6B\x6D\0\0\x0B\x02\x6B\x6D\0\0\x0A\x88\xB5\0\1\0\0\0\1\0\0\0\0\0\0\0\1\x05\xC0", 30);
	assert_memory_equal(out + 30, datagram, D);
	/* Nothing of the sender's addresses crosses. */
	for (size_t i = 0; i + 6 <= 30; i++)
		assert_memory_not_equal(out + i, in_conf.from.mac, 6);
}

/* Both nodes in a row. */
static struct filter a, b;

static void both_init(void)
{
	assert_int_equal(filter_ingress_init(&a, &in_conf, 42, start), 0);
	assert_int_equal(filter_egress_init(&b, &out_conf, start), 0);
}

static void through_both(void **state)
{
	uint16_t len = 0;
	uint64_t now = start;

	(void)state;
	good();
	both_init();
	for (unsigned i = 0; i < 100; i++, now += 20000) {
		size_t n = filter_frame(&a, link_bytes, sizeof link_bytes, frame, N, now);
		assert_int_equal(n, L);
		n = filter_frame(&b, out, sizeof out, link_bytes, n, now);
		assert_int_equal(n, N);
		/* The receiver's side of the same rules accepts it. */
		assert_int_equal(udp_frame_get(&len, out, n, &out_conf.from, &out_conf.to), FILTER_PASS);
		assert_int_equal(len, D);
		assert_memory_equal(out + UDP_FRAME_OVERHEAD, datagram, D);
	}
	assert_int_equal(b.count.why[FILTER_PASS], 100);
	assert_int_equal(b.count.lost, 0);
	assert_int_equal(b.count.boots, 0);
	/* A frame that Linux itself would have made, but for the identification. */
	assert_memory_equal(out, "\2\0\0\0\4\1\2\0\0\0\3\1\x08\0\x45\0\x05\xDC\0\0\x40\0\x40\x11", 24);
	assert_int_equal(ones(out + 14, 20, 0), 0xFFFF);
}

static const struct bad bad_links[] = {
	{ "another destination", 5, 1, 0x0C, UDP, FILTER_LINK_MAC },
	{ "another source", 11, 1, 0x0B, UDP, FILTER_LINK_MAC },
	{ "the sender's own frame: ingress bridged", 12, 2, 0x0800, UDP, FILTER_LINK_TYPE },
	{ "version 0", 14, 2, 0, UDP, FILTER_LINK_VERSION },
	{ "version 2", 14, 2, 2, UDP, FILTER_LINK_VERSION },
	{ "length one less", 28, 2, D - 1, UDP, FILTER_LINK_LEN },
	{ "length one more", 28, 2, D + 1, UDP, FILTER_LINK_LEN },
	{ "length 0", 28, 2, 0, UDP, FILTER_LINK_LEN },
	{ "length at its maximum", 28, 2, 65535, UDP, FILTER_LINK_LEN },
	{ "garbage in the datagram", 700, 1, 0xFE, NONE, FILTER_LINK_CRC },
	{ "CRC off by one", L - 1, 1, 0x55, NONE, FILTER_LINK_CRC },
	{ "sequence 0", 20, 4, 0, UDP, FILTER_PASS }, /* the low half follows in sequences() */
	{ "head: magic", 30, 2, 0x1234, UDP, FILTER_HEAD_MAGIC },
	{ "head: kind", 33, 1, 9, UDP, FILTER_HEAD_KIND },
	{ "head: length", 34, 2, D - 2, UDP, FILTER_HEAD_SIZE },
	{ "head: lane", 36, 1, 99, UDP, FILTER_HEAD_FIELD },
};

static void mend_link(uint8_t *f, size_t n)
{
	put32(f + n - 4, link_crc32(f, n - 4));
}

static void bad_link_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad_links / sizeof bad_links[0]; i++) {
		const struct bad *c = &bad_links[i];
		good();
		both_init();
		assert_int_equal(filter_frame(&a, link_bytes, sizeof link_bytes, frame, N, start), L);
		for (size_t j = 0; j < c->size; j++)
			link_bytes[c->at + j] = (uint8_t)(c->value >> 8 * (c->size - 1 - j));
		if (c->mend != NONE)
			mend_link(link_bytes, L);
		size_t n = filter_frame(&b, out, sizeof out, link_bytes, L, start);
		if (b.count.why[c->want] != 1 || (n > 0) != (c->want == FILTER_PASS))
			fail_msg("%s: not counted as %s", c->why, filter_whystr(c->want));
	}
}

static void link_lengths_and_bits(void **state)
{
	(void)state;
	good();
	both_init();
	assert_int_equal(filter_frame(&a, link_bytes, sizeof link_bytes, frame, N, start), L);
	for (size_t n = 0; n <= sizeof link_bytes; n++)
		if (n != L)
			assert_int_equal(filter_frame(&b, out, sizeof out, link_bytes, n, start), 0);
	for (size_t i = 0; i < 8 * L; i++) {
		link_bytes[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(filter_frame(&b, out, sizeof out, link_bytes, L, start), 0);
		link_bytes[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	assert_int_equal(b.count.why[FILTER_PASS], 0);
	assert_int_equal(filter_frame(&b, out, sizeof out, link_bytes, L, start), N);
}

static size_t link_with(uint32_t epoch, uint64_t sequence)
{
	const struct link_frame f = { epoch, sequence, datagram, D };

	return link_frame_put(link_bytes, sizeof link_bytes, &f);
}

static void sequences(void **state)
{
	static const struct {
		const char *why;
		uint32_t epoch;
		uint64_t sequence;
		int passes;
		uint64_t lost, boots; /* after it */
	} s[] = {
		{ "0 is never sent", 7, 0, 0, 0, 0 },
		{ "the egress node started later: what went by is not lost", 7, 1000, 1, 0, 0 },
		{ "next", 7, 1001, 1, 0, 0 },
		{ "a replay", 7, 1001, 0, 0, 0 },
		{ "older", 7, 5, 0, 0, 0 },
		{ "three are missing", 7, 1005, 1, 3, 0 },
		{ "the ingress node restarted", 8, 1, 1, 3, 1 },
		{ "it restarted again, and its first two are missing", 3, 3, 1, 5, 2 },
		{ "a gap of nearly everything", 3, UINT64_MAX, 1, 5 + (UINT64_MAX - 4), 2 },
		{ "after the last there is none", 3, 4, 0, 5 + (UINT64_MAX - 4), 2 },
	};
	uint64_t now = start;

	(void)state;
	good();
	both_init();
	for (size_t i = 0; i < sizeof s / sizeof s[0]; i++, now += 100000) {
		size_t n = link_with(s[i].epoch, s[i].sequence);
		int passed = filter_frame(&b, out, sizeof out, link_bytes, n, now) > 0;
		if (passed != s[i].passes || b.count.lost != s[i].lost || b.count.boots != s[i].boots)
			fail_msg("%s: %d, lost %llu, boots %llu", s[i].why, passed, (unsigned long long)b.count.lost,
			    (unsigned long long)b.count.boots);
	}
	assert_int_equal(b.count.why[FILTER_LINK_SEQUENCE], 4);
}

/* A sender at twice the rate gets the rate; bad frames cost nothing of it. */
static void rate(void **state)
{
	struct filter_conf c = in_conf;
	const uint64_t wire = N + FILTER_WIRE_EXTRA;
	uint64_t now = start, passed = 0;

	(void)state;
	good();
	c.rate = 100000000;
	assert_int_equal(filter_ingress_init(&a, &c, 1, start), 0);
	const uint64_t each = wire * 8 * 1000000000 / c.rate / 2;
	for (; now < start + 1000000000; now += each) {
		frame[5] = 9;
		assert_int_equal(filter_frame(&a, out, sizeof out, frame, N, now), 0);
		frame[5] = 1;
		passed += filter_frame(&a, out, sizeof out, frame, N, now) > 0;
	}
	const double most = 100000000.0 / 8 / (double)wire;
	assert_true((double)passed > most * 0.98 && (double)passed < most * 1.01 + 2);
	assert_int_equal(a.count.why[FILTER_PASS], passed);
	assert_true(a.count.why[FILTER_RATE] > passed * 9 / 10);
	assert_int_equal(a.sequence, passed); /* a dropped frame leaves no gap for the egress node to wonder about */
	/* After silence, a burst of burst_ns and no more. */
	unsigned burst = 0;
	now += 1000000000;
	while (filter_frame(&a, out, sizeof out, frame, N, now) > 0)
		burst++;
	assert_int_equal(burst, c.burst_ns / (2 * each) + 1);
}

static void fails_closed(void **state)
{
	static struct filter zero;
	struct filter_conf c;

	(void)state;
	good();
	assert_int_equal(filter_frame(&zero, out, sizeof out, frame, N, start), 0);
	assert_int_equal(zero.count.why[FILTER_CLOSED], 1);
#define REFUSED(init, change) do { \
	c = out_conf; \
	change; \
	assert_int_equal(init, -1); \
	assert_int_equal(filter_frame(&a, out, sizeof out, frame, N, start), 0); \
	assert_int_equal(a.count.why[FILTER_CLOSED], 1); \
} while (0)
	REFUSED(filter_ingress_init(&a, &c, 1, start), memset(c.from.mac, 0, 6));
	REFUSED(filter_ingress_init(&a, &c, 1, start), memset(c.to.mac, 0xFF, 6));
	REFUSED(filter_ingress_init(&a, &c, 1, start), c.to.mac[0] |= 1);
	REFUSED(filter_ingress_init(&a, &c, 1, start), c.from.ip = 0);
	REFUSED(filter_ingress_init(&a, &c, 1, start), c.to.ip = 0);
	REFUSED(filter_ingress_init(&a, &c, 1, start), c.to.port = 0);
	REFUSED(filter_ingress_init(&a, &c, 1, start), c.rate = 0);
	REFUSED(filter_ingress_init(&a, &c, 1, start), c.datagram_len = 255);
	REFUSED(filter_ingress_init(&a, &c, 1, start), c.datagram_len = 65508);
	REFUSED(filter_egress_init(&a, &c, start), c.from.port = 0);
	/* A small buffer is an error of the driver, and writes nothing. */
	both_init();
	memset(out, 0xEE, sizeof out);
	assert_int_equal(filter_frame(&a, out, L - 1, frame, N, start), 0);
	assert_int_equal(a.count.why[FILTER_ROOM], 1);
	assert_int_equal(out[0], 0xEE);
	assert_int_equal(filter_frame(&b, out, N - 1, link_bytes, link_with(1, 1), start), 0);
	assert_int_equal(b.count.why[FILTER_ROOM], 1);
	assert_int_equal(out[0], 0xEE);
}

/* Bytes whose sum comes out as 0 are sent as FFFF, since 0 says that there is none. */
static void sum_of_zero(void **state)
{
	struct udp_end from = in_conf.from;
	size_t made;

	(void)state;
	good();
	from.port = 40000;
	put16(datagram + 100, 0);
	udp_frame_put(frame, sizeof frame, datagram, D, &from, &in_conf.to);
	put16(datagram + 100, get16(frame + 40)); /* now all words together are FFFF */
	assert_int_equal(udp_frame_put(frame, sizeof frame, datagram, D, &from, &in_conf.to), N);
	assert_int_equal(get16(frame + 40), 0xFFFF);
	assert_int_equal(judge(&in_conf, frame, N, &made), FILTER_PASS);
	put16(frame + 40, 0);
	assert_int_equal(judge(&in_conf, frame, N, &made), FILTER_UDP_SUM);
}

/* Each writer by itself holds to the room it has. */
static void rooms(void **state)
{
	const struct link_frame f = { 1, 1, datagram, D };

	(void)state;
	good();
	memset(out, 0xEE, sizeof out);
	assert_int_equal(link_frame_put(out, L - 1, &f), 0);
	assert_int_equal(udp_frame_put(out, N - 1, datagram, D, &out_conf.from, &out_conf.to), 0);
	assert_int_equal(out[0], 0xEE);
	assert_int_equal(link_frame_put(out, L, &f), L);
	assert_int_equal(udp_frame_put(out, N, datagram, D, &out_conf.from, &out_conf.to), N);
	assert_int_equal(out[L > N ? L : N], 0xEE);
}

/* A source port that is configured is held to. */
static void source_port(void **state)
{
	struct filter_conf c = in_conf;
	size_t made;

	(void)state;
	good();
	c.from.port = 40000;
	assert_int_equal(judge(&c, frame, N, &made), FILTER_PASS);
	c.from.port = 40001;
	assert_int_equal(judge(&c, frame, N, &made), FILTER_SRC_PORT);
}

static void noise(void **state)
{
	static uint8_t junk[ROOM];

	(void)state;
	seeded_init();
	both_init();
	for (unsigned i = 0; i < 20000; i++) {
		size_t n = seeded_below(sizeof junk);
		seeded_bytes(junk, n < 64 ? n : 64);
		assert_int_equal(filter_frame(&a, out, sizeof out, junk, n, start), 0);
		assert_int_equal(filter_frame(&b, out, sizeof out, junk, n, start), 0);
	}
}

static void words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FILTER_WHYS; i++) {
		assert_non_null(filter_whystr((enum filter_why)i));
		assert_string_not_equal(filter_whystr((enum filter_why)i), "unknown");
	}
	assert_string_equal(filter_whystr(FILTER_WHYS), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes), cmocka_unit_test(lengths), cmocka_unit_test(every_bit), cmocka_unit_test(link_layout),
		cmocka_unit_test(through_both), cmocka_unit_test(bad_link_frames), cmocka_unit_test(link_lengths_and_bits),
		cmocka_unit_test(sequences), cmocka_unit_test(rate), cmocka_unit_test(fails_closed),
		cmocka_unit_test(source_port), cmocka_unit_test(sum_of_zero), cmocka_unit_test(rooms), cmocka_unit_test(noise), cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
