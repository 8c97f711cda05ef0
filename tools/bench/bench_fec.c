/* bench_fec.c - how fast the erasure code is on this machine, on one core.
 *
 *   bench_fec [--json] [--quick] [--kernel NAME] [--code K,M] [--set MB]
 *             [--symbol BYTES]
 *
 * For each code and working set: GB/s (1e9 bytes) of source, encoding all M
 * parity symbols, and decoding with M, a tenth and a hundredth of the source
 * lost (never more than M).  The working set is so many megabytes of blocks,
 * gone through in turn, so that 100 MB come from memory and 4 MB from a cache.
 * Every figure is the best of several passes, in processor time, which other work
 * on the machine distorts least; the results are checked.
 *
 * Built with HAVE_ISAL, Debian's ISA-L does the same work where k + M <= 255
 * (fec_isal.c).  memcpy is there for scale. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/codec/fec.h"
#include "common/codec/gf16.h"
#include "tools/bench/fec_set.h"

/* The codes; r < m: a slice of a parity space larger than one round needs, which
 * shows what a round costs. */
static const struct {
	uint32_t k, m, r;
} codes[] = {
	{ 3236, 512, 512 }, { 15900, 256, 256 }, { 32872, 4096, 4096 },
	{ 223, 32, 32 }, { 17023, 2048, 2048 }, { 711, 1024, 1024 },
	{ 17023, 512, 380 }, { 17023, 2048, 380 }, { 17023, 16384, 380 },
};

static struct {
	bool json, quick;
	const char *kernel;
	uint32_t k, m; /* 0: every code */
	size_t mb;     /* 0: both sets */
	size_t len;
} opt = { .len = 1344 };

static void print(const char *what, const struct set *s, uint32_t r, size_t mb,
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

static uint32_t losses(const struct set *s, int which, uint32_t r)
{
	uint32_t n = which == 0 ? s->k : which == 1 ? s->k / 10 : s->k / 100;

	if (n == 0)
		n = 1;
	return n < r ? n : r;
}

static double seconds(void)
{
	return opt.quick ? 0.1 : 0.7;
}

static void bench(const char *kernel, uint32_t k, uint32_t m, uint32_t r, size_t mb)
{
	struct set s = fec_set_new(k, m, opt.len, mb * 1000000);
	double d[3];

	double encode = fec_set_best(&s, fec_set_encode, r, seconds());
	for (int i = 0; i < 3; i++) {
		fec_set_lose(&s, losses(&s, i, r));
		d[i] = fec_set_best(&s, fec_set_decode, r, seconds());
		fec_set_check(&s, s.blocks - 1);
	}
	print(kernel, &s, r, mb, encode, d);
	fec_set_free(&s);
}

static void bench_all(const char *kernel, size_t mb)
{
	bool known = false;

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		if (opt.k != 0 && (codes[i].k != opt.k || codes[i].m != opt.m))
			continue;
		bench(kernel, codes[i].k, codes[i].m, codes[i].r, mb);
		known = true;
	}
	if (!known)
		bench(kernel, opt.k, opt.m, opt.m, mb);
}

static void bench_copy(size_t mb)
{
	struct set s = fec_set_new(3236, 512, opt.len, mb * 1000000);
	double v = fec_set_best(&s, fec_set_copy, 0, seconds()), d[3] = { v, v, v };

	print("memcpy", &s, 0, mb, v, d);
	fec_set_free(&s);
}

static void bench_isal(uint32_t k, uint32_t m, size_t mb)
{
	struct set s = fec_set_new(k, m, opt.len, mb * 1000000);
	uint32_t lost[3] = { losses(&s, 0, m), losses(&s, 1, m), losses(&s, 2, m) };
	double encode, decode[3];

	if (fec_isal(&s, lost, seconds(), &encode, decode))
		print("isa-l", &s, m, mb, encode, decode);
	fec_set_free(&s);
}

static void bench_kernels(size_t mb)
{
	const struct gf16_kernel *k;

	for (unsigned n = 0; (k = gf16_nth(n)) != NULL; n++) {
		if (opt.kernel != NULL && strcmp(opt.kernel, k->name) != 0)
			continue;
		if (!k->present()) {
			fprintf(stderr, "%s: skipped, not on this machine\n",
			    k->name);
			continue;
		}
		gf16_force(k);
		bench_all(k->name, mb);
	}
}

static void usage(void)
{
	fprintf(stderr, "usage: bench_fec [--json] [--quick] [--kernel NAME] "
	    "[--code K,M] [--set MB] [--symbol BYTES]\n");
	exit(2);
}

static void options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "quick", no_argument, NULL, 'q' },
		{ "kernel", required_argument, NULL, 'k' },
		{ "code", required_argument, NULL, 'c' },
		{ "set", required_argument, NULL, 'w' },
		{ "symbol", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};

	for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;)
		switch (c) {
		case 'j': opt.json = true; break;
		case 'q': opt.quick = true; break;
		case 'k': opt.kernel = optarg; break;
		case 'c':
			if (sscanf(optarg, "%u,%u", &opt.k, &opt.m) != 2 ||
			    fec_check(opt.k, opt.m, 2) != FEC_OK)
				usage();
			break;
		case 'w': opt.mb = strtoul(optarg, NULL, 10); break;
		case 's': opt.len = strtoul(optarg, NULL, 10); break;
		default: usage();
		}
	if (optind != argc || fec_check(1, 1, opt.len) != FEC_OK)
		usage();
}

int main(int argc, char **argv)
{
	size_t sets[] = { 100, 4 }, n = 2;

	options(argc, argv);
	gf16_kernel();
	if (opt.mb != 0) {
		sets[0] = opt.mb;
		n = 1;
	}
	for (size_t i = 0; i < n; i++) {
		bench_copy(sets[i]);
		if (opt.k == 0 || (opt.k == 223 && opt.m == 32))
			bench_isal(223, 32, sets[i]);
		bench_kernels(sets[i]);
	}
	printf("%s", opt.json ? "\n]\n" : "");
	return 0;
}
