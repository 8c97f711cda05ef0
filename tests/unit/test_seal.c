/* seal.h: both directions against the vectors, in pieces of any size, and everything that must not open. */
#include "tests/unit/vectors.h"

#include "codec/seal.h"
#include "codec/seal_keys.h"
#include "core/bytes.h"
#include "tests/unit/fixed_random.h"
#include "tests/unit/seeded.h"

static struct party_secret *sender, *receiver, *recovery, *stranger;

struct buffer {
	uint8_t *b;
	size_t n, room, stop_at; /* stop_at: sink fails once so many bytes are there; 0 = never */
};

static int collect(void *ctx, const uint8_t *data, size_t n)
{
	struct buffer *o = ctx;

	assert_true(o->n + n <= o->room);
	if (data != o->b + o->n)
		memcpy(o->b + o->n, data, n);
	o->n += n;
	return o->stop_at != 0 && o->n >= o->stop_at ? 42 : 0;
}

/* Ciphertext goes where it will lie. */
static uint8_t *in_place(void *ctx, size_t *n)
{
	struct buffer *o = ctx;
	size_t left = o->room - o->n, some = 1 + seeded_below(9000);

	assert_true(left > 0);
	*n = some < left ? some : left;
	return o->b + o->n;
}

static struct buffer buffer(size_t room)
{
	return (struct buffer){vector_keep(room), 0, room, 0};
}

static const uint8_t *psk_of(struct vector v)
{
	return v.n == 0 ? NULL : v.b;
}

static struct seal_inner inner_of_vectors(void)
{
	struct seal_inner inner = {.created_ms = 1795228000123, .channel = "eltax"};

	memcpy(inner.generation, vector_get("object", "generation").b, SEAL_GENERATION_LEN);
	return inner;
}

/* Room for a whole segment, or at times none. */
static uint8_t *segment_room(void *ctx, size_t n)
{
	struct buffer *o = ctx;

	return o->room - o->n < n || seeded_below(4) == 0 ? NULL : o->b + o->n;
}

/* Open data in pieces of `piece` bytes (0: random sizes) into *out. */
static enum open_err open_pieces(const struct party_secret *as, const uint8_t *psk, const uint8_t *data, size_t n,
    size_t piece, struct seal_inner *inner, struct buffer *out)
{
	const struct party *const pinned[] = {&receiver->pub, &sender->pub};
	struct open *o = open_begin(as, pinned, 2, psk, inner, collect, out);
	enum open_err e = OPEN_OK;

	assert_non_null(o);
	if (seeded_below(2) == 0)
		open_into(o, segment_room);
	for (size_t at = 0; at < n && e == OPEN_OK;) {
		size_t take = piece != 0 ? piece : 1 + seeded_below(9000);

		take = take < n - at ? take : n - at;
		e = open_write(o, data + at, take);
		at += take;
	}
	if (e == OPEN_OK) {
		e = open_end(o);
		assert_int_equal(open_end(o), e); /* sticky */
	} else {
		assert_int_equal(open_end(o), e);
		assert_int_equal(open_write(o, data, 1), e);
	}
	if (e == OPEN_OK)
		assert_memory_equal(open_object_id(o), data + 16, SEAL_ID_LEN);
	open_free(o);
	return e;
}

static const struct { const char *name; enum crypto_suite suite; unsigned log; } objects[] = {
	{"gcm", SUITE_AES256GCM, 12}, {"chacha", SUITE_CHACHA20POLY1305, 12}, {"one_segment", SUITE_AES256GCM, 20},
	{"exact", SUITE_AES256GCM, 12},
};

