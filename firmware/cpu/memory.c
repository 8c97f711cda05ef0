/* memory.c - memcpy, memset and memcmp, and the RAM test.
 *
 * A word at a time where both ends are aligned alike, which the frames are
 * (link_frame.h); never an unaligned access, which device memory refuses. */
#include <stdint.h>
#include <string.h>

#include "cpu/ram_march.h"

#undef memcpy
#undef memset
#undef memcmp

/* Words that may lie in anything. */
typedef uint32_t __attribute__((may_alias)) word;

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	if ((((uintptr_t)t ^ (uintptr_t)f) & 3) == 0) {
		for (; n > 0 && ((uintptr_t)t & 3) != 0; n--)
			*t++ = *f++;
		for (; n >= 16; n -= 16, t += 16, f += 16) {
			const word a = ((const word *)(const void *)f)[0], b = ((const word *)(const void *)f)[1],
			    c = ((const word *)(const void *)f)[2], d = ((const word *)(const void *)f)[3];
			((word *)(void *)t)[0] = a;
			((word *)(void *)t)[1] = b;
			((word *)(void *)t)[2] = c;
			((word *)(void *)t)[3] = d;
		}
		for (; n >= 4; n -= 4, t += 4, f += 4)
			*(word *)(void *)t = *(const word *)(const void *)f;
	}
	while (n-- > 0)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	uint8_t *t = to;
	const uint32_t pattern = (uint8_t)byte * 0x01010101u;

	for (; n > 0 && ((uintptr_t)t & 3) != 0; n--)
		*t++ = (uint8_t)byte;
	for (; n >= 4; n -= 4, t += 4)
		*(word *)(void *)t = pattern;
	while (n-- > 0)
		*t++ = (uint8_t)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (; n > 0; n--, x++, y++)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}

/* Each word gets a value of its own, so that two addresses that are one word show.  Few registers are
 * needed for it, so that none has to be saved in a memory nobody has tested. */
static uint32_t own(volatile const uint32_t *p)
{
	return (uint32_t)(uintptr_t)p;
}

volatile uint32_t *ram_march(volatile uint32_t *from, volatile uint32_t *to)
{
	volatile uint32_t *p;

	for (p = from; p < to; p++)
		*p = own(p);
	for (p = from; p < to; p++) {
		if (*p != own(p))
			return p;
		*p = ~own(p);
	}
	while (p > from) {
		p--;
		if (*p != ~own(p))
			return p;
		*p = own(p);
	}
	for (; p < to; p++) {
		if (*p != own(p))
			return p;
		*p = 0;
	}
	return 0;
}
