/* crypto_onetime.c - Poly1305 by libcrypto (crypto.h). */
#include <stdlib.h>

#include "codec/crypto.h"
#include "codec/crypto_openssl.h"

struct crypto_onetime {
	EVP_MAC_CTX *ctx;
};

struct crypto_onetime *crypto_onetime_new(void)
{
	struct crypto_onetime *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->ctx = EVP_MAC_CTX_new(crypto_openssl()->poly1305);
	if (o->ctx == NULL) {
		free(o);
		return NULL;
	}
	return o;
}

void crypto_onetime_free(struct crypto_onetime *o)
{
	if (o == NULL)
		return;
	EVP_MAC_CTX_free(o->ctx);
	free(o);
}

void crypto_onetime_tag(struct crypto_onetime *o, uint8_t tag[static AEAD_TAG_LEN], const uint8_t key[static KEY_LEN],
    const void *a, size_t alen, const void *b, size_t blen)
{
	size_t got = 0;

	/* Over memory, with a context that exists, nothing of this can fail. */
	if (EVP_MAC_init(o->ctx, key, KEY_LEN, NULL) != 1 || EVP_MAC_update(o->ctx, a, alen) != 1 ||
	    EVP_MAC_update(o->ctx, b, blen) != 1 || EVP_MAC_final(o->ctx, tag, &got, AEAD_TAG_LEN) != 1 || got != AEAD_TAG_LEN)
		abort();
}
