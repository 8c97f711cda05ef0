/* party.c - senders and receivers and their keys (party.h; PROTOCOL.md, section 2). */
#include "codec/party.h"

#include <string.h>

void party_finish(struct party *p)
{
	static const char context[] = "katamichi v1 party"; /* its NUL is the 0x00 of section 2.2 */
	uint8_t m[sizeof(context) + 1 /* role */ + SIGN_PUBLIC_LEN + KEY_LEN], *at = m;

	memcpy(at, context, sizeof(context));
	at += sizeof(context);
	*at++ = (uint8_t)p->role;
	memcpy(at, p->sign, SIGN_PUBLIC_LEN);
	at += SIGN_PUBLIC_LEN;
	memcpy(at, p->dh, KEY_LEN);
	crypto_sha256(p->fingerprint, m, sizeof(m));
	memcpy(p->id, p->fingerprint, KEY_ID_LEN);
}

void party_generate(struct party_secret *s, enum party_role role)
{
	uint8_t seed[32];

	crypto_random(seed, sizeof(seed));
	crypto_sign_keypair_seed(s->pub.sign, s->sign, seed);
	crypto_wipe(seed, sizeof(seed));
	crypto_random(s->dh, KEY_LEN);
	crypto_dh_public(s->pub.dh, s->dh);
	s->pub.role = role;
	party_finish(&s->pub);
}

int party_psk_id(uint8_t id[static KEY_ID_LEN], const uint8_t *psk)
{
	static const char info[] = "katamichi v1 psk id";

	memset(id, 0, KEY_ID_LEN);
	if (psk == NULL)
		return 0;
	return crypto_hkdf(id, KEY_ID_LEN, psk, KEY_LEN, NULL, 0, info, sizeof(info) - 1);
}
