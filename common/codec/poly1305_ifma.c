/* poly1305_ifma.c - Poly1305 with AVX-512 IFMA (poly1305.h).
 *
 * Numbers modulo 2^130 - 5 in three limbs of 44, 44 and 42 bits, so that products
 * fit the 52-bit multiply-add (the representation: A. Moon, poly1305-donna-64; the
 * eight-fold Horner scheme: M. Goll, S. Gueron, Vectorization of Poly1305, 2015).
 * Lane j gathers every eighth block, h = h r^8 + m; in the end lane values are
 * multiplied by the power of r that each still lacks, and added. */
#include "codec/poly1305.h"

#if defined(__AVX512F__) && defined(__AVX512IFMA__)

#include <immintrin.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

#define MASK44 0xFFFFFFFFFFFull
#define MASK42 0x3FFFFFFFFFFull
enum { LANES = 8, BLOCK = 16, GROUP = LANES * BLOCK };

struct num {
	uint64_t a, b, c; /* 44, 44, 42 bits, little more after an addition */
};

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8); /* x86: little-endian */
	return v;
}

static struct num cut(uint64_t lo, uint64_t hi)
{
	return (struct num){ lo & MASK44, (lo >> 44 | hi << 20) & MASK44, hi >> 24 };
}

static struct num mul(struct num h, struct num r)
{
	uint64_t s1 = r.b * 20, s2 = r.c * 20; /* 2^132 = 20 */
	wide d0 = (wide)h.a * r.a + (wide)h.b * s2 + (wide)h.c * s1;
	wide d1 = (wide)h.a * r.b + (wide)h.b * r.a + (wide)h.c * s2;
	wide d2 = (wide)h.a * r.c + (wide)h.b * r.b + (wide)h.c * r.a;
	struct num o;

	d1 += (uint64_t)(d0 >> 44);
	d2 += (uint64_t)(d1 >> 44);
	o.c = (uint64_t)d2 & MASK42;
	o.a = ((uint64_t)d0 & MASK44) + (uint64_t)(d2 >> 42) * 5;
	o.b = ((uint64_t)d1 & MASK44) + (o.a >> 44);
	o.a &= MASK44;
	return o;
}

struct lanes {
	__m512i a, b, c;
};

static struct lanes mul_lanes(struct lanes h, struct lanes r, __m512i s1, __m512i s2)
{
	const __m512i zero = _mm512_setzero_si512(), m44 = _mm512_set1_epi64((long long)MASK44),
	    m42 = _mm512_set1_epi64((long long)MASK42);
	__m512i lo0 = _mm512_madd52lo_epu64(zero, h.a, r.a), hi0 = _mm512_madd52hi_epu64(zero, h.a, r.a);
	__m512i lo1 = _mm512_madd52lo_epu64(zero, h.a, r.b), hi1 = _mm512_madd52hi_epu64(zero, h.a, r.b);
	__m512i lo2 = _mm512_madd52lo_epu64(zero, h.a, r.c), hi2 = _mm512_madd52hi_epu64(zero, h.a, r.c);
	struct lanes o;
	__m512i c;

	lo0 = _mm512_madd52lo_epu64(lo0, h.b, s2);
	hi0 = _mm512_madd52hi_epu64(hi0, h.b, s2);
	lo1 = _mm512_madd52lo_epu64(lo1, h.b, r.a);
	hi1 = _mm512_madd52hi_epu64(hi1, h.b, r.a);
	lo2 = _mm512_madd52lo_epu64(lo2, h.b, r.b);
	hi2 = _mm512_madd52hi_epu64(hi2, h.b, r.b);
	lo0 = _mm512_madd52lo_epu64(lo0, h.c, s1);
	hi0 = _mm512_madd52hi_epu64(hi0, h.c, s1);
	lo1 = _mm512_madd52lo_epu64(lo1, h.c, s2);
	hi1 = _mm512_madd52hi_epu64(hi1, h.c, s2);
	lo2 = _mm512_madd52lo_epu64(lo2, h.c, r.a);
	hi2 = _mm512_madd52hi_epu64(hi2, h.c, r.a);
	/* A column is lo + 2^52 hi; what is above its 44 (42) bits goes to the next. */
	c = _mm512_add_epi64(_mm512_srli_epi64(lo0, 44), _mm512_slli_epi64(hi0, 8));
	o.a = _mm512_and_si512(lo0, m44);
	lo1 = _mm512_add_epi64(lo1, c);
	c = _mm512_add_epi64(_mm512_srli_epi64(lo1, 44), _mm512_slli_epi64(hi1, 8));
	o.b = _mm512_and_si512(lo1, m44);
	lo2 = _mm512_add_epi64(lo2, c);
	c = _mm512_add_epi64(_mm512_srli_epi64(lo2, 42), _mm512_slli_epi64(hi2, 10));
	o.c = _mm512_and_si512(lo2, m42);
	o.a = _mm512_add_epi64(o.a, _mm512_add_epi64(c, _mm512_slli_epi64(c, 2)));
	o.b = _mm512_add_epi64(o.b, _mm512_srli_epi64(o.a, 44));
	o.a = _mm512_and_si512(o.a, m44);
	return o;
}

/* Add eight blocks; lane j gets block order[j]. */
static const unsigned order[LANES] = { 0, 4, 1, 5, 2, 6, 3, 7 };

static struct lanes add_group(struct lanes h, const uint8_t *m)
{
	const __m512i m44 = _mm512_set1_epi64((long long)MASK44), top = _mm512_set1_epi64(1ll << 40);
	__m512i x = _mm512_loadu_si512(m), y = _mm512_loadu_si512(m + GROUP / 2);
	__m512i lo = _mm512_unpacklo_epi64(x, y), hi = _mm512_unpackhi_epi64(x, y);

