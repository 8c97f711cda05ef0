/* fuzz_fec.c - the decoder's bookkeeping under any parameters and any choice of
 * symbols: it either refuses, or gives back exactly what was encoded.
 *
 * Input: k, m, length (3 x 2 bytes), then the bytes that decide, symbol by symbol,
 * what is lost, which parity numbers are given, and how they are spoiled. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/codec/fec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *p;
	size_t n;
};

static uint32_t take(struct input *in) /* the input over and over again */
{
	static uint32_t spin;

	if (in->n == 0)
		return spin = spin * 1664525 + 1013904223;
	in->n--;
	return *in->p++;
}

static void must(int yes)
{
	if (!yes)
		abort();
}

/* Exactly as much as asked for, so that a sanitizer sees the first byte over. */
static void *exact(size_t n)
{
	void *p = NULL;

	if (posix_memalign(&p, 64, n + (n == 0)) != 0)
		abort();
	memset(p, 0xc3, n);
	return p;
}

static void run(uint32_t k, uint32_t m, size_t len, struct input *in)
{
	uint8_t *symbols = exact((k + m) * len), *room = exact(k * len);
	uint8_t *work = exact(fec_encode_work(k, m, len));
	const uint8_t **src = exact(k * sizeof *src);
	const uint8_t **given = exact(2 * m * sizeof *given);
	uint8_t **out = exact((k > m ? k : m) * sizeof *out);
	uint32_t *pnum = exact(2 * m * sizeof *pnum), np = 0, lost = 0;
	int bad = 0;

	for (size_t i = 0; i < k * len; i++)
		symbols[i] = (uint8_t)(i * 167 + (i >> 8) * 13);
	for (uint32_t i = 0; i < k; i++)
		src[i] = symbols + i * len;
	for (uint32_t j = 0; j < m; j++)
		out[j] = symbols + (k + j) * len;
	must(fec_encode(k, m, len, src, 0, m, out, work) == FEC_OK);
	free(work);

	uint32_t bias = take(in) % 8;
	for (uint32_t i = 0; i < k; i++) {
		out[i] = room + i * len;
		if (take(in) % 8 < bias) {
			src[i] = NULL;
			lost++;
		}
	}
	for (uint32_t j = 0; j < m; j++) {
		uint32_t what = take(in);
		for (uint32_t n = what < 8 ? 2 : what % 2; n > 0; n--) {
			pnum[np] = what == 9 ? j + m : j;
			given[np++] = symbols + (k + j) * len;
			bad |= n == 2 || what == 9;
		}
	}
	work = exact(fec_decode_work(k, m, len));
	int r = fec_decode(k, m, len, src, pnum, given, np, out, work);
	if (r == FEC_OK) {
		must(lost == 0 || (lost <= np && !bad));
		for (uint32_t i = 0; i < k; i++)
			if (src[i] == NULL)
				must(memcmp(out[i], symbols + i * len, len) == 0);
	} else {
		must(r == FEC_EFEW ? lost > np : r == FEC_ENUM && bad);
		for (size_t i = 0; i < k * len; i++)
			must(room[i] == 0xc3);
	}
	free(work);
	free(pnum);
	free(out);
	free(given);
	free(src);
	free(room);
	free(symbols);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint32_t f[3];

	if (size < 6)
		return 0;
	for (int i = 0; i < 3; i++) {
		f[i] = take(&in) << 8;
		f[i] |= take(&in);
	}
	/* any parameters at all; none may crash */
	if (fec_check(f[0], f[1], f[2]) != FEC_OK) {
		must(fec_encode_work(f[0], f[1], f[2]) == 0);
		must(fec_decode_work(f[0], f[1], f[2]) == 0);
		must(fec_decode(f[0], f[1], f[2], NULL, NULL, NULL, 0, NULL,
		    NULL) < 0);
		return 0;
	}
	if ((uint64_t)(f[0] + f[1]) * f[2] > 1u << 20) /* stay quick */
		return 0;
	run(f[0], f[1], f[2], &in);
	return 0;
}
