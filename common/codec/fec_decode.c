/* fec_decode.c - erasure decoding (fec.h).
 *
 * With e source symbols lost, any e parity symbols serve.  First the parity
 * symbols are freed of what the known source symbols contribute (the same sum as
 * in encoding).  What is left is, for parity points x and lost points y,
 *     t_x = sum over lost y of w d_y / (x + y)
 * with a weight w of x alone (form B) or y alone (form A): a Cauchy system, whose
 * solution is a sum of the same kind (fec_locator.h) over e inputs only. */
#include <string.h>

#include "fec.h"
#include "fec_cost.h"
#include "fec_job.h"
#include "fec_locator.h"

struct decoder {
	struct fec_job job;
	uint32_t lost;              /* symbols lost, and parity symbols used */

	uint32_t *known_point;      /* source symbols at hand */
	const uint8_t **known_row;
	uint32_t *lost_point;
	uint8_t **lost_symbol;      /* where they go */
	uint8_t **lost_row;         /* a strip of that */
	uint32_t *used_point;       /* parity symbols used */
	const uint8_t **used_symbol;
	const uint8_t **used_strip; /* a strip of that */
	uint8_t **used_row;         /* their strips in work memory */
	uint16_t *used_factor;      /* U and V of fec_locator.h */
	uint16_t *lost_factor;
	uint32_t *given;            /* m: 1 + index of parity symbol j, or 0 */
	uint32_t *sorted;           /* given parity numbers, ascending */
	struct fec_coset *known_cosets, *used_cosets, *lost_cosets;
};

static unsigned point_bits(struct fec_form form, uint32_t k, uint32_t m)
{
	return fec_log2_up((1u << form.t) + (form.parity_low ? k : m));
}

static void deal(struct fec_memory *mem, struct decoder *d, uint32_t k, uint32_t m,
    size_t len)
{
	uint32_t most = k < m ? k : m; /* that can be lost */

	/* while the locator is computed the rows are not in use yet */
	fec_deal_job(mem, &d->job, k, m, len, most,
	    fec_locator_work(point_bits(fec_form_of(k, m), k, m)));
	d->known_point = fec_deal(mem, k * sizeof *d->known_point);
	d->known_row = fec_deal(mem, k * sizeof *d->known_row);
	d->lost_point = fec_deal(mem, most * sizeof *d->lost_point);
	d->lost_symbol = fec_deal(mem, most * sizeof *d->lost_symbol);
	d->lost_row = fec_deal(mem, most * sizeof *d->lost_row);
	d->used_point = fec_deal(mem, most * sizeof *d->used_point);
	d->used_symbol = fec_deal(mem, most * sizeof *d->used_symbol);
	d->used_strip = fec_deal(mem, most * sizeof *d->used_strip);
	d->used_row = fec_deal(mem, most * sizeof *d->used_row);
	d->used_factor = fec_deal(mem, most * sizeof *d->used_factor);
	d->lost_factor = fec_deal(mem, most * sizeof *d->lost_factor);
	d->given = fec_deal(mem, m * sizeof *d->given);
	d->sorted = fec_deal(mem, m * sizeof *d->sorted);
	d->known_cosets = fec_deal(mem,
	    ((k >> FEC_S_MIN) + 2) * sizeof *d->known_cosets);
	d->used_cosets = fec_deal(mem, most * sizeof *d->used_cosets);
	d->lost_cosets = fec_deal(mem, most * sizeof *d->lost_cosets);
}

size_t fec_decode_work(uint32_t k, uint32_t m, size_t len)
{
	struct fec_memory mem = { NULL, 0 };
	struct decoder d;

	if (fec_check(k, m, len) != FEC_OK)
		return 0;
	deal(&mem, &d, k, m, len);
	return mem.used;
}

