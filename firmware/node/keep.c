/* keep.c - see keep.h */
#include "node/keep.h"

#include <stddef.h>
#include <string.h>

#include "firmware/link_frame.h"

enum { BYTES = 64 };
extern uint8_t keep_place[BYTES]; /* link.ld */

static uint32_t sum(const struct keep *k)
{
	return link_crc32((const uint8_t *)k, offsetof(struct keep, sum)) ^ 0x6B6D6B70u;
}

void keep_load(struct keep *k)
{
	/* Without the sum: a CRC over bytes and their own CRC is the same whatever the bytes are. */
	const uint32_t noise = link_crc32_more(link_crc32(keep_place, offsetof(struct keep, sum)), keep_place + sizeof *k,
	    BYTES - sizeof *k);

	memcpy(k, keep_place, sizeof *k);
	if (k->sum != sum(k))
		memset(k, 0, sizeof *k);
	k->noise = noise;
}

void keep_store(struct keep *k)
{
	k->sum = sum(k);
	memcpy(keep_place, k, sizeof *k);
}
