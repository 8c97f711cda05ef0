/* seal.c - writing sealed objects (seal.h; PROTOCOL.md, section 5). */
#include "codec/seal.h"

#include <stdlib.h>
#include <string.h>

#include "codec/seal_keys.h"
#include "core/bytes.h"

struct seal {
	struct crypto_aead *aead;
	seal_sink *sink;
	void *ctx;
	size_t segment;    /* bytes of a full one */
	uint64_t number;   /* of the next segment */
	uint8_t *buf;      /* plaintext of a segment that may be the last; without room, ciphertext too */
	seal_room *room;   /* or NULL */
	int begun;         /* the segment is being sealed as it comes: it is not the last */
	size_t have;       /* bytes of the segment: in buf, or sealed already */
	size_t used;       /* how much of buf ever held plaintext: to be wiped */
	int failed;        /* sticky: what the sink returned, or -1 */
	int ended;
	uint8_t header[SEAL_HEADER_MAX];
	size_t header_len;
	uint8_t header_hash[HASH_LEN];
	/* Secrets; wiped before seal_begin() returns. */
	uint8_t ephemeral[KEY_LEN];
	uint8_t object_key[KEY_LEN];
	uint8_t dh[KEY_LEN];
};

/* Section 5.3: the ephemeral secret and the object key. */
static int draw_keys(struct seal *s, const uint8_t *id, const struct party_secret *sender, const uint8_t *generation)
{
	static const char label[] = "katamichi v1 seal";
	uint8_t info[sizeof(label) - 1 + SEAL_GENERATION_LEN], ikm[2 * KEY_LEN], out[2 * KEY_LEN];

	memcpy(info, label, sizeof(label) - 1);
	memcpy(info + sizeof(label) - 1, generation, SEAL_GENERATION_LEN);
	crypto_random(ikm, KEY_LEN);
	memcpy(ikm + KEY_LEN, sender->dh, KEY_LEN);
	int r = crypto_hkdf(out, sizeof(out), ikm, sizeof(ikm), id, SEAL_ID_LEN, info, sizeof(info));

	memcpy(s->ephemeral, out, KEY_LEN);
	memcpy(s->object_key, out + KEY_LEN, KEY_LEN);
	crypto_wipe(ikm, sizeof(ikm));
	crypto_wipe(out, sizeof(out));
	return r;
}

static int put_wrap(struct seal *s, uint8_t *at, enum crypto_suite suite, const struct party *to, const uint8_t *psk)
{
	static const uint8_t nonce[AEAD_NONCE_LEN];
	struct crypto_aead *a = NULL;
	int r = -1;

	memcpy(at, to->id, KEY_ID_LEN);
	if (crypto_dh(s->dh, s->ephemeral, to->dh) == 0)
		a = seal_wrap_aead(suite, s->dh, psk, s->header, to);
	if (a != NULL)
		r = crypto_aead_seal(a, at + KEY_ID_LEN, nonce, to->id, KEY_ID_LEN, s->object_key, KEY_LEN);
	crypto_aead_free(a);
	return r;
}

static int put_header(struct seal *s, enum crypto_suite suite, unsigned segment_log, const uint8_t *id,
    const struct party *const *recipients, unsigned count, const uint8_t *psk)
{
	uint8_t *h = s->header;

	memcpy(h, seal_magic, sizeof(seal_magic));
	put16(h + SEAL_AT_SUITE, (uint16_t)suite);
	h[SEAL_AT_SEGMENT_LOG] = (uint8_t)segment_log;
	h[SEAL_AT_WRAPS] = (uint8_t)count;
	memcpy(h + SEAL_AT_ID, id, SEAL_ID_LEN);
	crypto_dh_public(h + SEAL_AT_EPHEMERAL, s->ephemeral);
	if (party_psk_id(h + SEAL_AT_PSK, psk) != 0)
		return -1;
	for (unsigned i = 0; i < count; i++)
		if (put_wrap(s, h + SEAL_FIXED_LEN + i * SEAL_WRAP_LEN, suite, recipients[i], psk) != 0)
			return -1;
	s->header_len = SEAL_FIXED_LEN + count * SEAL_WRAP_LEN;
	crypto_sha256(s->header_hash, h, s->header_len);
	return 0;
}

static int put_inner(struct seal *s, const struct party_secret *sender, struct seal_inner *inner)
{
	uint8_t b[SEAL_INNER_LEN] = {0}, msg[SEAL_SIGNED_LEN];

	memcpy(inner->sender, sender->pub.id, KEY_ID_LEN);
	memcpy(b + INNER_AT_SENDER, inner->sender, KEY_ID_LEN);
	memcpy(b + INNER_AT_GENERATION, inner->generation, SEAL_GENERATION_LEN);
	put64(b + INNER_AT_CREATED, inner->created_ms);
	memcpy(b + INNER_AT_CHANNEL, inner->channel, strnlen(inner->channel, NAME_CHANNEL_MAX));
	seal_signed(msg, s->header_hash, b);
	crypto_sign_message(b + INNER_AT_SIGNATURE, sender->sign, SEAL_CONTEXT, msg, sizeof(msg));
	return seal_write(s, b, sizeof(b));
}

