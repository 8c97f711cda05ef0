/* seal.h - the CRC of the image, which seal.py puts in after linking.
 * It tells a worn flash cell or a torn download, not an attacker. */
#ifndef KM_FIRMWARE_SEAL_H
#define KM_FIRMWARE_SEAL_H

#include <stdint.h>

#define SEAL_MAGIC 0x6B6D7365u

struct seal {
	uint32_t magic, len, crc;
};
extern const struct seal seal;
extern const uint8_t image_start[], image_end[]; /* link.ld: code and constants, without the seal */

#endif
