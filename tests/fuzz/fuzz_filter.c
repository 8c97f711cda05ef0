/* fuzz_filter.c - firmware/filter.h: the frame goes to both nodes; what the
 * ingress node lets through, the egress node must, and the datagram is the same.
 * Where the sums are all that is wrong they are mended, so that the rest is reached.
 *
 * Every buffer, in and out, is on the heap and exactly as long as the filter was
 * told, so that a sanitizer sees the first byte too far. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "firmware/filter.h"
#include "firmware/link_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct filter_conf conf = {
	.from = { { 2, 0, 0, 0, 1, 1 }, 0x0A4D0001, 40000 },
	.to = { { 2, 0, 0, 0, 2, 1 }, 0x0A4D0002, 5150 },
	.rate = 1000000000, .burst_ns = 1000000,
};

static void must(int true_)
{
	if (!true_)
		abort();
}

static uint8_t *exact(size_t n)
{
	uint8_t *p = calloc(1, n);

	must(p != NULL || n == 0);
	return p;
}

static void mend_udp(uint8_t *frame, size_t n)
{
	uint32_t sum = 0;

	if (n < UDP_FRAME_OVERHEAD)
		return;
	put16(frame + 24, 0);
	for (size_t i = 14; i < 34; i += 2)
		sum += get16(frame + i);
	sum = (sum & 0xFFFF) + (sum >> 16);
	put16(frame + 24, (uint16_t)~((sum & 0xFFFF) + (sum >> 16)));
	put16(frame + 40, 0);
	sum = 17 + (uint32_t)get16(frame + 38);
	for (size_t i = 26; i < n; i++)
		sum += (uint32_t)frame[i] << (i % 2 == 0 ? 8 : 0);
	sum = (sum & 0xFFFF) + (sum >> 16);
	sum = (sum & 0xFFFF) + (sum >> 16);
	put16(frame + 40, sum == 0xFFFF ? 0xFFFF : (uint16_t)~sum);
}

static void mend_link(uint8_t *frame, size_t n)
{
	if (n >= LINK_CRC_LEN)
		put32(frame + n - LINK_CRC_LEN, link_crc32(frame, n - LINK_CRC_LEN));
}

/* One frame into a fresh filter; what comes out, in a buffer of room bytes, and the one counter that moved. */
static size_t judge(int egress, enum filter_why *why, uint8_t **out, size_t room, const uint8_t *frame, size_t n)
{
	struct filter f;
	uint64_t counted = 0;

	must((egress ? filter_egress_init(&f, &conf, 5) : filter_ingress_init(&f, &conf, 1, 5)) == 0);
	*out = exact(room);
	const size_t made = filter_frame(&f, *out, room, frame, n, 5);
	must(made <= room);
	for (unsigned i = 0; i < FILTER_WHYS; i++) {
		counted += f.count.why[i];
		if (f.count.why[i] != 0)
			*why = (enum filter_why)i;
	}
	must(counted == 1 && (made > 0) == (*why == FILTER_PASS));
	return made;
}

/* With the room that is needed, and with one byte less. */
static size_t both_rooms(int egress, uint8_t **out, size_t room, const uint8_t *frame, size_t n)
{
	enum filter_why why, tight = FILTER_PASS;
	uint8_t *less;
	const size_t made = judge(egress, &why, out, room, frame, n);

	must(why != FILTER_ROOM && (made == 0 || made == room));
	must(room == 0 || judge(egress, &tight, &less, room - 1, frame, n) == 0);
	if (room > 0) {
		must(tight == (why == FILTER_PASS ? FILTER_ROOM : why) || why == FILTER_RATE);
		free(less);
	}
	return made;
}

static size_t after(size_t n, size_t off, size_t on)
{
	return n < off ? 0 : n - off + on;
}

static void through(const uint8_t *frame, size_t n)
{
	uint8_t *link, *out;
	const size_t m = both_rooms(0, &link, after(n, UDP_FRAME_OVERHEAD, LINK_OVERHEAD), frame, n);

	if (m > 0) {
		must(both_rooms(1, &out, n, link, m) == n);
		must(memcmp(out + UDP_FRAME_OVERHEAD, frame + UDP_FRAME_OVERHEAD, n - UDP_FRAME_OVERHEAD) == 0);
		free(out);
	}
	free(link);
	/* As it is, on the fibre: only a link frame gets out. */
	must(both_rooms(1, &out, after(n, LINK_OVERHEAD, UDP_FRAME_OVERHEAD), frame, n) == 0 || memcmp(frame, "\2km", 3) == 0);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *frame;

	if (size > UDP_FRAME_MAX + 64)
		return 0;
	frame = exact(size);
	if (size > 0)
		memcpy(frame, data, size);
	through(frame, size);
	mend_udp(frame, size);
	through(frame, size);
	if (size > 0)
		memcpy(frame, data, size);
	mend_link(frame, size);
	through(frame, size);
	free(frame);
	return 0;
}
