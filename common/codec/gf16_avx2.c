/* gf16_avx2.c - the kernel for AVX2: VPSHUFB looks up thirty-two nibbles at once
 * (as in gf16_avx2.c, a whole unit at a time). */
#include "gf16.h"

#if defined(__AVX2__)

#include <immintrin.h>

#define KERNEL "avx2"
#define KERNEL_RADIX 2
#define VEC 32
#define DOT_VECS 2

typedef struct {
	__m256i lo, hi;
} vec;

typedef struct { /* nibble tables of ll', b_7 hh', lh', and (l' + h') for h */
	const uint8_t *low, *high_low, *low_high, *sum;
} con;

static inline __m256i
get(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline vec
load(const uint8_t *p)
{
	return (vec){ get(p), get(p + 32) };
}

static inline void
store(uint8_t *p, vec x)
{
	_mm256_storeu_si256((__m256i *)(void *)p, x.lo);
	_mm256_storeu_si256((__m256i *)(void *)(p + 32), x.hi);
}

static inline vec
vxor(vec a, vec b)
{
	return (vec){ _mm256_xor_si256(a.lo, b.lo), _mm256_xor_si256(a.hi, b.hi) };
}

static inline con
con_low(uint16_t c)
{
	return (con){ .low = gf16.nibble[c & 255] };
}

static inline con
con_wide(uint16_t c)
{
	uint8_t l = (uint8_t)c, h = (uint8_t)(c >> 8);

	return (con){
		.low = gf16.nibble[l],
		.high_low = gf16.nibble[gf16.column[h][7]],
		.low_high = gf16.nibble[h],
		.sum = gf16.nibble[l ^ h],
	};
}

/* sixteen bytes in both halves */
static inline __m256i
both(const uint8_t *p)
{
	return _mm256_broadcastsi128_si256(
	    _mm_loadu_si128((const __m128i *)(const void *)p));
}

/* a + the product of the bytes whose nibbles are n0 (low) and n1 */
static inline __m256i
look_up(__m256i a, __m256i n0, __m256i n1, const uint8_t *table)
{
	return _mm256_xor_si256(a,
	    _mm256_xor_si256(_mm256_shuffle_epi8(both(table), n0),
	    _mm256_shuffle_epi8(both(table + 16), n1)));
}

static inline __m256i
low_nibbles(__m256i x)
{
	return _mm256_and_si256(x, _mm256_set1_epi8(15));
}

static inline __m256i
high_nibbles(__m256i x)
{
	return _mm256_and_si256(_mm256_srli_epi64(x, 4), _mm256_set1_epi8(15));
}

static inline vec
mul_low(vec a, vec x, con c)
{
	a.lo = look_up(a.lo, low_nibbles(x.lo), high_nibbles(x.lo), c.low);
	a.hi = look_up(a.hi, low_nibbles(x.hi), high_nibbles(x.hi), c.low);
	return a;
}

static inline vec
mul_wide(vec a, vec x, con c)
{
	__m256i l0 = low_nibbles(x.lo), l1 = high_nibbles(x.lo);
	__m256i h0 = low_nibbles(x.hi), h1 = high_nibbles(x.hi);

	a.lo = look_up(look_up(a.lo, l0, l1, c.low), h0, h1, c.high_low);
	a.hi = look_up(look_up(a.hi, l0, l1, c.low_high), h0, h1, c.sum);
	return a;
}

static bool
present(void)
{
	return __builtin_cpu_supports("avx2");
}

#include "gf16_rows.h"

const struct gf16_kernel *const gf16_avx2 = &kernel;

#else

const struct gf16_kernel *const gf16_avx2 = NULL;

#endif