static void vectors_open(void **state)
{
	static const size_t pieces[] = {1, 16, 71, 72, 4095, 4096, 4112, 4113, 1 << 22, 0};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		const char *name = i < 4 ? objects[i].name : "empty_last"; /* which only other writers make */
		struct vector object = vector_of("object", name, "object"), frame = vector_of("object", name, "frame");
		struct seal_inner want = inner_of_vectors();

		for (size_t j = 0; j < sizeof(pieces) / sizeof(pieces[0]); j++) {
			struct buffer out = buffer(frame.n);
			struct seal_inner inner;

			assert_int_equal(open_pieces(receiver, psk_of(vector_of("object", name, "psk")), object.b, object.n,
			    pieces[j], &inner, &out), OPEN_OK);
			assert_vector(frame, out.b, out.n);
			assert_string_equal(inner.channel, want.channel);
			assert_memory_equal(inner.generation, want.generation, SEAL_GENERATION_LEN);
			assert_memory_equal(inner.sender, sender->pub.id, KEY_ID_LEN);
			assert_int_equal(inner.created_ms, want.created_ms);
		}
	}
}

/* The recovery key opens what names it, and nothing else. */
static void recovery_key(void **state)
{
	struct vector both = vector_get("object", "chacha.object"), one = vector_get("object", "gcm.object");
	struct vector psk = vector_get("object", "chacha.psk");
	struct buffer out = buffer(both.n);
	struct seal_inner inner;

	(void)state;
	assert_int_equal(open_pieces(recovery, psk.b, both.b, both.n, 0, &inner, &out), OPEN_OK);
	assert_int_equal(open_pieces(recovery, NULL, one.b, one.n, 0, &inner, &out), OPEN_ENOKEY);
}

/* With the same random bytes, sealing gives the vectors byte for byte. */
static void vectors_seal(void **state)
{
	static const size_t pieces[] = {1, 136, 3960, 4096, 4097, 1 << 22};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const char *name = objects[i].name;
		struct vector object = vector_of("object", name, "object"), frame = vector_of("object", name, "frame");
		const struct party *two[] = {&recovery->pub, &receiver->pub}, *one[] = {&receiver->pub};
		int is_two = objects[i].suite == SUITE_CHACHA20POLY1305;

		for (size_t way = 0; way < 4 * sizeof(pieces) / sizeof(pieces[0]); way++) {
			size_t j = way / 4, promise = way % 2, placed = way / 2 % 2;
			struct seal_inner inner = inner_of_vectors();
			struct buffer out = buffer(object.n);

			fixed_random = vector_of("object", name, "r").b;
			struct seal *s = seal_begin(objects[i].suite, objects[i].log, vector_of("object", name, "id").b, sender,
			    is_two ? two : one, is_two ? 2 : 1, psk_of(vector_of("object", name, "psk")), &inner, collect, &out);

			assert_non_null(s);
			if (placed)
				seal_into(s, in_place);
			for (size_t at = 0, n; at < frame.n; at += n) {
				n = pieces[j] < frame.n - at ? pieces[j] : frame.n - at;
				assert_int_equal(seal_write_more(s, frame.b + at, n, promise ? frame.n - at - n : 0), 0);
			}
			assert_int_equal(seal_end(s), 0);
			assert_int_equal(seal_write(s, "x", 1), -1);
			assert_int_equal(seal_end(s), -1);
			seal_free(s);
			assert_vector(object, out.b, out.n);
		}
	}
	fixed_random = NULL;
}

/* What was promised did not come: the segment was sealed as one that another follows. */
static void broken_promise(void **state)
{
	const struct party *to[] = {&receiver->pub};
	uint8_t id[SEAL_ID_LEN] = {2}, byte = 0;

	(void)state;
	for (int placed = 0; placed < 2; placed++) {
		struct seal_inner inner = inner_of_vectors();
		struct buffer out = buffer(65536);
		struct seal *s = seal_begin(SUITE_AES256GCM, 12, id, sender, to, 1, NULL, &inner, collect, &out);

		assert_non_null(s);
		if (placed)
			seal_into(s, in_place);
		for (unsigned i = 0; i < 5000; i++)
			assert_int_equal(seal_write_more(s, &byte, 1, 4097), 0);
		assert_int_equal(seal_end(s), -1);
		assert_int_equal(seal_end(s), -1);
		seal_free(s);
	}
}

