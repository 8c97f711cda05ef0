/* fec.c - the erasure code (fec.h): the reference, until the fast one is in. */
#include "fec.h"

#include "fec_ref.h"

static uint32_t
pow2_up(uint32_t n)
{
	uint32_t p = 1;

	while (p < n)
		p <<= 1;
	return p;
}

int
fec_check(uint32_t k, uint32_t m, size_t len)
{
	if (k == 0 || m == 0 || k >= FEC_ORDER || m >= FEC_ORDER)
		return FEC_EPARAM;
	uint32_t kp = pow2_up(k), mp = pow2_up(m);
	if ((mp <= kp ? k + mp : kp + m) > FEC_ORDER)
		return FEC_EPARAM;
	if (len == 0 || len % 2 != 0 || len > FEC_LEN_MAX)
		return FEC_ELEN;
	return FEC_OK;
}

size_t
fec_encode_work(uint32_t k, uint32_t m, size_t len)
{
	return fec_check(k, m, len) == FEC_OK ? 64 : 0;
}

size_t
fec_decode_work(uint32_t k, uint32_t m, size_t len)
{
	return fec_check(k, m, len) == FEC_OK ? 64 : 0;
}

int
fec_encode(uint32_t k, uint32_t m, size_t len, const uint8_t *const *src,
    uint32_t first, uint32_t count, uint8_t *const *out, void *work)
{
	if (work == NULL && fec_check(k, m, len) == FEC_OK)
		return FEC_ENULL;
	return fec_ref_encode(k, m, len, src, first, count, out);
}

int
fec_decode(uint32_t k, uint32_t m, size_t len, const uint8_t *const *src,
    const uint32_t *pnum, const uint8_t *const *parity, uint32_t np,
    uint8_t *const *out, void *work)
{
	(void)work;
	return fec_ref_decode(k, m, len, src, pnum, parity, np, out);
}

const char *
fec_kernel(void)
{
	return "portable";
}
