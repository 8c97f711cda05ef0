/* plan_math.c - see plan_math.h */
#include "plan_math.h"

#include <string.h>

#define LN2 0.69314718055994530942
#define LN_2PI 1.83787706640934548356

/* 2 * atanh(s) = ln((1 + s) / (1 - s)) by its series; |s| <= 0.172, where
 * twelve terms leave less than 1e-18 of the first. */
static double ln_ratio(double s)
{
	double s2 = s * s, sum = 0;

	for (int i = 23; i >= 1; i -= 2)
		sum = sum * s2 + 1.0 / i;
	return 2 * s * sum;
}

double
plan_ln(double x)
{
	uint64_t bits;
	double m;

	memcpy(&bits, &x, 8);
	int e = (int)(bits >> 52 & 0x7ff) - 1023;
	bits = (bits & 0xfffffffffffff) | 0x3ff0000000000000;
	memcpy(&m, &bits, 8);
	if (m > 1.41421356237309504880) {
		m /= 2;
		e++;
	}
	return e * LN2 + ln_ratio((m - 1) / (m + 1));
}

double
plan_ln1p(double x)
{
	if (x > -0.25 && x < 0.25)
		return ln_ratio(x / (2 + x));
	return plan_ln(1 + x);
}

double
plan_exp(double x)
{
	if (x < -700)
		return 0;
	int e = (int)(x / LN2 + (x < 0 ? -0.5 : 0.5));
	double r = x - e * LN2, sum = 1;

	for (int i = 20; i >= 1; i--)
		sum = 1 + sum * r / i;

	uint64_t bits = (uint64_t)(1023 + e) << 52;
	double scale;
	memcpy(&scale, &bits, 8);
	return sum * scale;
}

double
plan_lnfact(uint32_t n)
{
	if (n < 20) { /* 19! is exact in 64 bits */
		uint64_t f = 1;
		for (uint32_t i = 2; i <= n; i++)
			f *= i;
		return plan_ln((double)f);
	}
	/* Stirling's series: the first term left out is below 1e-14 */
	double x = n, y = 1 / (x * x);
	double tail = (1.0 / 12 - y * (1.0 / 360 - y * (1.0 / 1260 - y / 1680)));
	return x * plan_ln(x) - x + (LN_2PI + plan_ln(x)) / 2 + tail / x;
}
