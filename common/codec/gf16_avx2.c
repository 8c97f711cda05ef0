/* gf16_avx2.c - the kernel for AVX2: VPSHUFB looks up thirty-two nibbles at once
 * (as in gf16_ssse3.c, a whole unit at a time). */
#include "gf16.h"

#if defined(__AVX2__)

#include <immintrin.h>

#define KERNEL "avx2"
#define KERNEL_RADIX 2
#define VEC 32
#define DOT_VECS 2
#define DOT2_VECS 2

typedef struct {
	__m256i lo, hi;
} vec;

/* Nibble tables, low and high, of products by l', by b_7 h' and by l' + h' */
typedef struct {
	__m256i low[2], high_low[2], sum[2];
} con;

static inline __m256i get(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline vec load(const uint8_t *p)
{
	return (vec){ get(p), get(p + 32) };
}

static inline void store(uint8_t *p, vec x)
{
	_mm256_storeu_si256((__m256i *)(void *)p, x.lo);
	_mm256_storeu_si256((__m256i *)(void *)(p + 32), x.hi);
}

static inline vec vxor(vec a, vec b)
{
	return (vec){ _mm256_xor_si256(a.lo, b.lo), _mm256_xor_si256(a.hi, b.hi) };
}

/* the table of c, in both halves of two registers */
static inline void table(__m256i t[2], uint8_t c)
{
	const __m128i *p = (const __m128i *)(const void *)gf16.nibble[c];

	t[0] = _mm256_broadcastsi128_si256(_mm_loadu_si128(p));
	t[1] = _mm256_broadcastsi128_si256(_mm_loadu_si128(p + 1));
}

static inline con con_low(uint16_t c)
{
	con r;

	table(r.low, (uint8_t)c);
	return r;
}

static inline con con_wide(uint16_t c)
{
	uint8_t l = (uint8_t)c, h = (uint8_t)(c >> 8);
	con r;

	table(r.low, l);
	table(r.high_low, gf16.column[h][7]);
	table(r.sum, l ^ h);
	return r;
}

static inline __m256i low_nibbles(__m256i x)
{
	return _mm256_and_si256(x, _mm256_set1_epi8(15));
}

static inline __m256i high_nibbles(__m256i x)
{
	return _mm256_and_si256(_mm256_srli_epi64(x, 4), _mm256_set1_epi8(15));
}

/* a + the product of the bytes whose nibbles are n0 (low) and n1 */
static inline __m256i look_up(__m256i a, __m256i n0, __m256i n1, const __m256i t[2])
{
	a = _mm256_xor_si256(a, _mm256_shuffle_epi8(t[0], n0));
	return _mm256_xor_si256(a, _mm256_shuffle_epi8(t[1], n1));
}

static inline vec mul_low(vec a, vec x, const con *c)
{
	a.lo = look_up(a.lo, low_nibbles(x.lo), high_nibbles(x.lo), c->low);
	a.hi = look_up(a.hi, low_nibbles(x.hi), high_nibbles(x.hi), c->low);
	return a;
}

/* Sixteen registers hold the rows of a pass and little else.  Left alone the
 * compiler keeps tables in them that two butterflies have in common, and moves
 * rows out and in again for it; made to believe that the tables change, it loads
 * each where it is used, which costs nothing (measured: a third faster).  The two
 * tables of mul_low() find room; with them in memory dot() took a quarter longer. */
#define RELOAD(c) __asm__ volatile("" : : "r"(c) : "memory")

/* Three products instead of four (Karatsuba): with p = l l' the high byte
 * l h' + h (l' + h') is (l + h)(l' + h') + p, and nibbles of l + h are sums. */
static inline vec mul_wide(vec a, vec x, const con *c)
{
	RELOAD(c);
	__m256i l0 = low_nibbles(x.lo), l1 = high_nibbles(x.lo);
	__m256i h0 = low_nibbles(x.hi), h1 = high_nibbles(x.hi);
	__m256i p = _mm256_xor_si256(_mm256_shuffle_epi8(c->low[0], l0),
	    _mm256_shuffle_epi8(c->low[1], l1));

	a.lo = look_up(_mm256_xor_si256(a.lo, p), h0, h1, c->high_low);
	a.hi = look_up(_mm256_xor_si256(a.hi, p), _mm256_xor_si256(l0, h0),
	    _mm256_xor_si256(l1, h1), c->sum);
	return a;
}

static bool present(void)
{
	return __builtin_cpu_supports("avx2");
}

#include "gf16_rows.h"

const struct gf16_kernel *const gf16_avx2 = &kernel;

#else

const struct gf16_kernel *const gf16_avx2 = NULL;

#endif
