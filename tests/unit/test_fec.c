/* test_fec.c - the erasure code against its definition.
 *
 * Loss patterns are seeded; the seed is printed and KATAMICHI_SEED sets it.
 * KATAMICHI_PATTERNS is the number of patterns at each size (1000); below 100 the
 * other tests are shortened as well. */
#ifdef PLAIN_TESTS
#include "plain_cmocka.h"
#else
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/codec/fec.h"
#include "common/codec/fec_ref.h"
#include "common/codec/gf16.h"

static uint64_t seed, random_state;

static uint32_t rnd(void) /* splitmix64 */
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)(z >> 32 ^ z >> 3);
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)((uint64_t)rnd() * n >> 32);
}

/* A block with all its parity, and room to decode into. */
struct block {
	uint32_t k, m;
	size_t len;
	uint8_t *data;            /* k + m symbols, then k to decode into */
	const uint8_t **src, **parity, **all;
	uint8_t **out, **room;
	uint32_t *pnum;
	uint8_t *encode_work, *decode_work;
	size_t encode_size, decode_size;
};

#define CANARY 64
static void *work_memory(size_t size)
{
	uint8_t *p = aligned_alloc(64, size + CANARY);

	assert_non_null(p);
	memset(p + size, 0xa7, CANARY);
	return p;
}

static void check_canary(const uint8_t *p, size_t size)
{
	for (size_t i = 0; i < CANARY; i++)
		assert_int_equal(p[size + i], 0xa7);
}

static struct block block_new(uint32_t k, uint32_t m, size_t len)
{
	struct block b = { .k = k, .m = m, .len = len };

	b.data = malloc((2 * (size_t)k + m) * len);
	b.src = calloc(k, sizeof *b.src);
	b.all = calloc(k, sizeof *b.all);
	b.out = calloc(m, sizeof *b.out);
	b.room = calloc(k, sizeof *b.room);
	b.parity = calloc(m, sizeof *b.parity);
	b.pnum = calloc(m, sizeof *b.pnum);
	for (size_t i = 0; i < k * len; i++)
		b.data[i] = (uint8_t)rnd();
	for (size_t i = 0; i < k; i++) {
		b.all[i] = b.data + i * len;
		b.room[i] = b.data + (k + m + i) * len;
	}
	for (size_t j = 0; j < m; j++)
		b.out[j] = b.data + (k + j) * len;
	b.encode_size = fec_encode_work(k, m, len);
	b.decode_size = fec_decode_work(k, m, len);
	assert_true(b.encode_size > 0 && b.encode_size % 64 == 0);
	assert_true(b.decode_size > 0 && b.decode_size % 64 == 0);
	b.encode_work = work_memory(b.encode_size);
	b.decode_work = work_memory(b.decode_size);
	return b;
}

static void block_free(struct block *b)
{
	check_canary(b->encode_work, b->encode_size);
	check_canary(b->decode_work, b->decode_size);
	free(b->data);
	free(b->src);
	free(b->all);
	free(b->out);
	free(b->room);
	free(b->parity);
	free(b->pnum);
	free(b->encode_work);
	free(b->decode_work);
}

static void block_encode(struct block *b)
{
	assert_int_equal(fec_encode(b->k, b->m, b->len, b->all, 0, b->m, b->out,
	    b->encode_work), FEC_OK);
}

/* Parity symbols first .. first+count-1 are those of the definition. */
static void check_parity(struct block *b, uint32_t first, uint32_t count)
{
	uint8_t *buf = malloc(count * b->len);
	uint8_t **out = calloc(count, sizeof *out);

	for (uint32_t j = 0; j < count; j++)
		out[j] = buf + j * b->len;
	assert_int_equal(fec_ref_encode(b->k, b->m, b->len, b->all, first, count,
	    out), FEC_OK);
	for (uint32_t j = 0; j < count; j++)
		assert_memory_equal(out[j], b->out[first + j], b->len);
	free(out);
	free(buf);
}

