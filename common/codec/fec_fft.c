/* fec_fft.c - see fec_fft.h */
#include "fec_fft.h"

#include <string.h>

/* Points of a block of 2^i rows up to which summing up beats transforming: that
 * takes 2^i products a point, against i 2^i / 2 butterflies for all. */
#define SUM_LAYERS_MAX 8

static bool sum_is_cheaper(unsigned i, uint32_t n, bool scaled)
{
	if (i > SUM_LAYERS_MAX)
		return false;
	if (i <= 3)
		return n <= (scaled ? 2 : 1);
	return n <= (i <= 6 ? 2 : 1);
}

/* Layers lo .. lo+layers-1 of the block at base, in the order of gf16.h: the points
 * (base >> (lo + l)) + 2 g, of which g has only bits that base leaves free. */
static void twiddles(uint32_t base, unsigned lo, unsigned layers, uint16_t *tw)
{
	for (unsigned l = 0; l < layers; l++) {
		uint16_t first = gf16_point(base >> (lo + l));
		for (unsigned g = 0; g < 1u << (layers - 1 - l); g++)
			*tw++ = first ^ (uint16_t)(2 * g);
	}
}

/* Where a transform has more bytes than this, the rows that its lowest pass writes
 * have to come from the last cache: they are called for so many rows before. */
#define WRITE_FAR (1u << 20)
#define WRITE_AHEAD 32u

/* What an inverse transform carries along */
struct inverse {
	const struct fec_fft *f;
	struct gf16_fetch ahead;
	uint32_t distance; /* rows */
	unsigned write;    /* for the lowest pass */
	unsigned passes;
};

/* Memory is read in the lowest pass only, but called for in all of them, in long
 * transforms just as fast as the two lowest use it (a fifth slower or faster costs
 * a tenth: what is called for faster than it comes is passed over) and up to half
 * a transform before; in short ones as fast as it comes.  Farther ahead would put
 * the rows in use out of the second cache, and in a short block begin with a burst
 * that everything waits for.  (Factors measured.) */
uint32_t fec_ahead(unsigned s)
{
	uint32_t half = (1u << s) / 2;

	return half < FEC_AHEAD / 4 ? FEC_AHEAD / 4 :
	    half < FEC_AHEAD ? half : FEC_AHEAD;
}

static void inverse_pass(struct inverse *v, unsigned layers, uint8_t *const *dst,
    const uint8_t *const *src, const uint16_t *tw, size_t n, bool more)
{
	if (v->passes > 2)
		v->ahead.lines = (1u << layers) / 2;
	else
		v->ahead.lines = 2u << layers;
	v->f->k->inverse(layers, dst, src, &v->ahead, tw, n, more);
}

/* Bytes from the first of 2^lo rows to the end of the last */
static size_t run_of(const struct fec_fft *f, unsigned lo)
{
	return fec_row_at(f->w, (1u << lo) - 1) + f->w;
}

/* The lowest pass: from the caller's rows */
static void inverse_leaf(struct inverse *v, uint32_t base, unsigned layers,
    const uint8_t *const *rows, uint8_t *dst, bool more)
{
	const struct fec_fft *f = v->f;
	const uint8_t *src[8];
	uint8_t *to[8];
	uint16_t tw[7];
	uint32_t n = 1u << layers, there = 0;

	for (uint32_t r = 0; r < n; r++) {
		there += rows[r] != NULL;
		src[r] = rows[r] != NULL ? rows[r] : f->zero;
		to[r] = dst + r * f->w;
	}
	if (there == 0) {
		if (!more)
			memset(dst, 0, n * f->w);
		return;
	}
	if (layers == 0) {
		if (more)
			f->k->add(dst, src[0], f->w);
		else
			memcpy(dst, src[0], f->w);
		return;
	}
	v->ahead.end = rows + n + v->distance;
	if (v->ahead.row < rows + n) {
		v->ahead.row = rows + n;
		v->ahead.at = 0;
	}
	twiddles(base, 0, layers, tw);
	v->ahead.write = v->write;
	inverse_pass(v, layers, to, src, tw, f->w, more);
	v->ahead.write = 0;
}

/* The block of 2^i rows at base; acc as in fec_inverse().  Where the layers do not
 * divide evenly it is the last pass that takes fewer, since it has acc to read as
 * well; but one of two passes is better spent on the lower half's fetching. */
