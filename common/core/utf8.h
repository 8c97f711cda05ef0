/* utf8.h - strict UTF-8, one character at a time (PROTOCOL.md, section 2.5).
 * Freestanding. */
#ifndef KM_UTF8_H
#define KM_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character that begins at p (p < end) into *c, and its length in bytes:
 * shortest form only, no surrogates, nothing above U+10FFFF.  0 where the bytes
 * are anything else; *c is then untouched. */
static inline size_t utf8_next(uint32_t *c, const uint8_t *p, const uint8_t *end)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : p[0] < 0xF5 ? 4 : 0;
	uint32_t v = n == 1 ? p[0] : n == 2 ? p[0] & 0x1Fu : n == 3 ? p[0] & 0x0Fu : p[0] & 0x07u;

	if (n == 0 || (size_t)(end - p) < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
		v = v << 6 | (p[i] & 0x3Fu);
	}
	if (v < least[n] || v > 0x10FFFF || (v >= 0xD800 && v <= 0xDFFF))
		return 0;
	*c = v;
	return n;
}

static inline bool utf8_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c <= 0x9F);
}

/* Characters that change how others are shown, and show nothing themselves:
 * line and paragraph separators, bidirectional controls, the byte order mark. */
static inline bool utf8_deceptive(uint32_t c)
{
	return c == 0x2028 || c == 0x2029 || c == 0x061C || c == 0x200E || c == 0x200F ||
	    (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

#endif
