/* gf16_dot.h - add() and dot() of every kernel: sums of whole rows, as gf16_rows.h,
 * which includes this, has the passes. */
#ifndef KATAMICHI_GF16_DOT_H
#define KATAMICHI_GF16_DOT_H

static void add(uint8_t *dst, const uint8_t *src, size_t n)
{
	EACH_VEC(o, n)
		store(dst + o, vxor(load(dst + o), load(src + o)));
}

/* Where vec number i of a row begins. */
ALWAYS size_t
vec_at(size_t i)
{
	return i / (32 / VEC) * 64 + i % (32 / VEC) * VEC;
}

/* `count` vecs of a row, times c[q], added to those of sum q */
ALWAYS void
dot_row(unsigned outs, vec sum[][DOT_VECS], const uint8_t *row, size_t at,
    unsigned count, struct gf16_fetch *ahead, bool wide, const uint16_t c[2])
{
	con c0 = constant(wide, c[0]), c1 = constant(wide, c[1]);

	for (unsigned v = 0; v < count; v++) {
		if (ahead != NULL)
			fetch(ahead, vec_at(at + v));
		vec x = load(row + vec_at(at + v));
		sum[0][v] = mul_add(wide, sum[0][v], x, &c0);
		if (outs > 1)
			sum[1][v] = mul_add(wide, sum[1][v], x, &c1);
	}
}

/* dot() over the `count` vecs from number at on; count and outs are constants */
ALWAYS void
dot_some(unsigned outs, uint8_t *const *dst, const uint8_t *const *in,
    const uint16_t *coef, size_t nin, size_t at, unsigned count,
    struct gf16_fetch *ahead, bool more)
{
	vec sum[2][DOT_VECS];

	for (unsigned q = 0; q < outs; q++)
		for (unsigned v = 0; v < count; v++) {
			vec old = load(dst[q] + vec_at(at + v));
			sum[q][v] = more ? old : vxor(old, old);
		}
	for (size_t i = 0; i < nin; i++) {
		uint16_t c[2] = { coef[i], outs > 1 ? coef[nin + i] : 0 };
		if ((c[0] | c[1]) >> 8)
			dot_row(outs, sum, in[i], at, count, ahead, true, c);
		else
			dot_row(outs, sum, in[i], at, count, ahead, false, c);
	}
	for (unsigned q = 0; q < outs; q++)
		for (unsigned v = 0; v < count; v++)
			store(dst[q] + vec_at(at + v), sum[q][v]);
}

/* dot() for a constant number of outputs, `most` vecs of each at a time */
ALWAYS void
dot_all(unsigned outs, uint8_t *const *dst, const uint8_t *const *in,
    const uint16_t *coef, size_t nin, size_t n, struct gf16_fetch *ahead,
    unsigned most, bool more)
{
	size_t vecs = n / (2 * VEC), at = 0;

	for (; vecs - at >= most; at += most)
		dot_some(outs, dst, in, coef, nin, at, most, ahead, more);
	if (most > 4 && vecs - at >= 4) {
		dot_some(outs, dst, in, coef, nin, at, 4, ahead, more);
		at += 4;
	}
	if (most > 2 && vecs - at >= 2) {
		dot_some(outs, dst, in, coef, nin, at, 2, ahead, more);
		at += 2;
	}
	if (most > 1 && vecs > at)
		dot_some(outs, dst, in, coef, nin, at, 1, ahead, more);
}

/* Where nothing is to be fetched the sums are a tenth faster without asking. */
static void dot(unsigned outs, uint8_t *const *dst, const uint8_t *const *in,
    const uint16_t *coef, size_t nin, struct gf16_fetch *ahead, size_t n,
    bool more)
{
	struct gf16_fetch local = *ahead;
	bool none = ahead->row == ahead->end;

#define GO(outs, fetches, most) \
	dot_all(outs, dst, in, coef, nin, n, fetches, most, more)
	if (outs == 1 && none)
		GO(1, NULL, DOT_VECS);
	else if (outs == 1)
		GO(1, &local, DOT_VECS);
	else if (none)
		GO(2, NULL, DOT2_VECS);
	else
		GO(2, &local, DOT2_VECS);
#undef GO
	*ahead = local;
}

#endif
