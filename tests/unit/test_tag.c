/* tag.h and session.h's HELLO against the vectors, and every bit flipped. */
#include "tests/unit/vectors.h"

#include <sodium.h>

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

/* libcrypto verifies what libsodium made, at every length, also with all bits set (carries go everywhere), and with
 * one context for all of them; a flipped bit, another key and a cut datagram are found. */
static void both_libraries(void **state)
{
	uint8_t d[9000], once[32];
	struct crypto_onetime *o = crypto_onetime_new();

	(void)state;
	assert_non_null(o);
	for (size_t n = 0; n < FRAME_TAG_LEN; n++)
		assert_int_equal(tag_verify_once(o, once, d, n), -1);
	for (size_t n = FRAME_TAG_LEN; n <= sizeof(d); n += n < 600 ? 1 : 97) {
		seeded_bytes(once, sizeof(once));
		if (n % 2)
			memset(d, 0xFF, n);
		else
			seeded_bytes(d, n);
		tag_make(d + n - FRAME_TAG_LEN, once, d, n);
		assert_int_equal(tag_verify_once(o, once, d, n), 0);
		size_t at = seeded_below(n);
		d[at] ^= 0x10;
		assert_int_equal(tag_verify_once(o, once, d, n), -1);
		d[at] ^= 0x10;
		assert_int_equal(tag_verify_once(o, once, d, n - 1), -1);
		once[16] ^= 1; /* the half that is added */
		assert_int_equal(tag_verify_once(o, once, d, n), -1);
	}
	crypto_onetime_free(o);
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
		cmocka_unit_test(symbol_vectors), cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(batches),
		cmocka_unit_test(both_libraries), cmocka_unit_test(hello_tag),
	};

	seeded_init();
	assert_int_equal(crypto_init(), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
