/* checkpoint.c - see checkpoint.h */
#include "codec/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/hex.h"

#define CONTEXT "katamichi v1 checkpoint"

/* What is signed: all lines but the last. */
static size_t signed_text(char out[static CHECKPOINT_TEXT_MAX], const struct checkpoint *c)
{
	char receiver[2 * HASH_LEN + 1];

	hex_put(receiver, c->receiver, HASH_LEN);
	return (size_t)snprintf(out, CHECKPOINT_TEXT_MAX, "katamichi-checkpoint-1\nat %s\nreceiver %s\nrows %" PRIu64 "\nhash %s\n",
	    c->at, receiver, c->rows, c->hash);
}

static int in_order(const struct checkpoint *c)
{
	static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
	uint8_t hash[HASH_LEN];

	if (strnlen(c->at, sizeof(c->at)) != sizeof(form) - 1 || c->rows == 0 || c->rows > INT64_MAX ||
	    hex_get(hash, HASH_LEN, c->hash, strnlen(c->hash, sizeof(c->hash))) != 0)
		return 0;
	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == 'd' ? c->at[i] < '0' || c->at[i] > '9' : c->at[i] != form[i])
			return 0;
	return 1;
}

int checkpoint_sign(struct checkpoint *c, const struct party_secret *receiver)
{
	char text[CHECKPOINT_TEXT_MAX];

	if (!in_order(c))
		return -1;
	memcpy(c->receiver, receiver->pub.fingerprint, HASH_LEN);
	size_t n = signed_text(text, c);

	crypto_sign_message(c->signature, receiver->sign, CONTEXT, text, n);
	return 0;
}

int checkpoint_verify(const struct checkpoint *c, const struct party *receiver)
{
	char text[CHECKPOINT_TEXT_MAX];

	if (!in_order(c) || memcmp(c->receiver, receiver->fingerprint, HASH_LEN) != 0)
		return -1;
	size_t n = signed_text(text, c);

	return crypto_verify_message(c->signature, receiver->sign, CONTEXT, text, n);
}

size_t checkpoint_write(char out[static CHECKPOINT_TEXT_MAX], const struct checkpoint *c)
{
	size_t n = signed_text(out, c);
	char sig[2 * SIGN_LEN + 1];

	hex_put(sig, c->signature, SIGN_LEN);
	return n + (size_t)snprintf(out + n, CHECKPOINT_TEXT_MAX - n, "signature %s\n", sig);
}

int checkpoint_read(struct checkpoint *c, const char *text, size_t n)
{
	char copy[CHECKPOINT_TEXT_MAX], back[CHECKPOINT_TEXT_MAX], receiver[2 * HASH_LEN + 1] = "", sig[2 * SIGN_LEN + 1] = "";
	struct checkpoint r = { .rows = 0 };

	if (n >= sizeof(copy) || memchr(text, '\0', n) != NULL)
		return -1;
	memcpy(copy, text, n);
	copy[n] = '\0';
	if (sscanf(copy, "katamichi-checkpoint-1\nat %20s\nreceiver %64s\nrows %" SCNu64 "\nhash %64s\nsignature %128s", r.at, receiver, &r.rows,
	    r.hash, sig) != 5 || hex_get(r.receiver, HASH_LEN, receiver, strlen(receiver)) != 0 ||
	    hex_get(r.signature, SIGN_LEN, sig, strlen(sig)) != 0 || !in_order(&r))
		return -1;
	/* sscanf() is generous; there is one way only to write it. */
	if (checkpoint_write(back, &r) != n || memcmp(back, text, n) != 0)
		return -1;
	*c = r;
	return 0;
}
