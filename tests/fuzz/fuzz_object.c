/* fuzz_object.c - sealed objects.
 *
 * First byte: how the rest is used.  0: as an object, in pieces.  Otherwise as
 * payload, sealed by a pinned sender and opened again: what comes out must be
 * what went in, whatever the segments and pieces. */
#include "codec/seal.h"
#include "tests/fuzz/fuzz_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct party_secret *sender, *receiver;

struct buffer {
	uint8_t *b;
	size_t n, room;
};

static int collect(void *ctx, const uint8_t *data, size_t n)
{
	struct buffer *o = ctx;

	fuzz_check(n <= o->room - o->n);
	memcpy(o->b + o->n, data, n);
	o->n += n;
	return 0;
}

static enum open_err unseal(const uint8_t *data, size_t n, size_t piece, struct buffer *out)
{
	const struct party *const pinned[] = {&sender->pub};
	struct seal_inner inner;
	struct open *o = open_begin(receiver, pinned, 1, NULL, &inner, collect, out);
	enum open_err e = OPEN_OK;

	fuzz_check(o != NULL);
	for (size_t at = 0; at < n && e == OPEN_OK; at += piece)
		e = open_write(o, data + at, piece < n - at ? piece : n - at);
	if (e == OPEN_OK)
		e = open_end(o);
	open_free(o);
	return e;
}

static void round_trip(const uint8_t *data, size_t n, size_t piece)
{
	const struct party *const to[] = {&receiver->pub};
	struct seal_inner inner = {.channel = "fuzz"};
	struct buffer sealed = {malloc(2 * n + 4096), 0, 2 * n + 4096}, back = {malloc(n + 1), 0, n};
	const uint8_t id[SEAL_ID_LEN] = {1};
	struct seal *s = seal_begin(n % 2 == 0 ? SUITE_AES256GCM : SUITE_CHACHA20POLY1305, 12, id, sender, to, 1, NULL, &inner,
	    collect, &sealed);

	fuzz_check(sealed.b != NULL && back.b != NULL && s != NULL);
	for (size_t at = 0; at < n; at += piece)
		fuzz_check(seal_write(s, data + at, piece < n - at ? piece : n - at) == 0);
	fuzz_check(seal_end(s) == 0);
	seal_free(s);
	fuzz_check(unseal(sealed.b, sealed.n, 4097 - piece % 4096, &back) == OPEN_OK);
	fuzz_check(back.n == n && (n == 0 || memcmp(back.b, data, n) == 0));
	free(sealed.b);
	free(back.b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (sender == NULL) {
		fuzz_check(crypto_init() == 0);
		sender = fuzz_party(PARTY_SENDER);
		receiver = fuzz_party(PARTY_RECEIVER);
	}
	if (size < 1)
		return 0;
	size_t piece = (size_t)data[0] * 37 + 1;

	if (data[0] != 0) {
		round_trip(data + 1, size - 1, piece);
		return 0;
	}
	struct buffer out = {malloc(size), 0, size};

	fuzz_check(out.b != NULL);
	(void)unseal(data + 1, size - 1, 1, &out);
	out.n = 0;
	(void)unseal(data + 1, size - 1, size, &out);
	free(out.b);
	return 0;
}
