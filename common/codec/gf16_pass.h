/* gf16_pass.h - inverse() and forward() of every kernel: one to three layers of the
 * transform over rows that stay in registers (gf16_rows.h includes this).
 *
 * A butterfly takes rows a, b and a constant t (fec_fft.h):
 *   inverse   b += a, a += t b        forward   a += t b, b += a
 * Layers whose constants all lie in the subfield take the low form.  As
 * constants shrink from layer to layer, `wide` counts the lowest layers that
 * need the wide one.
 *
 * pass() is written once and compiled for each kind, number of layers, `wide` and way
 * of finding the rows; all branches on these vanish. */
#ifndef KATAMICHI_GF16_PASS_H
#define KATAMICHI_GF16_PASS_H

#define INVERSE(is_wide, a, b, c) do { \
	b = vxor(b, a); \
	a = mul_add(is_wide, a, b, &(c)); \
} while (0)

#define FORWARD(is_wide, a, b, c) do { \
	a = mul_add(is_wide, a, b, &(c)); \
	b = vxor(b, a); \
} while (0)

/* The rows or constants i < n, of which there are at most `most`, unrolled */
#define EACH(i, most, n) \
	_Pragma("GCC unroll 8") \
	for (unsigned i = 0; i < (most); i++) \
		if (i < (n))

/* Where the rows of a pass are read or written.  Of rows evenly apart the first and
 * their distance say all, and a lean loop it is; otherwise every pointer is fetched
 * anew for every vec, as registers are few. */
struct cursor {
	uint8_t *const *row;
	uint8_t *first;
	size_t step, o;
};

ALWAYS struct cursor
cursor(uint8_t *const *row, bool even)
{
	return (struct cursor){ .row = row, .first = row[0],
		.step = even ? (size_t)(row[1] - row[0]) : 0 };
}

/* A processor has addresses of a register and 1, 2 or 4 times another. */
ALWAYS uint8_t *
at(const struct cursor *c, bool even, unsigned i)
{
	if (!even)
		return c->row[i] + c->o;
	if (i < 2)
		return c->first + i * c->step;
	if (i % 2 == 0)
		return c->first + 2 * c->step + (i - 2) * c->step;
	return c->first + 3 * c->step + (i - 3) * c->step;
}

/* The compiler is to compute with the distance, not to keep multiples of it. */
ALWAYS void
move(struct cursor *c, size_t by)
{
	c->o += by;
	c->first += by;
	__asm__("" : "+r"(c->step));
}

/* `count` constants of one layer, from tw on, which have their high byte in common */
ALWAYS void
constants(con *c, bool wide, const uint16_t *tw, unsigned count)
{
	c[0] = constant(wide, tw[0]);
	for (unsigned i = 1; i < count; i++)
		c[i] = wide ? CON_NEAR(&c[0], tw[i]) : con_low(tw[i]);
}

/* One vec of each of 2^layers rows.  Rows are loaded when the first layer wants them
 * and stored as soon as the last is done with them: with sixteen registers that
 * matters.  c as the twiddles of gf16.h. */
ALWAYS void
inverse_vecs(unsigned layers, unsigned wide, const con *c, bool even, bool add,
    const struct cursor *to, const struct cursor *from)
{
	unsigned half = 1u << layers >> 1;
	vec x[8];

	EACH(i, 4, half) {
		x[2 * i] = load(at(from, even, 2 * i));
		x[2 * i + 1] = load(at(from, even, 2 * i + 1));
		INVERSE(wide > 0, x[2 * i], x[2 * i + 1], c[i]);
	}
	EACH(i, 4, layers == 3 ? half : 0)
		INVERSE(wide > 1, x[i / 2 * 4 + i % 2],
		    x[i / 2 * 4 + 2 + i % 2], c[4 + i / 2]);
	EACH(i, 4, half) {
		if (layers > 1)
			INVERSE(wide > layers - 1, x[i], x[i + half],
			    c[2 * half - 2]);
		put(at(to, even, i), x[i], add);
		put(at(to, even, i + half), x[i + half], add);
	}
}

ALWAYS void
forward_vecs(unsigned layers, unsigned wide, const con *c, bool even,
    const struct cursor *to, const struct cursor *from)
{
	unsigned half = 1u << layers >> 1;
	vec x[8];

	EACH(i, 4, half) {
		x[i] = load(at(from, even, i));
		x[i + half] = load(at(from, even, i + half));
		if (layers > 1)
			FORWARD(wide > layers - 1, x[i], x[i + half],
			    c[2 * half - 2]);
	}
	EACH(i, 4, layers == 3 ? half : 0)
		FORWARD(wide > 1, x[i / 2 * 4 + i % 2],
		    x[i / 2 * 4 + 2 + i % 2], c[4 + i / 2]);
	EACH(i, 4, half) {
		FORWARD(wide > 0, x[2 * i], x[2 * i + 1], c[i]);
		put(at(to, even, 2 * i), x[2 * i], false);
		put(at(to, even, 2 * i + 1), x[2 * i + 1], false);
	}
}

/* Lines that another pass will soon write: a store waits for its line, too. */
ALWAYS void
fetch_written(unsigned layers, const struct cursor *to, unsigned write)
{
	if (write == 0 || (VEC < 32 && (to->o & 31) != 0))
		return;
	EACH(i, 8, 1u << layers)
		__builtin_prefetch(at(to, false, i) + write, 1, 2);
}

enum kind { forward, inverse, inverse_add };

