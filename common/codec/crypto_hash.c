/* crypto_hash.c - SHA-256 by libcrypto (crypto.h). */
#include <stdlib.h>

#include "codec/crypto.h"
#include "codec/crypto_openssl.h"

struct crypto_hasher {
	EVP_MD_CTX *ctx;
};

/* SHA-256 over memory cannot fail once its context exists. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

struct crypto_hasher *crypto_hasher_new(void)
{
	struct crypto_hasher *h = malloc(sizeof(*h));

	if (h == NULL)
		return NULL;
	h->ctx = EVP_MD_CTX_new();
	if (h->ctx == NULL || EVP_DigestInit_ex2(h->ctx, crypto_openssl()->sha256, NULL) != 1) {
		crypto_hasher_free(h);
		return NULL;
	}
	return h;
}

void crypto_hasher_reset(struct crypto_hasher *h)
{
	must(EVP_DigestInit_ex2(h->ctx, NULL, NULL));
}

void crypto_hasher_add(struct crypto_hasher *h, const void *data, size_t n)
{
	must(EVP_DigestUpdate(h->ctx, data, n));
}

void crypto_hasher_end(struct crypto_hasher *h, uint8_t out[static HASH_LEN])
{
	must(EVP_DigestFinal_ex(h->ctx, out, NULL));
}

void crypto_hasher_free(struct crypto_hasher *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void crypto_sha256(uint8_t out[static HASH_LEN], const void *data, size_t n)
{
	must(EVP_Digest(data, n, out, NULL, crypto_openssl()->sha256, NULL));
}
