/* fec_sum.c - see fec_sum.h */
#include "fec_sum.h"

#include <string.h>

#define DIRECT_ROWS 4  /* input rows summed at a time: they stay in the cache */
#define DIRECT_AHEAD 8 /* and called for so many rows before */

uint32_t fec_cosets(const uint32_t *point, uint32_t n, unsigned s,
    struct fec_coset *list)
{
	uint32_t count = 0, i = 0;

	while (i < n) {
		struct fec_coset *c = &list[count++];
		c->id = point[i] >> s;
		c->from = i;
		while (i < n && point[i] >> s == c->id)
			i++;
		c->to = i;
	}
	return count;
}

uint16_t fec_weight(struct fec_form form, bool encoding, unsigned s, uint32_t in,
    uint32_t out)
{
	uint16_t num = 1;

	/* the side that begins at 2^t has s_t(point) above the line */
	if (encoding)
		num = gf16_point((form.parity_low ? in : out) >> (form.t - s));
	return gf16_div(num, gf16_point(in ^ out));
}

void fec_spread(uint8_t unit[64], const uint8_t *tail, size_t t)
{
	memset(unit, 0, 64);
	memcpy(unit, tail, t / 2);
	memcpy(unit + 32, tail + t / 2, t / 2);
}

void fec_gather(uint8_t *tail, const uint8_t unit[64], size_t t)
{
	memcpy(tail, unit, t / 2);
	memcpy(tail + t / 2, unit + 32, t / 2);
}

/* This strip of input i; `slot` is its place in stage */
static const uint8_t *input(const struct fec_sum *m, uint32_t i, uint32_t slot)
{
	if (m->left >= m->fft.w)
		return m->row[i] + m->at;
	fec_spread(m->stage + 64 * slot, m->row[i] + m->at, m->left);
	return m->stage + 64 * slot;
}

static size_t block_size(const struct fec_sum *m)
{
	return fec_row_at(m->fft.w, 1u << m->fft.s);
}

static void inverse_coset(const struct fec_sum *m, const struct fec_coset *c, uint8_t *tmp,
    uint8_t *acc)
{
	uint32_t size = 1u << m->fft.s, start = c->id << m->fft.s;
	uint32_t ahead = fec_ahead(m->fft.s), i = c->from;
	bool whole = m->left >= m->fft.w;

	memset(m->table, 0, (size + ahead) * sizeof *m->table);
	for (; !whole && i < c->to; i++)
		m->table[m->point[i] - start] =
		    input(m, i, m->point[i] - start);
	for (; whole && i < m->n && m->point[i] - start < size + ahead; i++)
		m->table[m->point[i] - start] = m->row[i] + m->at;
	for (uint32_t o = 0; c->to == m->n && o < m->nexts && o < ahead; o++)
		m->table[size + o] = m->next[o];
	fec_inverse(&m->fft, c->id << m->fft.s, m->table, c->from == 0, tmp,
	    acc);
}

static void forward_coset(const struct fec_sum *m, const struct fec_coset *c,
    const uint8_t *x, uint8_t *tmp)
{
	struct fec_want want = {
		.point = m->want.point + c->from,
		.out = m->want.out + c->from,
		.scale = m->want.scale == NULL ? NULL :
		    m->want.scale + c->from,
		.n = c->to - c->from,
	};

	fec_forward(&m->fft, c->id << m->fft.s, x, tmp, &want);
}

static uint16_t weight(const struct fec_sum *m, uint32_t in, uint32_t out)
{
	if (m->folded)
		return 1;
	return fec_weight(m->form, m->encoding, m->fft.s, in, out);
}

