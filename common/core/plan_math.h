/* plan_math.h - the few functions of libm that plan.c needs, freestanding.
 * Errors below are absolute for logarithms, relative for the rest. */
#ifndef KATAMICHI_PLAN_MATH_H
#define KATAMICHI_PLAN_MATH_H

#include <stdint.h>

/* Natural logarithm; x normal and > 0.  Error below 1e-15 * max(1, |result|). */
double plan_ln(double x);

/* ln(1 + x), exact for small x; x > -1. */
double plan_ln1p(double x);

/* e^x; 0 below x = -700; x <= 700. */
double plan_exp(double x);

/* ln(n!); error below 1e-14 * max(1, result). */
double plan_lnfact(uint32_t n);

#endif
