/* fec_cost.h - which transform length serves a sum best (fec_sum.h). */
#ifndef KATAMICHI_FEC_COST_H
#define KATAMICHI_FEC_COST_H

#include "fec_sum.h"

#define FEC_S_MIN 2 /* shorter transforms than 4 rows do not pay */

/* log2 of the transform length, 0 for the direct sum, for encoding n inputs in a
 * row, point `in` first, to n_out outputs in a row, point `out` first. */
unsigned fec_cost_encode(struct fec_form form, uint32_t n, uint32_t out,
    uint32_t n_out);

/* The same for decoding: n known source symbols, n_lost parity symbols used and
 * as many symbols lost, both ascending. */
unsigned fec_cost_decode(struct fec_form form, uint32_t n,
    const uint32_t *used, const uint32_t *lost, uint32_t n_lost);

#endif