/* Few outputs: a running sum is held for each of their cosets. */
static void many_to_few(const struct fec_sum *m)
{
	size_t size = block_size(m);

	for (uint32_t b = 0; b < m->ins; b++) {
		uint16_t c = weight(m, m->in[b].id, m->out[0].id);
		if (m->outs == 1 && c == 1) {
			if (b == 0)
				inverse_coset(m, &m->in[b], m->hold, NULL);
			else
				inverse_coset(m, &m->in[b], m->tmp, m->hold);
			continue;
		}
		inverse_coset(m, &m->in[b], m->tmp, NULL);
		for (uint32_t a = 0; a < m->outs; a++) {
			const uint8_t *x = m->tmp;
			c = weight(m, m->in[b].id, m->out[a].id);
			gf16_dot(m->fft.k, m->hold + a * size, &x, &c, 1, size,
			    b > 0);
		}
	}
	for (uint32_t a = 0; a < m->outs; a++)
		forward_coset(m, &m->out[a], m->hold + a * size,
		    m->hold + a * size);
}

/* Few inputs: their coefficients are held, and added up for each output. */
static void few_to_many(const struct fec_sum *m)
{
	size_t size = block_size(m);

	for (uint32_t b = 0; b < m->ins; b++)
		inverse_coset(m, &m->in[b], m->hold + b * size, NULL);
	for (uint32_t a = 0; a < m->outs; a++) {
		uint16_t c = weight(m, m->in[0].id, m->out[a].id);
		if (m->ins == 1 && c == 1) {
			forward_coset(m, &m->out[a], m->hold, m->tmp);
			continue;
		}
		for (uint32_t b = 0; b < m->ins; b++) {
			const uint8_t *x = m->hold + b * size;
			c = weight(m, m->in[b].id, m->out[a].id);
			gf16_dot(m->fft.k, m->tmp, &x, &c, 1, size, b > 0);
		}
		forward_coset(m, &m->out[a], m->tmp, m->tmp);
	}
}

/* The next inputs are called for while these are worked on, just as fast. */
static struct gf16_fetch direct_ahead(const struct fec_sum *m, uint32_t from, uint32_t rows,
    const uint8_t *next[DIRECT_ROWS])
{
	uint32_t n = 0;

	for (; m->left >= m->fft.w && n < rows && from + n < m->n; n++)
		next[n] = m->row[from + n] + m->at;
	return (struct gf16_fetch){
		.row = next, .end = next + n, .n = m->fft.w, .lines = 1,
	};
}

/* `rows` inputs from number i on, added to all outputs, two at a time */
static void direct_rows(const struct fec_sum *m, uint32_t i, uint32_t rows)
{
	const uint8_t *in[DIRECT_ROWS], *next[DIRECT_ROWS];
	uint16_t coef[2 * DIRECT_ROWS];
	struct gf16_fetch ahead = direct_ahead(m, i + DIRECT_AHEAD, rows, next);

	for (uint32_t r = 0; r < rows; r++)
		in[r] = input(m, i + r, r);
	for (uint32_t q = 0, outs; q < m->want.n; q += outs) {
		outs = m->want.n - q > 1 ? 2 : 1;
		for (uint32_t c = 0; c < outs * rows; c++) {
			uint32_t to = q + c / rows;
			uint16_t scale = m->want.scale == NULL ? 1 :
			    m->want.scale[to];
			coef[c] = gf16_mul(scale, fec_weight(m->form,
			    m->encoding, 0, m->point[i + c % rows],
			    m->want.point[to]));
		}
		m->fft.k->dot(outs, m->want.out + q, in, coef, rows, &ahead,
		    m->fft.w, i > 0);
	}
}

static void direct(const struct fec_sum *m)
{
	for (uint32_t i = 0; i < m->n; i += DIRECT_ROWS)
		direct_rows(m, i, m->n - i < DIRECT_ROWS ? m->n - i :
		    DIRECT_ROWS);
}

void fec_sum(struct fec_sum *m)
{
	if (m->n == 0) {
		for (uint32_t q = 0; q < m->want.n; q++)
			memset(m->want.out[q], 0, m->fft.w);
	} else if (m->fft.s == 0) {
		direct(m);
	} else if (m->outs <= m->ins) {
		many_to_few(m);
	} else {
		few_to_many(m);
	}
}
