/* jpeg.h - has a file the structure of a JPEG (ITU-T T.81)?  SOI, segments of
 * sane lengths, a frame header with a possible size, at least one scan, EOI.
 * Behind EOI only zero bytes, or further JPEGs, as cameras append them
 * (previews, the second eye), may stand.  The image is not decoded. */
#ifndef KM_JPEG_H
#define KM_JPEG_H

#include "content/why.h"

struct jpeg {
	uint8_t state;
	uint8_t marker;      /* of the present segment */
	uint8_t field[7];    /* length, beginning of a frame header */
	size_t have;
	uint32_t left;       /* bytes of the segment still to come */
	uint8_t frame, scan; /* seen in the present image */
	uint8_t complete;    /* an image has ended */
};

void jpeg_begin(struct jpeg *j);
int jpeg_bytes(struct jpeg *j, const uint8_t *p, size_t n, struct content_why *why) __attribute__((warn_unused_result));
int jpeg_end(struct jpeg *j, struct content_why *why) __attribute__((warn_unused_result));

#endif
