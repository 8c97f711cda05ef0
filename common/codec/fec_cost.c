/* fec_cost.c - see fec_cost.h.  Costs are in butterflies of a row; the constants
 * were measured with bench_fec and matter little: near a crossing both sides
 * are equally good. */
#include "fec_cost.h"

#define PRODUCT 0.8  /* one row times a constant, added to another */
#define ADD 0.2      /* a row added to another while it is stored */
#define PASS 0.25    /* a row read and written once more */
#define SUM_ROWS 8   /* rows below which single values are summed up */

static double passes(unsigned layers)
{
	return (layers + 2) / 3;
}

/* A whole transform of 2^s rows */
static double transform(unsigned s)
{
	return (double)(1u << s) * (s / 2.0 + PASS * passes(s));
}

/* The sum of n inputs in whole cosets onto outs output cosets */
static double many_inputs(struct fec_form form, uint32_t n, uint32_t outs, unsigned s)
{
	double ins = (double)((n >> s) + 1);
	double each = s == form.t ? ADD : PRODUCT * outs;

	return ins * (transform(s) + (double)(1u << s) * each);
}

static uint32_t count_cosets(const uint32_t *point, uint32_t n, unsigned s)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < n; i++)
		count += i == 0 || point[i] >> s != point[i - 1] >> s;
	return count;
}

/* n values out of `cosets` transforms of 2^s, skipping what is not wanted */
static double some_outputs(uint32_t cosets, uint32_t n, unsigned s)
{
	double cost = 0, blocks = cosets;

	while (s > 3 && n > blocks * 2) {
		cost += blocks * (double)(1u << s) * (1.5 + PASS);
		s -= 3;
		blocks = blocks * 8 < n ? blocks * 8 : n;
	}
	return cost + n * PRODUCT * (double)(1u << s);
}

unsigned fec_cost_encode(struct fec_form form, uint32_t n, uint32_t out, uint32_t n_out)
{
	double best = PRODUCT * n * n_out;
	unsigned s = form.parity_low ? FEC_S_MIN : form.t, choice = 0;

	for (; s <= form.t && s >= FEC_S_MIN; s++) {
		uint32_t outs = ((out + n_out - 1) >> s) - (out >> s) + 1;
		double cost = outs * transform(s) + (form.parity_low ?
		    many_inputs(form, n, outs, s) : transform(s));
		if (cost < best) {
			best = cost;
			choice = s;
		}
	}
	return choice;
}

unsigned fec_cost_decode(struct fec_form form, uint32_t n, const uint32_t *used,
    const uint32_t *lost, uint32_t n_lost)
{
	double best = PRODUCT * n_lost * ((double)n + n_lost);
	unsigned s = form.parity_low ? FEC_S_MIN : form.t, choice = 0;

	for (; s <= form.t && s >= FEC_S_MIN; s++) {
		uint32_t u = count_cosets(used, n_lost, s);
		uint32_t l = count_cosets(lost, n_lost, s);
		double cost = 2 * u * transform(s) +
		    some_outputs(l, n_lost, s);
		if (form.parity_low)
			cost += many_inputs(form, n, u, s);
		else
			cost += transform(s);
		if (u > 1 && l > 1)
			cost += PRODUCT * u * l * (double)(1u << s);
		if (cost < best) {
			best = cost;
			choice = s;
		}
	}
	return choice;
}
