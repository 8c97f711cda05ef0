/* fec_locator.c - see fec_locator.h.  Logarithms count modulo 65535. */
#include "fec_locator.h"

#include "gf16.h"

size_t
fec_locator_work(unsigned bits)
{
	return 2 * sizeof(int32_t) << bits;
}

/* log of w_j, from -32767 to 32767; 0 for j = 0 */
static int32_t
log_point(uint32_t j)
{
	int32_t l = gf16.log[gf16_point(j)];

	return l > 32767 ? l - 65535 : l;
}

static uint32_t
modulo(int64_t v)
{
	int64_t r = v % 65535;

	return (uint32_t)(r < 0 ? r + 65535 : r);
}

/* The same from -32767 to 32767, without a division; |v| < 2^31 */
static int32_t
centred(int32_t v)
{
	v = (v & 0xffff) + (v >> 16); /* 2^16 = 1 */
	v = (v & 0xffff) + (v >> 16);
	return v > 32767 ? v - 65535 : v;
}

/* Walsh-Hadamard transform, in place; two layers at a time.  Sums of 2^16 values
 * of at most 32767 still fit. */
static void
hadamard(int32_t *restrict a, unsigned bits)
{
	uint32_t n = 1u << bits, h = 1;

	if (bits % 2 != 0) {
		for (uint32_t i = 0; i < n; i += 2) {
			int32_t p = a[i], q = a[i + 1];
			a[i] = p + q;
			a[i + 1] = p - q;
		}
		h = 2;
	}
	for (; h < n; h *= 4)
		for (uint32_t i = 0; i < n; i += 4 * h) {
			int32_t *b = a + i;
			for (uint32_t j = 0; j < h; j++) {
				int32_t p = b[j], q = b[j + h];
				int32_t r = b[j + 2 * h], s = b[j + 3 * h];
				int32_t pq = p + q, p_q = p - q;
				int32_t rs = r + s, r_s = r - s;
				b[j] = pq + rs;
				b[j + h] = p_q + r_s;
				b[j + 2 * h] = pq - rs;
				b[j + 3 * h] = p_q - r_s;
			}
		}
}

/* logs of V_y and of 1 / U_x by transforms */
static void
by_transform(const uint32_t *x, const uint32_t *y, uint32_t n, unsigned bits,
    uint16_t *u, uint16_t *v, int32_t *sum)
{
	uint32_t size = 1u << bits;
	int32_t *logs = sum + size;

	for (uint32_t j = 0; j < size; j++) {
		logs[j] = log_point(j);
		sum[j] = 0;
	}
	for (uint32_t i = 0; i < n; i++) {
		sum[x[i]] = 1;
		sum[y[i]] = -1;
	}
	hadamard(logs, bits);
	hadamard(sum, bits);
	for (uint32_t j = 0; j < size; j++)
		sum[j] = centred(centred(sum[j]) * centred(logs[j]));
	hadamard(sum, bits);

	int64_t shift = 1 << (16 - bits); /* 1 / 2^bits, as 2^16 = 1 */
	for (uint32_t i = 0; i < n; i++) {
		u[i] = (uint16_t)modulo(sum[x[i]] * shift);
		v[i] = (uint16_t)modulo(sum[y[i]] * shift);
	}
}

static uint16_t
sum_at(uint32_t z, const uint32_t *plus, const uint32_t *minus, uint32_t n)
{
	int64_t s = 0;

	for (uint32_t i = 0; i < n; i++)
		s += log_point(z ^ plus[i]) - log_point(z ^ minus[i]);
	return (uint16_t)modulo(s);
}

void
fec_locator(const uint32_t *x, const uint32_t *y, uint32_t n, unsigned bits,
    uint16_t *u, uint16_t *v, void *work)
{
	/* 4 n^2 look-ups against three transforms */
	if ((uint64_t)n * n * 8 > (uint64_t)bits << bits) {
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
