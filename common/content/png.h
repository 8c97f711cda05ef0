/* png.h - has a file the structure of a PNG (ISO/IEC 15948)?  Signature, IHDR
 * first with a possible size, every chunk's checksum right, at least one IDAT,
 * IEND last and nothing behind it.  The image is not decoded. */
#ifndef KM_PNG_H
#define KM_PNG_H

#include "content/why.h"

struct png {
	uint8_t field[13];  /* signature, head or checksum of a chunk, IHDR: being gathered */
	size_t have;
	uint32_t left;      /* bytes of the chunk's data still to come */
	uint32_t length;    /* of the chunk */
	uint32_t crc;
	uint8_t type[4];
	uint8_t state;
	uint8_t seen_header, seen_data, ended;
};

void png_begin(struct png *g);
int png_bytes(struct png *g, const uint8_t *p, size_t n, struct content_why *why) __attribute__((warn_unused_result));
int png_end(struct png *g, struct content_why *why) __attribute__((warn_unused_result));

#endif
