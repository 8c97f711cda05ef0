/* text.c - see text.h. */
#include "content/text.h"

#include <string.h>

void text_begin(struct text *t, uint32_t possible)
{
	memset(t, 0, sizeof(*t));
	t->possible = possible;
}

static int utf8_lead(struct text *t, uint8_t b)
{
	t->low = 0x80;
	t->high = 0xBF;
	if (b < 0x80)
		return 1;
	if (b < 0xC2 || b > 0xF4)
		return 0;
	t->want = b < 0xE0 ? 1 : b < 0xF0 ? 2 : 3;
	if (b == 0xE0)
		t->low = 0xA0; /* shorter forms */
	else if (b == 0xED)
		t->high = 0x9F; /* surrogates */
	else if (b == 0xF0)
		t->low = 0x90;
	else if (b == 0xF4)
		t->high = 0x8F; /* above U+10FFFF */
	return 1;
}

static int utf8_byte(struct text *t, uint8_t b)
{
	if (t->want == 0)
		return utf8_lead(t, b);
	if (b < t->low || b > t->high)
		return 0;
	t->want--;
	t->low = 0x80;
	t->high = 0xBF;
	return 1;
}

static int cp932_byte(struct text *t, uint8_t b)
{
	if (t->trail) {
		t->trail = 0;
		return (b >= 0x40 && b <= 0x7E) || (b >= 0x80 && b <= 0xFC);
	}
	t->trail = (b >= 0x81 && b <= 0x9F) || (b >= 0xE0 && b <= 0xFC);
	return b < 0x80 || t->trail || (b >= 0xA1 && b <= 0xDF);
}

uint32_t text_bytes(struct text *t, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n && t->possible != 0; i++) {
		if ((t->possible & CONTENT_UTF8) && !utf8_byte(t, p[i]))
			t->possible &= ~(uint32_t)CONTENT_UTF8;
		if ((t->possible & CONTENT_CP932) && !cp932_byte(t, p[i]))
			t->possible &= ~(uint32_t)CONTENT_CP932;
	}
	return t->possible;
}

uint32_t text_end(struct text *t)
{
	if (t->want != 0)
		t->possible &= ~(uint32_t)CONTENT_UTF8;
	if (t->trail)
		t->possible &= ~(uint32_t)CONTENT_CP932;
	return t->possible;
}
