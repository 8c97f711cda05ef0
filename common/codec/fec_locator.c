/* fec_locator.c - see fec_locator.h.  Logarithms count modulo 65535. */
#include "fec_locator.h"

#include <pthread.h>
#include <string.h>

#include "gf16.h"

/* log of w_j, from -32767 to 32767; 0 for j = 0 */
static int32_t log_point(uint32_t j)
{
	int32_t l = gf16.log[gf16_point(j)];

	return l > 32767 ? l - 65535 : l;
}

static uint32_t modulo(int64_t v)
{
	int64_t r = v % 65535;

	return (uint32_t)(r < 0 ? r + 65535 : r);
}

/* The same from -32767 to 32767, without a division; |v| < 2^31 */
static int32_t centred(int32_t v)
{
	v = (v & 0xffff) + (v >> 16); /* 2^16 = 1 */
	v = (v & 0xffff) + (v >> 16);
	return v > 32767 ? v - 65535 : v;
}

/* The Walsh-Hadamard transform of the logarithms of w_0 .. w_(size-1), modulo
 * 65535, from number `size` on, for every power of two. */
static int16_t spectrum[2 * 65536];
static pthread_once_t spectrum_once = PTHREAD_ONCE_INIT;

static void build_spectrum(void)
{
	int16_t *a = spectrum + 65536;

	for (uint32_t j = 0; j < 65536; j++)
		a[j] = (int16_t)log_point(j);
	for (uint32_t h = 1; h < 65536; h *= 2)
		for (uint32_t j = 0; j < 65536; j++)
			if ((j & h) == 0) {
				int32_t p = a[j], q = a[j + h];
				a[j] = (int16_t)centred(p + q);
				a[j + h] = (int16_t)centred(p - q);
			}
	/* of the first half of the logarithms: the mean of p + q and p - q, and
	 * 1 / 2 is 2^15 */
	for (uint32_t size = 32768; size > 0; size /= 2)
		for (uint32_t u = 0; u < size; u++) {
			a = spectrum + 2 * size + u;
			spectrum[size + u] =
			    (int16_t)centred((a[0] + a[size]) * 32768);
		}
}

/* Four numbers at once: what every machine has */
typedef int32_t lanes __attribute__((vector_size(16), may_alias));

size_t fec_locator_work(unsigned bits)
{
	return bits < 2 ? sizeof(lanes) : sizeof(int32_t) << bits;
}

/* Layers 0 and 1 of the transform, or fewer: they lie within a vector. */
static void within(lanes *a, unsigned layers)
{
	/* -1 where a number is taken from its partner, not added to it */
	const lanes less[2] = { { 0, -1, 0, -1 }, { 0, 0, -1, -1 } };
	lanes x = *a;

	if (layers > 0)
		x = __builtin_shufflevector(x, x, 1, 0, 3, 2) +
		    ((x ^ less[0]) - less[0]);
	if (layers > 1)
		x = __builtin_shufflevector(x, x, 2, 3, 0, 1) +
		    ((x ^ less[1]) - less[1]);
	*a = x;
}

/* One layer, of vectors h apart */
static void one_layer(lanes *a, uint32_t h)
{
	for (lanes *end = a + h; a < end; a++) {
		lanes p = a[0], q = a[h];
		a[0] = p + q;
		a[h] = p - q;
	}
}

/* That one and the next */
static void two_layers(lanes *a, uint32_t h)
{
	for (lanes *end = a + h; a < end; a++) {
		lanes p = a[0] + a[h], q = a[0] - a[h];
		lanes r = a[2 * h] + a[3 * h], s = a[2 * h] - a[3 * h];
		a[0] = p + r;
		a[h] = q + s;
		a[2 * h] = p - r;
		a[3 * h] = q - s;
	}
}

/* Walsh-Hadamard transform of 2^bits numbers, in place.  Sums of 2^16 values of
 * at most 32767 still fit. */
static void hadamard(lanes *a, unsigned bits)
{
	uint32_t n = bits < 2 ? 1 : 1u << (bits - 2), h = 1;

	for (uint32_t i = 0; i < n; i++)
		within(a + i, bits);
	for (; 2 * h < n; h *= 4)
		for (uint32_t i = 0; i < n; i += 4 * h)
			two_layers(a + i, h);
	if (h < n)
		one_layer(a, h);
}

/* logs of V_y and of 1 / U_x by transforms */
static void by_transform(const uint32_t *x, const uint32_t *y, uint32_t n, unsigned bits,
    uint16_t *u, uint16_t *v, void *work)
{
	uint32_t size = 1u << bits;
	int32_t *sum = work;

	pthread_once(&spectrum_once, build_spectrum);
	memset(sum, 0, fec_locator_work(bits));
	for (uint32_t i = 0; i < n; i++) {
		sum[x[i]] = 1;
		sum[y[i]] = -1;
	}
	hadamard(work, bits);
	for (uint32_t j = 0; j < size; j++)
		sum[j] = centred(centred(sum[j]) * spectrum[size + j]);
	hadamard(work, bits);

	int64_t shift = 1 << (16 - bits); /* 1 / 2^bits, as 2^16 = 1 */
	for (uint32_t i = 0; i < n; i++) {
		u[i] = (uint16_t)modulo(sum[x[i]] * shift);
		v[i] = (uint16_t)modulo(sum[y[i]] * shift);
	}
}

static uint16_t sum_at(uint32_t z, const uint32_t *plus, const uint32_t *minus, uint32_t n)
{
	int64_t s = 0;

	for (uint32_t i = 0; i < n; i++)
		s += log_point(z ^ plus[i]) - log_point(z ^ minus[i]);
	return (uint16_t)modulo(s);
}

void fec_locator(const uint32_t *x, const uint32_t *y, uint32_t n, unsigned bits,
    uint16_t *u, uint16_t *v, void *work)
{
	/* 4 n^2 look-ups against two transforms (5.2 n^2 and 2.1 size ns) */
	if ((uint64_t)n * n * 5 > 2ull << bits) {
		by_transform(x, y, n, bits, u, v, work);
	} else {
		for (uint32_t i = 0; i < n; i++) {
			u[i] = sum_at(x[i], x, y, n);
			v[i] = sum_at(y[i], x, y, n);
		}
	}
	for (uint32_t i = 0; i < n; i++) {
		u[i] = gf16.exp[65535 - u[i]];
		v[i] = gf16.exp[v[i]];
	}
}