static int check(uint32_t k, uint32_t m, uint32_t lost, const uint8_t *const *src,
    const uint32_t *pnum, const uint8_t *const *parity, uint32_t np,
    uint8_t *const *out, const void *work)
{
	if (lost > np)
		return FEC_EFEW;
	if (np > m)
		return FEC_ENUM; /* some must be there twice */
	if (pnum == NULL || parity == NULL || out == NULL ||
	    !fec_usable(work))
		return FEC_ENULL;
	for (uint32_t i = 0; i < k; i++)
		if (src[i] == NULL && out[i] == NULL)
			return FEC_ENULL;
	for (uint32_t i = 0; i < np; i++) {
		if (parity[i] == NULL)
			return FEC_ENULL;
		if (pnum[i] >= m)
			return FEC_ENUM;
	}
	return FEC_OK;
}

/* List the parity symbols in order; FEC_ENUM where one is given twice. */
static int sort_parity(struct decoder *d, uint32_t m, const uint32_t *pnum, uint32_t np)
{
	uint32_t n = 0;

	memset(d->given, 0, m * sizeof *d->given);
	for (uint32_t i = 0; i < np; i++) {
		if (d->given[pnum[i]] != 0)
			return FEC_ENUM;
		d->given[pnum[i]] = i + 1;
	}
	for (uint32_t j = 0; n < np; j++)
		if (d->given[j] != 0)
			d->sorted[n++] = j;
	return FEC_OK;
}

/* Of the given parity symbols take as many as are lost, in a row: where they
 * spread over the fewest cosets, so that the transforms are short. */
static void choose_parity(struct decoder *d, const uint8_t *const *parity, uint32_t np)
{
	unsigned s = fec_log2_up(d->lost);
	uint32_t best = 0, least = UINT32_MAX;

	for (uint32_t i = 0; i + d->lost <= np; i++) {
		uint32_t spread = (d->sorted[i + d->lost - 1] >> s) -
		    (d->sorted[i] >> s);
		if (spread < least) {
			least = spread;
			best = i;
		}
	}
	for (uint32_t i = 0; i < d->lost; i++) {
		uint32_t j = d->sorted[best + i];
		d->used_point[i] = fec_parity_point(d->job.form, j);
		d->used_symbol[i] = parity[d->given[j] - 1];
	}
}

static void split_source(struct decoder *d, uint32_t k, const uint8_t *const *src,
    uint8_t *const *out)
{
	uint32_t known = 0, lost = 0;

	for (uint32_t i = 0; i < k; i++) {
		uint32_t point = fec_source_point(d->job.form, i);
		if (src[i] != NULL) {
			d->known_point[known] = point;
			d->known_row[known++] = src[i];
		} else {
			d->lost_point[lost] = point;
			d->lost_symbol[lost++] = out[i];
		}
	}
}

/* The factors of inputs and outputs of the second sum: those of the locator,
 * the code's own weight, and where one side is a single coset the constant of
 * each pair of cosets. */
static void set_factors(struct decoder *d, uint32_t bits, struct fec_sum *solve)
{
	struct fec_form form = d->job.form;
	unsigned s = solve->fft.s;

	fec_locator(d->used_point, d->lost_point, d->lost, bits,
	    d->used_factor, d->lost_factor, d->job.rows);
	for (uint32_t i = 0; i < d->lost; i++) {
		uint32_t far = form.parity_low ? d->lost_point[i] :
		    d->used_point[i];
		uint16_t *f = form.parity_low ? &d->lost_factor[i] :
		    &d->used_factor[i];
		*f = gf16_div(*f, gf16_point(far >> form.t));
	}
	if (s == 0 || (solve->ins > 1 && solve->outs > 1))
		return;
	solve->folded = true;
	for (uint32_t i = 0; i < d->lost; i++) {
		uint32_t in = solve->ins == 1 ? solve->in[0].id :
		    d->used_point[i] >> s;
		uint32_t out = solve->ins == 1 ? d->lost_point[i] >> s :
		    solve->out[0].id;
		uint16_t *f = solve->ins == 1 ? &d->lost_factor[i] :
		    &d->used_factor[i];
		*f = gf16_mul(*f, fec_weight(form, false, s, in, out));
	}
}

