/* gf16_rows.h - the body of every kernel.  A kernel file (gf16_avx2.c and its
 * like) says what a vector is and how it is multiplied, then includes this.
 *
 * It defines before:
 *   KERNEL        the kernel's name, KERNEL_RADIX its struct's radix
 *   VEC           bytes of low halves that a vec takes: 8, 16 or 32; the same
 *                 number of high bytes, 32 further on, belongs to it
 *   DOT_VECS      vecs that dot() keeps in registers, 1 to 7, and DOT2_VECS the
 *                 same of each of two sums
 *   vec, con      a vector of elements; a constant ready to multiply by
 *   load, store   vec from and to p (low bytes at p, high bytes at p + 32)
 *   vxor          sum of two
 *   con_wide, con_low        constant from an element; low: high byte is 0
 *   mul_wide, mul_low        (a, x, &c) -> a + c * x
 *   present       static bool (void)
 *
 * A butterfly of the transform takes rows a, b and a constant t (fec_fft.h):
 *   inverse   b += a, a += t b        forward   a += t b, b += a
 * Layers whose constants all lie in the subfield take the low form.  As
 * constants shrink from layer to layer, `wide` counts the lowest layers that
 * need the wide one; all branches on it vanish in the inlined copies. */
#ifndef KATAMICHI_GF16_ROWS_H
#define KATAMICHI_GF16_ROWS_H

#define ALWAYS static inline __attribute__((always_inline))

/* From one vec of a row to the next: over the high half at the end of a unit. */
#define EACH_VEC(o, n) \
	for (size_t o = 0; o < (n); \
	    o += ((o & 31) + VEC == 32) ? 32 + VEC : VEC)

ALWAYS con
constant(bool wide, uint16_t c)
{
	return wide ? con_wide(c) : con_low(c);
}

ALWAYS vec
mul_add(bool wide, vec a, vec x, const con *c)
{
	return wide ? mul_wide(a, x, c) : mul_low(a, x, c);
}

#define INVERSE(is_wide, a, b, c) do { \
	b = vxor(b, a); \
	a = mul_add(is_wide, a, b, &(c)); \
} while (0)

#define FORWARD(is_wide, a, b, c) do { \
	a = mul_add(is_wide, a, b, &(c)); \
	b = vxor(b, a); \
} while (0)

ALWAYS void
put(uint8_t *p, vec x, bool add)
{
	store(p, add ? vxor(x, load(p)) : x);
}

/* A few lines of the rows that come next, on their way to the second cache while
 * these are worked on; the first would take them no faster than loads.  A row that
 * is not there is passed over: asking for page 0 costs a look through all page
 * tables.  The state is a local copy: stores to rows could change it otherwise, as
 * far as the compiler knows. */
ALWAYS void
fetch(struct gf16_fetch *f, size_t o)
{
	if (VEC < 32 && (o & 31) != 0)
		return;
	for (unsigned i = f->lines; i > 0 && f->row != f->end; i--) {
		if (*f->row != NULL)
			__builtin_prefetch(*f->row + f->at, 0, 2);
		else
			f->at = f->n;
		f->at += 64;
		if (f->at >= f->n) {
			f->at = 0;
			f->row++;
		}
	}
}

ALWAYS void
inverse1(uint8_t *const *d, const uint8_t *const *s,
    struct gf16_fetch *ahead, const uint16_t *tw, size_t n, bool add,
    unsigned wide)
{
	con c = constant(wide > 0, tw[0]);
	struct gf16_fetch local = *ahead;
	const uint8_t *s0 = s[0], *s1 = s[1];
	uint8_t *d0 = d[0], *d1 = d[1];

	EACH_VEC(o, n) {
		fetch(&local, o);
		vec a = load(s0 + o), b = load(s1 + o);
		INVERSE(wide > 0, a, b, c);
		put(d0 + o, a, add);
		put(d1 + o, b, add);
	}
	*ahead = local;
}

ALWAYS void
forward1(uint8_t *const *d, const uint8_t *const *s,
    struct gf16_fetch *ahead, const uint16_t *tw, size_t n, unsigned wide)
{
	con c = constant(wide > 0, tw[0]);
	const uint8_t *s0 = s[0], *s1 = s[1];
	uint8_t *d0 = d[0], *d1 = d[1];
	struct gf16_fetch local = *ahead;

	EACH_VEC(o, n) {
		fetch(&local, o);
		vec a = load(s0 + o), b = load(s1 + o);
		FORWARD(wide > 0, a, b, c);
		store(d0 + o, a);
		store(d1 + o, b);
	}
	*ahead = local;
}

