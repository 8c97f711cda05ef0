/* fec_ref.c - the oracle (fec_ref.h).  Read beside PROTOCOL.md, section 8. */
#include "fec_ref.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fec.h"

#define POLY 0x1002du /* x^16 + x^5 + x^3 + x^2 + 1; x generates the group */

/* The Cantor basis, section 8.2, and the basis of symbol contents, 8.3. */
static const uint16_t point_basis[16] = {
	0x0001, 0xacca, 0x3c0e, 0x163e, 0xc582, 0xed2e, 0x914c, 0x4012,
	0x6c98, 0x10d8, 0x6a72, 0xb900, 0xfdb8, 0xfb34, 0xff38, 0x991e,
};
static const uint16_t symbol_basis[16] = {
	0x0001, 0xacca, 0x3c0e, 0x163e, 0xc582, 0xed2e, 0x914c, 0x4012,
	0x6c98, 0x477d, 0x7dbb, 0x542f, 0x075e, 0x5495, 0x82d3, 0xda67,
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint16_t exp_of[65535], log_of[65536];
static uint16_t elem_of_symbol[65536], symbol_of_elem[65536];

static uint16_t combine(const uint16_t basis[16], uint32_t coordinates)
{
	uint16_t e = 0;

	for (int i = 0; i < 16; i++)
		if (coordinates >> i & 1)
			e ^= basis[i];
	return e;
}

static void build(void)
{
	uint32_t e = 1;

	for (uint32_t i = 0; i < 65535; i++) {
		exp_of[i] = (uint16_t)e;
		log_of[e] = (uint16_t)i;
		e <<= 1;
		if (e >> 16)
			e ^= POLY;
	}
	for (uint32_t s = 0; s < 65536; s++) {
		elem_of_symbol[s] = combine(symbol_basis, s);
		symbol_of_elem[elem_of_symbol[s]] = (uint16_t)s;
	}
}

static uint16_t mul(uint16_t a, uint16_t b)
{
	if (a == 0 || b == 0)
		return 0;
	return exp_of[((uint32_t)log_of[a] + log_of[b]) % 65535];
}

/* b is not 0 */
static uint16_t divide(uint16_t a, uint16_t b)
{
	if (a == 0)
		return 0;
	return exp_of[((uint32_t)log_of[a] + 65535 - log_of[b]) % 65535];
}

static uint32_t log2_up(uint32_t n)
{
	uint32_t t = 0;

	while ((1u << t) < n)
		t++;
	return t;
}

uint16_t fec_ref_coef(uint32_t k, uint32_t m, uint32_t j, uint32_t i)
{
	uint32_t tk = log2_up(k), tm = log2_up(m);
	uint32_t src, par, far, t;

	pthread_once(&once, build);
	if (tm <= tk) { /* form A: parity at 0.., source from 2^tm */
		t = tm, par = j, src = far = (1u << tm) + i;
	} else { /* form B: source at 0.., parity from 2^tk */
		t = tk, src = i, par = far = (1u << tk) + j;
	}
	return divide(combine(point_basis, far >> t),
	    combine(point_basis, src ^ par));
}

/* 16-bit symbol number p of len/2: full units hold 32 low then 32 high bytes,
 * a last one of t bytes t/2 and t/2. */
static size_t half_of(size_t len, size_t p, size_t *low)
{
	size_t unit = p / 32, left = len - 64 * unit;
	size_t half = left < 64 ? left / 2 : 32;

	*low = 64 * unit + p % 32;
	return half;
}

static uint16_t get(const uint8_t *sym, size_t len, size_t p)
{
	size_t low, half = half_of(len, p, &low);

	return elem_of_symbol[sym[low] | (uint32_t)sym[low + half] << 8];
}

static void put(uint8_t *sym, size_t len, size_t p, uint16_t e)
{
	size_t low, half = half_of(len, p, &low);

	sym[low] = (uint8_t)symbol_of_elem[e];
	sym[low + half] = (uint8_t)(symbol_of_elem[e] >> 8);
}

/* sums[0..len/2-1] = parity symbol j over the source symbols that are there */
static void parity_sums(uint32_t k, uint32_t m, size_t len, const uint8_t *const *src,
    uint32_t j, uint16_t *sums)
{
	memset(sums, 0, len);
	for (uint32_t i = 0; i < k; i++) {
		if (src[i] == NULL)
			continue;
		uint16_t g = fec_ref_coef(k, m, j, i);
		for (size_t p = 0; p < len / 2; p++)
			sums[p] ^= mul(g, get(src[i], len, p));
	}
}

int fec_ref_encode(uint32_t k, uint32_t m, size_t len, const uint8_t *const *src,
    uint32_t first, uint32_t count, uint8_t *const *out)
{
	int r = fec_check(k, m, len);

	if (r != FEC_OK)
		return r;
	if (first > m || count > m - first)
		return FEC_ENUM;
	if (count == 0)
		return FEC_OK;
	if (src == NULL || out == NULL)
		return FEC_ENULL;

	pthread_once(&once, build);
	uint16_t *sums = malloc(len);
	if (sums == NULL)
		return FEC_ENULL;
	for (uint32_t j = 0; j < count; j++) {
		parity_sums(k, m, len, src, first + j, sums);
		for (size_t p = 0; p < len / 2; p++)
			put(out[j], len, p, sums[p]);
	}
	free(sums);
	return FEC_OK;
}

/* a[row] -= f * a[from], on coefficients and right side alike */
static void reduce(uint16_t *a, const uint16_t *from, uint16_t f, size_t width)
{
	for (size_t c = 0; c < width; c++)
		a[c] ^= mul(f, from[c]);
}

/* Gauss-Jordan on n rows of width n + half.  Every square part of the
 * generator is regular (Cauchy), so a pivot is always found. */
static void solve(uint16_t *a, size_t n, size_t width)
{
	for (size_t c = 0; c < n; c++) {
		size_t piv = c;
		while (a[piv * width + c] == 0)
			piv++;
		for (size_t x = 0; piv != c && x < width; x++) {
			uint16_t t = a[c * width + x];
			a[c * width + x] = a[piv * width + x];
			a[piv * width + x] = t;
		}
		uint16_t d = a[c * width + c];
		for (size_t x = 0; x < width; x++)
			a[c * width + x] = divide(a[c * width + x], d);
		for (size_t row = 0; row < n; row++)
			if (row != c && a[row * width + c] != 0)
				reduce(a + row * width, a + c * width,
				    a[row * width + c], width);
	}
}

static int check_numbers(const uint32_t *pnum, uint32_t np, uint32_t m)
{
	for (uint32_t i = 0; i < np; i++) {
		if (pnum[i] >= m)
			return FEC_ENUM;
		for (uint32_t j = 0; j < i; j++)
			if (pnum[i] == pnum[j])
				return FEC_ENUM;
	}
	return FEC_OK;
}

/* The n unknowns as n equations: row e says that parity symbol pnum[e], less
 * what the source symbols at hand contribute, is made of the lost ones. */
static void equations(uint32_t k, uint32_t m, size_t len, const uint8_t *const *src,
    const uint32_t *pnum, const uint8_t *const *parity, const uint32_t *lost,
    size_t n, uint16_t *a)
{
	size_t half = len / 2, width = n + half;

	for (size_t e = 0; e < n; e++) {
		uint16_t *row = a + e * width;
		parity_sums(k, m, len, src, pnum[e], row + n);
		for (size_t p = 0; p < half; p++)
			row[n + p] ^= get(parity[e], len, p);
		for (size_t c = 0; c < n; c++)
			row[c] = fec_ref_coef(k, m, pnum[e], lost[c]);
	}
}

int fec_ref_decode(uint32_t k, uint32_t m, size_t len, const uint8_t *const *src,
    const uint32_t *pnum, const uint8_t *const *parity, uint32_t np,
    uint8_t *const *out)
{
	int r = fec_check(k, m, len);
	size_t n = 0;

	if (r != FEC_OK)
		return r;
	if (src == NULL)
		return FEC_ENULL;
	for (uint32_t i = 0; i < k; i++)
		n += src[i] == NULL;
	if (n == 0)
		return FEC_OK;
	if (n > np)
		return FEC_EFEW;
	if (pnum == NULL || parity == NULL || out == NULL)
		return FEC_ENULL;
	if ((r = check_numbers(pnum, np, m)) != FEC_OK)
		return r;

	pthread_once(&once, build);
	size_t width = n + len / 2;
	uint16_t *a = malloc(n * width * sizeof *a);
	uint32_t *lost = malloc(n * sizeof *lost);
	if (a == NULL || lost == NULL) {
		r = FEC_ENULL;
		goto free_both;
	}
	n = 0;
	for (uint32_t i = 0; i < k; i++)
		if (src[i] == NULL)
			lost[n++] = i;
	equations(k, m, len, src, pnum, parity, lost, n, a);
	solve(a, n, width);
	for (size_t e = 0; e < n; e++)
		for (size_t p = 0; p < len / 2; p++)
			put(out[lost[e]], len, p, a[e * width + n + p]);
free_both:
	free(lost);
	free(a);
	return r;
}
