/* gf16_gfni512.c - the kernel for GFNI with AVX-512: a register holds a whole
 * unit, low bytes below, high bytes above.  A low constant takes one matrix
 * instruction, a wide one two, one of them on the unit with its halves exchanged.
 * Eight rows and the constants of three layers fit the registers.  Passes with wide
 * constants are those of gf16_gfni256.c. */
#include "gf16.h"

#if defined(__GFNI__) && defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__)

#include <immintrin.h>

#define KERNEL "gfni512"
#define KERNEL_RADIX 3
#define VEC 32
#define DOT_VECS 7
#define DOT2_VECS 7
#define WIDE_PASSES gf16_gfni256

typedef __m512i vec;

typedef struct {
	__m512i straight; /* matrices of ll' below, (l' + h') for h above */
	__m512i crossed;  /* of b_7 hh' below, lh' above; halves exchanged */
} con;

static inline vec load(const uint8_t *p)
{
	return _mm512_loadu_si512(p);
}

static inline void store(uint8_t *p, vec x)
{
	_mm512_storeu_si512(p, x);
}

static inline vec vxor(vec a, vec b)
{
	return _mm512_xor_si512(a, b);
}

static inline __m512i halves(uint8_t below, uint8_t above)
{
	return _mm512_mask_set1_epi64(
	    _mm512_set1_epi64((long long)gf16.affine[below]), 0xf0,
	    (long long)gf16.affine[above]);
}

static inline con con_low(uint16_t c)
{
	__m512i m = _mm512_set1_epi64((long long)gf16.affine[c & 255]);

	return (con){ m, m };
}

static inline con con_wide(uint16_t c)
{
	uint8_t l = (uint8_t)c, h = (uint8_t)(c >> 8);

	return (con){ halves(l, l ^ h), halves(gf16.column[h][7], h) };
}

static inline vec mul_low(vec a, vec x, const con *c)
{
	return vxor(a, _mm512_gf2p8affine_epi64_epi8(x, c->straight, 0));
}

static inline vec mul_wide(vec a, vec x, const con *c)
{
	__m512i swapped = _mm512_shuffle_i64x2(x, x, 0x4e);

	return _mm512_ternarylogic_epi64(a,
	    _mm512_gf2p8affine_epi64_epi8(x, c->straight, 0),
	    _mm512_gf2p8affine_epi64_epi8(swapped, c->crossed, 0), 0x96);
}

static bool present(void)
{
	return __builtin_cpu_supports("avx512f") &&
	    __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512vl") &&
	    __builtin_cpu_supports("gfni");
}

#include "gf16_rows.h"

const struct gf16_kernel *const gf16_gfni512 = &kernel;

#else

const struct gf16_kernel *const gf16_gfni512 = NULL;

#endif
