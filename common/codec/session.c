/* session.c - HELLO and the keys of a session (session.h; PROTOCOL.md, section 4). */
#include "codec/session.h"

#include <string.h>

#include "codec/tag.h"
#include "core/bytes.h"

enum { /* section 4.1 */
	AT_RESERVED = FRAME_HEAD_LEN,
	AT_SENDER = SESSION_AT_SENDER,
	AT_RECEIVER = AT_SENDER + KEY_ID_LEN,
	AT_PSK = AT_RECEIVER + KEY_ID_LEN,
	AT_CREATED = AT_PSK + KEY_ID_LEN,
	AT_EPHEMERAL = AT_CREATED + 8,
	AT_SIGNATURE = AT_EPHEMERAL + KEY_LEN, /* 84: what comes before is signed */
	AT_PADDING = AT_SIGNATURE + SIGN_LEN,
};
_Static_assert(AT_PADDING == 148 && AT_PADDING + FRAME_TAG_LEN == SESSION_HELLO_MIN, "PROTOCOL.md, section 4.1");

static const char hello_context[] = "katamichi v1 hello";

/* DH results and the pre-shared key, one after the other: secret. */
struct material {
	uint8_t b[3 * KEY_LEN];
	size_t n;
};

static int add_dh(struct material *m, const uint8_t *secret, const uint8_t *pub)
{
	int r = crypto_dh(m->b + m->n, secret, pub);

	m->n += KEY_LEN;
	return r;
}

static void add_psk(struct material *m, const uint8_t *psk)
{
	if (psk == NULL)
		return;
	memcpy(m->b + m->n, psk, KEY_LEN);
	m->n += KEY_LEN;
}

int session_hello_key(uint8_t out[static KEY_LEN], const struct party_secret *mine, const struct party *peer,
    const uint8_t *psk)
{
	static const char label[] = "katamichi v1 hello key";
	uint8_t info[sizeof(label) - 1 + 2 * HASH_LEN];
	int i_send = mine->pub.role == PARTY_SENDER;
	struct material m = {.n = 0};
	int r = -1;

	if (mine->pub.role == peer->role)
		return -1;
	memcpy(info, label, sizeof(label) - 1);
	memcpy(info + sizeof(label) - 1, (i_send ? &mine->pub : peer)->fingerprint, HASH_LEN);
	memcpy(info + sizeof(label) - 1 + HASH_LEN, (i_send ? peer : &mine->pub)->fingerprint, HASH_LEN);
	if (add_dh(&m, mine->dh, peer->dh) == 0) {
		add_psk(&m, psk);
		r = crypto_hkdf(out, KEY_LEN, m.b, m.n, NULL, 0, info, sizeof(info));
	}
	crypto_wipe(&m, sizeof(m));
	return r;
}

/* Section 4.3, from the two DH results and psk in *m. */
static int derive(struct session_keys *keys, const struct material *m, const uint8_t *hello)
{
	static const char info[] = "katamichi v1 session";
	uint8_t salt[HASH_LEN], out[2 * KEY_LEN];

	crypto_sha256(salt, hello, AT_SIGNATURE);
	int r = crypto_hkdf(out, sizeof(out), m->b, m->n, salt, sizeof(salt), info, sizeof(info) - 1);

	memcpy(keys->tag, out, KEY_LEN);
	memcpy(keys->beat, out + KEY_LEN, KEY_LEN);
	crypto_wipe(out, sizeof(out));
	return r;
}

/* The ephemeral secret.  Fresh randomness would do; the rest is for a machine
 * that was restored with a random pool it has used before: epoch and time,
 * which stand in the HELLO so far, then still make another key. */
static int ephemeral(uint8_t out[static KEY_LEN], const struct party_secret *sender, const uint8_t *hello)
{
	static const char info[] = "katamichi v1 session ephemeral";
	uint8_t ikm[2 * KEY_LEN];

	crypto_random(ikm, KEY_LEN);
	memcpy(ikm + KEY_LEN, sender->dh, KEY_LEN);
	int r = crypto_hkdf(out, KEY_LEN, ikm, sizeof(ikm), hello, AT_EPHEMERAL, info, sizeof(info) - 1);

	crypto_wipe(ikm, sizeof(ikm));
	return r;
}

