/* crypto_aead.c - bulk encryption by libcrypto (crypto.h).
 *
 * One context for each direction, keyed once: a segment then costs setting the
 * nonce only.  The key schedule lies in libcrypto's heap, which it wipes. */
#include <limits.h>
#include <stdlib.h>

#include "codec/crypto.h"
#include "codec/crypto_openssl.h"

struct crypto_aead {
	EVP_CIPHER_CTX *seal, *open;
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
	free(a);
}

int crypto_aead_seal_begin(struct crypto_aead *a, const uint8_t nonce[static AEAD_NONCE_LEN])
{
	return EVP_EncryptInit_ex2(a->seal, NULL, NULL, nonce, NULL) == 1 ? 0 : -1;
}

int crypto_aead_seal_add(struct crypto_aead *a, uint8_t *out, const uint8_t *in, size_t n)
{
	int got = 0;

	return n <= INT_MAX && (n == 0 || (EVP_EncryptUpdate(a->seal, out, &got, in, (int)n) == 1 && (size_t)got == n)) ? 0 : -1;
}

int crypto_aead_seal_end(struct crypto_aead *a, uint8_t tag[static AEAD_TAG_LEN])
{
	uint8_t none[AEAD_TAG_LEN];
	int end = 0;

	return EVP_EncryptFinal_ex(a->seal, none, &end) == 1 && end == 0 &&
	    EVP_CIPHER_CTX_ctrl(a->seal, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_LEN, tag) == 1 ? 0 : -1;
}

int crypto_aead_seal(struct crypto_aead *a, uint8_t *out, const uint8_t nonce[static AEAD_NONCE_LEN], const void *aad,
    size_t aadlen, const uint8_t *in, size_t n)
{
	int got = 0;

	if (n > INT_MAX - AEAD_TAG_LEN || aadlen > INT_MAX)
		return -1;
	if (crypto_aead_seal_begin(a, nonce) == 0 &&
	    (aadlen == 0 || EVP_EncryptUpdate(a->seal, NULL, &got, aad, (int)aadlen) == 1) &&
	    crypto_aead_seal_add(a, out, in, n) == 0 && crypto_aead_seal_end(a, out + n) == 0)
		return 0;
	crypto_wipe(out, n + AEAD_TAG_LEN);
	return -1;
}

int crypto_aead_open(struct crypto_aead *a, uint8_t *out, const uint8_t nonce[static AEAD_NONCE_LEN], const void *aad,
    size_t aadlen, const uint8_t *in, size_t n)
{
	uint8_t tag[AEAD_TAG_LEN], none[AEAD_TAG_LEN];
	int got = 0, end = 0;

	if (n < AEAD_TAG_LEN || n > INT_MAX || aadlen > INT_MAX)
		return -1;
	n -= AEAD_TAG_LEN;
	for (size_t i = 0; i < AEAD_TAG_LEN; i++)
		tag[i] = in[n + i];
	if (EVP_DecryptInit_ex2(a->open, NULL, NULL, nonce, NULL) == 1 &&
	    (aadlen == 0 || EVP_DecryptUpdate(a->open, NULL, &got, aad, (int)aadlen) == 1) &&
	    (n == 0 || (EVP_DecryptUpdate(a->open, out, &got, in, (int)n) == 1 && (size_t)got == n)) &&
	    EVP_CIPHER_CTX_ctrl(a->open, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_LEN, tag) == 1 &&
	    EVP_DecryptFinal_ex(a->open, none, &end) == 1 && end == 0)
		return 0;
	if (n > 0)
		crypto_wipe(out, n);
	return -1;
}
