/* gf16.c - tables and the choice of a kernel; see gf16.h */
#include "gf16.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gf16_tables gf16;

static pthread_once_t tables_once = PTHREAD_ONCE_INIT;
static pthread_once_t kernel_once = PTHREAD_ONCE_INIT;
static const struct gf16_kernel *_Atomic chosen;

/* The subfield's generator 0x10 times 1, 2, 4 .. 128, from the products of
 * Cantor basis elements; all else follows.  test_fec.c compares the whole field
 * with the definition. */
static const uint8_t generator_times[8] = {
	0x10, 0x2c, 0x4a, 0x82, 0x18, 0xea, 0xe3, 0xa2,
};
#define GENERATOR 0x0100 /* of GF(2^16): b_8 */

static uint8_t apply(const uint8_t column[8], uint8_t x)
{
	uint8_t r = 0;

	for (int i = 0; i < 8; i++)
		if (x >> i & 1)
			r ^= column[i];
	return r;
}

static void build_byte(uint8_t c)
{
	uint64_t matrix = 0;

	for (int i = 0; i < 16; i++) {
		gf16.nibble[c][i] = apply(gf16.column[c], (uint8_t)i);
		gf16.nibble[c][16 + i] =
		    apply(gf16.column[c], (uint8_t)(16 * i));
	}
	/* byte 7 - i of the matrix says which bits of x make bit i of c x */
	for (int bit = 0; bit < 8; bit++)
		for (int x = 0; x < 8; x++)
			if (gf16.column[c][x] >> bit & 1)
				matrix |= 1ull << (8 * (7 - bit) + x);
	gf16.affine[c] = matrix;
}

static void build(void)
{
	uint8_t power = 1;

	/* column[g c] = g column[c], through all powers of g */
	for (int i = 0; i < 8; i++)
		gf16.column[1][i] = (uint8_t)(1 << i);
	for (int i = 0; i < 254; i++) {
		uint8_t next = apply(generator_times, power);
		for (int x = 0; x < 8; x++)
			gf16.column[next][x] = apply(generator_times,
			    gf16.column[power][x]);
		power = next;
	}
	for (int c = 0; c < 256; c++)
		build_byte((uint8_t)c);

	/* (l + b_8 h) b_8 = b_7 h + b_8 (l + h) */
	uint16_t e = 1;
	for (uint32_t i = 0; i < 65535; i++) {
		gf16.exp[i] = gf16.exp[i + 65535] = e;
		gf16.log[e] = (uint16_t)i;
		uint8_t l = (uint8_t)e, h = (uint8_t)(e >> 8);
		e = (uint16_t)(apply(gf16.column[0x80], h) | (l ^ h) << 8);
	}
	_Static_assert(GENERATOR == 0x0100, "the loop above multiplies by it");
}

void gf16_init(void)
{
	pthread_once(&tables_once, build);
}

const struct gf16_kernel *gf16_nth(unsigned i)
{
	const struct gf16_kernel *all[] = {
		gf16_gfni512, gf16_gfni, gf16_avx2, gf16_ssse3, gf16_neon,
		gf16_portable,
	};

	for (unsigned at = 0; at < sizeof all / sizeof *all; at++)
		if (all[at] != NULL && i-- == 0)
			return all[at];
	return NULL;
}

#define KAT_ROWS 8
#define KAT_LEN 512 /* bytes of a row: eight units, so that dot() takes every path */

static uint16_t kat_get(const uint8_t *row, size_t i)
{
	const uint8_t *p = row + i / 32 * 64 + i % 32;

	return (uint16_t)(p[0] | p[32] << 8);
}

static void kat_put(uint8_t *row, size_t i, uint16_t e)
{
	uint8_t *p = row + i / 32 * 64 + i % 32;

	p[0] = (uint8_t)e;
	p[32] = (uint8_t)(e >> 8);
}

/* The passes of gf16.h on element i of all rows, one butterfly at a time. */
static void kat_pass(unsigned layers, uint8_t rows[][KAT_LEN], const uint16_t *tw, size_t i,
    bool inverse)
{
	for (unsigned step = 0; step < layers; step++) {
		unsigned l = inverse ? step : layers - 1 - step;
		unsigned first = (1u << layers) - (1u << (layers - l));
		for (unsigned r = 0; r < 1u << layers; r++) {
			if (r >> l & 1)
				continue;
			uint16_t a = kat_get(rows[r], i);
			uint16_t b = kat_get(rows[r + (1u << l)], i);
			uint16_t t = tw[first + (r >> (l + 1))];
			if (inverse)
				b ^= a;
			a ^= gf16_mul(t, b);
			if (!inverse)
				b ^= a;
			kat_put(rows[r], i, a);
			kat_put(rows[r + (1u << l)], i, b);
		}
	}
}

/* Every byte of every row differs, and every bit occurs in every place. */
static void kat_fill(uint8_t rows[][KAT_LEN])
{
	uint32_t x = 0x2545f491;

	for (int r = 0; r < KAT_ROWS; r++)
		for (int i = 0; i < KAT_LEN; i++) {
			x = x * 1664525 + 1013904223;
			rows[r][i] = (uint8_t)(x >> 24);
		}
}

