/* tag_batch.c - see tag_batch.h. */
#include "codec/tag_batch.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct tag_batch {
	EVP_MAC *mac;
	EVP_MAC_CTX *ctx;
};

struct tag_batch *tag_batch_new(void)
{
	struct tag_batch *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->mac = EVP_MAC_fetch(NULL, "POLY1305", NULL);
	b->ctx = b->mac != NULL ? EVP_MAC_CTX_new(b->mac) : NULL;
	if (b->ctx == NULL) {
		tag_batch_free(b);
		return NULL;
	}
	return b;
}

void tag_batch_free(struct tag_batch *b)
{
	if (b == NULL)
		return;
	EVP_MAC_CTX_free(b->ctx); /* wipes the key */
	EVP_MAC_free(b->mac);
	free(b);
}

void tag_batch_make(struct tag_batch *b, uint8_t tag[static FRAME_TAG_LEN], const uint8_t once[static 32], const uint8_t *d,
    size_t n)
{
	size_t got = 0;

	if (b != NULL && EVP_MAC_init(b->ctx, once, 32, NULL) == 1 && EVP_MAC_update(b->ctx, d, n - FRAME_TAG_LEN) == 1 &&
	    EVP_MAC_final(b->ctx, tag, &got, FRAME_TAG_LEN) == 1 && got == FRAME_TAG_LEN)
		return;
	tag_make(tag, once, d, n);
}