ALWAYS void
pass(enum kind kind, unsigned layers, unsigned wide, bool even,
    uint8_t *const *dst, const uint8_t *const *src, struct gf16_fetch *ahead,
    const uint16_t *tw, size_t n)
{
	struct cursor to = cursor(dst, even);
	struct cursor from = cursor((uint8_t *const *)(uintptr_t)src, even);
	struct gf16_fetch local = *ahead;
	con c[7];
	unsigned first = 0;

	for (unsigned l = 0; l < layers; l++) {
		unsigned count = 1u << (layers - 1 - l);
		constants(c + first, wide > l, tw + first, count);
		first += count;
	}
	for (size_t o = 0; o < n; o += NEXT(o)) {
		fetch(&local, o);
		if (kind == inverse && !even)
			fetch_written(layers, &to, local.write);
		if (kind == forward)
			forward_vecs(layers, wide, c, even, &to, &from);
		else
			inverse_vecs(layers, wide, c, even, kind == inverse_add,
			    &to, &from);
		move(&from, NEXT(o));
		move(&to, NEXT(o));
	}
	*ahead = local;
}

typedef void copy_function(uint8_t *const *dst, const uint8_t *const *src,
    struct gf16_fetch *ahead, const uint16_t *tw, size_t n);

/* Functions of their own: in a single one the compiler shares registers badly. */
#define COPY(kind, layers, wide, even) \
static __attribute__((noinline)) void \
kind##_##layers##_##wide##_##even(uint8_t *const *dst, \
    const uint8_t *const *src, struct gf16_fetch *ahead, const uint16_t *tw, \
    size_t n) \
{ \
	pass(kind, layers, wide, even, dst, src, ahead, tw, n); \
}
#define COPIES(layers, wide) \
	COPY(forward, layers, wide, 0) \
	COPY(forward, layers, wide, 1) \
	COPY(inverse, layers, wide, 0) \
	COPY(inverse, layers, wide, 1) \
	COPY(inverse_add, layers, wide, 0) \
	COPY(inverse_add, layers, wide, 1)
#define NAMES(kind, layers, wide) [kind] = \
	{ kind##_##layers##_##wide##_0, kind##_##layers##_##wide##_1 }
#define ENTRY(layers, wide) [layers][wide] = { NAMES(forward, layers, wide), \
	NAMES(inverse, layers, wide), NAMES(inverse_add, layers, wide) },

#if KERNEL_RADIX >= 3
#define OF_THREE(M, wide) M(3, wide)
#else
#define OF_THREE(M, wide)
#endif
#ifdef WIDE_PASSES
#define EACH_COPY(M) M(1, 0) M(2, 0) OF_THREE(M, 0)
#else
#define EACH_COPY(M) M(1, 0) M(1, 1) M(2, 0) M(2, 1) M(2, 2) \
	OF_THREE(M, 0) OF_THREE(M, 1) OF_THREE(M, 2) OF_THREE(M, 3)
#endif

EACH_COPY(COPIES)
static copy_function *const copies[4][4][3][2] = { EACH_COPY(ENTRY) };

/* Lowest layers of a pass that have a constant outside the subfield. */
static unsigned wide_layers(unsigned layers, const uint16_t *tw)
{
	unsigned wide = 0, first = 0;

	for (unsigned l = 0; l < layers; l++) {
		if (tw[first] >> 8 != 0)
			wide = l + 1;
		first += 1u << (layers - 1 - l);
	}
	return wide;
}

static bool evenly_apart(const uint8_t *const *row, unsigned n)
{
	uintptr_t step = (uintptr_t)row[1] - (uintptr_t)row[0];

	for (unsigned i = 2; i < n; i++)
		if ((uintptr_t)row[i] - (uintptr_t)row[i - 1] != step)
			return false;
	return row[0] < row[1];
}

/* The lean loop pays where it is computing that takes the time.  A pass that reads rows
 * which have just come from memory, and calls for more, gains nothing by it and loses
 * some of those calls: while the loads of many rows wait, a prefetch finds no room and
 * is dropped (measured: 8 to 10 % of encoding). */
static bool lean(unsigned layers, uint8_t *const *dst, const uint8_t *const *src,
    const struct gf16_fetch *ahead)
{
	return (src[0] == dst[0] || ahead->row == ahead->end) &&
	    evenly_apart(src, 1u << layers) &&
	    evenly_apart((const uint8_t *const *)dst, 1u << layers);
}

static void inverse_rows(unsigned layers, uint8_t *const *dst, const uint8_t *const *src,
    struct gf16_fetch *ahead, const uint16_t *tw, size_t n, bool add)
{
	unsigned wide = wide_layers(layers, tw);

#ifdef WIDE_PASSES
	if (wide > 0) {
		WIDE_PASSES->inverse(layers, dst, src, ahead, tw, n, add);
		return;
	}
#endif
	copies[layers][wide][add ? inverse_add : inverse]
	    [lean(layers, dst, src, ahead)](dst, src, ahead, tw, n);
}

static void forward_rows(unsigned layers, uint8_t *const *dst, const uint8_t *const *src,
    struct gf16_fetch *ahead, const uint16_t *tw, size_t n)
{
	unsigned wide = wide_layers(layers, tw);

#ifdef WIDE_PASSES
	if (wide > 0) {
		WIDE_PASSES->forward(layers, dst, src, ahead, tw, n);
		return;
	}
#endif
	copies[layers][wide][forward]
	    [lean(layers, dst, src, ahead)](dst, src, ahead, tw, n);
}

#endif
