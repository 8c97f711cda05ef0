/* crypto.h against published vectors, and what must fail. */
#include "tests/unit/vectors.h"

#include <openssl/evp.h>

#include "codec/crypto.h"
#include "codec/tag.h"
#include "tests/unit/seeded.h"

static struct vector from_hex(const char *s)
{
	struct vector v = {vector_keep(strlen(s) / 2 + 1), strlen(s) / 2};

	assert_int_equal(hex_get(v.b, v.n, s, strlen(s)), 0);
	return v;
}

static void sha256(void **state)
{
	static const struct { const char *in, *out; } t[] = { /* FIPS 180-2 */
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	};
	uint8_t out[HASH_LEN], again[HASH_LEN];
	struct crypto_hasher *h = crypto_hasher_new();

	(void)state;
	assert_non_null(h);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		crypto_sha256(out, t[i].in, strlen(t[i].in));
		assert_vector(from_hex(t[i].out), out, HASH_LEN);
		for (size_t j = 0; t[i].in[j] != '\0'; j++)
			crypto_hasher_add(h, t[i].in + j, 1);
		crypto_hasher_end(h, again);
		assert_memory_equal(out, again, HASH_LEN);
		crypto_hasher_reset(h);
	}
	crypto_hasher_free(h);
	crypto_hasher_free(NULL);
}

/* RFC 8439, 2.5.2; then the same tags as libsodium makes, by which the receiver verifies: every length around what the
 * vectorised code of either takes at a time, cut in two anywhere, and one context for all of it. */
static void onetime(void **state)
{
	static const char text[] = "Cryptographic Forum Research Group";
	struct vector key = from_hex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b");
	struct crypto_onetime *o = crypto_onetime_new();
	uint8_t d[9200 + FRAME_TAG_LEN], tag[FRAME_TAG_LEN], theirs[FRAME_TAG_LEN];

	(void)state;
	assert_non_null(o);
	for (size_t cut = 0; cut < sizeof(text); cut++) {
		crypto_onetime_tag(o, tag, key.b, text, cut, text + cut, sizeof(text) - 1 - cut);
		assert_vector(from_hex("a8061dc1305136c6c22b8baf0c0127a9"), tag, sizeof(tag));
	}
	for (unsigned i = 0; i < 3000; i++) {
		size_t n = i < 1100 ? i : 1100 + seeded_below(8101), cut = i % 2 == 0 && n >= 48 ? 48 : seeded_below(n + 1);
		seeded_bytes(d, n);
		memset(d, i % 5 == 0 ? 0xFF : d[0], i % 7 == 0 ? n : 0); /* carries everywhere */
		seeded_bytes(key.b, key.n);
		crypto_onetime_tag(o, tag, key.b, d, cut, d + cut, n - cut);
		tag_make(theirs, key.b, d, n + FRAME_TAG_LEN);
		assert_memory_equal(tag, theirs, sizeof(tag));
		crypto_onetime_tag(o, tag, key.b, d, n, NULL, 0); /* another library, where there is one */
		assert_memory_equal(tag, theirs, sizeof(tag));
	}
	crypto_onetime_free(o);
	crypto_onetime_free(NULL);
}