/* t_x times U_x, this strip: what the known symbols leave of the parity */
static void finish_inputs(struct decoder *d, const struct fec_sum *known, size_t at)
{
	const struct gf16_kernel *kernel = known->fft.k;
	size_t w = known->fft.w, left = d->job.len - at;
	uint8_t unit[64];

	for (uint32_t i = 0; i < d->lost; i++) {
		const uint8_t *symbol = d->used_symbol[i] + at;
		if (left < 64) {
			fec_spread(unit, symbol, left);
			symbol = unit;
		}
		const uint8_t *both[2] = { d->used_row[i], symbol };
		uint16_t factor[2] = { d->used_factor[i], d->used_factor[i] };
		gf16_dot(kernel, d->used_row[i], both, factor, 2, w, false);
	}
}

static void decode(struct decoder *d, uint32_t k, uint32_t m)
{
	uint32_t known = k - d->lost;
	unsigned s = fec_cost_decode(d->job.form, known, d->used_point,
	    d->lost_point, d->lost);
	struct fec_want used = { d->used_point, d->used_row, NULL, d->lost };
	struct fec_want lost = { d->lost_point, d->lost_row, d->lost_factor,
		d->lost };
	struct fec_sum free_of = fec_new_sum(&d->job, true, s, d->known_point,
	    d->known_row, known, &used, d->known_cosets, d->used_cosets);
	struct fec_sum solve = fec_new_sum(&d->job, false, s, d->used_point,
	    (const uint8_t *const *)d->used_row, d->lost, &lost,
	    d->used_cosets, d->lost_cosets);

	set_factors(d, point_bits(d->job.form, k, m), &solve);

	size_t rows = fec_sum_rows(&free_of), other = fec_sum_rows(&solve);
	rows = d->lost + (rows > other ? rows : other);
	size_t width = fec_strip_width(&d->job, rows);
	for (size_t at = 0, w; at < d->job.len; at += w) {
		w = fec_strip_at(&d->job, at, width);
		free_of.fft.w = solve.fft.w = w;
		free_of.at = at;
		free_of.left = d->job.len - at;
		solve.left = w;
		for (uint32_t i = 0; i < d->lost; i++)
			d->used_row[i] = d->job.rows + i * w;
		fec_place(&free_of, d->job.rows + d->lost * w);
		fec_place(&solve, d->job.rows + d->lost * w);
		fec_aim(&d->job, d->lost_symbol, d->lost_row, d->lost, at);
		for (uint32_t i = 0; i < d->lost; i++)
			d->used_strip[i] = d->used_symbol[i] + at;
		free_of.next = d->used_strip;
		free_of.nexts = w <= d->job.len - at ? d->lost : 0;

		fec_sum(&free_of);
		finish_inputs(d, &free_of, at);
		fec_sum(&solve);
		fec_land(&d->job, d->lost_symbol, d->lost, at);
	}
}

int fec_decode(uint32_t k, uint32_t m, size_t len, const uint8_t *const *src,
    const uint32_t *pnum, const uint8_t *const *parity, uint32_t np,
    uint8_t *const *out, void *work)
{
	int r = fec_check(k, m, len);
	struct fec_memory mem = { work, 0 };
	struct decoder d = { .lost = 0 };
	uint32_t lost = 0;

	if (r != FEC_OK)
		return r;
	if (src == NULL)
		return FEC_ENULL;
	for (uint32_t i = 0; i < k; i++)
		lost += src[i] == NULL;
	if (lost == 0)
		return FEC_OK;
	if ((r = check(k, m, lost, src, pnum, parity, np, out, work)) !=
	    FEC_OK)
		return r;

	gf16_init();
	deal(&mem, &d, k, m, len);
	d.lost = lost;
	if ((r = sort_parity(&d, m, pnum, np)) != FEC_OK)
		return r;
	choose_parity(&d, parity, np);
	split_source(&d, k, src, out);
	decode(&d, k, m);
	return FEC_OK;
}
