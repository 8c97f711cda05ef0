/* gf16_portable.c - the kernel in plain C: eight bytes in a 64-bit word,
 * multiplied a bit at a time.  c * x is the sum of c * 2^i over the bits i of x;
 * bit i of all eight bytes at once, times the byte c * 2^i, carries nowhere. */
#include <string.h>

#include "gf16.h"

#define KERNEL "portable"
#define KERNEL_RADIX 2
#define VEC 8
#define DOT_VECS 4
#define DOT2_VECS 2

typedef struct {
	uint64_t lo, hi;
} vec;

typedef struct { /* columns of ll', b_7 hh', lh', and (l' + h') for h */
	const uint8_t *low, *high_low, *low_high, *sum;
} con;

static inline vec load(const uint8_t *p)
{
	vec x;

	memcpy(&x.lo, p, 8);
	memcpy(&x.hi, p + 32, 8);
	return x;
}

static inline void store(uint8_t *p, vec x)
{
	memcpy(p, &x.lo, 8);
	memcpy(p + 32, &x.hi, 8);
}

static inline vec vxor(vec a, vec b)
{
	return (vec){ a.lo ^ b.lo, a.hi ^ b.hi };
}

static inline con con_low(uint16_t c)
{
	return (con){ .low = gf16.column[c & 255] };
}

static inline con con_wide(uint16_t c)
{
	uint8_t l = (uint8_t)c, h = (uint8_t)(c >> 8);

	return (con){
		.low = gf16.column[l],
		.high_low = gf16.column[gf16.column[h][7]],
		.low_high = gf16.column[h],
		.sum = gf16.column[l ^ h],
	};
}

static inline uint64_t bytes(uint64_t x, const uint8_t *column)
{
	uint64_t r = 0;

	for (int i = 0; i < 8; i++)
		r ^= (x >> i & 0x0101010101010101) * column[i];
	return r;
}

static inline vec mul_low(vec a, vec x, const con *c)
{
	a.lo ^= bytes(x.lo, c->low);
	a.hi ^= bytes(x.hi, c->low);
	return a;
}

static inline vec mul_wide(vec a, vec x, const con *c)
{
	a.lo ^= bytes(x.lo, c->low) ^ bytes(x.hi, c->high_low);
	a.hi ^= bytes(x.lo, c->low_high) ^ bytes(x.hi, c->sum);
	return a;
}

static bool present(void)
{
	return true;
}

#include "gf16_rows.h"

const struct gf16_kernel *const gf16_portable = &kernel;