static void hkdf(void **state)
{
	/* RFC 5869, A.1 to A.3 */
	static const struct { const char *ikm, *salt, *info, *okm; } t[] = {
		{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
		    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
		{"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
		    "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
		    "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
		    "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
		{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
		    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
	};
	uint8_t out[129];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct vector ikm = from_hex(t[i].ikm), salt = from_hex(t[i].salt), info = from_hex(t[i].info);
		struct vector okm = from_hex(t[i].okm);

		assert_int_equal(crypto_hkdf(out, okm.n, ikm.b, ikm.n, salt.b, salt.n, info.b, info.n), 0);
		assert_vector(okm, out, okm.n);
	}
	assert_int_equal(crypto_hkdf(out, 128, NULL, 0, NULL, 0, NULL, 0), 0);
	assert_int_equal(crypto_hkdf(out, 129, "x", 1, NULL, 0, NULL, 0), -1);
}

static void x25519(void **state)
{
	/* RFC 7748, section 6.1 */
	struct vector a = from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
	struct vector b = from_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
	struct vector shared = from_hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
	uint8_t pub_a[KEY_LEN], pub_b[KEY_LEN], out[KEY_LEN];

	(void)state;
	crypto_dh_public(pub_a, a.b);
	crypto_dh_public(pub_b, b.b);
	assert_vector(from_hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"), pub_a, KEY_LEN);
	assert_vector(from_hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"), pub_b, KEY_LEN);
	assert_int_equal(crypto_dh(out, a.b, pub_b), 0);
	assert_vector(shared, out, KEY_LEN);
	assert_int_equal(crypto_dh(out, b.b, pub_a), 0);
	assert_vector(shared, out, KEY_LEN);
}

/* Points whose order divides 8: whoever sends one knows the result beforehand.  Also not reduced, and with the unused bit set. */
static const char *const small_order[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

static void x25519_small_order(void **state)
{
	struct vector a = from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
	uint8_t out[KEY_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(small_order) / sizeof(small_order[0]); i++) {
		memset(out, 0xA5, sizeof(out));
		assert_int_equal(crypto_dh(out, a.b, from_hex(small_order[i]).b), -1);
		assert_true(crypto_is_zero(out, sizeof(out)));
	}
}

static void ed25519(void **state)
{
	/* RFC 8032, section 7.1, test 1 */
	struct vector seed = from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
	struct vector want = from_hex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
	    "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
	uint8_t pub[SIGN_PUBLIC_LEN], secret[SIGN_SECRET_LEN], sig[SIGN_LEN];

	(void)state;
	crypto_sign_keypair_seed(pub, secret, seed.b);
	assert_vector(from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"), pub, SIGN_PUBLIC_LEN);
	crypto_sign_bare(sig, secret, "", 0);
	assert_vector(want, sig, SIGN_LEN);
	assert_int_equal(crypto_verify_bare(sig, pub, "", 0), 0);
	assert_int_equal(crypto_verify_bare(sig, pub, "x", 1), -1);
	for (size_t i = 0; i < 8 * SIGN_LEN; i++) {
		sig[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(crypto_verify_bare(sig, pub, "", 0), -1);
		sig[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}

/* S + L verifies under the equation but is another spelling of the same signature. */
static void ed25519_malleable(void **state)
{
	static const uint8_t order[32] = {0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9,
	    0xDE, 0x14, [31] = 0x10};
	uint8_t pub[SIGN_PUBLIC_LEN], secret[SIGN_SECRET_LEN], sig[SIGN_LEN], seed[32] = {7};
	unsigned carry = 0;

	(void)state;
	crypto_sign_keypair_seed(pub, secret, seed);
	crypto_sign_bare(sig, secret, "abc", 3);
	for (size_t i = 0; i < 32; i++) {
		carry += (unsigned)sig[32 + i] + order[i];
		sig[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	assert_int_equal(crypto_verify_bare(sig, pub, "abc", 3), -1);
}

/* The all-zero-like public keys of order 1, 2, 4, 8: with them a signature can be made for any message. */
static void ed25519_small_order(void **state)
{
	static const char *const keys[] = {
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
	};
	uint8_t sig[SIGN_LEN] = {1}; /* R = the neutral element, S = 0 */

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_int_equal(crypto_verify_bare(sig, from_hex(keys[i]).b, "abc", 3), -1);
}

static void contexts(void **state)
{
	uint8_t pub[SIGN_PUBLIC_LEN], secret[SIGN_SECRET_LEN], sig[SIGN_LEN], seed[32] = {9};
	uint8_t *big = calloc(1, 65537);

	(void)state;
	assert_non_null(big);
	crypto_sign_keypair_seed(pub, secret, seed);
	crypto_sign_message(sig, secret, "katamichi v1 hello", "abc", 3);
	assert_int_equal(crypto_verify_message(sig, pub, "katamichi v1 hello", "abc", 3), 0);
	assert_int_equal(crypto_verify_message(sig, pub, "katamichi v1 beat", "abc", 3), -1);
	assert_int_equal(crypto_verify_message(sig, pub, "katamichi v1 hello", "abd", 3), -1);
	assert_int_equal(crypto_verify_bare(sig, pub, "abc", 3), -1); /* it is no manifest */
	assert_int_equal(crypto_verify_bare(sig, pub, "\0katamichi v1 hello\0abc", 23), 0);
	crypto_sign_message(sig, secret, "c", big, 65536);
	assert_int_equal(crypto_verify_message(sig, pub, "c", big, 65536), 0);
	assert_int_equal(crypto_verify_message(sig, pub, "c", big, 65537), -1);
	free(big);
}

/* Every bit of key, nonce, associated data, ciphertext and tag counts; what fails is wiped. */
static void aead_suite(enum crypto_suite suite, const char *want)
{
	const uint8_t key[KEY_LEN] = {1, 2, 3}, nonce[AEAD_NONCE_LEN] = {4, 5, 6};
	uint8_t c[5 + AEAD_TAG_LEN], p[5], other[AEAD_NONCE_LEN];
	struct crypto_aead *a = crypto_aead_new(suite, key);

	assert_non_null(a);
	for (int round = 0; round < 2; round++) { /* the same context again: a nonce a call */
		assert_int_equal(crypto_aead_seal(a, c, nonce, "aad", 3, (const uint8_t *)"hello", 5), 0);
		assert_vector(from_hex(want), c, sizeof(c));
		assert_int_equal(crypto_aead_open(a, p, nonce, "aad", 3, c, sizeof(c)), 0);
		assert_memory_equal(p, "hello", 5);
	}
	for (size_t i = 0; i < 8 * sizeof(c); i++) {
		c[i / 8] ^= (uint8_t)(1 << i % 8);
		memset(p, 0xA5, sizeof(p));
		assert_int_equal(crypto_aead_open(a, p, nonce, "aad", 3, c, sizeof(c)), -1);
		assert_true(crypto_is_zero(p, sizeof(p)));
		c[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t n = 0; n < sizeof(c); n++)
		assert_int_equal(crypto_aead_open(a, p, nonce, "aad", 3, c, n), -1);
	assert_int_equal(crypto_aead_open(a, p, nonce, "aae", 3, c, sizeof(c)), -1);
	assert_int_equal(crypto_aead_open(a, p, nonce, NULL, 0, c, sizeof(c)), -1);
	memcpy(other, nonce, sizeof(other));
	other[11] ^= 1;
	assert_int_equal(crypto_aead_open(a, p, other, "aad", 3, c, sizeof(c)), -1);
	assert_int_equal(crypto_aead_open(a, p, nonce, "aad", 3, c, sizeof(c)), 0); /* a failure leaves nothing behind */
	/* Empty and in place. */
	assert_int_equal(crypto_aead_seal(a, c, nonce, NULL, 0, c, 0), 0);
	assert_int_equal(crypto_aead_open(a, c, nonce, NULL, 0, c, AEAD_TAG_LEN), 0);
	memcpy(c, "12345", 5);
	assert_int_equal(crypto_aead_seal(a, c, nonce, NULL, 0, c, 5), 0);
	assert_memory_not_equal(c, "12345", 5);
	assert_int_equal(crypto_aead_open(a, c, nonce, NULL, 0, c, sizeof(c)), 0);
	assert_memory_equal(c, "12345", 5);
	crypto_aead_free(a);
}

static void aead(void **state)
{
	const uint8_t key[KEY_LEN] = {0};

	(void)state;
	aead_suite(SUITE_AES256GCM, "0ba0d47eb98fdd91f9ba4cabe14d6cee5551694eaa");
	aead_suite(SUITE_CHACHA20POLY1305, "3e3f63520ae76a613a5468a3bc73a3513a6333ba82");
	assert_null(crypto_aead_new((enum crypto_suite)0, key));
	assert_null(crypto_aead_new((enum crypto_suite)3, key));
	crypto_aead_free(NULL);
}

/* Whoever computes AES-GCM here (crypto_gcm.h), the bytes are libcrypto's: every length around a vector's, long ones, and in
 * whatever pieces a message is sealed; in place, too; and no flipped bit is taken. */
static void gcm_of_both_libraries(void **state)
{
	enum { LONG = 70000 };
	uint8_t key[KEY_LEN], nonce[AEAD_NONCE_LEN], aad[40], tag[AEAD_TAG_LEN];
	uint8_t *in = vector_keep(LONG), *want = vector_keep(LONG + AEAD_TAG_LEN), *got = vector_keep(LONG + AEAD_TAG_LEN);
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int len, end;

	(void)state;
	for (size_t n = 0; n <= LONG; n += n < 1100 ? 1 : seeded_below(9000) + 1) {
		seeded_bytes(key, sizeof(key));
		seeded_bytes(nonce, sizeof(nonce));
		seeded_bytes(aad, sizeof(aad));
		seeded_bytes(in, n);
		const size_t aads = n % sizeof(aad);
		struct crypto_aead *a = crypto_aead_new(SUITE_AES256GCM, key);
		assert_non_null(a);
		assert_int_equal(EVP_EncryptInit_ex2(c, EVP_aes_256_gcm(), key, nonce, NULL), 1);
		assert_int_equal(EVP_EncryptUpdate(c, NULL, &len, aad, (int)aads), 1);
		assert_int_equal(EVP_EncryptUpdate(c, want, &len, in, (int)n), 1);
		assert_int_equal(EVP_EncryptFinal_ex(c, want + n, &end), 1);
		assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_LEN, want + n), 1);
		assert_int_equal(crypto_aead_seal(a, got, nonce, aad, aads, in, n), 0);
		assert_memory_equal(got, want, n + AEAD_TAG_LEN);
		got[seeded_below(n + AEAD_TAG_LEN)] ^= (uint8_t)(1 << n % 8);
		assert_int_equal(crypto_aead_open(a, got, nonce, aad, aads, got, n + AEAD_TAG_LEN), -1);
		assert_true(crypto_is_zero(got, n));
		assert_int_equal(crypto_aead_open(a, want, nonce, aad, aads, want, n + AEAD_TAG_LEN), 0);
		assert_memory_equal(want, in, n);
		/* In pieces, without associated data. */
		assert_int_equal(crypto_aead_seal(a, want, nonce, NULL, 0, in, n), 0);
		assert_int_equal(crypto_aead_seal_begin(a, nonce), 0);
		for (size_t at = 0, part; at < n; at += part) {
			part = seeded_below(n - at) + 1;
			assert_int_equal(crypto_aead_seal_add(a, in + at, in + at, part), 0);
		}
		assert_int_equal(crypto_aead_seal_end(a, tag), 0);
		assert_memory_equal(in, want, n);
		assert_memory_equal(tag, want + n, AEAD_TAG_LEN);
		crypto_aead_free(a);
	}
	EVP_CIPHER_CTX_free(c);
}

static void party(void **state)
{
	static const char *const names[] = {"sender", "receiver", "recovery"};
	struct vector psk = vector_get("party", "psk");
	uint8_t id[KEY_ID_LEN];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct party_secret *s = vector_party(names[i]);

		assert_vector(vector_of("party", names[i], "ed25519_public"), s->pub.sign, SIGN_PUBLIC_LEN);
		assert_vector(vector_of("party", names[i], "x25519_public"), s->pub.dh, KEY_LEN);
		assert_vector(vector_of("party", names[i], "fingerprint"), s->pub.fingerprint, HASH_LEN);
		assert_vector(vector_of("party", names[i], "id"), s->pub.id, KEY_ID_LEN);
		crypto_secret_free(s);
	}
	assert_int_equal(party_psk_id(id, psk.b), 0);
	assert_vector(vector_get("party", "psk_id"), id, KEY_ID_LEN);
	assert_int_equal(party_psk_id(id, NULL), 0);
	assert_true(crypto_is_zero(id, KEY_ID_LEN));
}

static void generated_parties_differ(void **state)
{
	struct party_secret *a = crypto_secret_alloc(sizeof(*a)), *b = crypto_secret_alloc(sizeof(*b));

	(void)state;
	party_generate(a, PARTY_SENDER);
	party_generate(b, PARTY_SENDER);
	assert_memory_not_equal(a->dh, b->dh, KEY_LEN);
	assert_memory_not_equal(a->sign, b->sign, 32);
	assert_memory_not_equal(a->pub.fingerprint, b->pub.fingerprint, HASH_LEN);
	b->pub = a->pub;
	b->pub.role = PARTY_RECEIVER; /* the same keys in another role are another party */
	party_finish(&b->pub);
	assert_memory_not_equal(a->pub.fingerprint, b->pub.fingerprint, HASH_LEN);
	crypto_secret_free(a);
	crypto_secret_free(b);
}

static void secret_memory(void **state)
{
	(void)state;
	for (size_t n = 1; n < 5000; n = n * 3 + 1) {
		uint8_t *p = crypto_secret_alloc(n);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 64, 0);
		assert_true(crypto_is_zero(p, n));
		memset(p, 1, n);
		crypto_secret_free(p);
	}
	assert_null(crypto_secret_alloc(SIZE_MAX));
	crypto_secret_free(NULL);
	assert_int_equal(crypto_equal("abc", "abc", 3), 1);
	assert_int_equal(crypto_equal("abc", "abd", 3), 0);
}

static void hexadecimal(void **state)
{
	static const char *const bad[] = {"0", "000", "0g", "AB", " 0", "0x", "+1", "\xEF\xBC\x91"};
	uint8_t out[4], in[4] = {0x00, 0x9F, 0xA0, 0xFF};
	char text[9];

	(void)state;
	hex_put(text, in, 4);
	assert_string_equal(text, "009fa0ff");
	assert_int_equal(hex_get(out, 4, text, 8), 0);
	assert_memory_equal(in, out, 4);
	assert_int_equal(hex_get(out, 4, text, 7), -1);
	assert_int_equal(hex_get(out, 3, text, 8), -1);
	assert_int_equal(hex_get(out, 0, "", 0), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(hex_get(out, strlen(bad[i]) / 2, bad[i], strlen(bad[i])), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256), cmocka_unit_test(onetime), cmocka_unit_test(hkdf), cmocka_unit_test(x25519),
		cmocka_unit_test(x25519_small_order),
		cmocka_unit_test(ed25519), cmocka_unit_test(ed25519_malleable), cmocka_unit_test(ed25519_small_order),
		cmocka_unit_test(contexts), cmocka_unit_test(aead), cmocka_unit_test(gcm_of_both_libraries), cmocka_unit_test(party),
		cmocka_unit_test(generated_parties_differ), cmocka_unit_test(secret_memory), cmocka_unit_test(hexadecimal),
	};

	seeded_init();
	assert_int_equal(crypto_init(), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