/* Decode with the source symbols marked NULL in src and np parity symbols. */
static void check_decode(struct block *b, uint32_t np)
{
	memset(b->room[0], 0x55, b->k * b->len);
	assert_int_equal(fec_decode(b->k, b->m, b->len, b->src, b->pnum,
	    b->parity, np, b->room, b->decode_work), FEC_OK);
	for (uint32_t i = 0; i < b->k; i++)
		if (b->src[i] == NULL)
			assert_memory_equal(b->room[i], b->all[i], b->len);
}

static void give_parity(struct block *b, uint32_t *np, uint32_t j)
{
	b->pnum[*np] = j;
	b->parity[(*np)++] = b->out[j];
}

static uint16_t combine(const uint16_t *basis, uint32_t bits)
{
	uint16_t e = 0;

	for (int i = 0; i < 16; i++)
		if (bits >> i & 1)
			e ^= basis[i];
	return e;
}

static uint16_t polynomial_mul(uint32_t a, uint32_t b)
{
	uint32_t r = 0;

	for (; b != 0; b >>= 1) {
		if (b & 1)
			r ^= a;
		a <<= 1;
		if (a >> 16)
			a ^= 0x1002d;
	}
	return (uint16_t)r;
}

/* PROTOCOL.md, sections 8.1 to 8.3, with nothing but shifts */
static void test_field(void **state)
{
	uint16_t point[16] = { 1 }, symbol[16];

	(void)state;
	gf16_init();
	for (int i = 1; i < 16; i++) /* b^2 + b = the one before, even root */
		for (uint32_t e = 0; e < 65536; e += 2)
			if ((polynomial_mul(e, e) ^ e) == point[i - 1])
				point[i] = (uint16_t)e;
	for (int i = 0; i < 16; i++)
		symbol[i] = i < 8 ? point[i] :
		    polynomial_mul(point[8], point[i - 8]);
	for (uint32_t j = 0; j < 65536; j++)
		assert_int_equal(combine(symbol, gf16_point(j)),
		    combine(point, j));
	for (int i = 0; i < 100000; i++) {
		uint16_t a = (uint16_t)rnd(), b = (uint16_t)rnd();
		if (i % 4 == 0)
			a &= 255;
		assert_int_equal(combine(symbol, gf16_mul(a, b)),
		    polynomial_mul(combine(symbol, a), combine(symbol, b)));
		if (b != 0)
			assert_int_equal(gf16_mul(gf16_div(a, b), b), a);
	}
}

/* Every loss pattern of every code with k + m <= 12, against the reference */
static void all_patterns(uint32_t k, uint32_t m)
{
	static const size_t lengths[] = { 2, 6, 64, 66, 190 };
	struct block b = block_new(k, m, lengths[(k + 3 * m) % 5]);

	block_encode(&b);
	check_parity(&b, 0, m);
	for (uint32_t bits = 0; bits < 1u << (k + m); bits++) {
		uint32_t np = 0, lost = 0;
		for (uint32_t i = 0; i < k; i++) {
			b.src[i] = bits >> i & 1 ? NULL : b.all[i];
			lost += bits >> i & 1;
		}
		for (uint32_t j = m; j-- > 0;)
			if (!(bits >> (k + j) & 1))
				give_parity(&b, &np, j);
		if (lost > np) {
			assert_int_equal(fec_decode(k, m, b.len, b.src, b.pnum,
			    b.parity, np, b.room, b.decode_work), FEC_EFEW);
			continue;
		}
		check_decode(&b, np);
		memset(b.room[0], 0x55, k * b.len);
		assert_int_equal(fec_ref_decode(k, m, b.len, b.src, b.pnum,
		    b.parity, np, b.room), FEC_OK);
		for (uint32_t i = 0; i < k; i++)
			if (b.src[i] == NULL)
				assert_memory_equal(b.room[i], b.all[i],
				    b.len);
	}
	block_free(&b);
}

static void test_all_small_patterns(void **state)
{
	(void)state;
	for (uint32_t k = 1; k < 12; k++)
		for (uint32_t m = 1; k + m <= 12; m++)
			all_patterns(k, m);
}

