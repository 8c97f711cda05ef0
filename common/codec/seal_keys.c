/* seal_keys.c - keys, nonces and the signed string of a sealed object (seal_keys.h). */
#include "codec/seal_keys.h"

#include <string.h>

#include "core/bytes.h"

const char seal_magic[8] = {'K', 'A', 'T', 'A', 'M', 'O', 'B', '1'};

struct crypto_aead *seal_wrap_aead(enum crypto_suite suite, const uint8_t dh[static KEY_LEN], const uint8_t *psk,
    const uint8_t fixed[static SEAL_FIXED_LEN], const struct party *recipient)
{
	static const char label[] = "katamichi v1 wrap";
	uint8_t info[sizeof(label) - 1 + HASH_LEN], ikm[2 * KEY_LEN], salt[HASH_LEN], key[KEY_LEN];
	struct crypto_aead *a = NULL;

	memcpy(ikm, dh, KEY_LEN);
	if (psk != NULL)
		memcpy(ikm + KEY_LEN, psk, KEY_LEN);
	crypto_sha256(salt, fixed, SEAL_FIXED_LEN);
	memcpy(info, label, sizeof(label) - 1);
	memcpy(info + sizeof(label) - 1, recipient->fingerprint, HASH_LEN);
	if (crypto_hkdf(key, sizeof(key), ikm, psk != NULL ? 2 * KEY_LEN : KEY_LEN, salt, sizeof(salt), info,
	    sizeof(info)) == 0)
		a = crypto_aead_new(suite, key);
	crypto_wipe(ikm, sizeof(ikm));
	crypto_wipe(key, sizeof(key));
	return a;
}

struct crypto_aead *seal_payload_aead(enum crypto_suite suite, const uint8_t object_key[static KEY_LEN],
    const uint8_t header_hash[static HASH_LEN])
{
	static const char info[] = "katamichi v1 payload";
	uint8_t key[KEY_LEN];
	struct crypto_aead *a = NULL;

	if (crypto_hkdf(key, sizeof(key), object_key, KEY_LEN, header_hash, HASH_LEN, info, sizeof(info) - 1) == 0)
		a = crypto_aead_new(suite, key);
	crypto_wipe(key, sizeof(key));
	return a;
}

void seal_nonce(uint8_t nonce[static AEAD_NONCE_LEN], uint64_t segment, int last)
{
	memset(nonce, 0, AEAD_NONCE_LEN);
	nonce[0] = last != 0;
	put64(nonce + 4, segment);
}

void seal_signed(uint8_t out[static SEAL_SIGNED_LEN], const uint8_t header_hash[static HASH_LEN], const uint8_t *inner)
{
	memcpy(out, header_hash, HASH_LEN);
	memcpy(out + HASH_LEN, inner, INNER_AT_SIGNATURE);
}
