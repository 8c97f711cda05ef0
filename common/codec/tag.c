/* tag.c - datagram tags (tag.h; PROTOCOL.md, sections 4.2 and 4.4). */
#include "codec/tag.h"

#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

#include "codec/poly1305.h"

_Static_assert(TAG_KEY_LEN == crypto_stream_chacha20_KEYBYTES && TAG_KEY_LEN == crypto_auth_hmacsha256_KEYBYTES, "keys");
_Static_assert(FRAME_TAG_LEN == crypto_onetimeauth_poly1305_BYTES, "tag");
_Static_assert(crypto_onetimeauth_poly1305_KEYBYTES == 32, "one-time key");

enum { CHACHA_BLOCK = TAG_ONCE_STRIDE };
_Static_assert(CHACHA_BLOCK == 64, "a key a block");

int tag_init(void)
{
	return sodium_init() < 0 ? -1 : 0;
}

void tag_keys(uint8_t *out, const uint8_t key[static TAG_KEY_LEN], uint64_t pn, size_t count)
{
	static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];

	memset(out, 0, CHACHA_BLOCK * count);
	crypto_stream_chacha20_xor_ic(out, out, CHACHA_BLOCK * count, nonce, pn, key);
}

/* The fast code, if it gives what libsodium gives for every length that its loops tell apart. */
static int agrees(void)
{
	uint8_t m[300], key[POLY1305_KEY_LEN], a[POLY1305_TAG_LEN], b[POLY1305_TAG_LEN];

	for (size_t i = 0; i < sizeof(m); i++)
		m[i] = (uint8_t)(i * i + 3 * i + (i > 150 ? 255 : 0));
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(255 - 7 * i);
	for (size_t n = 0; n <= sizeof(m); n++) {
		poly1305_ifma(a, m, n, key);
		crypto_onetimeauth_poly1305(b, m, n, key);
		if (memcmp(a, b, sizeof(a)) != 0)
			return 0;
	}
	return 1;
}

static void mac(uint8_t tag[static FRAME_TAG_LEN], const uint8_t *once, const uint8_t *d, size_t n)
{
	enum { UNKNOWN, SODIUM, IFMA };
	static _Atomic int which = UNKNOWN; /* two threads that find out at once find the same */

	if (which == UNKNOWN)
		which = poly1305_ifma_here() && agrees() ? IFMA : SODIUM;
	if (which == IFMA)
		poly1305_ifma(tag, d, n, once);
	else
		crypto_onetimeauth_poly1305(tag, d, n, once);
}

void tag_make(uint8_t tag[static FRAME_TAG_LEN], const uint8_t once[static 32], const uint8_t *d, size_t n)
{
	mac(tag, once, d, n - FRAME_TAG_LEN);
}

int tag_verify_once(const uint8_t once[static 32], const uint8_t *d, size_t n)
{
	uint8_t tag[FRAME_TAG_LEN];

	if (n < FRAME_TAG_LEN)
		return -1;
	mac(tag, once, d, n - FRAME_TAG_LEN);
	return crypto_verify_16(tag, d + n - FRAME_TAG_LEN) == 0 ? 0 : -1;
}

int tag_verify(const uint8_t key[static TAG_KEY_LEN], uint64_t pn, const uint8_t *d, size_t n)
{
	uint8_t once[CHACHA_BLOCK];

	tag_keys(once, key, pn, 1);
	int r = tag_verify_once(once, d, n);

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