/* Mark losses the ways a link makes them. */
static uint32_t lose(struct block *b, uint32_t most)
{
	uint32_t n = 1 + below(most), lost = 0, at, step;

	for (uint32_t i = 0; i < b->k; i++)
		b->src[i] = b->all[i];
	if (n > b->k)
		n = b->k;
	switch (below(5)) {
	case 0: /* a burst */
		at = below(b->k - n + 1);
		for (; lost < n; lost++)
			b->src[at + lost] = NULL;
		break;
	case 1: /* every so many */
		step = b->k / n;
		for (; lost < n; lost++)
			b->src[lost * step] = NULL;
		break;
	case 2: /* the first and the last */
		for (; lost < n; lost++)
			b->src[lost % 2 ? b->k - 1 - lost / 2 : lost / 2] = NULL;
		break;
	case 3: /* few */
		n = n < 5 ? n : 1 + below(5);
		/* fall through */
	default:
		while (lost < n) {
			at = below(b->k);
			lost += b->src[at] != NULL;
			b->src[at] = NULL;
		}
	}
	return lost;
}

/* Parity for that many losses: a slice, or any */
static uint32_t give(struct block *b, uint32_t lost)
{
	uint32_t np = 0, first = below(b->m - lost + 1), spare;

	if (below(2)) {
		spare = below(b->m - lost - first + 1) % 9;
		for (uint32_t j = 0; j < lost + spare; j++)
			give_parity(b, &np, first + j);
		return np;
	}
	for (uint32_t j = 0; j < b->m; j++) /* uniform choice of `lost` */
		if (below(b->m - j) < lost - np)
			give_parity(b, &np, j);
	for (uint32_t i = np; i > 1; i--) { /* in no order */
		uint32_t o = below(i), t = b->pnum[i - 1];
		const uint8_t *p = b->parity[i - 1];
		b->pnum[i - 1] = b->pnum[o];
		b->parity[i - 1] = b->parity[o];
		b->pnum[o] = t;
		b->parity[o] = p;
	}
	return np;
}

static unsigned patterns(void)
{
	const char *s = getenv("KATAMICHI_PATTERNS");

	return s != NULL ? (unsigned)strtoul(s, NULL, 10) : 1000;
}

static unsigned often(unsigned n)
{
	return patterns() < 100 ? n / 10 : n;
}

static void seeded(uint32_t k, uint32_t m, size_t len, unsigned count)
{
	struct block b = block_new(k, m, len);

	block_encode(&b);
	for (unsigned i = 0; i < 3; i++)
		check_parity(&b, below(m), 1);
	check_parity(&b, 0, 1);
	check_parity(&b, m - 1, 1);
	while (count-- > 0) {
		/* few losses are the rule, all of m the exception */
		uint32_t most = below(4) ? 1 + m / 8 : m;
		check_decode(&b, give(&b, lose(&b, most)));
	}
	block_free(&b);
}

static void test_sizes_of_the_table(void **state)
{
	(void)state;
	seeded(223, 32, 70, patterns());
	seeded(3236, 512, 64, patterns());
	seeded(15900, 256, 64, patterns());
	seeded(32872, 4096, 16, patterns());
}

static void test_powers_of_two(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 16; i++)
		for (unsigned j = 0; j < 16; j++) {
			uint32_t k = 1u << i, m = 1u << j;
			unsigned n = i + j > 20 ? 1 : 1 + often(40) / 10;
			if (fec_check(k, m, 2) == FEC_OK)
				seeded(k, m, 2 + 2 * below(70) *
				    (i + j < 16), n);
		}
	seeded(65535, 1, 2, 3);
	seeded(1, 65535, 2, 3);
	seeded(32768, 32768, 2, 2);
	seeded(49152, 16384, 2, 2);
	seeded(16384, 49152, 2, 2);
}

