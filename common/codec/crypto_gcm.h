/* crypto_gcm.h - inside crypto*.c only: AES-256-GCM in vectors of 512 bits.
 *
 * libcrypto has that from 3.1 on; the 3.0 of Debian 12 goes through a block at a
 * time, which takes 2.4 times as long (4.1 against 10 GB/s, 256 KB).  Where
 * libcrypto is that old, the processor has VAES and VPCLMULQDQ, and Intel's
 * libipsec-mb was there when this was built, that does it; the bytes are the
 * same.  Otherwise there is none of these, and libcrypto does it. */
#ifndef KM_CRYPTO_GCM_H
#define KM_CRYPTO_GCM_H

#include <stddef.h>
#include <stdint.h>

#include "codec/crypto.h"

struct crypto_gcm; /* opaque; one key, one message at a time */
struct crypto_gcm *crypto_gcm_new(const uint8_t key[static KEY_LEN]); /* NULL: use libcrypto */
void crypto_gcm_free(struct crypto_gcm *g); /* wipes; NULL is fine */
void crypto_gcm_begin(struct crypto_gcm *g, const uint8_t nonce[static AEAD_NONCE_LEN], const void *aad, size_t aadlen);
void crypto_gcm_seal(struct crypto_gcm *g, uint8_t *out, const uint8_t *in, size_t n); /* a message's bytes, in any pieces */
void crypto_gcm_open(struct crypto_gcm *g, uint8_t *out, const uint8_t *in, size_t n); /* likewise; not authentic yet */
void crypto_gcm_end(struct crypto_gcm *g, uint8_t tag[static AEAD_TAG_LEN]); /* of either: who opens compares it */

#endif
