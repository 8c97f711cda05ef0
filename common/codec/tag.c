/* tag.c - datagram tags (tag.h; PROTOCOL.md, sections 4.2 and 4.4). */
#include "codec/tag.h"

#include <sodium.h>
#include <string.h>

_Static_assert(TAG_KEY_LEN == crypto_stream_chacha20_KEYBYTES && TAG_KEY_LEN == crypto_auth_hmacsha256_KEYBYTES, "keys");
_Static_assert(FRAME_TAG_LEN == crypto_onetimeauth_poly1305_BYTES && FRAME_TAG_LEN == crypto_verify_16_BYTES, "tag");
_Static_assert(crypto_onetimeauth_poly1305_KEYBYTES == 32, "one-time key");

enum { CHACHA_BLOCK = TAG_ONCE_STRIDE };
_Static_assert(CHACHA_BLOCK == 64, "a key a block");

void tag_keys(uint8_t *out, const uint8_t key[static TAG_KEY_LEN], uint64_t pn, size_t count)
{
	static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];

	memset(out, 0, CHACHA_BLOCK * count);
	crypto_stream_chacha20_xor_ic(out, out, CHACHA_BLOCK * count, nonce, pn, key);
}

void tag_make(uint8_t tag[static FRAME_TAG_LEN], const uint8_t once[static 32], const uint8_t *d, size_t n)
{
	crypto_onetimeauth_poly1305(tag, d, n - FRAME_TAG_LEN, once);
}

int tag_verify_once(struct crypto_onetime *o, const uint8_t once[static 32], const uint8_t *d, size_t n)
{
	uint8_t tag[FRAME_TAG_LEN];

	if (n < FRAME_TAG_LEN)
		return -1;
	crypto_onetime_tag(o, tag, once, d, n - FRAME_TAG_LEN, NULL, 0);
	/* For just this length: a fifth of sodium_memcmp()'s time, once for every datagram. */
	return crypto_verify_16(tag, d + n - FRAME_TAG_LEN) == 0 ? 0 : -1;
}

int tag_verify(const uint8_t key[static TAG_KEY_LEN], uint64_t pn, const uint8_t *d, size_t n)
{
	uint8_t once[CHACHA_BLOCK];
	int r = -1;

	tag_keys(once, key, pn, 1);
	if (n >= FRAME_TAG_LEN)
		r = crypto_onetimeauth_poly1305_verify(d + n - FRAME_TAG_LEN, d, n - FRAME_TAG_LEN, once) == 0 ? 0 : -1;
	sodium_memzero(once, sizeof(once));
	return r;
}

void tag_hello_make(uint8_t *d, size_t n, const uint8_t key[static TAG_KEY_LEN])
{
	uint8_t mac[crypto_auth_hmacsha256_BYTES];

	crypto_auth_hmacsha256(mac, d, n - FRAME_TAG_LEN, key);
	memcpy(d + n - FRAME_TAG_LEN, mac, FRAME_TAG_LEN);
}

int tag_hello_verify(const uint8_t *d, size_t n, const uint8_t key[static TAG_KEY_LEN])
{
	uint8_t mac[crypto_auth_hmacsha256_BYTES];

	if (n < FRAME_TAG_LEN)
		return -1;
	crypto_auth_hmacsha256(mac, d, n - FRAME_TAG_LEN, key);
	return sodium_memcmp(mac, d + n - FRAME_TAG_LEN, FRAME_TAG_LEN) == 0 ? 0 : -1;
}
