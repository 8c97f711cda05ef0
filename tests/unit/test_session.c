/* session.h against the vectors; strangers, other keys, every bit, yesterday's session. */
#include "tests/unit/vectors.h"

#include "codec/session.h"
#include "codec/tag.h"
#include "core/bytes.h"

static struct party_secret *sender, *receiver, *recovery, *stranger;

static const uint8_t *psk_of(struct vector v)
{
	return v.n == 0 ? NULL : v.b;
}

static void vectors(void **state)
{
	static const char *const names[] = {"plain", "psk"};
	uint8_t key[KEY_LEN];
	struct session_keys keys;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vector d = vector_of("hello", names[i], "hello");
		const uint8_t *psk = psk_of(vector_of("hello", names[i], "psk"));

		assert_int_equal(session_hello_key(key, sender, &receiver->pub, psk), 0);
		assert_vector(vector_of("hello", names[i], "hello_key"), key, KEY_LEN);
		assert_int_equal(session_hello_key(key, receiver, &sender->pub, psk), 0);
		assert_vector(vector_of("hello", names[i], "hello_key"), key, KEY_LEN);
		assert_int_equal(session_accept(d.b, d.n, &keys, receiver, &sender->pub, psk), SESSION_OK);
		assert_vector(vector_of("hello", names[i], "tag_key"), keys.tag, KEY_LEN);
		assert_vector(vector_of("hello", names[i], "beat_key"), keys.beat, KEY_LEN);
		assert_memory_equal(session_sender_id(d.b), sender->pub.id, KEY_ID_LEN);
	}
}

static void both_sides_agree(void **state)
{
	static const size_t lengths[] = {256, 1472, 8960, 65507};
	uint8_t psk[KEY_LEN] = {1}, *d = vector_keep(65507), *other = vector_keep(65507);
	struct session_keys here, there, next;
	struct frame_head h;

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		size_t n = lengths[i % 4];
		const uint8_t *p = i < 4 ? NULL : psk;

		assert_int_equal(session_start(d, n, &here, sender, &receiver->pub, p, 15, 0xFFFFFFFF, 1795228000123), 0);
		assert_int_equal(frame_head(&h, d, n), FRAME_OK);
		assert_int_equal(h.kind, FRAME_HELLO);
		assert_int_equal(h.lane, 15);
		assert_int_equal(h.epoch, 0xFFFFFFFF);
		assert_int_equal(session_accept(d, n, &there, receiver, &sender->pub, p), SESSION_OK);
		assert_memory_equal(&here, &there, sizeof(here));
		assert_memory_not_equal(here.tag, here.beat, KEY_LEN);
		/* Another session has other keys, even in the same epoch and millisecond. */
		assert_int_equal(session_start(other, n, &next, sender, &receiver->pub, p, 15, 0xFFFFFFFF, 1795228000123), 0);
		assert_memory_not_equal(&here, &next, KEY_LEN);
		assert_memory_not_equal(d + 52, other + 52, KEY_LEN);
	}
	assert_int_equal(session_start(d, 255, &here, sender, &receiver->pub, NULL, 0, 1, 1), -1);
	assert_int_equal(session_start(d, 65508, &here, sender, &receiver->pub, NULL, 0, 1, 1), -1);
}

