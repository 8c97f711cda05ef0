/* party.h - senders and receivers and their keys (PROTOCOL.md, section 2). */
#ifndef KM_PARTY_H
#define KM_PARTY_H

#include "codec/crypto.h"

enum party_role { PARTY_SENDER = 1, PARTY_RECEIVER = 2 };

struct party {                 /* public: may be copied and printed */
	enum party_role role;
	uint8_t sign[SIGN_PUBLIC_LEN]; /* identity, or ledger */
	uint8_t dh[KEY_LEN];           /* link, or seal */
	uint8_t fingerprint[HASH_LEN];
	uint8_t id[KEY_ID_LEN];        /* first bytes of the fingerprint */
};

struct party_secret {          /* lives in crypto_secret_alloc() memory only */
	struct party pub;
	uint8_t sign[SIGN_SECRET_LEN];
	uint8_t dh[KEY_LEN];
};

/* Derive everything public from role, sign and dh (fingerprint, id). */
void party_finish(struct party *p);
/* A new random party. */
void party_generate(struct party_secret *s, enum party_role role);
/* Section 2.3; zeros if psk is NULL. */
int party_psk_id(uint8_t id[static KEY_ID_LEN], const uint8_t *psk) __attribute__((warn_unused_result));

#endif
