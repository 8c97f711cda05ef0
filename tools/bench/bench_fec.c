/* bench_fec.c - how fast the erasure code is on this machine, on one core.
 *
 *   bench_fec [--json] [--quick] [--kernel NAME] [--symbol BYTES]
 *
 * For each code and working set: GB/s (1e9 bytes) of source, encoding all M
 * parity symbols, and decoding with M, a tenth and a hundredth of the source
 * lost (never more than M).  The working set is so many megabytes of blocks,
 * gone through in turn, so that 100 MB come from memory and 4 MB from a cache.
 * Every figure is the best of several passes, in processor time, which other work
 * on the machine distorts least; the results are checked.
 *
 * Built with HAVE_ISAL, Debian's ISA-L does the same work where k + M <= 255; its
 * inverse matrix is computed beforehand and not counted, although other losses in
 * the next block would need another (ours is computed for each block).  memcpy is
 * there for scale. */
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef HAVE_ISAL
#include <isa-l.h>
#endif

#include "common/codec/fec.h"
#include "common/codec/gf16.h"

static const struct {
	uint32_t k, m;
} codes[] = {
	{ 3236, 512 }, { 15900, 256 }, { 32872, 4096 }, { 223, 32 },
	{ 17023, 2048 }, { 711, 1024 },
};

/* Slices of a parity space larger than one round needs: what a round costs. */
static const struct {
	uint32_t k, m, r;
} slices[] = {
	{ 17023, 512, 380 }, { 17023, 2048, 380 }, { 17023, 16384, 380 },
};

static struct {
	bool json, quick;
	const char *kernel;
	size_t len;
} opt = { .len = 1344 };

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *
need(size_t n)
{
	void *p = aligned_alloc(64, (n + 63) / 64 * 64);

	if (p == NULL) {
		fprintf(stderr, "bench_fec: out of memory\n");
		exit(1);
	}
	memset(p, 1, n);
	return p;
}

struct set {
	uint32_t k, m, blocks;
	size_t len;
	uint8_t *data, *parity, *room, *work;
	const uint8_t **src;     /* k of one block */
	uint8_t **out;           /* m of one block */
	uint8_t **lost;          /* k, room to decode into */
	const uint8_t **given;
	uint32_t *pnum;
	bool *gone;              /* k */
	uint32_t losses;
};

static struct set
set_new(uint32_t k, uint32_t m, size_t len, size_t bytes)
{
	struct set s = { .k = k, .m = m, .len = len };
	size_t block = k * len, work = fec_encode_work(k, m, len);
	uint64_t x = 88172645463325252;

	s.blocks = (uint32_t)(bytes / block);
	if (s.blocks == 0)
		s.blocks = 1;
	if (work < fec_decode_work(k, m, len))
		work = fec_decode_work(k, m, len);
	s.data = need(s.blocks * block);
	s.parity = need(s.blocks * m * len);
	s.room = need(m * len);
	s.work = need(work);
	s.src = need(k * sizeof *s.src);
	s.out = need(m * sizeof *s.out);
	s.lost = need(k * sizeof *s.lost);
	s.given = need(m * sizeof *s.given);
	s.pnum = need(m * sizeof *s.pnum);
	s.gone = need(k * sizeof *s.gone);
	for (size_t i = 0; i < s.blocks * block; i += 8) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		memcpy(s.data + i, &x, s.blocks * block - i < 8 ? 2 : 8);
	}
	for (uint32_t j = 0; j < m; j++)
		s.pnum[j] = j;
	return s;
}

static void
set_free(struct set *s)
{
	free(s->data);
	free(s->parity);
	free(s->room);
	free(s->work);
	free(s->src);
	free(s->out);
	free(s->lost);
	free(s->given);
	free(s->pnum);
	free(s->gone);
}

/* Lose n source symbols, here and there; the same in every block. */
static void
set_lose(struct set *s, uint32_t n)
{
	uint64_t x = 12345;
	uint32_t lost = 0;

	memset(s->gone, 0, s->k * sizeof *s->gone);
	s->losses = n;
	while (lost < n) {
		x = x * 6364136223846793005 + 1442695040888963407;
		uint32_t i = (uint32_t)((x >> 33) % s->k);
		if (!s->gone[i]) {
			s->gone[i] = true;
			s->lost[i] = s->room + lost++ * s->len;
		}
	}
}

static void
must(int r)
{
	if (r != FEC_OK) {
		fprintf(stderr, "bench_fec: error %d\n", r);
		exit(1);
	}
}

