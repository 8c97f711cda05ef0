/* zip_name.c - see zip_name.h. */
#include "content/zip_name.h"

#include <string.h>
#include <strings.h>

#include "codec/crypto.h"
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

/* A part of the path that Windows does not write as it stands: it leaves dots and
 * blanks at the end out, and takes some names for devices, whatever their extension. */
static int windows_differs(const uint8_t *part, size_t n)
{
	static const char *const device[] = { "con", "prn", "aux", "nul", "com", "lpt" };
	const uint8_t *dot = memchr(part, '.', n);
	size_t stem = dot != NULL ? (size_t)(dot - part) : n;

	if (part[n - 1] == '.' || part[n - 1] == ' ')
		return 1;
	while (stem > 0 && part[stem - 1] == ' ')
		stem--;
	for (size_t i = 0; i < sizeof(device) / sizeof(device[0]); i++)
		if ((i < 4 ? stem == 3 : stem == 4 && part[3] >= '1' && part[3] <= '9') &&
		    strncasecmp((const char *)part, device[i], 3) == 0)
			return 1;
	return 0;
}

static int part_check(const uint8_t *part, size_t n, struct content_why *why)
{
	if (n <= 2 && memcmp(part, "..", n) == 0)
		return content_say(why, "the name of a zip entry climbs out (\"..\"), or has a part \".\"");
	return windows_differs(part, n) ? content_say(why, "Windows would not write the name of a zip entry as it stands") : 0;
}

int zip_name_check(const uint8_t *p, size_t n, int utf8, struct content_why *why)
{
	const uint8_t *end = p + n, *part = p;
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
		if (c < 0x80 && strchr("<>\"|?*", (int)c) != NULL)
			return content_say(why, "Windows would not write the name of a zip entry as it stands");
		if (c != '/')
			continue;
		if (p == part)
			return content_say(why, "the name of a zip entry is absolute, or has an empty part");
		if (part_check(part, (size_t)(p - part), why) != 0)
			return -1;
		part = p + 1;
	}
	return part < end ? part_check(part, (size_t)(end - part), why) : 0;
}

/* From the last dot of its last part on; the whole name's end if there is none. */
static size_t ending(const uint8_t *p, size_t n)
{
	size_t at = n;

	while (at > 0 && p[at - 1] != '.' && p[at - 1] != '/')
		at--;
	return at > 0 && p[at - 1] == '.' ? at : n;
}

int zip_name_second(const uint8_t *name, size_t n, const uint8_t *second, size_t m, struct content_why *why)
{
	size_t a = ending(name, n), b = ending(second, m);

	if (zip_name_check(second, m, 1, why) != 0)
		return -1;
	if ((name[n - 1] == '/') != (second[m - 1] == '/') || n - a != m - b ||
	    strncasecmp((const char *)name + a, (const char *)second + b, n - a) != 0)
		return content_say(why, "a zip entry has a second name of another type");
	return 0;
}

void zip_name_fold(uint8_t out[static ZIP_HASH_LEN], const uint8_t *name, size_t n)
{
	uint8_t folded[ZIP_NAME_MAX], full[HASH_LEN];

	n = n < sizeof(folded) ? n : sizeof(folded); /* longer ones were refused */
	for (size_t i = 0; i < n; i++)
		folded[i] = name[i] >= 'A' && name[i] <= 'Z' ? (uint8_t)(name[i] + 32) : name[i];
	crypto_sha256(full, folded, n > 0 && name[n - 1] == '/' ? n - 1 : n);
	memcpy(out, full, ZIP_HASH_LEN);
}
