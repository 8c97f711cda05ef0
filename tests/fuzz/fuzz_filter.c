/* fuzz_filter.c - firmware/filter.h: the frame goes to both nodes; what the
 * ingress node lets through, the egress node must, and the datagram is the same.
 * Where the sums are all that is wrong they are mended, so that the rest is reached. */
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

static uint8_t frame[UDP_FRAME_MAX + 64], link_bytes[sizeof frame], out[sizeof frame];

static void must(int true_)
{
	if (!true_)
		abort();
}

static void mend(size_t n)
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

static void through(size_t n)
{
	struct filter a, b;
	size_t m, k;

	must(filter_ingress_init(&a, &conf, 1, 5) == 0 && filter_egress_init(&b, &conf, 5) == 0);
	must(filter_frame(&b, out, sizeof out, frame, n, 5) == 0 || memcmp(frame, "\2km", 3) == 0); /* only a link frame gets out */
	must(filter_egress_init(&b, &conf, 5) == 0);
	m = filter_frame(&a, link_bytes, sizeof link_bytes, frame, n, 5);
	if (m == 0)
		return;
	must(m == n - UDP_FRAME_OVERHEAD + LINK_OVERHEAD);
	k = filter_frame(&b, out, sizeof out, link_bytes, m, 5);
	must(k == n && memcmp(out + UDP_FRAME_OVERHEAD, frame + UDP_FRAME_OVERHEAD, n - UDP_FRAME_OVERHEAD) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > sizeof frame)
		return 0;
	memcpy(frame, data, size);
	through(size);
	mend(size);
	through(size);
	return 0;
}