/* Every length of payload around the border of a segment, both suites. */
static void borders(void **state)
{
	const struct party *to[] = {&receiver->pub};
	uint8_t id[SEAL_ID_LEN] = {1}, *plain = vector_keep(3 * 4096);

	(void)state;
	seeded_bytes(plain, 3 * 4096);
	for (size_t n = 0; n < 2 * 4096 + 200; n += n % 4096 > 3900 && n % 4096 < 4010 ? 1 : 97) {
		struct seal_inner inner = inner_of_vectors(), got;
		struct buffer out = buffer(n + 1024), back = buffer(n + 1);
		struct seal *s = seal_begin(n % 2 == 0 ? SUITE_AES256GCM : SUITE_CHACHA20POLY1305, 12, id, sender, to, 1, NULL,
		    &inner, collect, &out);

		assert_non_null(s);
		assert_int_equal(seal_write(s, plain, n), 0);
		assert_int_equal(seal_end(s), 0);
		seal_free(s);
		assert_int_equal(open_pieces(receiver, NULL, out.b, out.n, 0, &got, &back), OPEN_OK);
		assert_int_equal(back.n, n);
		assert_memory_equal(back.b, plain, n);
	}
}

/* An object cut anywhere does not open; nor with anything behind it. */
static void cut_or_longer(void **state)
{
	struct vector v = vector_get("object", "gcm.object");
	uint8_t *longer = vector_keep(v.n + 5000);
	struct seal_inner inner;

	(void)state;
	struct buffer out = buffer(v.n + 5000);

	for (size_t n = 0; n < v.n; n++) {
		out.n = 0;
		enum open_err e = open_pieces(receiver, NULL, v.b, n, n % 2 == 0 ? 4096 : 1 << 20, &inner, &out);

		assert_int_equal(e, n < 128 ? OPEN_EFORMAT : OPEN_EAUTH);
	}
	memcpy(longer, v.b, v.n);
	memset(longer + v.n, 0, 5000);
	static const size_t more[] = {1, 15, 16, 17, 4096, 4112, 5000};
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		out.n = 0;
		assert_int_equal(open_pieces(receiver, NULL, longer, v.n + more[i], 0, &inner, &out), OPEN_EAUTH);
	}
}

