/* fec_ref.h - the erasure code straight from its definition (PROTOCOL.md,
 * section 8.4), for tests: every parity byte is a sum over all source symbols,
 * every loss is solved by Gaussian elimination.  Shares no code and no tables
 * with fec.c, and computes in the polynomial basis, so that the two can only
 * agree by both being right.
 *
 * Parameters, numbering and results as in fec.h, but it allocates its own
 * memory and returns FEC_ENULL where there is none. */
#ifndef KATAMICHI_FEC_REF_H
#define KATAMICHI_FEC_REF_H

#include <stddef.h>
#include <stdint.h>

int fec_ref_encode(uint32_t k, uint32_t m, size_t len,
    const uint8_t *const *src, uint32_t first, uint32_t count,
    uint8_t *const *out);

int fec_ref_decode(uint32_t k, uint32_t m, size_t len,
    const uint8_t *const *src, const uint32_t *pnum,
    const uint8_t *const *parity, uint32_t np, uint8_t *const *out);

/* One entry of the generator, as an element in the polynomial basis: parity
 * symbol j is the sum over i of fec_ref_coef(k, m, j, i) * source symbol i. */
uint16_t fec_ref_coef(uint32_t k, uint32_t m, uint32_t j, uint32_t i);

#endif