ALWAYS void
inverse2(uint8_t *const *d, const uint8_t *const *s,
    struct gf16_fetch *ahead, const uint16_t *tw, size_t n, bool add,
    unsigned wide)
{
	con c0 = constant(wide > 0, tw[0]), c1 = constant(wide > 0, tw[1]);
	con c2 = constant(wide > 1, tw[2]);
	struct gf16_fetch local = *ahead;
	const uint8_t *s0 = s[0], *s1 = s[1], *s2 = s[2], *s3 = s[3];
	uint8_t *d0 = d[0], *d1 = d[1], *d2 = d[2], *d3 = d[3];

	EACH_VEC(o, n) {
		fetch(&local, o);
		vec x0 = load(s0 + o), x1 = load(s1 + o);
		INVERSE(wide > 0, x0, x1, c0);
		vec x2 = load(s2 + o), x3 = load(s3 + o);
		INVERSE(wide > 0, x2, x3, c1);
		INVERSE(wide > 1, x0, x2, c2);
		put(d0 + o, x0, add);
		put(d2 + o, x2, add);
		INVERSE(wide > 1, x1, x3, c2);
		put(d1 + o, x1, add);
		put(d3 + o, x3, add);
	}
	*ahead = local;
}

ALWAYS void
forward2(uint8_t *const *d, const uint8_t *const *s,
    struct gf16_fetch *ahead, const uint16_t *tw, size_t n, unsigned wide)
{
	con c0 = constant(wide > 0, tw[0]), c1 = constant(wide > 0, tw[1]);
	con c2 = constant(wide > 1, tw[2]);
	const uint8_t *s0 = s[0], *s1 = s[1], *s2 = s[2], *s3 = s[3];
	uint8_t *d0 = d[0], *d1 = d[1], *d2 = d[2], *d3 = d[3];
	struct gf16_fetch local = *ahead;

	EACH_VEC(o, n) {
		fetch(&local, o);
		vec x0 = load(s0 + o), x2 = load(s2 + o);
		FORWARD(wide > 1, x0, x2, c2);
		vec x1 = load(s1 + o), x3 = load(s3 + o);
		FORWARD(wide > 1, x1, x3, c2);
		FORWARD(wide > 0, x0, x1, c0);
		store(d0 + o, x0);
		store(d1 + o, x1);
		FORWARD(wide > 0, x2, x3, c1);
		store(d2 + o, x2);
		store(d3 + o, x3);
	}
	*ahead = local;
}

#if KERNEL_RADIX >= 3
ALWAYS void
inverse3(uint8_t *const *d, const uint8_t *const *s,
    struct gf16_fetch *ahead, const uint16_t *tw, size_t n, bool add,
    unsigned wide)
{
	con c0 = constant(wide > 0, tw[0]), c1 = constant(wide > 0, tw[1]);
	con c2 = constant(wide > 0, tw[2]), c3 = constant(wide > 0, tw[3]);
	con c4 = constant(wide > 1, tw[4]), c5 = constant(wide > 1, tw[5]);
	con c6 = constant(wide > 2, tw[6]);
	struct gf16_fetch local = *ahead;

	EACH_VEC(o, n) {
		fetch(&local, o);
		vec x0 = load(s[0] + o), x1 = load(s[1] + o);
		vec x2 = load(s[2] + o), x3 = load(s[3] + o);
		vec x4 = load(s[4] + o), x5 = load(s[5] + o);
		vec x6 = load(s[6] + o), x7 = load(s[7] + o);
		INVERSE(wide > 0, x0, x1, c0);
		INVERSE(wide > 0, x2, x3, c1);
		INVERSE(wide > 0, x4, x5, c2);
		INVERSE(wide > 0, x6, x7, c3);
		INVERSE(wide > 1, x0, x2, c4);
		INVERSE(wide > 1, x1, x3, c4);
		INVERSE(wide > 1, x4, x6, c5);
		INVERSE(wide > 1, x5, x7, c5);
		INVERSE(wide > 2, x0, x4, c6);
		INVERSE(wide > 2, x1, x5, c6);
		INVERSE(wide > 2, x2, x6, c6);
		INVERSE(wide > 2, x3, x7, c6);
		put(d[0] + o, x0, add);
		put(d[1] + o, x1, add);
		put(d[2] + o, x2, add);
		put(d[3] + o, x3, add);
		put(d[4] + o, x4, add);
		put(d[5] + o, x5, add);
		put(d[6] + o, x6, add);
		put(d[7] + o, x7, add);
	}
	*ahead = local;
}

