/* selftest.c - see selftest.h */
#include "node/selftest.h"

#include <string.h>

#include "core/frame.h"
#include "firmware/filter.h"
#include "firmware/link_frame.h"
#include "node/seal.h"

enum { STEP = 256 /* bytes of the image */ };
enum { LEN = FRAME_MIN_LEN, FRAME = UDP_FRAME_OVERHEAD + LEN, LINK = LINK_OVERHEAD + LEN };

/* The known answer: the CRC of the link frame that must come out of the ingress filter. */
static const uint32_t link_answer = 0xed2da762;

static const struct filter_conf known_conf = {
	.from = { { 2, 0, 0, 0, 0, 1 }, 0x0A000001, 1 }, .to = { { 2, 0, 0, 0, 0, 2 }, 0x0A000002, 2 },
	.datagram_len = LEN, .rate = 1000000000, .burst_ns = 1000000,
};

static struct filter known_filter;
static uint8_t known_datagram[LEN] __attribute__((aligned(4)));
static uint8_t known_frame[FRAME] __attribute__((aligned(4)));
static uint8_t known_link[LINK] __attribute__((aligned(4)));
static uint8_t known_out[FRAME] __attribute__((aligned(4)));

static size_t pass(void)
{
	return filter_frame(&known_filter, known_link, sizeof known_link, known_frame, FRAME, 0);
}

static const char *ingress(void)
{
	if (filter_frame(&known_filter, known_link, sizeof known_link, known_frame, FRAME, 0) != 0)
		return "closed"; /* a filter that nobody configured */
	if (filter_ingress_init(&known_filter, &known_conf, 1, 0) != 0)
		return "init";
	for (unsigned i = 0; i < FRAME; i++) { /* no frame with a broken byte passes */
		known_frame[i] ^= 0x10;
		if (pass() != 0)
			return "drop";
		known_frame[i] ^= 0x10;
	}
	if (pass() != LINK)
		return "pass";
	return link_crc32(known_link, LINK - LINK_CRC_LEN) == link_answer ? NULL : "link";
}

static const char *egress(void)
{
	if (filter_egress_init(&known_filter, &known_conf, 0) != 0)
		return "egress-init";
	for (unsigned i = 0; i < LINK; i++) {
		known_link[i] ^= 0x10;
		if (filter_frame(&known_filter, known_out, sizeof known_out, known_link, LINK, 0) != 0)
			return "egress-drop";
		known_link[i] ^= 0x10;
	}
	if (filter_frame(&known_filter, known_out, sizeof known_out, known_link, LINK, 0) != FRAME)
		return "egress-pass";
	return memcmp(known_out, known_frame, FRAME) == 0 ? NULL : "egress-frame";
}

const char *selftest_filter(void)
{
	static const struct frame_head head = { FRAME_SYMBOL, LEN, 0, 4, 7, 9 };

	memset(&known_filter, 0, sizeof known_filter);
	for (unsigned i = 0; i < LEN; i++)
		known_datagram[i] = (uint8_t)(i * 7 + 1);
	frame_put_head(known_datagram, &head);
	if (link_crc32((const uint8_t *)"123456789", 9) != 0xCBF43926)
		return "crc";
	if (udp_frame_put(known_frame, sizeof known_frame, known_datagram, LEN, &known_conf.from, &known_conf.to) != FRAME)
		return "put";
	const char *bad = ingress();
	return bad != NULL ? bad : egress();
}

static size_t image_len(void)
{
	return (size_t)((uintptr_t)image_end - (uintptr_t)image_start);
}

const char *selftest_image(void)
{
	const volatile struct seal *s = &seal; /* not what the compiler saw: what stands in the image */

	if (s->magic != SEAL_MAGIC || s->len != image_len())
		return "unsealed";
	return link_crc32(image_start, image_len()) == s->crc ? NULL : "image";
}

const char *selftest_image_step(void)
{
	static size_t at;
	static uint32_t crc;
	const volatile struct seal *s = &seal;
	const size_t left = image_len() - at, n = left < STEP ? left : STEP;

	crc = link_crc32_more(crc, image_start + at, n);
	at += n;
	if (at < image_len())
		return NULL;
	const uint32_t whole = crc;
	at = 0;
	crc = 0;
	return whole == s->crc ? NULL : "image";
}