static void inverse_block(struct inverse *v, uint32_t base, unsigned i,
    const uint8_t *const *rows, uint8_t *tmp, uint8_t *acc)
{
	unsigned layers = v->f->k->radix;

	if (i <= layers) {
		inverse_leaf(v, base, i, rows, acc != NULL ? acc : tmp,
		    acc != NULL);
		return;
	}
	if (i == v->f->s && v->passes > 2 && i % layers != 0)
		layers = i % layers;
	unsigned lo = i - layers;
	const uint8_t *src[8];
	uint8_t *to[8];
	uint16_t tw[7];

	for (uint32_t q = 0; q < 1u << layers; q++) {
		size_t at = fec_row_at(v->f->w, q << lo);
		src[q] = tmp + at;
		to[q] = (acc != NULL ? acc : tmp) + at;
		inverse_block(v, base + (q << lo), lo, rows + (q << lo),
		    tmp + at, NULL);
	}
	twiddles(base, lo, layers, tw);
	inverse_pass(v, layers, to, src, tw, run_of(v->f, lo), acc != NULL);
}

/* Rows of the 2^s up to the last that is there, at least one */
static uint32_t rows_there(unsigned s, const uint8_t *const *rows)
{
	uint32_t n = 1u << s;

	while (n > 1 && rows[n - 1] == NULL)
		n--;
	return n;
}

/* Coefficients of the first 2^i rows, x, to those of all 2^s where the others are
 * zero.  With b = 0 the inverse butterfly makes b = a, a = (1 + t) a: in every
 * higher layer there are copies of x, those with the layer's bit clear times
 * 1 + t.  Without acc the lowest lies where x does, and is made last. */
static void inverse_spread(const struct fec_fft *f, uint32_t base, unsigned i,
    const uint8_t *x, uint8_t *tmp, uint8_t *acc)
{
	for (uint32_t r = 1u << (f->s - i); r-- > 0;) {
		size_t at = fec_row_at(f->w, r << i);
		uint16_t c = 1;

		for (unsigned l = i; l < f->s; l++)
			if ((r >> (l - i) & 1) == 0)
				c = gf16_mul(c, 1 ^ gf16_point(base >> l));
		gf16_dot(f->k, (acc != NULL ? acc : tmp) + at, &x, &c, 1,
		    run_of(f, i), acc != NULL);
	}
}

void fec_inverse(const struct fec_fft *f, uint32_t base,
    const uint8_t *const *rows, bool first, uint8_t *tmp, uint8_t *acc)
{
	struct fec_fft part = *f;
	uint32_t far = fec_ahead(f->s), n = rows_there(f->s, rows);

	while (part.s > 0 && n <= 1u << (part.s - 1))
		part.s--;
	struct inverse v = {
		.f = &part,
		.ahead = { .row = first ? rows : rows + far, .n = f->w },
		.distance = far,
		.write = fec_row_at(f->w, 1u << f->s) > WRITE_FAR ?
		    WRITE_AHEAD * (unsigned)f->w : 0,
		.passes = (part.s + f->k->radix - 1) / f->k->radix,
	};

	if (part.s == f->s) {
		inverse_block(&v, base, f->s, rows, tmp, acc);
		return;
	}
	inverse_block(&v, base, part.s, rows, tmp, NULL);
	inverse_spread(f, base, part.s, tmp, tmp, acc);
}

/* One value of the block of 2^i coefficients x, as their sum times X_r(point) */
static void sum_point(const struct fec_fft *f, unsigned i, const uint8_t *x,
    uint32_t point, uint16_t scale, uint8_t *out)
{
	const uint8_t *in[1u << SUM_LAYERS_MAX];
	uint16_t coef[1u << SUM_LAYERS_MAX], log[1u << SUM_LAYERS_MAX];
	uint32_t n = 1;

	/* in logarithms, which halves what is looked up far away */
	coef[0] = scale;
	log[0] = gf16.log[scale];
	for (unsigned l = 0; l < i; l++, n *= 2) {
		uint16_t t = gf16_point(point >> l);
		uint32_t log_t = gf16.log[t];
		for (uint32_t r = 0; r < n; r++) {
			uint32_t sum = log[r] + log_t;
			log[n + r] = (uint16_t)(sum < 65535 ? sum : sum - 65535);
			coef[n + r] = t != 0 && coef[r] != 0 ?
			    gf16.exp[sum] : 0;
		}
	}
	for (uint32_t r = 0; r < n; r++)
		in[r] = x + fec_row_at(f->w, r);
	gf16_dot(f->k, out, in, coef, n, f->w, false);
}