int session_start(uint8_t *d, size_t n, struct session_keys *keys, const struct party_secret *sender,
    const struct party *receiver, const uint8_t *psk, uint8_t lane, uint32_t epoch, uint64_t now_ms)
{
	const struct frame_head head = {.kind = FRAME_HELLO, .len = (uint16_t)n, .lane = lane, .epoch = epoch};
	uint8_t secret[KEY_LEN], hello_key[KEY_LEN];
	struct material m = {.n = 0};
	int r = -1;

	if (n < FRAME_MIN_LEN || n > FRAME_MAX_LEN)
		return -1;
	memset(d, 0, n);
	frame_put_head(d, &head);
	memcpy(d + AT_SENDER, sender->pub.id, KEY_ID_LEN);
	memcpy(d + AT_RECEIVER, receiver->id, KEY_ID_LEN);
	put64(d + AT_CREATED, now_ms);
	if (party_psk_id(d + AT_PSK, psk) != 0 || ephemeral(secret, sender, d) != 0)
		return -1;
	crypto_dh_public(d + AT_EPHEMERAL, secret);
	crypto_sign_message(d + AT_SIGNATURE, sender->sign, hello_context, d, AT_SIGNATURE);
	if (add_dh(&m, secret, receiver->dh) == 0 && add_dh(&m, sender->dh, receiver->dh) == 0 &&
	    session_hello_key(hello_key, sender, receiver, psk) == 0) {
		tag_hello_make(d, n, hello_key);
		add_psk(&m, psk);
		r = derive(keys, &m, d);
	}
	crypto_wipe(secret, sizeof(secret));
	crypto_wipe(hello_key, sizeof(hello_key));
	crypto_wipe(&m, sizeof(m));
	return r;
}

/* Whose HELLO is it?  All of this is public. */
static enum session_err check_fields(const uint8_t *d, size_t n, const struct party *receiver, const struct party *sender,
    const uint8_t *psk)
{
	uint8_t psk_id[KEY_ID_LEN];
	struct frame_head head;

	if (frame_head(&head, d, n) != FRAME_OK || head.kind != FRAME_HELLO || head.pn != 0)
		return SESSION_EFIELD;
	/* n >= FRAME_MIN_LEN > SESSION_HELLO_MIN, so the subtraction cannot wrap. */
	if (!crypto_is_zero(d + AT_RESERVED, 2) || !crypto_is_zero(d + AT_PADDING, n - SESSION_HELLO_MIN))
		return SESSION_EFIELD;
	if (memcmp(d + AT_SENDER, sender->id, KEY_ID_LEN) != 0 || memcmp(d + AT_RECEIVER, receiver->id, KEY_ID_LEN) != 0)
		return SESSION_EPEER;
	if (party_psk_id(psk_id, psk) != 0 || memcmp(d + AT_PSK, psk_id, KEY_ID_LEN) != 0)
		return SESSION_EPEER;
	return SESSION_OK;
}

enum session_err session_accept(const uint8_t *d, size_t n, struct session_keys *keys,
    const struct party_secret *receiver, const struct party *sender, const uint8_t *psk)
{
	enum session_err r = check_fields(d, n, &receiver->pub, sender, psk);
	struct material m = {.n = 0};
	uint8_t hello_key[KEY_LEN];

	if (r != SESSION_OK)
		return r;
	r = SESSION_ESIGN;
	/* The tag first: it costs a fraction of the signature, and a stranger cannot make one. */
	if (session_hello_key(hello_key, receiver, sender, psk) == 0 && tag_hello_verify(d, n, hello_key) == 0 &&
	    crypto_verify_message(d + AT_SIGNATURE, sender->sign, hello_context, d, AT_SIGNATURE) == 0 &&
	    add_dh(&m, receiver->dh, d + AT_EPHEMERAL) == 0 && add_dh(&m, receiver->dh, sender->dh) == 0) {
		add_psk(&m, psk);
		if (derive(keys, &m, d) == 0)
			r = SESSION_OK;
	}
	crypto_wipe(hello_key, sizeof(hello_key));
	crypto_wipe(&m, sizeof(m));
	return r;
}
