/* fec_locator.h - the factors that invert a Cauchy matrix.
 *
 * Of n unknowns at points y and n equations at points x (all 2 n different),
 *     sum over y of d_y / (x + y) = t_x   for every x,
 * the solution is
 *     d_y = V_y * sum over x of U_x t_x / (x + y),
 * with A(z) = product of (z + x), B(z) = product of (z + y),
 *     V_y = A(y) / B'(y),   U_x = B(x) / A'(x).
 * In logarithms both are sums of log(z + z') over the other points, plus or
 * minus: for many points at once a convolution with respect to exclusive-or, so
 * two Walsh-Hadamard transforms (Didier, Efficient erasure decoding of
 * Reed-Solomon codes, 2009); for few, sums. */
#ifndef KATAMICHI_FEC_LOCATOR_H
#define KATAMICHI_FEC_LOCATOR_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of scratch for points below 2^bits. */
size_t fec_locator_work(unsigned bits);

/* U_x into u[i] for the points x[i], V_y into v[i] for y[i], i < n; all points
 * (numbers j of w_j) below 2^bits, bits <= 16.  gf16_init() has been called. */
void fec_locator(const uint32_t *x, const uint32_t *y, uint32_t n,
    unsigned bits, uint16_t *u, uint16_t *v, void *work);

#endif