static uint16_t scale_of(const struct fec_want *want, uint32_t n)
{
	return want->scale != NULL ? want->scale[n] : 1;
}

/* What a forward transform carries along */
struct forward {
	const struct fec_fft *f;
	const struct fec_want *want;
	struct gf16_fetch ahead; /* of the wanted rows, which are written last */
};

static void forward_pass(struct forward *v, unsigned layers, uint8_t *const *dst,
    const uint8_t *const *src, const uint16_t *tw, size_t n)
{
	v->ahead.lines = (1u << layers) / 2;
	v->f->k->forward(layers, dst, src, &v->ahead, tw, n);
}

/* The wanted rows before number `at` are done with or under way. */
static void forward_aim(struct forward *v, uint32_t at)
{
	const uint8_t *const *out = (const uint8_t *const *)v->want->out;
	uint32_t n = v->want->n, end = at + FEC_AHEAD / 2;

	if (v->ahead.row < out + at) {
		v->ahead.row = out + at;
		v->ahead.at = 0;
	}
	v->ahead.end = out + (end < n ? end : n);
}

/* The lowest pass, into the caller's rows; wanted points from..to-1 */
static void forward_leaf(struct forward *v, uint32_t base, unsigned layers,
    const uint8_t *x, uint8_t *tmp, uint32_t from, uint32_t to)
{
	const struct fec_fft *f = v->f;
	const struct fec_want *want = v->want;
	const uint8_t *src[8];
	uint8_t *dst[8];
	uint16_t tw[7];

	for (uint32_t r = 0; r < 1u << layers; r++) {
		src[r] = x + r * f->w;
		dst[r] = tmp + r * f->w;
	}
	for (uint32_t n = from; want->scale == NULL && n < to; n++)
		dst[want->point[n] - base] = want->out[n];
	twiddles(base, 0, layers, tw);
	forward_pass(v, layers, dst, src, tw, f->w);
	for (uint32_t n = from; want->scale != NULL && n < to; n++) {
		const uint8_t *row = dst[want->point[n] - base];
		gf16_dot(f->k, want->out[n], &row, &want->scale[n], 1, f->w, false);
	}
}

static void forward_block(struct forward *v, uint32_t base, unsigned i,
    const uint8_t *x, uint8_t *tmp, uint32_t from, uint32_t to)
{
	const struct fec_fft *f = v->f;
	const struct fec_want *want = v->want;
	unsigned layers = f->k->radix;

	if (i == 0 || sum_is_cheaper(i, to - from, want->scale != NULL)) {
		for (uint32_t n = from; n < to; n++)
			sum_point(f, i, x, want->point[n], scale_of(want, n),
			    want->out[n]);
		return;
	}
	if (i <= layers) {
		forward_aim(v, to);
		forward_leaf(v, base, i, x, tmp, from, to);
		return;
	}
	unsigned lo = i - layers;
	const uint8_t *src[8];
	uint8_t *dst[8];
	uint16_t tw[7];

	for (uint32_t q = 0; q < 1u << layers; q++) {
		src[q] = x + fec_row_at(f->w, q << lo);
		dst[q] = tmp + fec_row_at(f->w, q << lo);
	}
	twiddles(base, lo, layers, tw);
	forward_aim(v, from);
	forward_pass(v, layers, dst, src, tw, run_of(f, lo));
	for (uint32_t q = 0; q < 1u << layers; q++) {
		uint32_t sub = base + (q << lo), end = from;
		while (end < to && want->point[end] < sub + (1u << lo))
			end++;
		if (end > from)
			forward_block(v, sub, lo, dst[q], dst[q], from, end);
		from = end;
	}
}

void fec_forward(const struct fec_fft *f, uint32_t base, const uint8_t *x,
    uint8_t *tmp, const struct fec_want *want)
{
	struct forward v = {
		.f = f,
		.want = want,
		.ahead = {
			.row = (const uint8_t *const *)want->out,
			.n = f->w,
		},
	};

	if (want->n > 0)
		forward_block(&v, base, f->s, x, tmp, 0, want->n);
}