/* Any bit of header, wrap, segment or tag; only a sample of them behind the first 1,000 bytes. */
static void every_bit_counts(void **state)
{
	struct vector v = vector_get("object", "gcm.object");
	struct seal_inner inner;

	(void)state;
	struct buffer out = buffer(v.n);

	for (size_t i = 0; i < 8 * v.n; i += i < 8000 ? 1 : 61) {
		out.n = 0;
		v.b[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_not_equal(open_pieces(receiver, NULL, v.b, v.n, 1 << 20, &inner, &out), OPEN_OK);
		v.b[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}

/* Segments in another order, twice, or one left out; the middle of another object. */
static void moved_segments(void **state)
{
	const size_t head = 72 + 56, seg = 4096 + 16;
	struct vector v = vector_get("object", "gcm.object"), other = vector_get("object", "stranger.object");
	uint8_t *b = vector_keep(v.n + seg);
	struct buffer out = buffer(v.n + seg);
	struct seal_inner inner;

	(void)state;
	assert_true(v.n > head + 2 * seg);
	memcpy(b, v.b, v.n); /* 0 and 1 change places */
	memcpy(b + head, v.b + head + seg, seg);
	memcpy(b + head + seg, v.b + head, seg);
	assert_int_equal(open_pieces(receiver, NULL, b, v.n, 0, &inner, &out), OPEN_EAUTH);
	memcpy(b, v.b, head + seg); /* 1 is missing */
	memcpy(b + head + seg, v.b + head + 2 * seg, v.n - head - 2 * seg);
	out.n = 0;
	assert_int_equal(open_pieces(receiver, NULL, b, v.n - seg, 0, &inner, &out), OPEN_EAUTH);
	memcpy(b, v.b, head + seg); /* 0 twice */
	memcpy(b + head + seg, v.b + head, v.n - head);
	out.n = 0;
	assert_int_equal(open_pieces(receiver, NULL, b, v.n + seg, 0, &inner, &out), OPEN_EAUTH);
	memcpy(b, v.b, v.n); /* 1 of another object */
	memcpy(b + head + seg, other.b + head + seg, seg);
	out.n = 0;
	assert_int_equal(open_pieces(receiver, NULL, b, v.n, 0, &inner, &out), OPEN_EAUTH);
	memcpy(b, v.b, head); /* the header of one, the segments of another */
	memcpy(b + head, other.b + head, v.n - head);
	out.n = 0;
	assert_int_equal(open_pieces(receiver, NULL, b, v.n, 0, &inner, &out), OPEN_EAUTH);
}

static void wrong_keys(void **state)
{
	struct vector v = vector_get("object", "gcm.object"), with_psk = vector_get("object", "chacha.object");
	struct vector psk = vector_get("object", "chacha.psk");
	struct buffer out = buffer(with_psk.n);
	struct party_secret *half = crypto_secret_alloc(sizeof(*half));
	uint8_t bad_psk[KEY_LEN] = {1};
	struct seal_inner inner;

	(void)state;
	assert_int_equal(open_pieces(stranger, NULL, v.b, v.n, 0, &inner, &out), OPEN_ENOKEY);
	assert_int_equal(open_pieces(receiver, psk.b, v.b, v.n, 0, &inner, &out), OPEN_ENOKEY); /* has one: refuses without */
	assert_int_equal(open_pieces(receiver, NULL, with_psk.b, with_psk.n, 0, &inner, &out), OPEN_ENOKEY);
	assert_int_equal(open_pieces(receiver, bad_psk, with_psk.b, with_psk.n, 0, &inner, &out), OPEN_ENOKEY);
	*half = *receiver; /* the right id, another secret */
	half->dh[5] ^= 1;
	assert_int_equal(open_pieces(half, NULL, v.b, v.n, 0, &inner, &out), OPEN_ENOKEY);
	/* Sealed to us by somebody who is not pinned. */
	v = vector_get("object", "stranger.object");
	assert_int_equal(open_pieces(receiver, NULL, v.b, v.n, 0, &inner, &out), OPEN_ESENDER);
	assert_int_equal(out.n, 0);
	crypto_secret_free(half);
}

/* Somebody who is not pinned seals to us under a pinned sender's name. */
static void borrowed_name(void **state)
{
	const struct party *to[] = {&receiver->pub};
	struct party_secret *liar = crypto_secret_alloc(sizeof(*liar));
	struct seal_inner inner = inner_of_vectors();
	struct buffer out = buffer(8192), back = buffer(8192);
	uint8_t id[SEAL_ID_LEN] = {2};

	(void)state;
	*liar = *stranger;
	memcpy(liar->pub.id, sender->pub.id, KEY_ID_LEN);
	struct seal *s = seal_begin(SUITE_AES256GCM, 12, id, liar, to, 1, NULL, &inner, collect, &out);

	assert_non_null(s);
	assert_int_equal(seal_write(s, "payload", 7), 0);
	assert_int_equal(seal_end(s), 0);
	seal_free(s);
	crypto_secret_free(liar);
	assert_int_equal(open_pieces(receiver, NULL, out.b, out.n, 0, &inner, &back), OPEN_ESIGN);
	assert_int_equal(back.n, 0);
}

/* Fields of the clear header at and beyond their limits: refused before anything is allocated or computed. */
static void header_fields(void **state)
{
	static const struct { size_t at; uint8_t value; } t[] = {
		{0, 'k'}, {7, '2'}, {8, 1}, {9, 0}, {9, 3}, {9, 255}, {10, 11}, {10, 21}, {10, 0}, {10, 255}, {11, 0}, {11, 5},
		{11, 255}, {12, 1}, {15, 1},
	};
	struct vector v = vector_get("object", "gcm.object");
	struct buffer out = buffer(v.n);
	struct seal_inner inner;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint8_t kept = v.b[t[i].at];

		v.b[t[i].at] = t[i].value;
		assert_int_equal(open_pieces(receiver, NULL, v.b, v.n, 1, &inner, &out), OPEN_EFORMAT);
		v.b[t[i].at] = kept;
	}
	memset(v.b + 32, 0, KEY_LEN); /* an ephemeral key of small order */
	assert_int_equal(open_pieces(receiver, NULL, v.b, v.n, 1, &inner, &out), OPEN_ENOKEY);
}

/* An object of one segment with any payload, from the definition: what a pinned sender gone wrong can make. */
static size_t seal_payload(uint8_t *out, const uint8_t *payload, size_t n)
{
	static const uint8_t secret[KEY_LEN] = {5}, object_key[KEY_LEN] = {6};
	uint8_t nonce[AEAD_NONCE_LEN] = {0}, dh[KEY_LEN], hash[HASH_LEN];

	memset(out, 0, SEAL_FIXED_LEN);
	memcpy(out, seal_magic, 8);
	put16(out + SEAL_AT_SUITE, SUITE_AES256GCM);
	out[SEAL_AT_SEGMENT_LOG] = 12;
	out[SEAL_AT_WRAPS] = 1;
	crypto_dh_public(out + SEAL_AT_EPHEMERAL, secret);
	assert_int_equal(crypto_dh(dh, secret, receiver->pub.dh), 0);
	struct crypto_aead *a = seal_wrap_aead(SUITE_AES256GCM, dh, NULL, out, &receiver->pub);

	memcpy(out + 72, receiver->pub.id, KEY_ID_LEN);
	assert_int_equal(crypto_aead_seal(a, out + 80, nonce, receiver->pub.id, KEY_ID_LEN, object_key, KEY_LEN), 0);
	crypto_aead_free(a);
	crypto_sha256(hash, out, 128);
	a = seal_payload_aead(SUITE_AES256GCM, object_key, hash);
	seal_nonce(nonce, 0, 1);
	uint8_t *signed_payload = vector_keep(n + 1);

	memcpy(signed_payload, payload, n);
	if (n >= SEAL_INNER_LEN) { /* sign whatever the 72 bytes say */
		uint8_t msg[SEAL_SIGNED_LEN];

		seal_signed(msg, hash, signed_payload);
		crypto_sign_message(signed_payload + INNER_AT_SIGNATURE, sender->sign, SEAL_CONTEXT, msg, sizeof(msg));
	}
	assert_int_equal(crypto_aead_seal(a, out + 128, nonce, NULL, 0, signed_payload, n), 0);
	crypto_aead_free(a);
	return 128 + n + AEAD_TAG_LEN;
}

static void bad_inner(void **state)
{
	static const struct { const char *why; size_t at; uint8_t value; enum open_err want; } t[] = {
		{"another sender", 0, 0xFF, OPEN_ESENDER}, {"empty channel", 32, 0, OPEN_EFORMAT},
		{"capital in the channel", 32, 'E', OPEN_EFORMAT}, {"slash in the channel", 33, '/', OPEN_EFORMAT},
		{"bytes after the channel's end", 32 + 31, 'x', OPEN_EFORMAT}, {"reserved", 64, 1, OPEN_EFORMAT},
		{"reserved", 71, 0x80, OPEN_EFORMAT}, {"nothing", 8, 0, OPEN_OK},
	};
	uint8_t object[4096], inner[SEAL_INNER_LEN + 3] = {0};
	struct seal_inner got;

	(void)state;
	memcpy(inner, sender->pub.id, KEY_ID_LEN);
	memcpy(inner + 32, "eltax", 5);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct buffer out = buffer(4096);
		uint8_t kept = inner[t[i].at];

		inner[t[i].at] = t[i].value == 0xFF ? (uint8_t)~kept : t[i].value;
		size_t n = seal_payload(object, inner, sizeof(inner));

		if (open_pieces(receiver, NULL, object, n, 0, &got, &out) != t[i].want)
			fail_msg("%s", t[i].why);
		assert_int_equal(out.n, t[i].want == OPEN_OK ? 3 : 0);
		inner[t[i].at] = kept;
	}
	for (size_t n = 0; n < SEAL_INNER_LEN; n++) { /* too short for an inner header */
		struct buffer out = buffer(4096);
		size_t len = seal_payload(object, inner, n);

		assert_int_equal(open_pieces(receiver, NULL, object, len, 0, &got, &out), OPEN_EFORMAT);
	}
}

static void sinks_that_stop(void **state)
{
	const struct party *to[] = {&receiver->pub};
	struct vector v = vector_get("object", "gcm.object");
	struct seal_inner inner = inner_of_vectors();
	struct buffer out = buffer(v.n + 65536);
	uint8_t id[SEAL_ID_LEN] = {3}, *data = vector_keep(20000);

	(void)state;
	memset(data, 0, 20000);
	out.stop_at = 1;
	assert_null(seal_begin(SUITE_AES256GCM, 12, id, sender, to, 1, NULL, &inner, collect, &out));
	out.n = 0;
	out.stop_at = 5000;
	struct seal *s = seal_begin(SUITE_AES256GCM, 12, id, sender, to, 1, NULL, &inner, collect, &out);

	assert_non_null(s);
	assert_int_equal(seal_write(s, data, 20000), 42);
	assert_int_equal(seal_write(s, data, 1), 42);
	assert_int_equal(seal_end(s), 42);
	seal_free(s);
	out.n = 0;
	assert_int_equal(open_pieces(receiver, NULL, v.b, v.n, 0, &inner, &out), OPEN_ESINK);
}

static void refused_parameters(void **state)
{
	const struct party *to[] = {&receiver->pub, &receiver->pub, &receiver->pub, &receiver->pub, &receiver->pub};
	struct party small = receiver->pub;
	const struct party *to_small[] = {&small};
	struct seal_inner inner = inner_of_vectors();
	struct buffer out = buffer(8192);
	uint8_t id[SEAL_ID_LEN] = {4};

	(void)state;
	assert_null(seal_begin(SUITE_AES256GCM, 11, id, sender, to, 1, NULL, &inner, collect, &out));
	assert_null(seal_begin(SUITE_AES256GCM, 21, id, sender, to, 1, NULL, &inner, collect, &out));
	assert_null(seal_begin(SUITE_AES256GCM, 12, id, sender, to, 0, NULL, &inner, collect, &out));
	assert_null(seal_begin(SUITE_AES256GCM, 12, id, sender, to, 5, NULL, &inner, collect, &out));
	assert_null(seal_begin((enum crypto_suite)3, 12, id, sender, to, 1, NULL, &inner, collect, &out));
	memset(small.dh, 0, KEY_LEN); /* a recipient whose key everyone can open */
	assert_null(seal_begin(SUITE_AES256GCM, 12, id, sender, to_small, 1, NULL, &inner, collect, &out));
	strcpy(inner.channel, "Eltax");
	assert_null(seal_begin(SUITE_AES256GCM, 12, id, sender, to, 1, NULL, &inner, collect, &out));
	assert_int_equal(out.n, 0);
	seal_free(NULL);
	open_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_open), cmocka_unit_test(recovery_key), cmocka_unit_test(vectors_seal), cmocka_unit_test(broken_promise),
		cmocka_unit_test(borders), cmocka_unit_test(cut_or_longer), cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(moved_segments), cmocka_unit_test(wrong_keys), cmocka_unit_test(borrowed_name),
		cmocka_unit_test(header_fields), cmocka_unit_test(bad_inner), cmocka_unit_test(sinks_that_stop), cmocka_unit_test(refused_parameters),
	};

	seeded_init();
	fixed_random_install();
	assert_int_equal(crypto_init(), 0);
	sender = vector_party("sender");
	receiver = vector_party("receiver");
	recovery = vector_party("recovery");
	stranger = vector_party("stranger");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
