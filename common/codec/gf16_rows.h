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
 * and may define:
 *   CON_NEAR      (&c, e) -> the wide constant of e, whose high byte is that of c's
 *   WIDE_PASSES   a kernel that takes the passes with a wide constant instead
 *
 * The passes of the transform are gf16_pass.h, sums of whole rows gf16_dot.h. */
#ifndef KATAMICHI_GF16_ROWS_H
#define KATAMICHI_GF16_ROWS_H

#define ALWAYS static inline __attribute__((always_inline))

#ifndef CON_NEAR
#define CON_NEAR(c, e) con_wide(e)
#endif

/* From one vec of a row to the next: over the high half at the end of a unit. */
#define NEXT(o) (((o) & 31) + VEC == 32 ? 32 + VEC : VEC)
#define EACH_VEC(o, n) for (size_t o = 0; o < (n); o += NEXT(o))

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
#include "gf16_dot.h"
#include "gf16_pass.h"

static const struct gf16_kernel kernel = {
	.name = KERNEL,
	.present = present,
	.radix = KERNEL_RADIX,
	.add = add,
	.dot = dot,
	.inverse = inverse_rows,
	.forward = forward_rows,
};

#endif
