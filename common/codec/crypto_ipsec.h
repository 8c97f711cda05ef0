/* crypto_ipsec.h - inside crypto*.c only, and only where HAVE_IPSEC_MB: Intel's libipsec-mb for a processor that has what is needed. */
#ifndef KM_CRYPTO_IPSEC_H
#define KM_CRYPTO_IPSEC_H

#include <intel-ipsec-mb.h>
#include <stddef.h>
#include <stdint.h>

/* One of its managers; free_mb_mgr().  NULL: no memory, or the processor lacks AVX-512 or one of `needed` (IMB_FEATURE_...). */
static inline IMB_MGR *crypto_ipsec_new(uint64_t needed)
{
	IMB_MGR *m = alloc_mb_mgr(0);

	if (m == NULL)
		return NULL;
	needed |= IMB_CPUFLAGS_AVX512;
	init_mb_mgr_auto(m, NULL);
	if (imb_get_errno(m) == 0 && (m->features & needed) == needed)
		return m;
	free_mb_mgr(m);
	return NULL;
}

#endif
