/* jpeg.c - see jpeg.h. */
#include "content/jpeg.h"

#include <string.h>

enum { START, START_2, MARKER, MARKER_2, LENGTH, BODY, SCAN, SCAN_MARKER, BEHIND };
enum { SOI = 0xD8, EOI = 0xD9, SOS = 0xDA };

void jpeg_begin(struct jpeg *j)
{
	memset(j, 0, sizeof(*j));
}

static int is_frame(uint8_t m)
{
	return m >= 0xC0 && m <= 0xCF && m != 0xC4 && m != 0xC8 && m != 0xCC;
}

/* Behind FF, where a marker has to stand. */
static int on_marker(struct jpeg *j, uint8_t b, struct content_why *why)
{
	if (b == 0xFF)
		return 0; /* fill bytes may stand before a marker */
	if (b == EOI) {
		if (!j->frame || !j->scan)
			return content_say(why, "the JPEG has no image in it");
		j->complete = 1;
		j->state = BEHIND;
		return 0;
	}
	if (b == 0x01 || b < 0xC0 || (b >= 0xD0 && b <= SOI))
		return content_say(why, "the JPEG has marker %02x where none may stand", b);
	j->marker = b;
	j->have = 0;
	j->state = LENGTH;
	return 0;
}

static int on_length(struct jpeg *j, uint8_t b, struct content_why *why)
{
	uint32_t length;

	j->field[j->have++] = b;
	if (j->have < 2)
		return 0;
	length = (uint32_t)j->field[0] << 8 | j->field[1];
	if (length < (is_frame(j->marker) ? 8 : 2))
		return content_say(why, "a JPEG segment has an impossible length");
	j->left = length - 2;
	j->have = 0;
	j->scan |= j->marker == SOS;
	j->state = j->left > 0 ? BODY : MARKER;
	return 0;
}

static int on_body_end(struct jpeg *j, struct content_why *why)
{
	if (is_frame(j->marker)) { /* precision, height, width; a height of 0 is given later (DNL) */
		if ((j->field[3] | j->field[4]) == 0)
			return content_say(why, "the JPEG has an impossible size in pixels");
		j->frame = 1;
	}
	j->state = j->marker == SOS ? SCAN : MARKER;
	return 0;
}

static int byte(struct jpeg *j, uint8_t b, struct content_why *why)
{
	switch (j->state) {
	case START:
		j->state = START_2;
		return b == 0xFF ? 0 : content_say(why, "it does not begin like a JPEG");
	case START_2:
		j->state = MARKER;
		j->frame = j->scan = 0;
		return b == SOI ? 0 : content_say(why, "it does not begin like a JPEG");
	case MARKER:
		j->state = MARKER_2;
		return b == 0xFF ? 0 : content_say(why, "a JPEG segment does not end where it says");
	case MARKER_2:
		return on_marker(j, b, why);
	case LENGTH:
		return on_length(j, b, why);
	case SCAN:
		if (b == 0xFF)
			j->state = SCAN_MARKER;
		return 0;
	case SCAN_MARKER:
		if (b == 0 || (b >= 0xD0 && b <= 0xD7)) { /* a stuffed byte, or a restart */
			j->state = SCAN;
			return 0;
		}
		return on_marker(j, b, why);
	default: /* BEHIND */
		if (b == 0)
			return 0;
		j->state = START_2;
		j->complete = 0;
		return b == 0xFF ? 0 : content_say(why, "something stands behind the JPEG's end");
	}
}

int jpeg_bytes(struct jpeg *j, const uint8_t *p, size_t n, struct content_why *why)
{
	while (n > 0) {
		size_t part = 1;

		if (j->state == BODY) {
			part = j->left < n ? j->left : n;
			for (size_t i = 0; i < part && j->have < sizeof(j->field); i++)
				j->field[j->have++] = p[i];
			j->left -= (uint32_t)part;
			if (j->left == 0 && on_body_end(j, why) != 0)
				return -1;
		} else if (j->state == SCAN) { /* most of the file */
			const uint8_t *ff = memchr(p, 0xFF, n);

			part = ff == NULL ? n : (size_t)(ff - p) + 1;
			if (ff != NULL)
				j->state = SCAN_MARKER;
		} else if (byte(j, *p, why) != 0) {
			return -1;
		}
		p += part;
		n -= part;
	}
	return 0;
}

int jpeg_end(struct jpeg *j, struct content_why *why)
{
	if (j->complete)
		return 0;
	if (j->state == START || j->state == START_2)
		return content_say(why, "it does not begin like a JPEG");
	return content_say(why, "the JPEG is cut short");
}
