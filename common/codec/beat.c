/* beat.c - the signed heartbeat (beat.h; PROTOCOL.md, section 4.6). */
#include "codec/beat.h"

#include <string.h>

#include "core/bytes.h"

enum {
	SALT_LEN = 32,
	AT_SALT = BEAT_AT + 2 /* reserved */,
	AT_BODY = AT_SALT + SALT_LEN, /* 52 */
	OUTSIDE = AT_BODY + AEAD_TAG_LEN + FRAME_TAG_LEN, /* 84: the body has n - 84 bytes */
	BODY_HEAD = 8 /* counter */ + 8 /* time */ + 2 /* entries */ + 2 /* flags */,
	BODY_MAX = FRAME_MAX_LEN - OUTSIDE,
};
_Static_assert(OUTSIDE == 84, "PROTOCOL.md, section 4.6");
_Static_assert(FRAME_MIN_LEN - OUTSIDE - SIGN_LEN - BODY_HEAD >= BEAT_ENTRY_LEN, "the smallest session has room for one");

static const char beat_context[] = "katamichi v1 beat";

uint32_t beat_capacity(size_t n)
{
	if (n < FRAME_MIN_LEN || n > FRAME_MAX_LEN)
		return 0;
	size_t room = (n - OUTSIDE - SIGN_LEN - BODY_HEAD) / BEAT_ENTRY_LEN;

	return room < BEAT_ENTRIES_MAX ? (uint32_t)room : BEAT_ENTRIES_MAX;
}

/* The key of one beat; each salt makes another, so the nonce can be zero. */
static struct crypto_aead *beat_aead(const uint8_t *beat_key, const uint8_t *salt)
{
	static const char info[] = "katamichi v1 beat";
	uint8_t key[KEY_LEN];
	struct crypto_aead *a = NULL;

	if (crypto_hkdf(key, sizeof(key), beat_key, KEY_LEN, salt, SALT_LEN, info, sizeof(info) - 1) == 0)
		a = crypto_aead_new(SUITE_CHACHA20POLY1305, key);
	crypto_wipe(key, sizeof(key));
	return a;
}

static void put_entry(uint8_t *p, const struct beat_entry *e)
{
	memcpy(p, e->channel, strnlen(e->channel, NAME_CHANNEL_MAX)); /* zeros after it are there */
	memcpy(p + 32, e->generation, sizeof(e->generation));
	put64(p + 48, e->newest);
	put64(p + 56, e->oldest);
}

int beat_make(uint8_t *d, size_t n, const struct beat *b, const uint8_t beat_key[static KEY_LEN],
    const struct party_secret *sender)
{
	static const uint8_t nonce[AEAD_NONCE_LEN];
	uint8_t msg[KEY_ID_LEN + BODY_MAX], *body = msg + KEY_ID_LEN;

	if (b->count > beat_capacity(n) || n < FRAME_MIN_LEN || n > FRAME_MAX_LEN)
		return -1;
	size_t len = n - OUTSIDE;

	memcpy(msg, sender->pub.id, KEY_ID_LEN);
	memset(body, 0, len);
	put64(body, b->counter);
	put64(body + 8, b->time_ms);
	put16(body + 16, (uint16_t)b->count);
	put16(body + 18, b->flags);
	for (uint32_t i = 0; i < b->count; i++)
		put_entry(body + BODY_HEAD + (size_t)i * BEAT_ENTRY_LEN, &b->entry[i]);
	crypto_sign_message(body + len - SIGN_LEN, sender->sign, beat_context, msg, KEY_ID_LEN + len - SIGN_LEN);

	put16(d + BEAT_AT, 0);
	crypto_random(d + AT_SALT, SALT_LEN);
	struct crypto_aead *a = beat_aead(beat_key, d + AT_SALT);
	int r = a != NULL ? crypto_aead_seal(a, d + AT_BODY, nonce, NULL, 0, body, len) : -1;

	crypto_aead_free(a);
	return r;
}

static int get_entry(struct beat_entry *e, const uint8_t *p)
{
	size_t n = strnlen((const char *)p, NAME_CHANNEL_MAX);

	if (!name_channel_ok((const char *)p, n) || !crypto_is_zero(p + n, NAME_CHANNEL_MAX - n))
		return -1;
	memset(e, 0, sizeof(*e));
	memcpy(e->channel, p, n);
	memcpy(e->generation, p + 32, sizeof(e->generation));
	e->newest = get64(p + 48);
	e->oldest = get64(p + 56);
	return e->oldest <= e->newest ? 0 : -1;
}

/* The body, whose signature is right.  A sender that is not itself any more
 * may have signed anything: every field is still checked. */
static int get_body(struct beat *b, const uint8_t *body, size_t len, uint32_t capacity)
{
	b->counter = get64(body);
	b->time_ms = get64(body + 8);
	b->count = get16(body + 16);
	b->flags = get16(body + 18);
	if (b->count > capacity || (b->flags & ~BEAT_DISK) != 0)
		return -1;
	size_t used = BODY_HEAD + (size_t)b->count * BEAT_ENTRY_LEN;

	for (uint32_t i = 0; i < b->count; i++)
		if (get_entry(&b->entry[i], body + BODY_HEAD + (size_t)i * BEAT_ENTRY_LEN) != 0)
			return -1;
	return crypto_is_zero(body + used, len - SIGN_LEN - used) ? 0 : -1;
}

int beat_open(struct beat *b, const uint8_t *d, size_t n, const uint8_t beat_key[static KEY_LEN],
    const struct party *sender)
{
	static const uint8_t nonce[AEAD_NONCE_LEN];
	uint8_t msg[KEY_ID_LEN + BODY_MAX], *body = msg + KEY_ID_LEN;
	int r = -1;

	if (n < FRAME_MIN_LEN || n > FRAME_MAX_LEN || get16(d + BEAT_AT) != 0)
		return -1;
	size_t len = n - OUTSIDE;
	struct crypto_aead *a = beat_aead(beat_key, d + AT_SALT);

	if (a == NULL)
		return -1;
	memcpy(msg, sender->id, KEY_ID_LEN);
	if (crypto_aead_open(a, body, nonce, NULL, 0, d + AT_BODY, len + AEAD_TAG_LEN) == 0 &&
	    crypto_verify_message(body + len - SIGN_LEN, sender->sign, beat_context, msg, KEY_ID_LEN + len - SIGN_LEN) == 0)
		r = get_body(b, body, len, beat_capacity(n));
	crypto_aead_free(a);
	return r;
}
