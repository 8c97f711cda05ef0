/* png.c - see png.h. */
#include "content/png.h"

#include <string.h>
#include <zlib.h>

#include "core/bytes.h"

enum { SIGNATURE, HEAD, DATA, CHECKSUM };
enum { SIDE_MAX = 65535 }; /* pixels; a page at 600 dpi has 7000 */

void png_begin(struct png *g)
{
	memset(g, 0, sizeof(*g));
}

static int is(const struct png *g, const char type[4])
{
	return memcmp(g->type, type, 4) == 0;
}

static int on_head(struct png *g, struct content_why *why)
{
	g->left = g->length = get32(g->field);
	memcpy(g->type, g->field + 4, 4);
	g->crc = (uint32_t)crc32(0, g->type, 4);
	if (g->length > 0x7FFFFFFF)
		return content_say(why, "a PNG chunk has an impossible length");
	if (g->seen_header == is(g, "IHDR") || (is(g, "IHDR") && g->length != 13) || (is(g, "IEND") && g->length != 0))
		return content_say(why, "a PNG chunk stands where it may not");
	g->seen_header = 1;
	if (is(g, "IDAT"))
		g->seen_data = 1;
	g->state = g->length > 0 ? DATA : CHECKSUM;
	return 0;
}

static int on_checksum(struct png *g, struct content_why *why)
{
	if (get32(g->field) != g->crc)
		return content_say(why, "the checksum of a PNG chunk is wrong");
	g->ended = (uint8_t)is(g, "IEND");
	g->state = HEAD;
	return 0;
}

/* The fields of fixed length, gathered to `want` bytes. */
static int on_field(struct png *g, struct content_why *why)
{
	g->have = 0;
	if (g->state == HEAD)
		return on_head(g, why);
	if (g->state == CHECKSUM)
		return on_checksum(g, why);
	g->state = HEAD;
	return memcmp(g->field, "\x89PNG\r\n\x1A\n", 8) == 0 ? 0 : content_say(why, "it does not begin like a PNG");
}

static int on_data(struct png *g, const uint8_t *p, size_t n, struct content_why *why)
{
	g->crc = (uint32_t)crc32(g->crc, p, (uInt)n);
	if (is(g, "IHDR")) { /* width and height come first */
		for (size_t i = 0; i < n; i++)
			g->field[g->have++] = p[i];
		if (g->have == 13) {
			uint32_t w = get32(g->field), h = get32(g->field + 4);

			if (w == 0 || h == 0 || w > SIDE_MAX || h > SIDE_MAX)
				return content_say(why, "the PNG has an impossible size in pixels");
			g->have = 0;
		}
	}
	g->left -= (uint32_t)n;
	if (g->left == 0)
		g->state = CHECKSUM;
	return 0;
}

int png_bytes(struct png *g, const uint8_t *p, size_t n, struct content_why *why)
{
	while (n > 0) {
		size_t want = g->state == CHECKSUM ? 4 : 8, part;

		if (g->ended)
			return content_say(why, "something stands behind the PNG's end");
		if (g->state == DATA) {
			part = g->left < n ? g->left : n;
			if (on_data(g, p, part, why) != 0)
				return -1;
		} else {
			part = want - g->have < n ? want - g->have : n;
			memcpy(g->field + g->have, p, part);
			g->have += part;
			if (g->have == want && on_field(g, why) != 0)
				return -1;
		}
		p += part;
		n -= part;
	}
	return 0;
}

int png_end(struct png *g, struct content_why *why)
{
	if (!g->ended)
		return content_say(why, g->seen_header ? "the PNG is cut short" : "it does not begin like a PNG");
	return g->seen_data ? 0 : content_say(why, "the PNG has no image in it");
}
