/* open.c - reading sealed objects (seal.h; PROTOCOL.md, section 5).
 *
 * Nothing is allocated by a length from the wire: the one buffer is a segment,
 * whose size is one of nine. */
#include <stdlib.h>
#include <string.h>

#include "codec/seal.h"
#include "codec/seal_keys.h"
#include "core/bytes.h"

enum state { HEADER, SEGMENTS, ENDED };

struct open {
	const struct party_secret *receiver;
	const struct party_secret *const *retired;
	unsigned retired_count;
	unsigned key;         /* that it opened with */
	const struct party *const *senders;
	unsigned count;
	struct seal_inner *inner;
	seal_sink *sink;
	void *ctx;
	open_room *room;      /* or NULL */
	struct crypto_aead *aead;
	enum state state;
	enum open_err failed; /* sticky */
	int has_psk;
	uint8_t psk[KEY_LEN];
	size_t segment;       /* bytes of a full one */
	uint64_t number;      /* of the next segment */
	uint8_t *buf;         /* segment + tag; opened in place */
	size_t have;          /* ciphertext in buf */
	size_t used;          /* how much of buf ever held plaintext: to be wiped */
	uint8_t header[SEAL_HEADER_MAX];
	size_t header_have;
	uint8_t header_hash[HASH_LEN];
	uint8_t dh[KEY_LEN];         /* secrets of unwrap(), which wipes them */
	uint8_t object_key[KEY_LEN];
};

struct open *open_begin(const struct party_secret *receiver, const struct party *const *senders, unsigned count,
    const uint8_t *psk, struct seal_inner *inner, seal_sink *sink, void *ctx)
{
	struct open *o = crypto_secret_alloc(sizeof(*o));

	if (o == NULL)
		return NULL;
	o->receiver = receiver;
	o->senders = senders;
	o->count = count;
	o->inner = inner;
	o->sink = sink;
	o->ctx = ctx;
	o->has_psk = psk != NULL;
	if (psk != NULL)
		memcpy(o->psk, psk, KEY_LEN);
	return o;
}

void open_retired(struct open *o, const struct party_secret *const *retired, unsigned count)
{
	o->retired = retired;
	o->retired_count = count;
}

void open_into(struct open *o, open_room *room)
{
	o->room = room;
}

unsigned open_key(const struct open *o)
{
	return o->key;
}

static enum crypto_suite suite(const struct open *o)
{
	return get16(o->header + SEAL_AT_SUITE) == SUITE_AES256GCM ? SUITE_AES256GCM : SUITE_CHACHA20POLY1305;
}

static size_t header_len(const struct open *o)
{
	return SEAL_FIXED_LEN + (size_t)o->header[SEAL_AT_WRAPS] * SEAL_WRAP_LEN;
}

/* The first 72 bytes are there. */
static enum open_err check_fixed(const struct open *o)
{
	const uint8_t *h = o->header;
	unsigned s = get16(h + SEAL_AT_SUITE);

	if (memcmp(h, seal_magic, sizeof(seal_magic)) != 0 || (s != SUITE_AES256GCM && s != SUITE_CHACHA20POLY1305))
		return OPEN_EFORMAT;
	if (h[SEAL_AT_SEGMENT_LOG] < SEAL_SEGMENT_LOG_MIN || h[SEAL_AT_SEGMENT_LOG] > SEAL_SEGMENT_LOG_MAX)
		return OPEN_EFORMAT;
	if (h[SEAL_AT_WRAPS] < 1 || h[SEAL_AT_WRAPS] > SEAL_WRAPS_MAX || get32(h + SEAL_AT_RESERVED) != 0)
		return OPEN_EFORMAT;
	return OPEN_OK;
}

static enum open_err unwrap_one(struct open *o, const struct party *me, const uint8_t *wrap)
{
	static const uint8_t nonce[AEAD_NONCE_LEN];
	struct crypto_aead *a = seal_wrap_aead(suite(o), o->dh, o->has_psk ? o->psk : NULL, o->header, me);
	enum open_err r = OPEN_ENOKEY;

