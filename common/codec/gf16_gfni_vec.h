/* gf16_gfni_vec.h - what both kernels of 256 bits with GFNI are made of: a line as
 * its low and its high bytes, and a constant of the subfield as a bit matrix.
 * Included by them, in the flags of each. */
#include <immintrin.h>

typedef struct {
	__m256i lo, hi;
} vec;

static inline vec load(const uint8_t *p)
{
	return (vec){
		_mm256_loadu_si256((const __m256i *)(const void *)p),
		_mm256_loadu_si256((const __m256i *)(const void *)(p + 32)),
	};
}

static inline void store(uint8_t *p, vec x)
{
	_mm256_storeu_si256((__m256i *)(void *)p, x.lo);
	_mm256_storeu_si256((__m256i *)(void *)(p + 32), x.hi);
}

static inline vec vxor(vec a, vec b)
{
	return (vec){ _mm256_xor_si256(a.lo, b.lo),
		_mm256_xor_si256(a.hi, b.hi) };
}

static inline __m256i matrix(uint8_t c)
{
	return _mm256_set1_epi64x((long long)gf16.affine[c]);
}

static inline __m256i times(__m256i x, __m256i m)
{
	return _mm256_gf2p8affine_epi64_epi8(x, m, 0);
}
