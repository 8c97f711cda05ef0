/* zip_name.c - see zip_name.h. */
#include "content/zip_name.h"

#include <string.h>

#include "content/text.h"
#include "core/utf8.h"

/* The next character: ASCII and what utf8.h reads as itself, a character of
 * CP932 as something that is no ASCII.  Returns its length. */
static size_t next(const uint8_t *p, const uint8_t *end, int utf8, uint32_t *c)
{
	if (utf8)
		return utf8_next(c, p, end);
	*c = p[0];
	if (p[0] < 0x80 || (p[0] >= 0xA1 && p[0] <= 0xDF))
		return 1;
	*c = 0xFFFD;
	return 2;
}

/* The encoding that the bytes have: 1 UTF-8, 0 CP932, -1 neither. */
static int encoding(const uint8_t *p, size_t n, int utf8)
{
	struct text t;
	uint32_t is;

	text_begin(&t, utf8 ? CONTENT_UTF8 : CONTENT_UTF8 | CONTENT_CP932);
	(void)text_bytes(&t, p, n);
	is = text_end(&t);
	return is & CONTENT_UTF8 ? 1 : is & CONTENT_CP932 ? 0 : -1;
}

int zip_name_check(const uint8_t *p, size_t n, int utf8, struct content_why *why)
{
	const uint8_t *end = p + n;
	size_t dots = 0, len = 0; /* of the present part */
	uint32_t c = 0;

	utf8 = encoding(p, n, utf8);
	if (n == 0 || utf8 < 0)
		return content_say(why, "the name of a zip entry is empty, or in no encoding known");
	for (size_t step; p < end; p += step) {
		step = next(p, end, utf8, &c);
		if (utf8_control(c) || (utf8 && utf8_deceptive(c)))
			return content_say(why, "the name of a zip entry has a control character");
		if (c == '\\' || c == ':')
			return content_say(why, "the name of a zip entry has a backslash or a colon");
		if (c != '/') {
			len++;
			dots += c == '.';
			continue;
		}
		if (len == 0)
			return content_say(why, "the name of a zip entry is absolute, or has an empty part");
		if (dots == len && len <= 2)
			return content_say(why, "the name of a zip entry climbs out (\"..\")");
		len = dots = 0;
	}
	return len > 0 && dots == len && len <= 2 ? content_say(why, "the name of a zip entry climbs out (\"..\")") : 0;
}
