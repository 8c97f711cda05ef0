/* gf16.h - GF(2^16) in the representation of symbol contents (PROTOCOL.md,
 * section 8.3), and the kernels that work on rows of it.
 *
 * An element is a uint16_t: low byte l, high byte h, meaning l + b_8 h with l
 * and h in the subfield GF(2^8), both written in the Cantor basis b_0 .. b_7.
 * As b_8^2 = b_8 + b_7, a product is four products of bytes:
 *     (l + b_8 h)(l' + b_8 h') = ll' + b_7 hh'  +  b_8 (lh' + hl' + hh')
 * and where the constant's high byte h' is 0 only two, by the same l'.  The
 * transform's constants are like that in all but its lowest layers, which is
 * what this tower (Cantor 1989; von zur Gathen and Gerhard 1996) is for.
 *
 * A row is a run of 64-byte units, 32 low bytes then 32 high bytes; n below is
 * its length in bytes, a multiple of 64.  Rows need no alignment. */
#ifndef KATAMICHI_GF16_H
#define KATAMICHI_GF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Tables, filled by gf16_init() and constant from then on.  For every byte c of
 * the subfield: c times 1, 2, 4 .. 128, and the same map in the forms that
 * vector instructions take. */
struct gf16_tables {
	uint8_t column[256][8];  /* column[c][i] = c * (1 << i) */
	uint8_t nibble[256][32]; /* c * 0..15, then c * 0x00, 0x10 .. 0xf0 */
	uint64_t affine[256];    /* bit matrix as GF2P8AFFINEQB reads it */
	uint16_t exp[131072];    /* powers of a generator, twice over */
	uint16_t log[65536];     /* log[0] is 0 and means nothing */
};
extern struct gf16_tables gf16;

/* Rows that will be needed soon (NULL: none): each pass calls for a few lines of
 * them. */
struct gf16_fetch {
	const uint8_t *const *row, *const *end;
	size_t at, n;   /* called for: `at` of the n bytes of *row */
	unsigned lines; /* to call for with every vector of a pass */
	unsigned write; /* inverse(): bytes from the rows of dst to what will soon
			 * be written and is far away; 0: nothing is */
};

/* One set of row functions.  dst and src may be the same rows, not overlap
 * otherwise. */
struct gf16_kernel {
	const char *name;
	bool (*present)(void); /* has this machine the instructions? */
	unsigned radix;        /* layers a pass should take, 1 .. 3 */

	/* dst ^= src */
	void (*add)(uint8_t *dst, const uint8_t *src, size_t n);

	/* dst[q] = sum of coef[q * nin + i] * in[i] (+ dst[q], if add), i < nin,
	 * for q < outs, which is 1 or 2; nin >= 1.  ahead is moved on, by its
	 * lines for every vector of an input. */
	void (*dot)(unsigned outs, uint8_t *const *dst,
	    const uint8_t *const *in, const uint16_t *coef, size_t nin,
	    struct gf16_fetch *ahead, size_t n, bool add);

	/* One pass of `layers` (1 .. 3) layers over 2^layers rows, see
	 * fec_fft.h: the inverse transform goes from the lowest layer up and
	 * may add to dst instead of storing, the forward one from the highest
	 * down.  twiddle: the 2^(layers-1) of the lowest layer, then those of
	 * the next; those of one layer have the same high byte.  ahead is
	 * moved on. */
	void (*inverse)(unsigned layers, uint8_t *const *dst,
	    const uint8_t *const *src, struct gf16_fetch *ahead,
	    const uint16_t *twiddle, size_t n, bool add);
	void (*forward)(unsigned layers, uint8_t *const *dst,
	    const uint8_t *const *src, struct gf16_fetch *ahead,
	    const uint16_t *twiddle, size_t n);
};

/* Compiled in where the compiler's target has them, otherwise NULL. */
extern const struct gf16_kernel *const gf16_portable, *const gf16_ssse3,
    *const gf16_avx2, *const gf16_gfni, *const gf16_gfni512, *const gf16_neon;

/* A part of gf16_gfni512, not a kernel to choose. */
extern const struct gf16_kernel *const gf16_gfni256;

/* Fill the tables; once, from any thread. */
void gf16_init(void);

/* The kernel in use: forced by KATAMICHI_CPU, otherwise the fastest present
 * one that passes gf16_known_answers(). */
const struct gf16_kernel *gf16_kernel(void);

/* Every kernel this build knows by name, fastest first; NULL behind the last. */
const struct gf16_kernel *gf16_nth(unsigned i);

/* Use this kernel from now on (tests and bench; not while others compute). */
void gf16_force(const struct gf16_kernel *k);

/* Does the kernel compute what the field's definition says? */
bool gf16_known_answers(const struct gf16_kernel *k);

/* One sum, with nothing to fetch: dst = sum of coef[i] * in[i] (+ dst) */
static inline void gf16_dot(const struct gf16_kernel *k, uint8_t *dst, const uint8_t *const *in,
    const uint16_t *coef, size_t nin, size_t n, bool add)
{
	struct gf16_fetch none = { .n = 0 };

	k->dot(1, &dst, in, coef, nin, &none, n, add);
}

static inline uint16_t gf16_mul(uint16_t a, uint16_t b)
{
	if (a == 0 || b == 0)
		return 0;
	return gf16.exp[(uint32_t)gf16.log[a] + gf16.log[b]];
}

/* a / b; b is not 0 */
static inline uint16_t gf16_div(uint16_t a, uint16_t b)
{
	if (a == 0)
		return 0;
	return gf16.exp[(uint32_t)gf16.log[a] + 65535 - gf16.log[b]];
}

/* The point w_j (PROTOCOL.md, section 8.2).  b_0 .. b_7 are the low byte's own
 * bits; what b_8 .. b_15 are is a table. */
static inline uint16_t gf16_point(uint32_t j)
{
	static const uint16_t spread[2][16] = {
		{ 0x0000, 0x0100, 0x02cf, 0x03cf, 0x04ab, 0x05ab, 0x0664, 0x0764,
		  0x0821, 0x0921, 0x0aee, 0x0bee, 0x0c8a, 0x0d8a, 0x0e45, 0x0f45 },
		{ 0x0000, 0x108a, 0x209d, 0x3017, 0x4027, 0x50ad, 0x60ba, 0x7030,
		  0x801f, 0x9095, 0xa082, 0xb008, 0xc038, 0xd0b2, 0xe0a5, 0xf02f },
	};
	return (uint16_t)((j & 255) ^ spread[0][j >> 8 & 15] ^
	    spread[1][j >> 12 & 15]);
}

#endif
