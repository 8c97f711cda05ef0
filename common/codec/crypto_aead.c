/* crypto_aead.c - bulk encryption by libcrypto (crypto.h), or AES-GCM in vectors (crypto_gcm.h).
 *
 * One context for each direction, keyed once: a segment then costs setting the
 * nonce only.  The key schedule lies in libcrypto's heap, which it wipes. */
#include <limits.h>
#include <stdlib.h>

#include "codec/crypto.h"
#include "codec/crypto_gcm.h"
#include "codec/crypto_openssl.h"

struct crypto_aead {
	EVP_CIPHER_CTX *seal, *open;
	struct crypto_gcm *gcm; /* in their place, or NULL */
};

static const EVP_CIPHER *cipher(enum crypto_suite suite)
{
	switch (suite) {
	case SUITE_AES256GCM:
		return crypto_openssl()->aes256gcm;
	case SUITE_CHACHA20POLY1305:
		return crypto_openssl()->chacha20poly1305;
	}
	return NULL;
}

struct crypto_aead *crypto_aead_new(enum crypto_suite suite, const uint8_t key[static KEY_LEN])
{
	const EVP_CIPHER *c = cipher(suite);
	struct crypto_aead *a = c != NULL ? calloc(1, sizeof(*a)) : NULL;

	if (a == NULL)
		return NULL;
	if (suite == SUITE_AES256GCM && (a->gcm = crypto_gcm_new(key)) != NULL)
		return a;
	a->seal = EVP_CIPHER_CTX_new();
	a->open = EVP_CIPHER_CTX_new();
	if (a->seal == NULL || a->open == NULL || EVP_EncryptInit_ex2(a->seal, c, key, NULL, NULL) != 1 ||
	    EVP_DecryptInit_ex2(a->open, c, key, NULL, NULL) != 1) {
		crypto_aead_free(a);
		return NULL;
	}
	return a;
}

void crypto_aead_free(struct crypto_aead *a)
{
	if (a == NULL)
		return;
	EVP_CIPHER_CTX_free(a->seal);
	EVP_CIPHER_CTX_free(a->open);
	crypto_gcm_free(a->gcm);
	free(a);
}

static int seal_begin(struct crypto_aead *a, const uint8_t nonce[static AEAD_NONCE_LEN], const void *aad, size_t aadlen)
{
	int got = 0;

	if (a->gcm != NULL) {
		crypto_gcm_begin(a->gcm, nonce, aad, aadlen);
		return 0;
	}
	return EVP_EncryptInit_ex2(a->seal, NULL, NULL, nonce, NULL) == 1 &&
	    (aadlen == 0 || EVP_EncryptUpdate(a->seal, NULL, &got, aad, (int)aadlen) == 1) ? 0 : -1;
}

int crypto_aead_seal_begin(struct crypto_aead *a, const uint8_t nonce[static AEAD_NONCE_LEN])
{
	return seal_begin(a, nonce, NULL, 0);
}

int crypto_aead_seal_add(struct crypto_aead *a, uint8_t *out, const uint8_t *in, size_t n)
{
	int got = 0;

	if (a->gcm != NULL) {
		crypto_gcm_seal(a->gcm, out, in, n);
		return 0;
	}
	return n <= INT_MAX && (n == 0 || (EVP_EncryptUpdate(a->seal, out, &got, in, (int)n) == 1 && (size_t)got == n)) ? 0 : -1;
}

int crypto_aead_seal_end(struct crypto_aead *a, uint8_t tag[static AEAD_TAG_LEN])
{
	uint8_t none[AEAD_TAG_LEN];
	int end = 0;

	if (a->gcm != NULL) {
		crypto_gcm_end(a->gcm, tag);
		return 0;
	}
	return EVP_EncryptFinal_ex(a->seal, none, &end) == 1 && end == 0 &&
	    EVP_CIPHER_CTX_ctrl(a->seal, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_LEN, tag) == 1 ? 0 : -1;
}

int crypto_aead_seal(struct crypto_aead *a, uint8_t *out, const uint8_t nonce[static AEAD_NONCE_LEN], const void *aad,
    size_t aadlen, const uint8_t *in, size_t n)
{
	if (n > INT_MAX - AEAD_TAG_LEN || aadlen > INT_MAX)
		return -1;
	if (seal_begin(a, nonce, aad, aadlen) == 0 && crypto_aead_seal_add(a, out, in, n) == 0 && crypto_aead_seal_end(a, out + n) == 0)
		return 0;
	crypto_wipe(out, n + AEAD_TAG_LEN);
	return -1;
}

static int open_by_gcm(struct crypto_gcm *g, uint8_t *out, const uint8_t nonce[static AEAD_NONCE_LEN], const void *aad,
    size_t aadlen, const uint8_t *in, size_t n, const uint8_t tag[static AEAD_TAG_LEN])
{
	uint8_t right[AEAD_TAG_LEN];

	crypto_gcm_begin(g, nonce, aad, aadlen);
	crypto_gcm_open(g, out, in, n);
	crypto_gcm_end(g, right);
	return crypto_equal(right, tag, AEAD_TAG_LEN) ? 0 : -1;
}

static int open_by_libcrypto(EVP_CIPHER_CTX *c, uint8_t *out, const uint8_t nonce[static AEAD_NONCE_LEN], const void *aad,
    size_t aadlen, const uint8_t *in, size_t n, uint8_t tag[static AEAD_TAG_LEN])
{
	uint8_t none[AEAD_TAG_LEN];
	int got = 0, end = 0;

	return EVP_DecryptInit_ex2(c, NULL, NULL, nonce, NULL) == 1 &&
	    (aadlen == 0 || EVP_DecryptUpdate(c, NULL, &got, aad, (int)aadlen) == 1) &&
	    (n == 0 || (EVP_DecryptUpdate(c, out, &got, in, (int)n) == 1 && (size_t)got == n)) &&
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_LEN, tag) == 1 &&
	    EVP_DecryptFinal_ex(c, none, &end) == 1 && end == 0 ? 0 : -1;
}

int crypto_aead_open(struct crypto_aead *a, uint8_t *out, const uint8_t nonce[static AEAD_NONCE_LEN], const void *aad,
    size_t aadlen, const uint8_t *in, size_t n)
{
	uint8_t tag[AEAD_TAG_LEN];
	int r;

	if (n < AEAD_TAG_LEN || n > INT_MAX || aadlen > INT_MAX)
		return -1;
	n -= AEAD_TAG_LEN;
	for (size_t i = 0; i < AEAD_TAG_LEN; i++)
		tag[i] = in[n + i];
	r = a->gcm != NULL ? open_by_gcm(a->gcm, out, nonce, aad, aadlen, in, n, tag)
	                   : open_by_libcrypto(a->open, out, nonce, aad, aadlen, in, n, tag);
	if (r != 0 && n > 0)
		crypto_wipe(out, n);
	return r;
}
