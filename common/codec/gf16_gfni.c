/* gf16_gfni.c - the kernel for GFNI with AVX2: VGF2P8AFFINEQB applies an 8x8 bit
 * matrix to thirty-two bytes, so any constant of the subfield is one
 * instruction. */
#include "gf16.h"

#if defined(__GFNI__) && defined(__AVX2__)

#include "gf16_gfni_vec.h"

#define KERNEL "gfni"
#define KERNEL_RADIX 2
#define VEC 32
#define DOT_VECS 4
#define DOT2_VECS 2

typedef struct { /* matrices of ll', b_7 hh', lh', and (l' + h') for h */
	__m256i low, high_low, low_high, sum;
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
		.low_high = matrix(h),
		.sum = matrix(l ^ h),
	};
}

static inline vec mul_low(vec a, vec x, const con *c)
{
	a.lo = _mm256_xor_si256(a.lo, times(x.lo, c->low));
	a.hi = _mm256_xor_si256(a.hi, times(x.hi, c->low));
	return a;
}

static inline vec mul_wide(vec a, vec x, const con *c)
{
	__m256i lo = _mm256_xor_si256(times(x.lo, c->low),
	    times(x.hi, c->high_low));
	__m256i hi = _mm256_xor_si256(times(x.lo, c->low_high),
	    times(x.hi, c->sum));

	return vxor(a, (vec){ lo, hi });
}

static bool present(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("gfni");
}

#include "gf16_rows.h"

const struct gf16_kernel *const gf16_gfni = &kernel;

#else

const struct gf16_kernel *const gf16_gfni = NULL;

#endif