/* No changed HELLO is accepted, whatever was changed; nor a cut or a longer one. */
static void every_bit_counts(void **state)
{
	struct vector d = vector_get("hello", "plain.hello");
	struct session_keys keys;
	uint8_t *longer = vector_keep(d.n + 1);

	(void)state;
	for (size_t i = 0; i < 8 * d.n; i++) {
		d.b[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_not_equal(session_accept(d.b, d.n, &keys, receiver, &sender->pub, NULL), SESSION_OK);
		d.b[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t n = 0; n < d.n; n++)
		assert_int_equal(session_accept(d.b, n, &keys, receiver, &sender->pub, NULL), SESSION_EFIELD);
	memcpy(longer, d.b, d.n);
	longer[d.n] = 0;
	assert_int_equal(session_accept(longer, d.n + 1, &keys, receiver, &sender->pub, NULL), SESSION_EFIELD);
}

static void wrong_parties(void **state)
{
	struct vector d = vector_get("hello", "plain.hello");
	uint8_t psk[KEY_LEN] = {1};
	struct session_keys keys;
	struct party liar;

	(void)state;
	assert_int_equal(session_accept(d.b, d.n, &keys, recovery, &sender->pub, NULL), SESSION_EPEER);
	assert_int_equal(session_accept(d.b, d.n, &keys, receiver, &stranger->pub, NULL), SESSION_EPEER);
	assert_int_equal(session_accept(d.b, d.n, &keys, receiver, &sender->pub, psk), SESSION_EPEER);
	/* A pinned party with the right id and other keys: only the cryptography tells. */
	liar = sender->pub;
	memcpy(liar.sign, stranger->pub.sign, SIGN_PUBLIC_LEN);
	assert_int_equal(session_accept(d.b, d.n, &keys, receiver, &liar, NULL), SESSION_ESIGN);
	liar = sender->pub;
	memcpy(liar.dh, stranger->pub.dh, KEY_LEN);
	assert_int_equal(session_accept(d.b, d.n, &keys, receiver, &liar, NULL), SESSION_ESIGN);
	/* Two senders, or two receivers, have no session. */
	assert_int_equal(session_hello_key(keys.tag, sender, &stranger->pub, NULL), -1);
	assert_int_equal(session_hello_key(keys.tag, receiver, &recovery->pub, NULL), -1);
}

/* Whoever has the receiver's secret (and so the hello key) still cannot speak for the sender. */
static void forged_with_the_hello_key(void **state)
{
	struct vector d = vector_get("hello", "plain.hello"), key = vector_get("hello", "plain.hello_key");
	struct session_keys keys;

	(void)state;
	for (size_t i = 8; i < 148; i++) { /* epoch to signature: tagged anew, not signed anew */
		d.b[i] ^= 1;
		tag_hello_make(d.b, d.n, key.b);
		assert_int_not_equal(session_accept(d.b, d.n, &keys, receiver, &sender->pub, NULL), SESSION_OK);
		d.b[i] ^= 1;
	}
	/* Padding that carries something, correctly tagged: a covert channel. */
	d.b[200] = 1;
	tag_hello_make(d.b, d.n, key.b);
	assert_int_equal(session_accept(d.b, d.n, &keys, receiver, &sender->pub, NULL), SESSION_EFIELD);
	d.b[200] = 0;
	tag_hello_make(d.b, d.n, key.b);
	assert_int_equal(session_accept(d.b, d.n, &keys, receiver, &sender->pub, NULL), SESSION_OK);
}

/* A sender gone wrong signs an ephemeral key of small order, so that everyone knows the result. */
static void degenerate_ephemeral(void **state)
{
	struct vector d = vector_get("hello", "plain.hello"), key = vector_get("hello", "plain.hello_key");
	struct session_keys keys;

	(void)state;
	memset(d.b + 52, 0, KEY_LEN);
	crypto_sign_message(d.b + 84, sender->sign, "katamichi v1 hello", d.b, 84);
	tag_hello_make(d.b, d.n, key.b);
	assert_int_equal(session_accept(d.b, d.n, &keys, receiver, &sender->pub, NULL), SESSION_ESIGN);
	d.b[52] = 1;
	crypto_sign_message(d.b + 84, sender->sign, "katamichi v1 hello", d.b, 84);
	tag_hello_make(d.b, d.n, key.b);
	assert_int_equal(session_accept(d.b, d.n, &keys, receiver, &sender->pub, NULL), SESSION_ESIGN);
}

/* A datagram of one session does not verify in another. */
static void sessions_do_not_mix(void **state)
{
	uint8_t a[256], b[256], d[256] = {0}, once[64];
	struct session_keys first, second;

	(void)state;
	assert_int_equal(session_start(a, 256, &first, sender, &receiver->pub, NULL, 0, 7, 1), 0);
	assert_int_equal(session_start(b, 256, &second, sender, &receiver->pub, NULL, 0, 8, 2), 0);
	tag_keys(once, first.tag, 5, 1);
	tag_make(d + 240, once, d, 256);
	assert_int_equal(tag_verify(first.tag, 5, d, 256), 0);
	assert_int_equal(tag_verify(second.tag, 5, d, 256), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors), cmocka_unit_test(both_sides_agree), cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(wrong_parties), cmocka_unit_test(forged_with_the_hello_key),
		cmocka_unit_test(degenerate_ephemeral), cmocka_unit_test(sessions_do_not_mix),
	};

	assert_int_equal(crypto_init(), 0);
	sender = vector_party("sender");
	receiver = vector_party("receiver");
	recovery = vector_party("recovery");
	stranger = vector_party("stranger");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