struct seal *seal_begin(enum crypto_suite suite, unsigned segment_log, const uint8_t id[static SEAL_ID_LEN],
    const struct party_secret *sender, const struct party *const *recipients, unsigned count, const uint8_t *psk,
    struct seal_inner *inner, seal_sink *sink, void *ctx)
{
	if (segment_log < SEAL_SEGMENT_LOG_MIN || segment_log > SEAL_SEGMENT_LOG_MAX || count < 1 ||
	    count > SEAL_WRAPS_MAX || !name_channel_ok(inner->channel, strnlen(inner->channel, sizeof(inner->channel))))
		return NULL;
	struct seal *s = crypto_secret_alloc(sizeof(*s));

	if (s == NULL)
		return NULL;
	s->sink = sink;
	s->ctx = ctx;
	s->segment = (size_t)1 << segment_log;
	s->buf = malloc(s->segment);
	if (s->buf == NULL || draw_keys(s, id, sender, inner->generation) != 0 ||
	    put_header(s, suite, segment_log, id, recipients, count, psk) != 0)
		goto free_seal;
	s->aead = seal_payload_aead(suite, s->object_key, s->header_hash);
	/* A crash from here on cannot be resumed under these keys, and shall not be (5.3). */
	crypto_wipe(s->ephemeral, KEY_LEN);
	crypto_wipe(s->object_key, KEY_LEN);
	crypto_wipe(s->dh, KEY_LEN);
	if (s->aead == NULL || sink(ctx, s->header, s->header_len) != 0 || put_inner(s, sender, inner) != 0)
		goto free_seal;
	return s;

free_seal:
	seal_free(s);
	return NULL;
}

void seal_into(struct seal *s, seal_room *room)
{
	s->room = room;
}

/* Seal in[0..n-1], which may lie in s->buf, and have it leave. */
static int put(struct seal *s, const uint8_t *in, size_t n)
{
	while (s->failed == 0 && n > 0) {
		size_t part = s->segment;
		uint8_t *out = s->room != NULL ? s->room(s->ctx, &part) : s->buf;

		part = part < n ? part : n;
		s->failed = crypto_aead_seal_add(s->aead, out, in, part) != 0 ? -1 : s->sink(s->ctx, out, part);
		in += part;
		n -= part;
	}
	return s->failed;
}

static int begin_segment(struct seal *s, int last)
{
	uint8_t nonce[AEAD_NONCE_LEN];

	seal_nonce(nonce, s->number++, last);
	return s->failed = crypto_aead_seal_begin(s->aead, nonce);
}

static int end_segment(struct seal *s)
{
	uint8_t tag[AEAD_TAG_LEN];

	s->begun = 0;
	s->have = 0;
	return s->failed = crypto_aead_seal_end(s->aead, tag) != 0 ? -1 : s->sink(s->ctx, tag, sizeof(tag));
}

/* What waited in s->buf. */
static int emit(struct seal *s, int last)
{
	return begin_segment(s, last) != 0 || put(s, s->buf, s->have) != 0 ? s->failed : end_segment(s);
}

/* The segment's next bytes: to be kept, or sealed at once. */
static int take(struct seal *s, const uint8_t *p, size_t n)
{
	if (!s->begun)
		memcpy(s->buf + s->have, p, n);
	s->have += n;
	if (!s->begun && s->used < s->have)
		s->used = s->have;
	return s->begun ? put(s, p, n) : 0;
}

int seal_write_more(struct seal *s, const void *data, size_t n, uint64_t more)
{
	const uint8_t *p = data;

	if (s->ended)
		return -1;
	/* A full segment is sealed only when another byte follows it: only then is it known not to be the last. */
	while (s->failed == 0 && n > 0) {
		if (s->have == s->segment && (s->begun ? end_segment(s) : emit(s, 0)) != 0)
			break;
		if (s->have == 0 && (n > s->segment || more > s->segment)) {
			if (begin_segment(s, 0) != 0)
				break;
			s->begun = 1;
		}
		size_t part = s->segment - s->have < n ? s->segment - s->have : n;

		if (take(s, p, part) != 0)
			break;
		p += part;
		n -= part;
	}
	return s->failed;
}

int seal_write(struct seal *s, const void *data, size_t n)
{
	return seal_write_more(s, data, n, 0);
}

int seal_end(struct seal *s)
{
	if (s->failed != 0 || s->ended)
		return s->failed != 0 ? s->failed : -1;
	s->ended = 1;
	if (s->begun)
		s->failed = -1; /* a promise was broken */
	return s->begun ? -1 : emit(s, 1);
}

uint64_t seal_object_max(uint64_t bytes)
{
	/* What does not compress grows: zstd frames, records, a tag for each
	 * segment, the manifest.  2 % and 64 MiB are more than all of it. */
	return bytes + bytes / 50 + (64 << 20);
}

void seal_free(struct seal *s)
{
	if (s == NULL)
		return;
	if (s->buf != NULL)
		crypto_wipe(s->buf, s->used);
	free(s->buf);
	crypto_aead_free(s->aead);
	crypto_secret_free(s);
}