static void test_odd_sizes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < often(300); i++) {
		uint32_t k = 1 + below(1u << (1 + below(13)));
		uint32_t m = 1 + below(1u << (1 + below(13)));
		seeded(k, m, 2 + 2 * below(300), 3);
	}
	seeded(1, 1, 8896, 3);
	seeded(100, 10, FEC_LEN_MAX, 2);
	seeded(5, 3, FEC_LEN_MAX - 2, 2);
	seeded(17045, 2048, 1408, 2);
}

/* Slices of the parity space are parts of the same code, whatever transform
 * they are computed by. */
static void test_slices(void **state)
{
	(void)state;
	for (unsigned i = 0; i < often(200); i++) {
		uint32_t k = 1 + below(3000), m = 1 + below(2000);
		struct block b = block_new(k, m, 2 + 2 * below(80));
		uint32_t count = 1 + below(below(2) ? m : 1 + m / 20);
		uint32_t first = below(m - count + 1);
		uint8_t *whole = malloc(m * b.len);

		block_encode(&b);
		memcpy(whole, b.out[0], m * b.len);
		memset(b.out[0], 0, m * b.len);
		assert_int_equal(fec_encode(k, m, b.len, b.all, first, count,
		    b.out + first, b.encode_work), FEC_OK);
		for (uint32_t j = 0; j < count; j++)
			assert_memory_equal(whole + (first + j) * b.len,
			    b.out[first + j], b.len);
		free(whole);
		block_free(&b);
	}
}

/* The same bytes from every kernel */
static void test_kernels(void **state)
{
	const struct gf16_kernel *k, *own = gf16_kernel();

	(void)state;
	for (unsigned i = 0; (k = gf16_nth(i)) != NULL; i++) {
		if (!k->present()) {
			printf("kernel %s: skipped, not on this machine\n",
			    k->name);
			continue;
		}
		assert_true(gf16_known_answers(k));
		gf16_force(k);
		assert_string_equal(fec_kernel(), k->name);
		seeded(223, 32, 1408, 20);
		seeded(1000, 100, 194, 50);
		seeded(3236, 512, 64, 50);
		seeded(9, 300, 130, 50);
		seeded(40000, 256, 16, 5);
		printf("kernel %s: same bytes\n", k->name);
	}
	gf16_force(own);
}

/* A kernel that computes wrongly does not pass. */
static void wrong_dot(unsigned outs, uint8_t *const *dst, const uint8_t *const *in,
    const uint16_t *coef, size_t nin, struct gf16_fetch *ahead, size_t n, bool add)
{
	gf16_portable->dot(outs, dst, in, coef, nin, ahead, n, add);
	if (outs == 1)
		dst[0][n - 1] ^= 0x10;
}

static void wrong_second_dot(unsigned outs, uint8_t *const *dst, const uint8_t *const *in,
    const uint16_t *coef, size_t nin, struct gf16_fetch *ahead, size_t n, bool add)
{
	gf16_portable->dot(outs, dst, in, coef, nin, ahead, n, add);
	if (outs == 2)
		dst[1][0] ^= 0x10;
}

static void wrong_inverse(unsigned layers, uint8_t *const *dst, const uint8_t *const *src,
    struct gf16_fetch *ahead, const uint16_t *tw, size_t n, bool add)
{
	uint16_t other[7];

	memcpy(other, tw, ((1u << layers) - 1) * sizeof *tw);
	other[0] ^= layers == 2;
	gf16_portable->inverse(layers, dst, src, ahead, other, n, add);
}

static void test_known_answers_notice(void **state)
{
	struct gf16_kernel k = *gf16_portable;

	(void)state;
	assert_true(gf16_known_answers(&k));
	k.dot = wrong_dot;
	assert_true(!gf16_known_answers(&k));
	k.dot = wrong_second_dot;
	assert_true(!gf16_known_answers(&k));
	k = *gf16_portable;
	k.inverse = wrong_inverse;
	assert_true(!gf16_known_answers(&k));
}

