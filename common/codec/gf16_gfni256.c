/* gf16_gfni256.c - the passes of gf16_gfni512.c that have wide constants, with low and
 * high bytes in registers of their own, of 256 bits: no halves are exchanged, and
 * three products of bytes do for four.  On a processor that splits instructions of
 * 512 bits that is a fifth less work (Zen 4: 3.8 cycles instead of 4.8 for three layers
 * of a line).  Sixteen registers hold eight rows, the rest constants, of which a layer's
 * have one in common. */
#include "gf16.h"

#if defined(__GFNI__) && defined(__AVX512VL__)

#include "gf16_gfni_vec.h"

#define KERNEL "gfni256"
#define KERNEL_RADIX 3
#define VEC 32
#define DOT_VECS 4
#define DOT2_VECS 2
#define CON_NEAR con_near

typedef struct { /* matrices of l', b_7 h' and l' + h' */
	__m256i low, high_low, sum;
} con;

static inline con con_low(uint16_t c)
{
	return (con){ .low = matrix((uint8_t)c) };
}

static inline con con_wide(uint16_t c)
{
	uint8_t l = (uint8_t)c, h = (uint8_t)(c >> 8);

	return (con){
		.low = matrix(l),
		.high_low = matrix(gf16.column[h][7]),
		.sum = matrix(l ^ h),
	};
}

static inline vec mul_low(vec a, vec x, const con *c)
{
	a.lo = _mm256_xor_si256(a.lo, times(x.lo, c->low));
	a.hi = _mm256_xor_si256(a.hi, times(x.hi, c->low));
	return a;
}

static inline __m256i sum3(__m256i a, __m256i b, __m256i c)
{
	return _mm256_ternarylogic_epi64(a, b, c, 0x96);
}

/* With p = l l' the low byte is p + b_7 hh', the high one (l + h)(l' + h') + p. */
static inline vec mul_wide(vec a, vec x, const con *c)
{
	__m256i p = times(x.lo, c->low);

	return (vec){
		sum3(a.lo, p, times(x.hi, c->high_low)),
		sum3(a.hi, p, times(_mm256_xor_si256(x.lo, x.hi), c->sum)),
	};
}

static inline con con_near(const con *c, uint16_t e)
{
	return (con){
		.low = matrix((uint8_t)e),
		.high_low = c->high_low,
		.sum = matrix((uint8_t)(e ^ e >> 8)),
	};
}

static bool present(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("gfni");
}

#include "gf16_rows.h"

const struct gf16_kernel *const gf16_gfni256 = &kernel;

#else

const struct gf16_kernel *const gf16_gfni256 = NULL;

#endif