static void
encode_block(struct set *s, uint32_t b, uint32_t r)
{
	const uint8_t *data = s->data + b * (s->k * s->len);
	uint8_t *parity = s->parity + b * (s->m * s->len);

	for (uint32_t i = 0; i < s->k; i++)
		s->src[i] = data + i * s->len;
	for (uint32_t j = 0; j < s->m; j++)
		s->out[j] = parity + j * s->len;
	must(fec_encode(s->k, s->m, s->len, s->src, 0, r, s->out, s->work));
}

static void
decode_block(struct set *s, uint32_t b, uint32_t r)
{
	const uint8_t *data = s->data + b * (s->k * s->len);

	for (uint32_t i = 0; i < s->k; i++)
		s->src[i] = s->gone[i] ? NULL : data + i * s->len;
	for (uint32_t j = 0; j < s->m; j++)
		s->given[j] = s->parity + (b * s->m + j) * s->len;
	must(fec_decode(s->k, s->m, s->len, s->src, s->pnum, s->given, r,
	    s->lost, s->work));
}

static void
check_decoded(const struct set *s, uint32_t b)
{
	for (uint32_t i = 0; i < s->k; i++)
		if (s->gone[i] && memcmp(s->lost[i],
		    s->data + (b * s->k + i) * s->len, s->len) != 0) {
			fprintf(stderr, "bench_fec: wrong bytes\n");
			exit(1);
		}
}

/* GB/s of source of the best pass over the set */
static double
best(struct set *s, void (*work)(struct set *, uint32_t, uint32_t), uint32_t r)
{
	double end = now() + (opt.quick ? 0.1 : 0.7), fastest = 1e9, from;
	double bytes = (double)s->blocks * s->k * (double)s->len;
	int passes = 0;

	do {
		from = now();
		for (uint32_t b = 0; b < s->blocks; b++)
			work(s, b, r);
		if (now() - from < fastest)
			fastest = now() - from;
	} while (now() < end || ++passes < 3);
	return bytes / fastest / 1e9;
}

static void
copy_block(struct set *s, uint32_t b, uint32_t r)
{
	(void)r;
	for (uint32_t i = 0; i < s->k; i++)
		memcpy(s->room + i % s->m * s->len,
		    s->data + (b * s->k + i) * s->len, s->len);
}

static void
print(const char *what, const struct set *s, uint32_t r, size_t mb,
    double encode, const double decode[3])
{
	static bool begun;

	if (opt.json) {
		printf("%s\n  {\"code\": \"%s\", \"k\": %u, \"m\": %u, "
		    "\"parity\": %u, \"symbol\": %zu, \"set_mb\": %zu, "
		    "\"encode\": %.2f, \"decode_m\": %.2f, "
		    "\"decode_10\": %.2f, \"decode_1\": %.2f}",
		    begun ? "," : "[", what, s->k, s->m, r, s->len, mb, encode,
		    decode[0], decode[1], decode[2]);
	} else {
		if (!begun)
			printf("%-9s %6s %6s %6s %6s %5s %8s %9s %9s %9s\n",
			    "kernel", "k", "M", "parity", "symbol", "MB",
			    "encode", "M lost", "10% lost", "1% lost");
		printf("%-9s %6u %6u %6u %6zu %5zu %8.2f %9.2f %9.2f %9.2f\n",
		    what, s->k, s->m, r, s->len, mb, encode, decode[0],
		    decode[1], decode[2]);
	}
	begun = true;
	fflush(stdout);
}

static uint32_t
losses(const struct set *s, int which, uint32_t r)
{
	uint32_t n = which == 0 ? s->k : which == 1 ? s->k / 10 : s->k / 100;

	if (n == 0)
		n = 1;
	return n < r ? n : r;
}

#ifdef HAVE_ISAL
static struct {
	uint8_t *matrix, *tables, *inverse;
} isal;

static void
isal_encode_block(struct set *s, uint32_t b, uint32_t r)
{
	(void)r;
	for (uint32_t i = 0; i < s->k; i++)
		s->src[i] = s->data + (b * s->k + i) * s->len;
	for (uint32_t j = 0; j < s->m; j++)
		s->out[j] = s->parity + (b * s->m + j) * s->len;
	ec_encode_data((int)s->len, (int)s->k, (int)s->m, isal.tables,
	    (unsigned char **)(uintptr_t)s->src, s->out);
}

/* The tables for the losses of the set */
static void
isal_prepare(struct set *s)
{
	uint32_t k = s->k, n = 0, e = 0;
	uint8_t *rows = s->work, *inverse = rows + k * k;
	uint8_t *wanted = inverse + k * k;

	for (uint32_t i = 0; i < k; i++) /* rows of the k symbols at hand */
		if (!s->gone[i])
			memcpy(rows + n++ * k, isal.matrix + i * k, k);
	for (uint32_t j = 0; n < k; j++)
		memcpy(rows + n++ * k, isal.matrix + (k + j) * k, k);
	if (gf_invert_matrix(rows, inverse, (int)k) != 0)
		exit(1);
	for (uint32_t i = 0; i < k; i++)
		if (s->gone[i])
			memcpy(wanted + e++ * k, inverse + i * k, k);
	ec_init_tables((int)k, (int)e, wanted, isal.inverse);
}

