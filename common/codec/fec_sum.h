/* fec_sum.h - sums over a Cauchy matrix, the one thing the code computes.
 *
 * For input rows a_p at points p and output rows at points q it computes, for
 * every q,
 *     scale_q * sum over p of weight(p, q) * a_p / (p + q).
 * Encoding is such a sum (PROTOCOL.md, section 8.4), and decoding is two: what
 * the known source symbols contribute to the parity symbols at hand, then the
 * inverse of a Cauchy matrix (fec_locator.h).
 *
 * By transform.  Take the inputs of one coset b of 2^s points.  Their sum is
 * F(q) / s_s(b + q), where F is the polynomial of degree < 2^s through them
 * (Lagrange, and s_s' = 1), and s_s is one value for all the q of a coset a.  So
 *     out on a = forward_a( sum over b of weight(a, b) / w_(a + b) * inverse_b )
 * where the weights are constants of coset pairs.  Encoding with all the parity
 * in one coset has weights 1: the plain sum of inverse transforms known from Lin,
 * Al-Naffouri, Han, Chung (Novel polynomial basis with fast Fourier transform and
 * its application to Reed-Solomon erasure codes, 2016).  The general form lets s
 * follow the number of symbols wanted in place of M, for one more product a row:
 * a slice of a large parity space, or the few parity symbols that a small number
 * of losses needs, cost what they would in a code of just that size.
 *
 * Directly, for few outputs: s = 0, every coset a point. */
#ifndef KATAMICHI_FEC_SUM_H
#define KATAMICHI_FEC_SUM_H

#include "fec_fft.h"

/* Where the code's two sides lie: with t = log2 of the smaller of K' and M',
 * one side begins at point 0 and the other at 2^t. */
struct fec_form {
	unsigned t;
	bool parity_low; /* form A */
};

/* 2^s points that are not all unused: entries from .. to-1 of a list. */
struct fec_coset {
	uint32_t id; /* point >> s */
	uint32_t from, to;
};

struct fec_sum {
	struct fec_form form;
	struct fec_fft fft;
	bool encoding; /* weights of the generator; otherwise 1 */
	bool folded;   /* weight / w_(a + b) is already in inputs or scales */

	const uint32_t *point;       /* inputs, ascending */
	const uint8_t *const *row;
	uint32_t n;
	struct fec_want want;        /* outputs */

	/* when fft.s > 0 */
	struct fec_coset *in, *out;  /* by fec_cosets() */
	uint32_t ins, outs;
	const uint8_t **table;       /* 2^s + FEC_AHEAD */
	uint8_t *tmp;                /* 2^s rows */
	uint8_t *hold;               /* 2^s rows times the smaller of ins, outs */

	/* the strip: bytes at .. at+w of each input row; where left < w only
	 * that many remain, which are spread into a unit in stage (2^s rows; 1
	 * if s is 0) */
	size_t at, left;
	uint8_t *stage;

	/* rows of w bytes that are needed when the inputs are read: they are
	 * fetched from memory while the last of those are worked on */
	const uint8_t *const *next;
	uint32_t nexts;
};

/* List the cosets of 2^s points among n ascending points; returns how many. */
uint32_t fec_cosets(const uint32_t *point, uint32_t n, unsigned s,
    struct fec_coset *list);

/* The constant weight / w_(a + b) for an input and an output coset of 2^s. */
uint16_t fec_weight(struct fec_form form, bool encoding, unsigned s,
    uint32_t in, uint32_t out);

/* Compute one strip. */
void fec_sum(struct fec_sum *m);

/* A last unit of t < 64 bytes to 64 bytes with zeros between, and back. */
void fec_spread(uint8_t unit[64], const uint8_t *tail, size_t t);
void fec_gather(uint8_t *tail, const uint8_t unit[64], size_t t);

#endif
