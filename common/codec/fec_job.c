/* fec_job.c - see fec_job.h */
#include "fec_job.h"

#include <string.h>

/* Rows in work memory are kept within this, which decides how wide strips are.
 * Whole symbols are best as long as the last cache holds them: narrower strips
 * would fit nearer caches, but cost more where they read the caller's symbols
 * (measured). */
#define CACHE_BYTES (16u << 20)
#define STRIP_MAX 2048u /* bytes of a symbol in a strip */
#define GAP 10u          /* bytes a row that fec_row_at() leaves free, at most */
#define STAGE_MIN 16u   /* rows that a direct sum stages */

unsigned fec_log2_up(uint32_t n)
{
	unsigned t = 0;

	while ((1u << t) < n)
		t++;
	return t;
}

struct fec_form fec_form_of(uint32_t k, uint32_t m)
{
	unsigned tk = fec_log2_up(k), tm = fec_log2_up(m);

	return (struct fec_form){
		.t = tm <= tk ? tm : tk,
		.parity_low = tm <= tk,
	};
}

void *fec_deal(struct fec_memory *mem, size_t bytes)
{
	void *p = mem->base != NULL ? mem->base + mem->used : NULL;

	mem->used += (bytes + 63) / 64 * 64;
	return p;
}

void fec_deal_job(struct fec_memory *mem, struct fec_job *job, uint32_t k, uint32_t m,
    size_t len, uint32_t outputs, size_t scratch)
{
	*job = (struct fec_job){ .form = fec_form_of(k, m), .len = len };
	uint32_t size = 1u << job->form.t;
	uint32_t staged = size > STAGE_MIN ? size : STAGE_MIN;
	size_t rows = 3 * (size_t)size; /* that any sum holds */
	size_t width = len < STRIP_MAX ? (len + 63) / 64 * 64 : STRIP_MAX;

	job->zero = fec_deal(mem, STRIP_MAX);
	job->table = fec_deal(mem, (size + FEC_AHEAD) * sizeof *job->table);
	if (len % 64 != 0) {
		job->stage = fec_deal(mem, 64 * (size_t)staged);
		job->stage_out = fec_deal(mem, 64 * (size_t)outputs);
	}
	job->rows_size = rows * width < CACHE_BYTES ? rows * width : CACHE_BYTES;
	if (job->rows_size < rows * 64)
		job->rows_size = rows * 64;
	job->rows_size += rows * GAP;
	if (job->rows_size < scratch)
		job->rows_size = scratch;
	job->rows = fec_deal(mem, job->rows_size);
	if (mem->base != NULL)
		memset(job->zero, 0, STRIP_MAX);
}

/* As many equal strips as needed */
size_t fec_strip_width(const struct fec_job *job, size_t rows)
{
	size_t units = (job->len + 63) / 64;
	size_t most = STRIP_MAX / 64;

	if (rows > 0 && (job->rows_size / rows - GAP) / 64 < most)
		most = (job->rows_size / rows - GAP) / 64;
	size_t strips = (units + most - 1) / most;
	return (units + strips - 1) / strips * 64;
}

size_t fec_strip_at(const struct fec_job *job, size_t at, size_t width)
{
	size_t left = job->len - at;

	if (left < 64)
		return 64;
	left -= left % 64;
	return left < width ? left : width;
}

void fec_aim(const struct fec_job *job, uint8_t *const *symbol, uint8_t **row, uint32_t n,
    size_t at)
{
	bool tail = job->len - at < 64;

	for (uint32_t i = 0; i < n; i++)
		row[i] = tail ? job->stage_out + 64 * (size_t)i
			      : symbol[i] + at;
}

void fec_land(const struct fec_job *job, uint8_t *const *symbol, uint32_t n, size_t at)
{
	size_t left = job->len - at;

	for (uint32_t i = 0; left < 64 && i < n; i++)
		fec_gather(symbol[i] + at, job->stage_out + 64 * (size_t)i,
		    left);
}

bool fec_usable(const void *work)
{
	return work != NULL && (uintptr_t)work % 64 == 0;
}

struct fec_sum fec_new_sum(const struct fec_job *job, bool encoding, unsigned s,
    const uint32_t *point, const uint8_t *const *row, uint32_t n,
    const struct fec_want *want, struct fec_coset *in, struct fec_coset *out)
{
	return (struct fec_sum){
		.form = job->form,
		.fft = { .k = gf16_kernel(), .s = s, .zero = job->zero },
		.encoding = encoding,
		.point = point,
		.row = row,
		.n = n,
		.want = *want,
		.in = in,
		.out = out,
		.ins = s > 0 ? fec_cosets(point, n, s, in) : 0,
		.outs = s > 0 ? fec_cosets(want->point, want->n, s, out) : 0,
		.table = job->table,
		.stage = job->stage,
	};
}

size_t fec_sum_rows(const struct fec_sum *m)
{
	size_t few = m->ins < m->outs ? m->ins : m->outs;

	return m->fft.s == 0 ? 0 : (1 + few) << m->fft.s;
}

uint8_t *fec_place(struct fec_sum *m, uint8_t *rows)
{
	size_t block = fec_row_at(m->fft.w, 1u << m->fft.s);

	m->tmp = rows;
	m->hold = rows + block;
	return rows + (fec_sum_rows(m) >> m->fft.s) * block;
}