static void
isal_decode_block(struct set *s, uint32_t b, uint32_t r)
{
	uint32_t n = 0, e = 0;

	(void)r;
	for (uint32_t i = 0; i < s->k; i++)
		if (!s->gone[i])
			s->src[n++] = s->data + (b * s->k + i) * s->len;
		else
			s->out[e++] = s->lost[i];
	for (uint32_t j = 0; n < s->k; j++)
		s->src[n++] = s->parity + (b * s->m + j) * s->len;
	ec_encode_data((int)s->len, (int)s->k, (int)e, isal.inverse,
	    (unsigned char **)(uintptr_t)s->src, s->out);
}

static void
bench_isal(uint32_t k, uint32_t m, size_t mb)
{
	struct set s = set_new(k, m, opt.len, mb * 1000000);
	double d[3];

	free(s.work);
	s.work = need(2 * k * k + k * m);
	isal.matrix = need((k + m) * k);
	isal.tables = need(32 * k * m);
	isal.inverse = need(32 * k * m);
	gf_gen_cauchy1_matrix(isal.matrix, (int)(k + m), (int)k);
	ec_init_tables((int)k, (int)m, isal.matrix + k * k, isal.tables);
	double encode = best(&s, isal_encode_block, m);
	for (int i = 0; i < 3; i++) {
		set_lose(&s, losses(&s, i, m));
		isal_prepare(&s);
		d[i] = best(&s, isal_decode_block, m);
		check_decoded(&s, s.blocks - 1);
	}
	print("isa-l", &s, m, mb, encode, d);
	free(isal.matrix);
	free(isal.tables);
	free(isal.inverse);
	set_free(&s);
}
#endif

static void
bench(const char *kernel, uint32_t k, uint32_t m, uint32_t r, size_t mb)
{
	struct set s = set_new(k, m, opt.len, mb * 1000000);
	double d[3];

	double encode = best(&s, encode_block, r);
	for (int i = 0; i < 3; i++) {
		set_lose(&s, losses(&s, i, r));
		d[i] = best(&s, decode_block, r);
		check_decoded(&s, s.blocks - 1);
	}
	print(kernel, &s, r, mb, encode, d);
	set_free(&s);
}

static void
bench_all(const char *kernel, size_t mb)
{
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		bench(kernel, codes[i].k, codes[i].m, codes[i].m, mb);
	for (size_t i = 0; i < sizeof slices / sizeof *slices; i++)
		bench(kernel, slices[i].k, slices[i].m, slices[i].r, mb);
}

static void
bench_copy(size_t mb)
{
	struct set s = set_new(3236, 512, opt.len, mb * 1000000);
	double v = best(&s, copy_block, 0), d[3] = { v, v, v };

	print("memcpy", &s, 0, mb, v, d);
	set_free(&s);
}

static void
options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "quick", no_argument, NULL, 'q' },
		{ "kernel", required_argument, NULL, 'k' },
		{ "symbol", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};

	for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;)
		switch (c) {
		case 'j': opt.json = true; break;
		case 'q': opt.quick = true; break;
		case 'k': opt.kernel = optarg; break;
		case 's': opt.len = strtoul(optarg, NULL, 10); break;
		default: exit(2);
		}
	if (optind != argc || fec_check(1, 1, opt.len) != FEC_OK) {
		fprintf(stderr, "usage: bench_fec [--json] [--quick] "
		    "[--kernel NAME] [--symbol BYTES]\n");
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	static const size_t sets[] = { 100, 4 };
	const struct gf16_kernel *k;

	options(argc, argv);
	gf16_kernel();
	for (size_t i = 0; i < 2; i++) {
		bench_copy(sets[i]);
#ifdef HAVE_ISAL
		bench_isal(223, 32, sets[i]);
#endif
		for (unsigned n = 0; (k = gf16_nth(n)) != NULL; n++) {
			if (opt.kernel != NULL &&
			    strcmp(opt.kernel, k->name) != 0)
				continue;
			if (!k->present()) {
				fprintf(stderr, "%s: skipped, not on this "
				    "machine\n", k->name);
				continue;
			}
			gf16_force(k);
			bench_all(k->name, sets[i]);
		}
	}
	printf("%s", opt.json ? "\n]\n" : "");
	return 0;
}
