/* text.h - which encodings can these bytes be?  Fed in pieces.
 *
 * UTF-8 is strict: shortest forms, no surrogates.  CP932 (Shift_JIS as Windows
 * has it) by its structure: lead 81-9F or E0-FC, trail 40-7E or 80-FC, half-width
 * kana A1-DF, so that local characters (gaiji, F040-F9FC) and the makers'
 * extensions pass, whatever table a core system has for them.
 * In both, a byte below 40 (hex) is always itself, never part of a character:
 * the comma, the quotation mark, line ends, '<', '>' and '&' can be looked for
 * without knowing the encoding. */
#ifndef KM_TEXT_H
#define KM_TEXT_H

#include "content/content.h"

struct text {
	uint32_t possible; /* CONTENT_UTF8 | CONTENT_CP932 */
	uint8_t want;      /* UTF-8: bytes still to come of this character */
	uint8_t low, high; /* and the range of the next */
	uint8_t trail;     /* CP932: a trail byte is to come */
};

void text_begin(struct text *t, uint32_t possible);
/* Returns what remains possible; 0: none. */
uint32_t text_bytes(struct text *t, const uint8_t *p, size_t n);
uint32_t text_end(struct text *t); /* a character cut short is none */

#endif
