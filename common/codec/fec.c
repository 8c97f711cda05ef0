/* fec.c - the erasure code (fec.h): checks, and encoding; fec_decode.c has the
 * other half. */
#include "fec.h"

#include "fec_cost.h"
#include "fec_job.h"

int fec_check(uint32_t k, uint32_t m, size_t len)
{
	if (k == 0 || m == 0 || k >= FEC_ORDER || m >= FEC_ORDER)
		return FEC_EPARAM;
	uint32_t kp = 1u << fec_log2_up(k), mp = 1u << fec_log2_up(m);
	if ((mp <= kp ? k + mp : kp + m) > FEC_ORDER)
		return FEC_EPARAM;
	if (len == 0 || len % 2 != 0 || len > FEC_LEN_MAX)
		return FEC_ELEN;
	return FEC_OK;
}

const char *fec_kernel(void)
{
	return gf16_kernel()->name;
}

struct encoder {
	struct fec_job job;
	uint32_t *in_point, *out_point;
	uint8_t **out_row;
	struct fec_coset *in, *out;
};

static void deal(struct fec_memory *mem, struct encoder *e, uint32_t k, uint32_t m,
    size_t len)
{
	fec_deal_job(mem, &e->job, k, m, len, m, 0);
	e->in_point = fec_deal(mem, k * sizeof *e->in_point);
	e->out_point = fec_deal(mem, m * sizeof *e->out_point);
	e->out_row = fec_deal(mem, m * sizeof *e->out_row);
	e->in = fec_deal(mem, ((k >> FEC_S_MIN) + 2) * sizeof *e->in);
	e->out = fec_deal(mem, ((m >> FEC_S_MIN) + 2) * sizeof *e->out);
}

size_t fec_encode_work(uint32_t k, uint32_t m, size_t len)
{
	struct fec_memory mem = { NULL, 0 };
	struct encoder e;

	if (fec_check(k, m, len) != FEC_OK)
		return 0;
	deal(&mem, &e, k, m, len);
	return mem.used;
}

static void encode(struct encoder *e, uint32_t k, const uint8_t *const *src,
    uint32_t first, uint32_t count, uint8_t *const *out)
{
	struct fec_form form = e->job.form;

	for (uint32_t i = 0; i < k; i++)
		e->in_point[i] = fec_source_point(form, i);
	for (uint32_t j = 0; j < count; j++)
		e->out_point[j] = fec_parity_point(form, first + j);

	unsigned s = fec_cost_encode(form, k, e->out_point[0], count);
	struct fec_want want = { e->out_point, e->out_row, NULL, count };
	struct fec_sum sum = fec_new_sum(&e->job, true, s, e->in_point, src, k,
	    &want, e->in, e->out);
	size_t width = fec_strip_width(&e->job, fec_sum_rows(&sum));

	for (size_t at = 0; at < e->job.len; at += sum.fft.w) {
		sum.fft.w = fec_strip_at(&e->job, at, width);
		sum.at = at;
		sum.left = e->job.len - at;
		fec_place(&sum, e->job.rows);
		fec_aim(&e->job, out, e->out_row, count, at);
		sum.next = (const uint8_t *const *)e->out_row;
		sum.nexts = count;
		fec_sum(&sum);
		fec_land(&e->job, out, count, at);
	}
}

int fec_encode(uint32_t k, uint32_t m, size_t len, const uint8_t *const *src,
    uint32_t first, uint32_t count, uint8_t *const *out, void *work)
{
	int r = fec_check(k, m, len);
	struct fec_memory mem = { work, 0 };
	struct encoder e;

	if (r != FEC_OK)
		return r;
	if (first > m || count > m - first)
		return FEC_ENUM;
	if (count == 0)
		return FEC_OK;
	if (src == NULL || out == NULL || !fec_usable(work))
		return FEC_ENULL;
	for (uint32_t i = 0; i < k; i++)
		if (src[i] == NULL)
			return FEC_ENULL;
	for (uint32_t j = 0; j < count; j++)
		if (out[j] == NULL)
			return FEC_ENULL;

	gf16_init();
	deal(&mem, &e, k, m, len);
	encode(&e, k, src, first, count, out);
	return FEC_OK;
}
