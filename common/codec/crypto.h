/* crypto.h - the one place that chooses algorithms (PROTOCOL.md, sections 1.2, 1.3, 5.2).
 *
 * Bulk AEAD and SHA-256 are libcrypto's (SHA-NI, AES-NI: 3 to 6 times libsodium
 * on the same core; AES-GCM is another's where libcrypto does not use VAES,
 * crypto_gcm.h), and so are datagram tags at line rate (crypto_onetime.c); identities, key
 * agreement, HMAC and HKDF (short inputs, no heap), single tags, secure memory
 * and random bytes are libsodium's (crypto_sodium.c, tag.c).  No caller includes
 * either library's header.  Functions that return int: 0, or -1 on failure
 * (a verification that fails is a failure); nothing secret is left in *out then. */
#ifndef KM_CRYPTO_H
#define KM_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

enum {
	HASH_LEN = 32,     /* SHA-256 */
	KEY_LEN = 32,      /* every symmetric key, and both halves of X25519 */
	SIGN_PUBLIC_LEN = 32,
	SIGN_SECRET_LEN = 64, /* seed and public half, as libsodium keeps it */
	SIGN_LEN = 64,
	AEAD_TAG_LEN = 16,
	AEAD_NONCE_LEN = 12,
	KEY_ID_LEN = 8,
};

enum crypto_suite { SUITE_AES256GCM = 1, SUITE_CHACHA20POLY1305 = 2 };

int crypto_init(void); /* once a process, before anything else */
void crypto_random(void *out, size_t n);
void crypto_wipe(void *p, size_t n);
int crypto_is_zero(const void *p, size_t n); /* 1 if every byte is zero */
int crypto_equal(const void *a, const void *b, size_t n); /* 1 if equal; constant time */
void *crypto_secret_alloc(size_t n); /* locked, guarded, zeroed; NULL if none */
void crypto_secret_free(void *p);    /* wipes; NULL is fine */

void crypto_sha256(uint8_t out[static HASH_LEN], const void *data, size_t n);
struct crypto_hasher; /* streaming SHA-256 */
struct crypto_hasher *crypto_hasher_new(void); /* NULL: out of memory */
void crypto_hasher_reset(struct crypto_hasher *h);
void crypto_hasher_add(struct crypto_hasher *h, const void *data, size_t n);
void crypto_hasher_end(struct crypto_hasher *h, uint8_t out[static HASH_LEN]); /* then reset before reuse */
void crypto_hasher_free(struct crypto_hasher *h);

/* HKDF-SHA-256; ikm, salt, info may be empty; n <= 128. */
int crypto_hkdf(uint8_t *out, size_t n, const void *ikm, size_t ikmlen, const void *salt, size_t saltlen,
    const void *info, size_t infolen) __attribute__((warn_unused_result));

/* X25519; -1 if the result is all zero (section 1.2). */
int crypto_dh(uint8_t out[static KEY_LEN], const uint8_t secret[static KEY_LEN], const uint8_t pub[static KEY_LEN])
    __attribute__((warn_unused_result));
void crypto_dh_public(uint8_t pub[static KEY_LEN], const uint8_t secret[static KEY_LEN]);
void crypto_sign_keypair_seed(uint8_t pub[static SIGN_PUBLIC_LEN], uint8_t secret[static SIGN_SECRET_LEN],
    const uint8_t seed[static 32]);

/* Bare Ed25519: the manifest only (section 1.3). */
void crypto_sign_bare(uint8_t sig[static SIGN_LEN], const uint8_t secret[static SIGN_SECRET_LEN], const void *msg, size_t n);
int crypto_verify_bare(const uint8_t sig[static SIGN_LEN], const uint8_t pub[static SIGN_PUBLIC_LEN], const void *msg,
    size_t n) __attribute__((warn_unused_result));
/* 0x00 || context || 0x00 || msg: everything else.  n <= 65536. */
void crypto_sign_message(uint8_t sig[static SIGN_LEN], const uint8_t secret[static SIGN_SECRET_LEN], const char *context,
    const void *msg, size_t n);
int crypto_verify_message(const uint8_t sig[static SIGN_LEN], const uint8_t pub[static SIGN_PUBLIC_LEN], const char *context,
    const void *msg, size_t n) __attribute__((warn_unused_result));

/* Poly1305 with a reusable context: a key for each message, which is a followed by b.
 * libcrypto's takes a third to a half of libsodium's time (6.1 against 2.1 GB/s at 1,456 bytes, 8.5 against 2.3
 * at 8,944, key included).  Its inner functions, taken from libcrypto.a without EVP_MAC, did 7.5 and 9.0: not
 * enough for symbols that no header promises. */
struct crypto_onetime;
struct crypto_onetime *crypto_onetime_new(void); /* NULL: out of memory */
void crypto_onetime_free(struct crypto_onetime *o); /* wipes; NULL is fine */
void crypto_onetime_tag(struct crypto_onetime *o, uint8_t tag[static AEAD_TAG_LEN], const uint8_t key[static KEY_LEN],
    const void *a, size_t alen, const void *b, size_t blen);

/* AEAD with a reusable context: one key, many nonces. */
struct crypto_aead;
struct crypto_aead *crypto_aead_new(enum crypto_suite suite, const uint8_t key[static KEY_LEN]); /* NULL: failed */
void crypto_aead_free(struct crypto_aead *a); /* wipes; NULL is fine */
/* out has n + AEAD_TAG_LEN bytes (ciphertext, tag); out may be in. */
int crypto_aead_seal(struct crypto_aead *a, uint8_t *out, const uint8_t nonce[static AEAD_NONCE_LEN], const void *aad,
    size_t aadlen, const uint8_t *in, size_t n) __attribute__((warn_unused_result));
/* The same in pieces: out may be in.  A nonce begun with is used up, whatever follows.  Nothing else with `a` in between. */
int crypto_aead_seal_begin(struct crypto_aead *a, const uint8_t nonce[static AEAD_NONCE_LEN]) __attribute__((warn_unused_result));
int crypto_aead_seal_add(struct crypto_aead *a, uint8_t *out, const uint8_t *in, size_t n) __attribute__((warn_unused_result));
int crypto_aead_seal_end(struct crypto_aead *a, uint8_t tag[static AEAD_TAG_LEN]) __attribute__((warn_unused_result));
/* in has n bytes with the tag, out n - AEAD_TAG_LEN; out may be in; -1 and out wiped if not authentic. */
int crypto_aead_open(struct crypto_aead *a, uint8_t *out, const uint8_t nonce[static AEAD_NONCE_LEN], const void *aad,
    size_t aadlen, const uint8_t *in, size_t n) __attribute__((warn_unused_result));

#endif
