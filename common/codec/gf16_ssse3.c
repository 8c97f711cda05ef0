/* gf16_ssse3.c - the kernel for SSSE3: PSHUFB looks up sixteen nibbles at once
 * (Plank, Greenan, Miller: Screaming fast Galois field arithmetic using Intel
 * SIMD instructions, FAST 2013). */
#include "gf16.h"

#if defined(__SSSE3__)

#include <immintrin.h>

#define KERNEL "ssse3"
#define KERNEL_RADIX 2
#define VEC 16
#define DOT_VECS 2
#define DOT2_VECS 1

typedef struct {
	__m128i lo, hi;
} vec;

typedef struct { /* nibble tables of ll', b_7 hh', lh', and (l' + h') for h */
	const uint8_t *low, *high_low, *low_high, *sum;
} con;

static inline __m128i get(const uint8_t *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline vec load(const uint8_t *p)
{
	return (vec){ get(p), get(p + 32) };
}

static inline void store(uint8_t *p, vec x)
{
	_mm_storeu_si128((__m128i *)(void *)p, x.lo);
	_mm_storeu_si128((__m128i *)(void *)(p + 32), x.hi);
}

static inline vec vxor(vec a, vec b)
{
	return (vec){ _mm_xor_si128(a.lo, b.lo), _mm_xor_si128(a.hi, b.hi) };
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

/* a + the product of the bytes whose nibbles are n0 (low) and n1 */
static inline __m128i look_up(__m128i a, __m128i n0, __m128i n1, const uint8_t *table)
{
	return _mm_xor_si128(a,
	    _mm_xor_si128(_mm_shuffle_epi8(get(table), n0),
	    _mm_shuffle_epi8(get(table + 16), n1)));
}

static inline __m128i low_nibbles(__m128i x)
{
	return _mm_and_si128(x, _mm_set1_epi8(15));
}

static inline __m128i high_nibbles(__m128i x)
{
	return _mm_and_si128(_mm_srli_epi64(x, 4), _mm_set1_epi8(15));
}

static inline vec mul_low(vec a, vec x, const con *c)
{
	a.lo = look_up(a.lo, low_nibbles(x.lo), high_nibbles(x.lo), c->low);
	a.hi = look_up(a.hi, low_nibbles(x.hi), high_nibbles(x.hi), c->low);
	return a;
}

static inline vec mul_wide(vec a, vec x, const con *c)
{
	__m128i l0 = low_nibbles(x.lo), l1 = high_nibbles(x.lo);
	__m128i h0 = low_nibbles(x.hi), h1 = high_nibbles(x.hi);

	a.lo = look_up(look_up(a.lo, l0, l1, c->low), h0, h1, c->high_low);
	a.hi = look_up(look_up(a.hi, l0, l1, c->low_high), h0, h1, c->sum);
	return a;
}

static bool present(void)
{
	return __builtin_cpu_supports("ssse3");
}

#include "gf16_rows.h"

const struct gf16_kernel *const gf16_ssse3 = &kernel;

#else

const struct gf16_kernel *const gf16_ssse3 = NULL;

#endif
