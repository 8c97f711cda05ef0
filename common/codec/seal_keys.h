/* seal_keys.h - inside seal.c and open.c only: what both directions of a
 * sealed object share (PROTOCOL.md, sections 5.2 to 5.6). */
#ifndef KM_SEAL_KEYS_H
#define KM_SEAL_KEYS_H

#include "codec/seal.h"

enum { /* fields of the clear header */
	SEAL_AT_SUITE = 8,
	SEAL_AT_SEGMENT_LOG = 10,
	SEAL_AT_WRAPS = 11,
	SEAL_AT_RESERVED = 12,
	SEAL_AT_ID = 16,
	SEAL_AT_EPHEMERAL = 32,
	SEAL_AT_PSK = 64,
	/* of the inner header */
	INNER_AT_SENDER = 0,
	INNER_AT_GENERATION = 8,
	INNER_AT_CREATED = 24,
	INNER_AT_CHANNEL = 32,
	INNER_AT_RESERVED = 64,
	INNER_AT_SIGNATURE = 72,
};
_Static_assert(SEAL_AT_PSK + KEY_ID_LEN == SEAL_FIXED_LEN, "PROTOCOL.md, section 5.2");
_Static_assert(INNER_AT_SIGNATURE + SIGN_LEN == SEAL_INNER_LEN, "PROTOCOL.md, section 5.6");

extern const char seal_magic[8]; /* no NUL */

/* The AEAD of one wrap (5.4), from DH(ephemeral, seal).  NULL: failed. */
struct crypto_aead *seal_wrap_aead(enum crypto_suite suite, const uint8_t dh[static KEY_LEN], const uint8_t *psk,
    const uint8_t fixed[static SEAL_FIXED_LEN], const struct party *recipient);
/* The AEAD of the payload (5.5), from the object key and SHA-256(clear header).  NULL: failed. */
struct crypto_aead *seal_payload_aead(enum crypto_suite suite, const uint8_t object_key[static KEY_LEN],
    const uint8_t header_hash[static HASH_LEN]);
void seal_nonce(uint8_t nonce[static AEAD_NONCE_LEN], uint64_t segment, int last);
/* The string under the inner header's signature: SHA-256(clear header), then its first 72 bytes. */
enum { SEAL_SIGNED_LEN = HASH_LEN + INNER_AT_SIGNATURE };
void seal_signed(uint8_t out[static SEAL_SIGNED_LEN], const uint8_t header_hash[static HASH_LEN], const uint8_t *inner);
#define SEAL_CONTEXT "katamichi v1 object"

#endif