static bool kat_passes(const struct gf16_kernel *k, unsigned layers, unsigned wide,
    int kind)
{
	uint8_t want[KAT_ROWS][KAT_LEN], got[KAT_ROWS][KAT_LEN];
	uint8_t *dst[KAT_ROWS];
	const uint8_t *src[KAT_ROWS];
	struct gf16_fetch none = { 0 };
	uint16_t tw[7];
	unsigned at = 0;

	kat_fill(want);
	kat_fill(got);
	for (int r = 0; r < KAT_ROWS; r++)
		src[r] = dst[r] = got[r];
	for (unsigned l = 0; l < layers; l++)
		for (unsigned i = 1u << (layers - 1 - l); i > 0; i--, at++)
			tw[at] = (uint16_t)((0x9d * (at + 1) & 0xff) +
			    (l < wide ? 0x5b00 * (l + 1) : 0));
	for (size_t i = 0; i < KAT_LEN / 2; i++)
		kat_pass(layers, want, tw, i, kind != 0);
	if (kind == 0)
		k->forward(layers, dst, src, &none, tw, KAT_LEN);
	else
		k->inverse(layers, dst, src, &none, tw, KAT_LEN, kind == 2);
	if (kind == 2) { /* added to what was there */
		uint8_t old[KAT_ROWS][KAT_LEN];
		kat_fill(old);
		for (unsigned r = 0; r < 1u << layers; r++)
			for (int i = 0; i < KAT_LEN; i++)
				want[r][i] ^= old[r][i];
	}
	return memcmp(want, got, sizeof got) == 0;
}

/* Two sums at once are the same as one after the other. */
static bool kat_two_dots(const struct gf16_kernel *k, size_t n, bool more)
{
	uint8_t rows[KAT_ROWS][KAT_LEN], want[2][KAT_LEN], got[2][KAT_LEN];
	uint8_t *dst[2] = { got[0], got[1] };
	const uint8_t *in[KAT_ROWS];
	struct gf16_fetch none = { 0 };
	uint16_t coef[2 * KAT_ROWS];

	kat_fill(rows);
	memcpy(want, rows, sizeof want);
	memcpy(got, rows, sizeof got);
	for (int r = 0; r < KAT_ROWS; r++) {
		in[r] = rows[r];
		coef[r] = (uint16_t)(r % 2 != 0 ? 0x5100 * r : 0x1b * r);
		coef[KAT_ROWS + r] = (uint16_t)(r % 3 != 0 ? 0x7100 * r : 0x35);
	}
	for (int q = 0; q < 2; q++)
		gf16_dot(k, want[q], in, coef + q * KAT_ROWS, KAT_ROWS, n, more);
	k->dot(2, dst, in, coef, KAT_ROWS, &none, n, more);
	return memcmp(want, got, sizeof got) == 0;
}

static bool kat_dot(const struct gf16_kernel *k, size_t n, bool more)
{
	static const uint16_t coef[KAT_ROWS] = { 0x0001, 0x0100, 0x8000, 0xffff,
		0x0000, 0x1234, 0x00c7, 0xa500 };
	uint8_t rows[KAT_ROWS][KAT_LEN], got[KAT_LEN], want[KAT_LEN];
	const uint8_t *in[KAT_ROWS];

	kat_fill(rows);
	for (int r = 0; r < KAT_ROWS; r++)
		in[r] = rows[r];
	memcpy(got, rows[3], KAT_LEN);
	memcpy(want, got, KAT_LEN);
	for (size_t i = 0; i < n / 2; i++) {
		uint16_t sum = more ? kat_get(want, i) : 0;
		for (int r = 0; r < KAT_ROWS; r++)
			sum ^= gf16_mul(coef[r], kat_get(rows[r], i));
		kat_put(want, i, sum);
	}
	gf16_dot(k, got, in, coef, KAT_ROWS, n, more);
	if (memcmp(want, got, KAT_LEN) != 0 || !kat_two_dots(k, n, more))
		return false;
	k->add(got, rows[0], KAT_LEN);
	for (int i = 0; i < KAT_LEN; i++)
		want[i] ^= rows[0][i];
	return memcmp(want, got, KAT_LEN) == 0;
}

bool gf16_known_answers(const struct gf16_kernel *k)
{
	gf16_init();
	for (unsigned layers = 1; layers <= k->radix; layers++)
		for (unsigned wide = 0; wide <= layers; wide++)
			for (int kind = 0; kind < 3; kind++)
				if (!kat_passes(k, layers, wide, kind))
					return false;
	for (size_t n = 64; n <= KAT_LEN; n += 64)
		if (!kat_dot(k, n, false) || !kat_dot(k, n, true))
			return false;
	return true;
}

static const struct gf16_kernel *by_name(const char *name)
{
	const struct gf16_kernel *k;

	for (unsigned i = 0; (k = gf16_nth(i)) != NULL; i++)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

static void choose(void)
{
	const char *forced = getenv("KATAMICHI_CPU");
	const struct gf16_kernel *k;

	gf16_init();
	if (forced != NULL && *forced != '\0') {
		k = by_name(forced);
		if (k == NULL || !k->present()) {
			fprintf(stderr, "katamichi: KATAMICHI_CPU=%s is not "
			    "of this machine; using portable\n", forced);
			k = gf16_portable;
		}
	} else {
		for (unsigned i = 0; !(k = gf16_nth(i))->present(); i++)
			;
	}
	if (!gf16_known_answers(k)) {
		fprintf(stderr, "katamichi: kernel %s fails its known-answer "
		    "test; using portable\n", k->name);
		k = gf16_portable;
	}
	atomic_store(&chosen, k);
}

const struct gf16_kernel *gf16_kernel(void)
{
	pthread_once(&kernel_once, choose);
	return atomic_load_explicit(&chosen, memory_order_relaxed);
}

void gf16_force(const struct gf16_kernel *k)
{
	pthread_once(&kernel_once, choose); /* or it would choose again later */
	atomic_store(&chosen, k);
}
