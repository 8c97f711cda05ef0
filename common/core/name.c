/* name.c - see name.h */
#include "core/name.h"

#include <string.h>

#include "core/utf8.h"

static enum name_err check_char(uint32_t c)
{
	if (utf8_control(c))
		return NAME_ECONTROL;
	if (c == '/' || c == '\\')
		return NAME_ESLASH;
	return utf8_deceptive(c) ? NAME_EBIDI : NAME_OK;
}

static enum name_err check_utf8(const uint8_t *p, const uint8_t *end)
{
	uint32_t c = 0;
	size_t len;

	for (; p < end; p += len) {
		if ((len = utf8_next(&c, p, end)) == 0)
			return NAME_ECODING; /* not for names of which name_is_utf8() is true */
		enum name_err e = check_char(c);
		if (e != NAME_OK)
			return e;
	}
	return NAME_OK;
}

static bool cp932_lead(uint8_t b)
{
	return (b >= 0x81 && b <= 0x9F) || (b >= 0xE0 && b <= 0xFC);
}

static bool cp932_trail(uint8_t b)
{
	return (b >= 0x40 && b <= 0x7E) || (b >= 0x80 && b <= 0xFC);
}

/* The structure only: which of the pairs stand for a character differs
 * between systems, and gaiji are in use. */
static enum name_err check_cp932(const uint8_t *p, const uint8_t *end)
{
	while (p < end) {
		if (cp932_lead(*p)) {
			if (end - p < 2 || !cp932_trail(p[1]))
				return NAME_ECODING;
			p += 2; /* the second may be 5C: it is no backslash there */
			continue;
		}
		if (*p < 0x80) {
			enum name_err e = check_char(*p);
			if (e != NAME_OK)
				return e;
		} else if (*p < 0xA1 || *p > 0xDF) {
			return NAME_ECODING;
		}
		p++;
	}
	return NAME_OK;
}

bool name_is_utf8(const uint8_t *name, size_t n)
{
	const uint8_t *p = name, *end = name + n;
	uint32_t c = 0;

	while (p < end) {
		size_t len = utf8_next(&c, p, end);
		if (len == 0)
			return false;
		p += len;
	}
	return true;
}

enum name_err name_check(const uint8_t *name, size_t n)
{
	if (n == 0)
		return NAME_EEMPTY;
	if (n > NAME_MAX_LEN)
		return NAME_ELONG;
	if (name[0] == '.')
		return NAME_EHIDDEN;
	/* What is valid UTF-8 is judged as UTF-8 alone: U+202E and its like
	 * are also well-formed CP932, and must not get in that way. */
	return name_is_utf8(name, n) ? check_utf8(name, name + n) : check_cp932(name, name + n);
}

bool name_channel_ok(const char *s, size_t n)
{
	if (n == 0 || n > NAME_CHANNEL_MAX || s[0] < 'a' || s[0] > 'z')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '-' || s[i] == '_'))
			return false;
	return true;
}

void name_type(char out[NAME_TYPE_MAX + 1], const uint8_t *name, size_t n)
{
	size_t dot = n, len;

	out[0] = '\0';
	while (dot > 0 && name[dot - 1] != '.')
		dot--;
	len = n - dot; /* name[dot..] is what stands behind the last dot */
	if (dot < 2 || len == 0 || len > NAME_TYPE_MAX)
		return;
	for (size_t i = 0; i < len; i++) {
		uint8_t c = name[dot + i];
		if (c >= 'A' && c <= 'Z')
			c = (uint8_t)(c + ('a' - 'A'));
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) {
			out[0] = '\0';
			return;
		}
		out[i] = (char)c;
	}
	out[len] = '\0';
}

int name_order(const uint8_t *a, size_t an, const uint8_t *b, size_t bn)
{
	int c = memcmp(a, b, an < bn ? an : bn);

	if (c != 0)
		return c;
	return an < bn ? -1 : an > bn;
}

const char *name_strerror(enum name_err e)
{
	switch (e) {
	case NAME_OK: return "the name is accepted";
	case NAME_EEMPTY: return "the name is empty";
	case NAME_ELONG: return "the name has more than 255 bytes";
	case NAME_EHIDDEN: return "the name begins with a dot";
	case NAME_ESLASH: return "the name has a slash or a backslash";
	case NAME_ECONTROL: return "the name has a control character";
	case NAME_EBIDI: return "the name has a character that changes how others are shown";
	case NAME_ECODING: return "the name is neither UTF-8 nor Shift_JIS (CP932)";
	}
	return "the name is not accepted";
}