	if (a == NULL)
		return OPEN_ENOMEM;
	if (crypto_aead_open(a, o->object_key, nonce, me->id, KEY_ID_LEN, wrap + KEY_ID_LEN, KEY_LEN + AEAD_TAG_LEN) == 0) {
		o->aead = seal_payload_aead(suite(o), o->object_key, o->header_hash);
		r = o->aead != NULL ? OPEN_OK : OPEN_ENOMEM;
	}
	crypto_aead_free(a);
	return r;
}

/* Is a key wrapped to this one of ours?  Then open it. */
static enum open_err unwrap_with(struct open *o, const struct party_secret *me)
{
	enum open_err r = OPEN_ENOKEY;

	for (unsigned i = 0; i < o->header[SEAL_AT_WRAPS] && r == OPEN_ENOKEY; i++) {
		const uint8_t *wrap = o->header + SEAL_FIXED_LEN + i * SEAL_WRAP_LEN;

		if (memcmp(wrap, me->pub.id, KEY_ID_LEN) == 0 && crypto_dh(o->dh, me->dh, o->header + SEAL_AT_EPHEMERAL) == 0)
			r = unwrap_one(o, &me->pub, wrap);
	}
	return r;
}

/* Find our wrapped key and open it. */
static enum open_err unwrap(struct open *o)
{
	uint8_t psk_id[KEY_ID_LEN];
	enum open_err r;

	if (party_psk_id(psk_id, o->has_psk ? o->psk : NULL) != 0 ||
	    memcmp(psk_id, o->header + SEAL_AT_PSK, KEY_ID_LEN) != 0)
		return OPEN_ENOKEY;
	o->key = 0;
	r = unwrap_with(o, o->receiver);
	while (r == OPEN_ENOKEY && o->key < o->retired_count)
		r = unwrap_with(o, o->retired[o->key++]);
	crypto_wipe(o->dh, KEY_LEN);
	crypto_wipe(o->object_key, KEY_LEN);
	return r;
}

static enum open_err end_header(struct open *o)
{
	crypto_sha256(o->header_hash, o->header, o->header_have);
	enum open_err r = unwrap(o);

	if (r != OPEN_OK)
		return r;
	o->segment = (size_t)1 << o->header[SEAL_AT_SEGMENT_LOG];
	o->buf = malloc(o->segment + AEAD_TAG_LEN);
	o->state = SEGMENTS;
	return o->buf != NULL ? OPEN_OK : OPEN_ENOMEM;
}

/* Collect the clear header; *used of data were taken. */
static enum open_err read_header(struct open *o, const uint8_t *data, size_t n, size_t *used)
{
	size_t need = o->header_have < SEAL_FIXED_LEN ? SEAL_FIXED_LEN : header_len(o);
	size_t take = need - o->header_have < n ? need - o->header_have : n;

	memcpy(o->header + o->header_have, data, take);
	o->header_have += take;
	*used = take;
	if (o->header_have < need)
		return OPEN_OK;
	if (need == SEAL_FIXED_LEN) /* w >= 1 wraps follow, so this is not the end */
		return check_fixed(o);
	return end_header(o);
}

/* The inner header at the front of the first segment, which is authentic; but
 * whoever seals to us can make that, so only the signature says who did. */
static enum open_err read_inner(struct open *o, const uint8_t *b, size_t n)
{
	const struct party *sender = NULL;
	uint8_t msg[SEAL_SIGNED_LEN];

	if (n < SEAL_INNER_LEN)
		return OPEN_EFORMAT;
	for (unsigned i = 0; i < o->count; i++)
		if (memcmp(o->senders[i]->id, b + INNER_AT_SENDER, KEY_ID_LEN) == 0)
			sender = o->senders[i];
	if (sender == NULL)
		return OPEN_ESENDER;
	seal_signed(msg, o->header_hash, b);
	if (crypto_verify_message(b + INNER_AT_SIGNATURE, sender->sign, SEAL_CONTEXT, msg, sizeof(msg)) != 0)
		return OPEN_ESIGN;

	const uint8_t *channel = b + INNER_AT_CHANNEL;
	size_t len = strnlen((const char *)channel, NAME_CHANNEL_MAX);

