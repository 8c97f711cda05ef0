/* beat.h against the vectors, and what a stranger or a broken sender may send. */
#include "tests/unit/vectors.h"

#include "codec/beat.h"
#include "core/bytes.h"
#include "tests/unit/fixed_random.h"

static struct party_secret *sender, *stranger;
static struct vector key;

static struct beat one_entry(void)
{
	struct beat b = {.counter = 41, .time_ms = 1795228000123, .count = 1,
	    .entry = {{.channel = "eltax", .newest = 7, .oldest = 1}}};

	memcpy(b.entry[0].generation, vector_get("beat", "generation").b, 16);
	return b;
}

static void vectors(void **state)
{
	struct beat b = one_entry(), got;
	uint8_t d[1472];

	(void)state;
	fixed_random = vector_get("beat", "salt").b;
	assert_int_equal(beat_make(d, 256, &b, key.b, sender), 0);
	assert_vector(vector_get("beat", "one.sealed"), d + BEAT_AT, 256 - BEAT_AT - FRAME_TAG_LEN);
	assert_int_equal(beat_open(&got, vector_get("beat", "one.datagram").b, 256, key.b, &sender->pub), 0);
	assert_int_equal(got.counter, 41);
	assert_int_equal(got.time_ms, 1795228000123);
	assert_int_equal(got.count, 1);
	assert_memory_equal(&got.entry[0], &b.entry[0], sizeof(b.entry[0]));

	b.count = 0;
	assert_int_equal(beat_make(d, 256, &b, key.b, sender), 0);
	assert_vector(vector_get("beat", "none.sealed"), d + BEAT_AT, 256 - BEAT_AT - FRAME_TAG_LEN);
	assert_int_equal(beat_open(&got, d, 256, key.b, &sender->pub), 0);
	assert_int_equal(got.count, 0);

	b.count = beat_capacity(1472);
	assert_int_equal(b.count, 20);
	for (uint32_t i = 0; i < b.count; i++) {
		(void)snprintf(b.entry[i].channel, sizeof(b.entry[i].channel), "c%02u-xxxxxxxxxxxxxxxxxxxxxxxxxxxx", i % 100);
		memcpy(b.entry[i].generation, b.entry[0].generation, 16);
		b.entry[i].newest = (uint64_t)1 << i;
		b.entry[i].oldest = 0;
	}
	assert_int_equal(beat_make(d, 1472, &b, key.b, sender), 0);
	assert_vector(vector_get("beat", "full.sealed"), d + BEAT_AT, 1472 - BEAT_AT - FRAME_TAG_LEN);
	assert_int_equal(beat_open(&got, d, 1472, key.b, &sender->pub), 0);
	assert_int_equal(got.count, 20);
	assert_string_equal(got.entry[19].channel, "c19-xxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	assert_int_equal(got.entry[19].newest, 1 << 19);
	fixed_random = NULL;
}

static void capacities(void **state)
{
	struct beat b = one_entry();
	uint8_t d[256];

	(void)state;
	assert_int_equal(beat_capacity(255), 0);
	assert_int_equal(beat_capacity(256), 1);
	assert_int_equal(beat_capacity(8960), BEAT_ENTRIES_MAX);
	assert_int_equal(beat_capacity(65507), BEAT_ENTRIES_MAX);
	assert_int_equal(beat_capacity(65508), 0);
	b.count = 2;
	assert_int_equal(beat_make(d, 256, &b, key.b, sender), -1);
}

static void every_bit_counts(void **state)
{
	struct vector d = vector_get("beat", "one.datagram");
	struct beat got;

	(void)state;
	for (size_t i = 8 * BEAT_AT; i < 8 * (d.n - FRAME_TAG_LEN); i++) {
		d.b[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(beat_open(&got, d.b, d.n, key.b, &sender->pub), -1);
		d.b[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t n = 0; n < d.n; n++)
		assert_int_equal(beat_open(&got, d.b, n, key.b, &sender->pub), -1);
	assert_int_equal(beat_open(&got, d.b, d.n, key.b, &stranger->pub), -1);
	key.b[0] ^= 1;
	assert_int_equal(beat_open(&got, d.b, d.n, key.b, &sender->pub), -1);
	key.b[0] ^= 1;
	assert_int_equal(beat_open(&got, d.b, d.n, key.b, &sender->pub), 0);
}

/* A sealed and signed beat of any body: what a sender gone wrong can make. */
static void make_raw(uint8_t *d, size_t n, const uint8_t *body, const struct party_secret *by)
{
	static const uint8_t nonce[AEAD_NONCE_LEN];
	uint8_t msg[KEY_ID_LEN + 2048], k[KEY_LEN];
	size_t len = n - 84;

	memset(d, 0, n);
	memcpy(msg, by->pub.id, KEY_ID_LEN);
	memcpy(msg + KEY_ID_LEN, body, len - SIGN_LEN);
	crypto_sign_message(msg + KEY_ID_LEN + len - SIGN_LEN, by->sign, "katamichi v1 beat", msg, KEY_ID_LEN + len - SIGN_LEN);
	assert_int_equal(crypto_hkdf(k, KEY_LEN, key.b, KEY_LEN, d + 20, 32, "katamichi v1 beat", 17), 0);
	struct crypto_aead *a = crypto_aead_new(SUITE_CHACHA20POLY1305, k);

	assert_int_equal(crypto_aead_seal(a, d + 52, nonce, NULL, 0, msg + KEY_ID_LEN, len), 0);
	crypto_aead_free(a);
}

static void bad_bodies(void **state)
{
	static const struct { const char *why; size_t at; uint8_t value; } t[] = {
		{"more entries than fit", 17, 2}, {"more entries than fit", 16, 1}, {"flags", 19, 2}, {"flags", 18, 0x80},
		{"channel with a capital", 20, 'E'}, {"channel with a slash", 21, '/'}, {"empty channel", 20, 0},
		{"bytes after the channel's end", 20 + 31, 'x'}, {"oldest above newest", 20 + 63, 8},
		{"bytes after the last entry", 20 + 64, 1}, {"bytes before the signature", 256 - 84 - 64 - 1, 1},
	};
	uint8_t d[256], body[256] = {0};
	struct beat got;

	(void)state;
	body[17] = 1;
	memcpy(body + 20, "eltax", 5);
	body[20 + 55] = 7;
	body[20 + 63] = 1;
	make_raw(d, 256, body, sender);
	assert_int_equal(beat_open(&got, d, 256, key.b, &sender->pub), 0);
	make_raw(d, 256, body, stranger);
	assert_int_equal(beat_open(&got, d, 256, key.b, &sender->pub), -1);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint8_t kept = body[t[i].at];

		body[t[i].at] = t[i].value;
		make_raw(d, 256, body, sender);
		if (beat_open(&got, d, 256, key.b, &sender->pub) == 0)
			fail_msg("accepted: %s", t[i].why);
		body[t[i].at] = kept;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors), cmocka_unit_test(capacities), cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(bad_bodies),
	};

	fixed_random_install();
	assert_int_equal(crypto_init(), 0);
	sender = vector_party("sender");
	stranger = vector_party("stranger");
	key = vector_get("beat", "beat_key");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
