/* gf16_neon.c - the kernel for AArch64: TBL looks up sixteen nibbles at once. */
#include "gf16.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#define KERNEL "neon"
#define KERNEL_RADIX 2
#define VEC 16
#define DOT_VECS 4
#define DOT2_VECS 2

typedef struct {
	uint8x16_t lo, hi;
} vec;

typedef struct { /* nibble tables of ll', b_7 hh', lh', and (l' + h') for h */
	const uint8_t *low, *high_low, *low_high, *sum;
} con;

static inline vec load(const uint8_t *p)
{
	return (vec){ vld1q_u8(p), vld1q_u8(p + 32) };
}

static inline void store(uint8_t *p, vec x)
{
	vst1q_u8(p, x.lo);
	vst1q_u8(p + 32, x.hi);
}

static inline vec vxor(vec a, vec b)
{
	return (vec){ veorq_u8(a.lo, b.lo), veorq_u8(a.hi, b.hi) };
}

static inline con con_low(uint16_t c)
{
	return (con){ .low = gf16.nibble[c & 255] };
}

static inline con con_wide(uint16_t c)
{
	uint8_t l = (uint8_t)c, h = (uint8_t)(c >> 8);

	return (con){
		.low = gf16.nibble[l],
		.high_low = gf16.nibble[gf16.column[h][7]],
		.low_high = gf16.nibble[h],
		.sum = gf16.nibble[l ^ h],
	};
}

static inline uint8x16_t look_up(uint8x16_t a, uint8x16_t x, const uint8_t *table)
{
	uint8x16_t n0 = vandq_u8(x, vdupq_n_u8(15)), n1 = vshrq_n_u8(x, 4);

	return veorq_u8(a, veorq_u8(vqtbl1q_u8(vld1q_u8(table), n0),
	    vqtbl1q_u8(vld1q_u8(table + 16), n1)));
}

static inline vec mul_low(vec a, vec x, const con *c)
{
	a.lo = look_up(a.lo, x.lo, c->low);
	a.hi = look_up(a.hi, x.hi, c->low);
	return a;
}

static inline vec mul_wide(vec a, vec x, const con *c)
{
	a.lo = look_up(look_up(a.lo, x.lo, c->low), x.hi, c->high_low);
	a.hi = look_up(look_up(a.hi, x.lo, c->low_high), x.hi, c->sum);
	return a;
}

static bool present(void)
{
	return true; /* NEON is part of the architecture */
}

#include "gf16_rows.h"

const struct gf16_kernel *const gf16_neon = &kernel;

#else

const struct gf16_kernel *const gf16_neon = NULL;

#endif