	if (!name_channel_ok((const char *)channel, len) || !crypto_is_zero(channel + len, NAME_CHANNEL_MAX - len) ||
	    !crypto_is_zero(b + INNER_AT_RESERVED, INNER_AT_SIGNATURE - INNER_AT_RESERVED))
		return OPEN_EFORMAT;
	memset(o->inner, 0, sizeof(*o->inner));
	memcpy(o->inner->sender, b + INNER_AT_SENDER, KEY_ID_LEN);
	memcpy(o->inner->generation, b + INNER_AT_GENERATION, SEAL_GENERATION_LEN);
	o->inner->created_ms = get64(b + INNER_AT_CREATED);
	memcpy(o->inner->channel, channel, len);
	return OPEN_OK;
}

/* One segment of n bytes with its tag (n >= AEAD_TAG_LEN) at in, which may be o->buf. */
static enum open_err open_segment(struct open *o, const uint8_t *in, size_t n, int last)
{
	uint8_t nonce[AEAD_NONCE_LEN];
	size_t plain = n - AEAD_TAG_LEN, skip = 0;
	uint8_t *out = o->room != NULL && o->number > 0 && plain > 0 ? o->room(o->ctx, plain) : NULL;

	seal_nonce(nonce, o->number, last);
	if (out == NULL)
		out = o->buf;
	if (out == o->buf && o->used < plain)
		o->used = plain;
	if (crypto_aead_open(o->aead, out, nonce, NULL, 0, in, n) != 0)
		return OPEN_EAUTH;
	if (o->number++ == 0) {
		enum open_err r = read_inner(o, out, plain);

		if (r != OPEN_OK)
			return r;
		skip = SEAL_INNER_LEN;
	}
	if (plain > skip && o->sink(o->ctx, out + skip, plain - skip) != 0)
		return OPEN_ESINK;
	return OPEN_OK;
}

/* Collect segments; a full one is opened when another byte follows, since only then it is not the last. */
static enum open_err read_segments(struct open *o, const uint8_t *data, size_t n, size_t *used)
{
	const size_t full = o->segment + AEAD_TAG_LEN;

	*used = 0;
	if (o->have == full) {
		o->have = 0;
		return open_segment(o, o->buf, full, 0);
	}
	if (o->have == 0 && n > full) { /* without a copy */
		*used = full;
		return open_segment(o, data, full, 0);
	}
	size_t take = full - o->have < n ? full - o->have : n;

	memcpy(o->buf + o->have, data, take);
	o->have += take;
	*used = take;
	return OPEN_OK;
}

enum open_err open_write(struct open *o, const void *data, size_t n)
{
	const uint8_t *p = data;

	if (o->failed == OPEN_OK && o->state == ENDED && n > 0)
		o->failed = OPEN_EAUTH;
	while (o->failed == OPEN_OK && n > 0) {
		size_t used;

		o->failed = o->state == HEADER ? read_header(o, p, n, &used) : read_segments(o, p, n, &used);
		p += used;
		n -= used;
	}
	return o->failed;
}

enum open_err open_end(struct open *o)
{
	if (o->failed != OPEN_OK || o->state == ENDED)
		return o->failed;
	if (o->state == HEADER)
		o->failed = OPEN_EFORMAT;
	else if (o->have < AEAD_TAG_LEN)
		o->failed = OPEN_EAUTH;
	else
		o->failed = open_segment(o, o->buf, o->have, 1);
	o->state = ENDED;
	return o->failed;
}

const uint8_t *open_object_id(const struct open *o)
{
	return o->header + SEAL_AT_ID;
}

void open_free(struct open *o)
{
	if (o == NULL)
		return;
	if (o->buf != NULL)
		crypto_wipe(o->buf, o->used);
	free(o->buf);
	crypto_aead_free(o->aead);
	crypto_secret_free(o);
}

const char *open_strerror(enum open_err e)
{
	switch (e) {
	case OPEN_OK:
		return "no error";
	case OPEN_EFORMAT:
		return "not a sealed object of this version, or damaged";
	case OPEN_ENOKEY:
		return "not sealed to this receiver's key, or under another pre-shared key, or damaged";
	case OPEN_EAUTH:
		return "damaged: a part is not authentic, missing or too many";
	case OPEN_ESENDER:
		return "sealed by a sender that is not pinned here";
	case OPEN_ESIGN:
		return "the sender's signature is wrong";
	case OPEN_ENOMEM:
		return "out of memory";
	case OPEN_ESINK:
		return "stopped";
	}
	return "unknown error";
}
