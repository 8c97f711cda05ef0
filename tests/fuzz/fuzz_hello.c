/* fuzz_hello.c - HELLO and BEAT as they come from the link.
 *
 * No fuzzer finds a signature, so each input is looked at twice: as it is, and
 * with ids, signature and tags made right, which opens what lies behind them. */
#include "codec/beat.h"
#include "codec/session.h"
#include "codec/tag.h"
#include "core/bytes.h"
#include "tests/fuzz/fuzz_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct party_secret *sender, *receiver;
static uint8_t hello_key[KEY_LEN], beat_key[KEY_LEN];

static void start(void)
{
	fuzz_check(crypto_init() == 0);
	sender = fuzz_party(PARTY_SENDER);
	receiver = fuzz_party(PARTY_RECEIVER);
	fuzz_check(session_hello_key(hello_key, sender, &receiver->pub, NULL) == 0);
}

static void hello(const uint8_t *d, size_t n)
{
	struct session_keys keys;
	enum session_err e = session_accept(d, n, &keys, receiver, &sender->pub, NULL);

	if (e != SESSION_OK)
		return;
	/* Accepted: then everything in it is as section 4.1 wants it. */
	fuzz_check(get16(d + 18) == 0 && crypto_is_zero(d + 148, n - 164));
	fuzz_check(memcmp(session_sender_id(d), sender->pub.id, KEY_ID_LEN) == 0);
}

static void hello_made_right(uint8_t *d, size_t n)
{
	if (n < SESSION_HELLO_MIN)
		return;
	memcpy(d + 20, sender->pub.id, KEY_ID_LEN);
	memcpy(d + 28, receiver->pub.id, KEY_ID_LEN);
	memset(d + 36, 0, KEY_ID_LEN);
	crypto_sign_message(d + 84, sender->sign, "katamichi v1 hello", d, 84);
	tag_hello_make(d, n, hello_key);
	fuzz_check(tag_hello_verify(d, n, hello_key) == 0);
	hello(d, n);
}

static void beat(const uint8_t *d, size_t n)
{
	struct beat b;

	if (beat_open(&b, d, n, beat_key, &sender->pub) != 0)
		return;
	fuzz_check(b.count <= beat_capacity(n) && b.count <= BEAT_ENTRIES_MAX);
	for (uint32_t i = 0; i < b.count; i++)
		fuzz_check(name_channel_ok(b.entry[i].channel, strlen(b.entry[i].channel)) && b.entry[i].oldest <= b.entry[i].newest);
}

/* The input as the body of a beat, signed and sealed. */
static void beat_made_right(uint8_t *d, size_t n)
{
	static const uint8_t nonce[AEAD_NONCE_LEN];
	uint8_t msg[KEY_ID_LEN + FRAME_MAX_LEN], key[KEY_LEN], *body = msg + KEY_ID_LEN;

	if (n < FRAME_MIN_LEN || n > FRAME_MAX_LEN)
		return;
	size_t len = n - 84;

	memcpy(msg, sender->pub.id, KEY_ID_LEN);
	memcpy(body, d + 52, len);
	crypto_sign_message(body + len - SIGN_LEN, sender->sign, "katamichi v1 beat", msg, KEY_ID_LEN + len - SIGN_LEN);
	put16(d + 18, 0);
	fuzz_check(crypto_hkdf(key, KEY_LEN, beat_key, KEY_LEN, d + 20, 32, "katamichi v1 beat", 17) == 0);
	struct crypto_aead *a = crypto_aead_new(SUITE_CHACHA20POLY1305, key);

	fuzz_check(a != NULL && crypto_aead_seal(a, d + 52, nonce, NULL, 0, body, len) == 0);
	crypto_aead_free(a);
	beat(d, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (sender == NULL)
		start();
	uint8_t *copy = malloc(size > 0 ? size : 1);

	fuzz_check(copy != NULL);
	hello(data, size);
	beat(data, size);
	if (size > 0)
		memcpy(copy, data, size);
	hello_made_right(copy, size);
	if (size > 0)
		memcpy(copy, data, size);
	beat_made_right(copy, size);
	free(copy);
	return 0;
}
