/* crypto_sodium.c - what libsodium does for us (crypto.h): random bytes, secret
 * memory, HMAC and HKDF, X25519, Ed25519. */
#include "codec/crypto.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(SIGN_PUBLIC_LEN == crypto_sign_PUBLICKEYBYTES && SIGN_SECRET_LEN == crypto_sign_SECRETKEYBYTES &&
    SIGN_LEN == crypto_sign_BYTES, "Ed25519");
_Static_assert(KEY_LEN == crypto_scalarmult_BYTES && KEY_LEN == crypto_scalarmult_SCALARBYTES, "X25519");
_Static_assert(HASH_LEN == crypto_auth_hmacsha256_BYTES, "HMAC-SHA-256");

enum { CONTEXT_MAX = 64, MESSAGE_MAX = 65536 };

void crypto_random(void *out, size_t n)
{
	randombytes_buf(out, n);
}

void crypto_wipe(void *p, size_t n)
{
	sodium_memzero(p, n);
}

int crypto_equal(const void *a, const void *b, size_t n)
{
	return sodium_memcmp(a, b, n) == 0;
}

int crypto_is_zero(const void *p, size_t n)
{
	return sodium_is_zero(p, n);
}

void *crypto_secret_alloc(size_t n)
{
	/* sodium_malloc() lets the memory end at a guard page: it is aligned
	 * for a struct only if the size is a multiple of the alignment. */
	if (n > SIZE_MAX - 63)
		return NULL;
	n = (n + 63) & ~(size_t)63;
	void *p = sodium_malloc(n);

	if (p != NULL)
		memset(p, 0, n);
	return p;
}

void crypto_secret_free(void *p)
{
	sodium_free(p);
}

/* RFC 5869.  An empty salt is the same as 32 zero bytes: HMAC pads its key with zeros. */
int crypto_hkdf(uint8_t *out, size_t n, const void *ikm, size_t ikmlen, const void *salt, size_t saltlen,
    const void *info, size_t infolen)
{
	crypto_auth_hmacsha256_state st;
	uint8_t prk[HASH_LEN], t[HASH_LEN], no = 0;

	if (n > 128)
		return -1;
	crypto_auth_hmacsha256_init(&st, salt != NULL ? salt : (const void *)"", saltlen);
	crypto_auth_hmacsha256_update(&st, ikm, ikmlen);
	crypto_auth_hmacsha256_final(&st, prk);
	for (size_t at = 0; at < n; at += HASH_LEN) {
		crypto_auth_hmacsha256_init(&st, prk, sizeof(prk));
		if (no > 0)
			crypto_auth_hmacsha256_update(&st, t, sizeof(t));
		no++;
		crypto_auth_hmacsha256_update(&st, info, infolen);
		crypto_auth_hmacsha256_update(&st, &no, 1);
		crypto_auth_hmacsha256_final(&st, t);
		memcpy(out + at, t, n - at < HASH_LEN ? n - at : HASH_LEN);
	}
	sodium_memzero(&st, sizeof(st));
	sodium_memzero(prk, sizeof(prk));
	sodium_memzero(t, sizeof(t));
	return 0;
}

int crypto_dh(uint8_t out[static KEY_LEN], const uint8_t secret[static KEY_LEN], const uint8_t pub[static KEY_LEN])
{
	/* libsodium refuses points of small order and, again, an all-zero result. */
	if (crypto_scalarmult(out, secret, pub) == 0)
		return 0;
	sodium_memzero(out, KEY_LEN);
	return -1;
}

void crypto_dh_public(uint8_t pub[static KEY_LEN], const uint8_t secret[static KEY_LEN])
{
	crypto_scalarmult_base(pub, secret);
}

void crypto_sign_keypair_seed(uint8_t pub[static SIGN_PUBLIC_LEN], uint8_t secret[static SIGN_SECRET_LEN],
    const uint8_t seed[static 32])
{
	crypto_sign_seed_keypair(pub, secret, seed);
}

void crypto_sign_bare(uint8_t sig[static SIGN_LEN], const uint8_t secret[static SIGN_SECRET_LEN], const void *msg, size_t n)
{
	crypto_sign_detached(sig, NULL, msg, n, secret);
}

int crypto_verify_bare(const uint8_t sig[static SIGN_LEN], const uint8_t pub[static SIGN_PUBLIC_LEN], const void *msg,
    size_t n)
{
	return crypto_sign_verify_detached(sig, msg, n, pub) == 0 ? 0 : -1;
}

/* 0x00 || context || 0x00 || message (section 1.3) into out; its length. */
static size_t framed(uint8_t out[static 1 + CONTEXT_MAX + 1 + MESSAGE_MAX], const char *context, const void *msg, size_t n)
{
	size_t c = strlen(context);

	if (c > CONTEXT_MAX || n > MESSAGE_MAX)
		abort(); /* both are ours; verification has checked n before */
	out[0] = 0;
	memcpy(out + 1, context, c);
	out[1 + c] = 0;
	if (n > 0)
		memcpy(out + 1 + c + 1, msg, n);
	return 1 + c + 1 + n;
}

void crypto_sign_message(uint8_t sig[static SIGN_LEN], const uint8_t secret[static SIGN_SECRET_LEN], const char *context,
    const void *msg, size_t n)
{
	uint8_t buf[1 + CONTEXT_MAX + 1 + MESSAGE_MAX];
	size_t len = framed(buf, context, msg, n);

	crypto_sign_bare(sig, secret, buf, len);
	sodium_memzero(buf, len);
}

int crypto_verify_message(const uint8_t sig[static SIGN_LEN], const uint8_t pub[static SIGN_PUBLIC_LEN], const char *context,
    const void *msg, size_t n)
{
	uint8_t buf[1 + CONTEXT_MAX + 1 + MESSAGE_MAX];

	if (n > MESSAGE_MAX)
		return -1;
	size_t len = framed(buf, context, msg, n);
	int r = crypto_verify_bare(sig, pub, buf, len);

	sodium_memzero(buf, len);
	return r;
}