	h.a = _mm512_add_epi64(h.a, _mm512_and_si512(lo, m44));
	h.b = _mm512_add_epi64(h.b, _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64(lo, 44), _mm512_slli_epi64(hi, 20)), m44));
	h.c = _mm512_add_epi64(h.c, _mm512_or_si512(_mm512_srli_epi64(hi, 24), top));
	return h;
}

static __m512i twenty(__m512i v)
{
	return _mm512_add_epi64(_mm512_slli_epi64(v, 4), _mm512_slli_epi64(v, 2));
}

/* The value of the first n bytes, n a multiple of GROUP. */
static struct num groups(const uint8_t *m, size_t n, struct num r)
{
	uint64_t a[LANES], b[LANES], c[LANES];
	struct num p = r, sum = { 0, 0, 0 };
	struct lanes h = { _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512() }, f;

	for (unsigned power = 1; power <= LANES; power++) { /* the block that is 8 - power still lacks this one */
		for (unsigned j = 0; j < LANES; j++)
			if (order[j] == LANES - power) {
				a[j] = p.a;
				b[j] = p.b;
				c[j] = p.c;
			}
		if (power < LANES)
			p = mul(p, r);
	}
	f.a = _mm512_set1_epi64((long long)p.a);
	f.b = _mm512_set1_epi64((long long)p.b);
	f.c = _mm512_set1_epi64((long long)p.c);
	const __m512i s1 = twenty(f.b), s2 = twenty(f.c);
	h = add_group(h, m);
	for (size_t at = GROUP; at < n; at += GROUP)
		h = add_group(mul_lanes(h, f, s1, s2), m + at);
	f.a = _mm512_loadu_si512(a);
	f.b = _mm512_loadu_si512(b);
	f.c = _mm512_loadu_si512(c);
	h = mul_lanes(h, f, twenty(f.b), twenty(f.c));
	_mm512_storeu_si512(a, h.a);
	_mm512_storeu_si512(b, h.b);
	_mm512_storeu_si512(c, h.c);
	for (unsigned j = 0; j < LANES; j++) {
		sum.a += a[j];
		sum.b += b[j];
		sum.c += c[j];
	}
	sum.b += sum.a >> 44;
	sum.a &= MASK44;
	sum.c += sum.b >> 44;
	sum.b &= MASK44;
	return sum; /* c has a few bits more, which mul() and finish() bear */
}

/* The rest, block by block; the last one may be short. */
static struct num rest(struct num h, const uint8_t *m, size_t n, struct num r)
{
	while (n > 0) {
		uint8_t block[BLOCK + 8] = { 0 };
		size_t part = n < BLOCK ? n : BLOCK;
		struct num x;

		memcpy(block, m, part);
		block[part] = 1; /* beyond the sixteenth byte of a whole one: 2^128 */
		x = cut(load64(block), load64(block + 8));
		h.a += x.a;
		h.b += x.b;
		h.c += x.c + ((uint64_t)block[BLOCK] << 40);
		h = mul(h, r);
		m += part;
		n -= part;
	}
	return h;
}

static struct num carried(struct num h)
{
	h.b += h.a >> 44;
	h.a &= MASK44;
	h.c += h.b >> 44;
	h.b &= MASK44;
	h.a += (h.c >> 42) * 5;
	h.c &= MASK42;
	return h;
}

/* h modulo 2^130 - 5, plus s modulo 2^128. */
static void finish(uint8_t tag[static POLY1305_TAG_LEN], struct num h, const uint8_t *s)
{
	struct num g;
	uint64_t keep, lo, hi;
	wide t;

	h = carried(carried(carried(h)));
	g.a = h.a + 5;
	g.b = h.b + (g.a >> 44);
	g.a &= MASK44;
	g.c = h.c + (g.b >> 44) - (MASK42 + 1);
	g.b &= MASK44;
	keep = 0 - (g.c >> 63); /* all ones: h was below 2^130 - 5 */
	h.a = (h.a & keep) | (g.a & ~keep);
	h.b = (h.b & keep) | (g.b & ~keep);
	h.c = (h.c & keep) | (g.c & ~keep);
	lo = h.a | h.b << 44;
	hi = h.b >> 20 | h.c << 24;
	t = (wide)lo + load64(s);
	lo = (uint64_t)t;
	hi += load64(s + 8) + (uint64_t)(t >> 64);
	memcpy(tag, &lo, 8);
	memcpy(tag + 8, &hi, 8);
}

void poly1305_ifma(uint8_t tag[static POLY1305_TAG_LEN], const uint8_t *m, size_t n,
    const uint8_t key[static POLY1305_KEY_LEN])
{
	struct num r = cut(load64(key) & 0x0FFFFFFC0FFFFFFFull, load64(key + 8) & 0x0FFFFFFC0FFFFFFCull), h = { 0, 0, 0 };
	size_t whole = n / GROUP * GROUP;

	if (whole > 0)
		h = groups(m, whole, r);
	finish(tag, rest(h, m + whole, n - whole, r), key + 16);
}

bool poly1305_ifma_here(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512ifma");
}

#else

bool poly1305_ifma_here(void)
{
	return false;
}

void poly1305_ifma(uint8_t tag[static POLY1305_TAG_LEN], const uint8_t *m, size_t n,
    const uint8_t key[static POLY1305_KEY_LEN])
{
	(void)tag;
	(void)m;
	(void)n;
	(void)key;
}

#endif
