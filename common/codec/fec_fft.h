/* fec_fft.h - the additive transform on rows of symbols.
 *
 * A polynomial f of degree < 2^s is written in the basis of Lin, Chung and Han
 * (Novel polynomial basis and its application to Reed-Solomon erasure codes,
 * FOCS 2014): f = sum over r of c_r X_r, where X_r is the product of s_i over
 * the bits i set in r, and s_i(x) is the product of (x - w_j), j < 2^i.  With
 * the Cantor basis s_i(w_j) = w_(j >> i), and s_i is linear.  So, splitting off
 * bit i, f = f0 + s_i f1 takes the values
 *     at w_j, bit i of j clear:    f0 + w_(j >> i) f1
 *     at w_(j + 2^i):              that + f1
 * since s_i(w_(2^i)) = 1: the forward butterfly a += t b, b += a with the
 * twiddle t = w_(j >> i), which is the same for all the j of a run of 2^i.  The
 * forward transform takes coefficients to values at the 2^s points of a coset,
 * w_(base + r), from the highest layer i = s - 1 down; the inverse undoes it.
 *
 * Order of work.  Passes of up to three layers keep rows in registers, and runs
 * of rows are contiguous, so that a pass is eight streams with one set of
 * twiddles.  Blocks are finished depth first, so that all but the last passes
 * work in the nearest cache.  What is not wanted is not computed: a block without
 * wanted points is skipped, one with few is summed up directly.
 *
 * All rows are of w bytes, a multiple of 64 (a strip of the symbols), and blocks
 * of them lie as fec_row_at() says. */
#ifndef KATAMICHI_FEC_FFT_H
#define KATAMICHI_FEC_FFT_H

#include <stddef.h>
#include <stdint.h>

#include "gf16.h"

/* Where row r of a block begins: 64 bytes are left free after every 8 rows, and
 * again after every 64, 512 and 4096, since runs a multiple of 4096 bytes apart
 * would fall on the same few lines of the nearest cache.  So the eight runs of a
 * pass of three layers are evenly apart.  Passes run over the gaps; what is in
 * them does not matter. */
static inline size_t fec_row_at(size_t w, uint32_t r)
{
	return r * w +
	    64 * (size_t)((r >> 3) + (r >> 6) + (r >> 9) + (r >> 12));
}

struct fec_fft {
	const struct gf16_kernel *k;
	unsigned s;          /* log2 of the transform's length, 0 .. 15 */
	size_t w;            /* bytes of a row */
	const uint8_t *zero; /* w zero bytes */
};

/* Coefficients of the polynomial with the values rows[0 .. 2^s-1] (NULL: zero)
 * at w_base and on, base a multiple of 2^s.  They are stored in tmp, a block of
 * 2^s rows, or, where acc is not NULL, added to acc (tmp is then scratch).  fec_ahead()
 * more entries of rows follow, at most FEC_AHEAD, that are fetched from memory but not
 * used: those of the next transform, or what else is needed next, or NULL.  first: no
 * transform before has done so for this one. */
#define FEC_AHEAD 64
uint32_t fec_ahead(unsigned s);
void fec_inverse(const struct fec_fft *f, uint32_t base,
    const uint8_t *const *rows, bool first, uint8_t *tmp, uint8_t *acc);

/* The values wanted of a polynomial. */
struct fec_want {
	const uint32_t *point; /* j of w_j, ascending, within the coset */
	uint8_t *const *out;   /* w bytes each */
	const uint16_t *scale; /* factor of each, or NULL for none */
	uint32_t n;
};

/* The values at the wanted points of the polynomial with coefficients x, 2^s
 * rows, on the coset at base.  tmp, 2^s rows, is scratch and may be x itself. */
void fec_forward(const struct fec_fft *f, uint32_t base, const uint8_t *x,
    uint8_t *tmp, const struct fec_want *want);

#endif
