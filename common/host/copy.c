/* copy.c - see copy.h */
#include "host/copy.h"

#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>

enum { LINE = 64 };

void copy_away(void *to, const void *from, size_t n)
{
	uint8_t *out = to;
	const uint8_t *in = from;
	size_t head = (LINE - (uintptr_t)out % LINE) % LINE;

	if (n < head + LINE) {
		memcpy(out, in, n);
		return;
	}
	memcpy(out, in, head);
	for (out += head, in += head, n -= head; n >= LINE; out += LINE, in += LINE, n -= LINE) {
		const __m128i *from_line = (const __m128i *)(const void *)in;
		__m128i a = _mm_loadu_si128(from_line), b = _mm_loadu_si128(from_line + 1);
		__m128i c = _mm_loadu_si128(from_line + 2), d = _mm_loadu_si128(from_line + 3);
		__m128i *line = (__m128i *)(void *)out;

		_mm_stream_si128(line, a);
		_mm_stream_si128(line + 1, b);
		_mm_stream_si128(line + 2, c);
		_mm_stream_si128(line + 3, d);
	}
	memcpy(out, in, n);
}

void copy_away_done(void)
{
	_mm_sfence();
}
#else
void copy_away(void *to, const void *from, size_t n)
{
	memcpy(to, from, n);
}

void copy_away_done(void)
{
}
#endif
