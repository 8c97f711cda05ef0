/* gf16_dot.h - add() and dot() of every kernel: sums of whole rows, as gf16_rows.h,
 * which includes this, has the passes. */
#ifndef KATAMICHI_GF16_DOT_H
#define KATAMICHI_GF16_DOT_H

static void
add(uint8_t *dst, const uint8_t *src, size_t n)
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

/* dot() over the `count` (constant) vecs from number at on */
ALWAYS void
dot_some(uint8_t *dst, const uint8_t *const *in, const uint16_t *coef,
    size_t nin, size_t at, unsigned count, bool more)
{
	vec a[DOT_VECS];

	for (unsigned v = 0; v < count; v++) {
		a[v] = load(dst + vec_at(at + v));
		if (!more)
			a[v] = vxor(a[v], a[v]);
	}
	for (size_t i = 0; i < nin; i++) {
		const uint8_t *row = in[i];
		if (coef[i] >> 8) {
			con c = con_wide(coef[i]);
			for (unsigned v = 0; v < count; v++)
				a[v] = mul_wide(a[v],
				    load(row + vec_at(at + v)), &c);
		} else {
			con c = con_low(coef[i]);
			for (unsigned v = 0; v < count; v++)
				a[v] = mul_low(a[v],
				    load(row + vec_at(at + v)), &c);
		}
	}
	for (unsigned v = 0; v < count; v++)
		store(dst + vec_at(at + v), a[v]);
}

static void
dot(uint8_t *dst, const uint8_t *const *in, const uint16_t *coef, size_t nin,
    size_t n, bool more)
{
	size_t vecs = n / (2 * VEC), at = 0;

	for (; vecs - at >= DOT_VECS; at += DOT_VECS)
		dot_some(dst, in, coef, nin, at, DOT_VECS, more);
#if DOT_VECS > 4
	if (vecs - at >= 4) {
		dot_some(dst, in, coef, nin, at, 4, more);
		at += 4;
	}
#endif
#if DOT_VECS > 2
	if (vecs - at >= 2) {
		dot_some(dst, in, coef, nin, at, 2, more);
		at += 2;
	}
#endif
#if DOT_VECS > 1
	if (vecs > at)
		dot_some(dst, in, coef, nin, at, 1, more);
#endif
}

#endif
