/* little.h - numbers in a zip file, whose lowest byte comes first. */
#ifndef KM_LITTLE_H
#define KM_LITTLE_H

#include <stdint.h>

static inline uint16_t little16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t little32(const uint8_t *p)
{
	return little16(p) | (uint32_t)little16(p + 2) << 16;
}

#endif
