/* crypto_gcm.c - see crypto_gcm.h. */
#include "codec/crypto_gcm.h"

#ifdef HAVE_IPSEC_MB
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>

#include "codec/crypto_ipsec.h"

#define VECTORS_IN_LIBCRYPTO 0x30100000ul /* its version 3.1 */

struct crypto_gcm {
	_Alignas(64) struct gcm_key_data key; /* as the library demands; its header says so only to its own build */
	struct gcm_context_data message;
};

static IMB_MGR *library; /* its table of functions; they keep nothing in it */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void look(void)
{
	if (OpenSSL_version_num() < VECTORS_IN_LIBCRYPTO)
		library = crypto_ipsec_new(IMB_FEATURE_VAES | IMB_FEATURE_VPCLMULQDQ);
}

struct crypto_gcm *crypto_gcm_new(const uint8_t key[static KEY_LEN])
{
	struct crypto_gcm *g;

	pthread_once(&once, look);
	if (library == NULL || (g = aligned_alloc(_Alignof(struct crypto_gcm), sizeof(*g))) == NULL)
		return NULL;
	IMB_AES256_GCM_PRE(library, key, &g->key);
	return g;
}

void crypto_gcm_free(struct crypto_gcm *g)
{
	if (g != NULL)
		crypto_wipe(g, sizeof(*g));
	free(g);
}

void crypto_gcm_begin(struct crypto_gcm *g, const uint8_t nonce[static AEAD_NONCE_LEN], const void *aad, size_t aadlen)
{
	IMB_AES256_GCM_INIT(library, &g->key, &g->message, nonce, aad, aadlen);
}

void crypto_gcm_seal(struct crypto_gcm *g, uint8_t *out, const uint8_t *in, size_t n)
{
	if (n > 0)
		IMB_AES256_GCM_ENC_UPDATE(library, &g->key, &g->message, out, in, n);
}

void crypto_gcm_open(struct crypto_gcm *g, uint8_t *out, const uint8_t *in, size_t n)
{
	if (n > 0)
		IMB_AES256_GCM_DEC_UPDATE(library, &g->key, &g->message, out, in, n);
}

void crypto_gcm_end(struct crypto_gcm *g, uint8_t tag[static AEAD_TAG_LEN])
{
	IMB_AES256_GCM_ENC_FINALIZE(library, &g->key, &g->message, tag, AEAD_TAG_LEN);
}
#else
struct crypto_gcm *crypto_gcm_new(const uint8_t key[static KEY_LEN])
{
	(void)key;
	return NULL;
}

void crypto_gcm_free(struct crypto_gcm *g)
{
	(void)g;
}

void crypto_gcm_begin(struct crypto_gcm *g, const uint8_t nonce[static AEAD_NONCE_LEN], const void *aad, size_t aadlen)
{
	(void)g, (void)nonce, (void)aad, (void)aadlen;
}

void crypto_gcm_seal(struct crypto_gcm *g, uint8_t *out, const uint8_t *in, size_t n)
{
	(void)g, (void)out, (void)in, (void)n;
}

void crypto_gcm_open(struct crypto_gcm *g, uint8_t *out, const uint8_t *in, size_t n)
{
	(void)g, (void)out, (void)in, (void)n;
}

void crypto_gcm_end(struct crypto_gcm *g, uint8_t tag[static AEAD_TAG_LEN])
{
	(void)g, (void)tag;
}
#endif
