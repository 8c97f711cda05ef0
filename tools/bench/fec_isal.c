/* fec_isal.c - Debian's ISA-L on the working set of bench_fec.c.  Its inverse matrix
 * is computed beforehand and not counted, although other losses in the next block
 * would need another (ours is computed for each block). */
#include <stdlib.h>
#include <string.h>

#include "tools/bench/fec_set.h"

#ifdef HAVE_ISAL
#include <isa-l.h>

static struct {
	uint8_t *matrix, *tables, *inverse;
} isal;

static void encode_block(struct set *s, uint32_t b, uint32_t r)
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
static void prepare(struct set *s)
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

static void decode_block(struct set *s, uint32_t b, uint32_t r)
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

/* ISA-L leaves the upper parts of the vector registers in use, and whatever is plain
 * SSE runs at less than half its speed from then on. */
static void clear_upper_parts(void)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx"))
		__asm__ volatile("vzeroupper");
#endif
}

bool fec_isal(struct set *s, const uint32_t losses[3], double seconds, double *encode,
    double decode[3])
{
	uint32_t k = s->k, m = s->m;

	free(s->work);
	s->work = fec_set_need(2 * k * k + k * m);
	isal.matrix = fec_set_need((k + m) * k);
	isal.tables = fec_set_need(32 * k * m);
	isal.inverse = fec_set_need(32 * k * m);
	gf_gen_cauchy1_matrix(isal.matrix, (int)(k + m), (int)k);
	ec_init_tables((int)k, (int)m, isal.matrix + k * k, isal.tables);
	*encode = fec_set_best(s, encode_block, m, seconds);
	for (int i = 0; i < 3; i++) {
		fec_set_lose(s, losses[i]);
		prepare(s);
		decode[i] = fec_set_best(s, decode_block, m, seconds);
		fec_set_check(s, s->blocks - 1);
	}
	clear_upper_parts();
	free(isal.matrix);
	free(isal.tables);
	free(isal.inverse);
	return true;
}

#else

bool fec_isal(struct set *s, const uint32_t losses[3], double seconds, double *encode,
    double decode[3])
{
	(void)s, (void)losses, (void)seconds, (void)encode, (void)decode;
	return false;
}

#endif