static void test_bad_parameters(void **state)
{
	static const struct {
		uint32_t k, m;
		size_t len;
		int want;
	} t[] = {
		{ 1, 1, 2, FEC_OK },
		{ 0, 1, 2, FEC_EPARAM },
		{ 1, 0, 2, FEC_EPARAM },
		{ 65535, 1, 2, FEC_OK },
		{ 65536, 1, 2, FEC_EPARAM },
		{ 65535, 2, 2, FEC_EPARAM },
		{ 1, 65535, 2, FEC_OK },
		{ 1, 65536, 2, FEC_EPARAM },
		{ 32768, 32768, 2, FEC_OK },
		{ 32769, 32768, 2, FEC_EPARAM },
		{ 32768, 32769, 2, FEC_EPARAM },
		{ 65279, 257, 2, FEC_EPARAM },
		{ 65024, 257, 2, FEC_OK },
		{ UINT32_MAX, 1, 2, FEC_EPARAM },
		{ 1, UINT32_MAX, 2, FEC_EPARAM },
		{ 1, 1, 0, FEC_ELEN },
		{ 1, 1, 3, FEC_ELEN },
		{ 1, 1, FEC_LEN_MAX, FEC_OK },
		{ 1, 1, FEC_LEN_MAX + 2, FEC_ELEN },
		{ 1, 1, SIZE_MAX - 1, FEC_ELEN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		assert_int_equal(fec_check(t[i].k, t[i].m, t[i].len),
		    t[i].want);
		assert_true((fec_encode_work(t[i].k, t[i].m, t[i].len) != 0) ==
		    (t[i].want == FEC_OK));
		assert_true((fec_decode_work(t[i].k, t[i].m, t[i].len) != 0) ==
		    (t[i].want == FEC_OK));
	}
}

#define ENCODE(first, count, src, out, work) \
	fec_encode(b.k, b.m, b.len, src, first, count, out, work)
#define DECODE(np, src, pnum, parity, out, work) \
	fec_decode(b.k, b.m, b.len, src, pnum, parity, np, out, work)

static void test_bad_calls(void **state)
{
	struct block b = block_new(10, 4, 66);
	uint32_t np = 0;

	(void)state;
	assert_int_equal(ENCODE(0, 5, b.all, b.out, b.encode_work), FEC_ENUM);
	assert_int_equal(ENCODE(5, 0, b.all, b.out, b.encode_work), FEC_ENUM);
	assert_int_equal(ENCODE(1, UINT32_MAX, b.all, b.out, b.encode_work),
	    FEC_ENUM);
	assert_int_equal(ENCODE(0, 4, NULL, b.out, b.encode_work), FEC_ENULL);
	assert_int_equal(ENCODE(0, 4, b.all, NULL, b.encode_work), FEC_ENULL);
	assert_int_equal(ENCODE(0, 4, b.all, b.out, NULL), FEC_ENULL);
	assert_int_equal(ENCODE(0, 4, b.all, b.out, b.encode_work + 8),
	    FEC_ENULL);
	assert_int_equal(ENCODE(0, 4, b.src, b.out, b.encode_work), FEC_ENULL);
	assert_int_equal(ENCODE(4, 0, NULL, NULL, NULL), FEC_OK);
	block_encode(&b);

	for (uint32_t i = 0; i < b.k; i++)
		b.src[i] = b.all[i];
	for (uint32_t j = 0; j < b.m; j++)
		give_parity(&b, &np, j);
	assert_int_equal(DECODE(0, b.src, NULL, NULL, NULL, NULL), FEC_OK);
	b.src[3] = b.src[7] = NULL;
	assert_int_equal(DECODE(1, b.src, b.pnum, b.parity, b.room,
	    b.decode_work), FEC_EFEW);
	assert_int_equal(DECODE(0, b.src, NULL, NULL, NULL, NULL), FEC_EFEW);
	assert_int_equal(DECODE(5, b.src, b.pnum, b.parity, b.room,
	    b.decode_work), FEC_ENUM);
	assert_int_equal(DECODE(4, NULL, b.pnum, b.parity, b.room,
	    b.decode_work), FEC_ENULL);
	assert_int_equal(DECODE(4, b.src, NULL, b.parity, b.room,
	    b.decode_work), FEC_ENULL);
	assert_int_equal(DECODE(4, b.src, b.pnum, NULL, b.room, b.decode_work),
	    FEC_ENULL);
	assert_int_equal(DECODE(4, b.src, b.pnum, b.parity, NULL,
	    b.decode_work), FEC_ENULL);
	assert_int_equal(DECODE(4, b.src, b.pnum, b.parity, b.room, NULL),
	    FEC_ENULL);
	assert_int_equal(DECODE(4, b.src, b.pnum, b.parity, b.room,
	    b.decode_work + 32), FEC_ENULL);
	b.pnum[2] = 4;
	assert_int_equal(DECODE(4, b.src, b.pnum, b.parity, b.room,
	    b.decode_work), FEC_ENUM);
	b.pnum[2] = 1;
	assert_int_equal(DECODE(4, b.src, b.pnum, b.parity, b.room,
	    b.decode_work), FEC_ENUM);
	b.pnum[2] = 2;
	b.parity[1] = NULL;
	assert_int_equal(DECODE(4, b.src, b.pnum, b.parity, b.room,
	    b.decode_work), FEC_ENULL);
	b.parity[1] = b.out[1];
	b.room[7] = NULL;
	assert_int_equal(DECODE(4, b.src, b.pnum, b.parity, b.room,
	    b.decode_work), FEC_ENULL);
	b.room[7] = b.data + (b.k + b.m + 7) * b.len;
	for (uint32_t i = 0; i < b.k; i++) /* not looked at */
		if (b.src[i] != NULL)
			b.room[i] = NULL;
	assert_int_equal(DECODE(4, b.src, b.pnum, b.parity, b.room,
	    b.decode_work), FEC_OK);
	assert_memory_equal(b.room[7], b.all[7], b.len);
	assert_memory_equal(b.room[3], b.all[3], b.len);
	block_free(&b);
}

static uint8_t hex_digit(int c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Read n bytes of hexadecimal. */
static void read_hex(FILE *f, uint8_t *to, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int a = getc(f), b = getc(f);
		to[i] = (uint8_t)(hex_digit(a) << 4 | hex_digit(b));
	}
	assert_int_equal(getc(f), '\n');
}

/* tests/vectors/fec.txt: lines "code k m len first count", k source symbols, count
 * parity symbols; made by tests/vectors/fec.py from the text of PROTOCOL.md. */
static void test_vectors(void **state)
{
	FILE *f = fopen("tests/vectors/fec.txt", "r");
	unsigned k, m, len, first, count, seen = 0;
	int c;

	(void)state;
	assert_non_null(f);
	while ((c = getc(f)) == '#')
		while (getc(f) != '\n')
			;
	ungetc(c, f);
	while (fscanf(f, "code %u %u %u %u %u\n", &k, &m, &len, &first,
	    &count) == 5) {
		struct block b = block_new(k, m, len);
		uint8_t *want = malloc(count * len);
		for (unsigned i = 0; i < k; i++)
			read_hex(f, b.data + i * len, len);
		for (unsigned j = 0; j < count; j++)
			read_hex(f, want + j * len, len);
		block_encode(&b);
		assert_memory_equal(b.out[first], want, count * len);
		free(want);
		block_free(&b);
		seen++;
	}
	assert_true(seen >= 6);
	assert_int_equal(getc(f), EOF);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_field),
		cmocka_unit_test(test_known_answers_notice),
		cmocka_unit_test(test_bad_parameters),
		cmocka_unit_test(test_bad_calls),
		cmocka_unit_test(test_all_small_patterns),
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_kernels),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_odd_sizes),
		cmocka_unit_test(test_powers_of_two),
		cmocka_unit_test(test_sizes_of_the_table),
	};
	const char *s = getenv("KATAMICHI_SEED");

	seed = s != NULL ? strtoull(s, NULL, 0) : 20260401;
	random_state = seed;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KATAMICHI_SEED=%llu, kernel %s\n", (unsigned long long)seed,
	    fec_kernel());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
