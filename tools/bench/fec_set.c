/* fec_set.c - see fec_set.h */
#include "tools/bench/fec_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/codec/fec.h"
#include "host/big.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void *fec_set_need(size_t n)
{
	void *p = big_alloc(n);

	if (p == NULL) {
		fprintf(stderr, "bench_fec: out of memory\n");
		exit(1);
	}
	memset(p, 1, n);
	return p;
}

struct set fec_set_new(uint32_t k, uint32_t m, size_t len, size_t bytes)
{
	struct set s = { .k = k, .m = m, .len = len };
	size_t block = k * len, work = fec_encode_work(k, m, len);
	uint64_t x = 88172645463325252;

	s.blocks = (uint32_t)(bytes / block);
	if (s.blocks == 0)
		s.blocks = 1;
	if (work < fec_decode_work(k, m, len))
		work = fec_decode_work(k, m, len);
	s.data = fec_set_need(s.blocks * block);
	s.parity = fec_set_need(s.blocks * m * len);
	s.room = fec_set_need(m * len);
	s.work = fec_set_need(work);
	s.src = fec_set_need(k * sizeof *s.src);
	s.out = fec_set_need(m * sizeof *s.out);
	s.lost = fec_set_need(k * sizeof *s.lost);
	s.given = fec_set_need(m * sizeof *s.given);
	s.pnum = fec_set_need(m * sizeof *s.pnum);
	s.gone = fec_set_need(k * sizeof *s.gone);
	for (size_t i = 0; i < s.blocks * block; i += 8) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		memcpy(s.data + i, &x, s.blocks * block - i < 8 ? 2 : 8);
	}
	for (uint32_t j = 0; j < m; j++)
		s.pnum[j] = j;
	return s;
}

void fec_set_free(struct set *s)
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

void fec_set_lose(struct set *s, uint32_t n)
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

static void must(int r)
{
	if (r != FEC_OK) {
		fprintf(stderr, "bench_fec: error %d\n", r);
		exit(1);
	}
}

void fec_set_encode(struct set *s, uint32_t b, uint32_t r)
{
	const uint8_t *data = s->data + b * (s->k * s->len);
	uint8_t *parity = s->parity + b * (s->m * s->len);

	for (uint32_t i = 0; i < s->k; i++)
		s->src[i] = data + i * s->len;
	for (uint32_t j = 0; j < s->m; j++)
		s->out[j] = parity + j * s->len;
	must(fec_encode(s->k, s->m, s->len, s->src, 0, r, s->out, s->work));
}

void fec_set_decode(struct set *s, uint32_t b, uint32_t r)
{
	const uint8_t *data = s->data + b * (s->k * s->len);

	for (uint32_t i = 0; i < s->k; i++)
		s->src[i] = s->gone[i] ? NULL : data + i * s->len;
	for (uint32_t j = 0; j < s->m; j++)
		s->given[j] = s->parity + (b * s->m + j) * s->len;
	must(fec_decode(s->k, s->m, s->len, s->src, s->pnum, s->given, r,
	    s->lost, s->work));
}

void fec_set_check(const struct set *s, uint32_t b)
{
	for (uint32_t i = 0; i < s->k; i++)
		if (s->gone[i] && memcmp(s->lost[i],
		    s->data + (b * s->k + i) * s->len, s->len) != 0) {
			fprintf(stderr, "bench_fec: wrong bytes\n");
			exit(1);
		}
}

double
fec_set_best(struct set *s, void (*work)(struct set *, uint32_t, uint32_t), uint32_t r,
    double seconds)
{
	double end = now() + seconds, fastest = 1e9, from;
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

void fec_set_copy(struct set *s, uint32_t b, uint32_t r)
{
	(void)r;
	for (uint32_t i = 0; i < s->k; i++)
		memcpy(s->room + i % s->m * s->len,
		    s->data + (b * s->k + i) * s->len, s->len);
}
