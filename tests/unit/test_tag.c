/* tag.h and session.h's HELLO against the vectors, and every bit flipped. */
#include "tests/unit/vectors.h"

#include <sodium.h>

#include "codec/poly1305.h"
#include "codec/tag.h"
#include "codec/tag.h"
#include "core/bytes.h"
#include "tests/unit/seeded.h"

static const char *const symbols[] = {"symbol0", "symbol1", "symbol2"};

static void symbol_vectors(void **state)
{
	struct vector key = vector_get("frame", "tag_key");
	uint8_t once[64], tag[FRAME_TAG_LEN];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct vector d = vector_of("frame", symbols[i], "datagram");
		uint64_t pn = get64(vector_of("frame", symbols[i], "pn").b);

		tag_keys(once, key.b, pn, 1);
		assert_vector(vector_of("frame", symbols[i], "once"), once, 32);
		tag_make(tag, once, d.b, d.n);
		assert_memory_equal(tag, d.b + d.n - FRAME_TAG_LEN, FRAME_TAG_LEN);
		assert_int_equal(tag_verify(key.b, pn, d.b, d.n), 0);
	}
}

static void every_bit_counts(void **state)
{
	struct vector key = vector_get("frame", "tag_key"), d = vector_of("frame", "symbol0", "datagram");

	(void)state;
	for (size_t i = 0; i < 8 * d.n; i++) {
		d.b[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(tag_verify(key.b, 1, d.b, d.n), -1);
		d.b[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t n = 0; n < d.n; n++)
		assert_int_equal(tag_verify(key.b, 1, d.b, n), -1);
	assert_int_equal(tag_verify(key.b, 2, d.b, d.n), -1);
	key.b[31] ^= 1;
	assert_int_equal(tag_verify(key.b, 1, d.b, d.n), -1);
	key.b[31] ^= 1;
	assert_int_equal(tag_verify(key.b, 1, d.b, d.n), 0);
}

/* poly1305_ifma() against libsodium: every length of a datagram's end, and the
 * values at which limbs are full and the last subtraction decides. */
static void ifma(void **state)
{
	static uint8_t m[9200];
	uint8_t key[32], fast[16], slow[16];

	(void)state;
	if (!poly1305_ifma_here())
		skip();
	for (int round = 0; round < 40; round++) {
		seeded_bytes(key, sizeof(key));
		seeded_bytes(m, sizeof(m));
		if (round % 4 == 1)
			memset(m, 0xFF, sizeof(m));
		if (round % 4 == 2)
			memset(key, 0xFF, sizeof(key));
		if (round % 8 == 3)
			memset(m, 0, sizeof(m));
		if (round % 8 == 7)
			for (size_t i = 0; i < sizeof(m); i++)
				m[i] = seeded_below(2) == 0 ? 0 : 0xFF;
		for (size_t n = 0; n < sizeof(m); n += n < 700 ? 1 : 1 + seeded_below(300)) {
			poly1305_ifma(fast, m, n, key);
			crypto_onetimeauth_poly1305(slow, m, n, key);
			assert_memory_equal(fast, slow, 16);
		}
	}
	/* h at and around 2^130 - 5: r = 1 makes h the sum of the blocks. */
	memset(key, 0, sizeof(key));
	key[0] = 1;
	for (unsigned last = 0; last < 16; last++)
		for (unsigned blocks = 1; blocks < 24; blocks++) {
			memset(m, 0xFF, 16 * blocks);
			m[16 * (blocks - 1)] = (uint8_t)(0xF0 + last);
			poly1305_ifma(fast, m, 16 * blocks, key);
			crypto_onetimeauth_poly1305(slow, m, 16 * blocks, key);
			assert_memory_equal(fast, slow, 16);
		}
	/* RFC 8439, appendix A.3, vectors 7 and 8: the sum passes 2^130 and 2^128. */
	static const uint8_t seven[48] = { [0 ... 15] = 0xFF, [16] = 0xF0, [17 ... 31] = 0xFF, [32] = 0x11 };
	static const uint8_t eight[48] = { [0 ... 15] = 0xFF, [16] = 0xFB, [17 ... 31] = 0xFE, [32 ... 47] = 0x01 };
	static const uint8_t five[16] = { 5 }, zero[16];
	poly1305_ifma(fast, seven, 48, key);
	assert_memory_equal(fast, five, 16);
	poly1305_ifma(fast, eight, 48, key);
	assert_memory_equal(fast, zero, 16);
}

/* A batch is the same keys as one at a time, across the borders of 32 bits. */
static void batches(void **state)
{
	static const uint64_t from[] = {1, 0xFFFFFFF0, 0xFFFFFFFFFFE0};
	struct vector key = vector_get("frame", "tag_key");
	uint8_t many[64 * 32], one[64];

	(void)state;
	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		tag_keys(many, key.b, from[i], 32);
		for (size_t j = 0; j < 32; j++) {
			tag_keys(one, key.b, from[i] + j, 1);
			assert_memory_equal(one, many + 64 * j, 64);
		}
	}
	tag_keys(many, key.b, 1, 0);
}

static void hello_tag(void **state)
{
	struct vector key = vector_get("hello", "plain.hello_key"), d = vector_get("hello", "plain.hello");
	uint8_t *copy = vector_keep(d.n);

	(void)state;
	assert_int_equal(tag_hello_verify(d.b, d.n, key.b), 0);
	memcpy(copy, d.b, d.n);
	memset(copy + d.n - FRAME_TAG_LEN, 0, FRAME_TAG_LEN);
	tag_hello_make(copy, d.n, key.b);
	assert_memory_equal(copy, d.b, d.n);
	for (size_t i = 0; i < 8 * d.n; i++) {
		d.b[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(tag_hello_verify(d.b, d.n, key.b), -1);
		d.b[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t n = 0; n < d.n; n++)
		assert_int_equal(tag_hello_verify(d.b, n, key.b), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(symbol_vectors), cmocka_unit_test(every_bit_counts), cmocka_unit_test(ifma),
		cmocka_unit_test(batches),
		cmocka_unit_test(hello_tag),
	};

	seeded_init();
	assert_int_equal(tag_init(), 0); /* not crypto_init(): the receiver's link process has no libcrypto */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