ALWAYS void
forward3(uint8_t *const *d, const uint8_t *const *s,
    struct gf16_fetch *ahead, const uint16_t *tw, size_t n, unsigned wide)
{
	con c0 = constant(wide > 0, tw[0]), c1 = constant(wide > 0, tw[1]);
	con c2 = constant(wide > 0, tw[2]), c3 = constant(wide > 0, tw[3]);
	con c4 = constant(wide > 1, tw[4]), c5 = constant(wide > 1, tw[5]);
	con c6 = constant(wide > 2, tw[6]);
	struct gf16_fetch local = *ahead;

	EACH_VEC(o, n) {
		fetch(&local, o);
		vec x0 = load(s[0] + o), x1 = load(s[1] + o);
		vec x2 = load(s[2] + o), x3 = load(s[3] + o);
		vec x4 = load(s[4] + o), x5 = load(s[5] + o);
		vec x6 = load(s[6] + o), x7 = load(s[7] + o);
		FORWARD(wide > 2, x0, x4, c6);
		FORWARD(wide > 2, x1, x5, c6);
		FORWARD(wide > 2, x2, x6, c6);
		FORWARD(wide > 2, x3, x7, c6);
		FORWARD(wide > 1, x0, x2, c4);
		FORWARD(wide > 1, x1, x3, c4);
		FORWARD(wide > 1, x4, x6, c5);
		FORWARD(wide > 1, x5, x7, c5);
		FORWARD(wide > 0, x0, x1, c0);
		FORWARD(wide > 0, x2, x3, c1);
		FORWARD(wide > 0, x4, x5, c2);
		FORWARD(wide > 0, x6, x7, c3);
		store(d[0] + o, x0);
		store(d[1] + o, x1);
		store(d[2] + o, x2);
		store(d[3] + o, x3);
		store(d[4] + o, x4);
		store(d[5] + o, x5);
		store(d[6] + o, x6);
		store(d[7] + o, x7);
	}
	*ahead = local;
}
#endif

/* Lowest layers of a pass that have a constant outside the subfield. */
static unsigned
wide_layers(unsigned layers, const uint16_t *tw)
{
	unsigned wide = 0, at = 0;

	for (unsigned l = 0; l < layers; l++) {
		uint16_t any = 0;
		for (unsigned i = 1u << (layers - 1 - l); i > 0; i--)
			any |= tw[at++];
		if (any >> 8)
			wide = l + 1;
	}
	return wide;
}

#define CASES(layers, call) \
	case 4 * layers + 0: call(0); break; \
	case 4 * layers + 1: call(1); break

static void
inverse(unsigned layers, uint8_t *const *dst, const uint8_t *const *src,
    struct gf16_fetch *ahead, const uint16_t *tw, size_t n, bool add)
{
	unsigned wide = wide_layers(layers, tw);

#define GO(f, w) (add ? f(dst, src, ahead, tw, n, true, w) \
		      : f(dst, src, ahead, tw, n, false, w))
#define GO1(w) GO(inverse1, w)
#define GO2(w) GO(inverse2, w)
#define GO3(w) GO(inverse3, w)
	switch (4 * layers + wide) {
	CASES(1, GO1);
	CASES(2, GO2);
	case 4 * 2 + 2: GO2(2); break;
#if KERNEL_RADIX >= 3
	CASES(3, GO3);
	case 4 * 3 + 2: GO3(2); break;
	case 4 * 3 + 3: GO3(3); break;
#endif
	}
#undef GO
#undef GO1
#undef GO2
#undef GO3
}

static void
forward(unsigned layers, uint8_t *const *dst, const uint8_t *const *src,
    struct gf16_fetch *ahead, const uint16_t *tw, size_t n)
{
	unsigned wide = wide_layers(layers, tw);

#define GO1(w) forward1(dst, src, ahead, tw, n, w)
#define GO2(w) forward2(dst, src, ahead, tw, n, w)
#define GO3(w) forward3(dst, src, ahead, tw, n, w)
	switch (4 * layers + wide) {
	CASES(1, GO1);
	CASES(2, GO2);
	case 4 * 2 + 2: GO2(2); break;
#if KERNEL_RADIX >= 3
	CASES(3, GO3);
	case 4 * 3 + 2: GO3(2); break;
	case 4 * 3 + 3: GO3(3); break;
#endif
	}
#undef GO1
#undef GO2
#undef GO3
}

#include "gf16_dot.h"

static const struct gf16_kernel kernel = {
	.name = KERNEL,
	.present = present,
	.radix = KERNEL_RADIX,
	.add = add,
	.dot = dot,
	.inverse = inverse,
	.forward = forward,
};

#endif
