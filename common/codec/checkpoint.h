/* checkpoint.h - how far the ledger had come, signed by the receiver's ledger key (PROTOCOL.md, section 9.5). */
#ifndef KM_CHECKPOINT_H
#define KM_CHECKPOINT_H

#include "codec/chain.h"
#include "codec/party.h"

struct checkpoint {
	char at[21];                  /* "2026-11-21T02:26:03Z" */
	uint8_t receiver[HASH_LEN];   /* fingerprint */
	uint64_t rows;                /* 1 or more */
	char hash[CHAIN_HEX_LEN + 1]; /* of row number `rows` */
	uint8_t signature[SIGN_LEN];
};

enum { CHECKPOINT_TEXT_MAX = 512 };

/* Fill in receiver and signature.  -1: at, rows or hash are not in order. */
int checkpoint_sign(struct checkpoint *c, const struct party_secret *receiver) __attribute__((warn_unused_result));
/* Is it signed by this receiver, whose fingerprint it names?  0 or -1. */
int checkpoint_verify(const struct checkpoint *c, const struct party *receiver) __attribute__((warn_unused_result));
/* The text, NUL-terminated; its length. */
size_t checkpoint_write(char out[static CHECKPOINT_TEXT_MAX], const struct checkpoint *c);
/* From just this text and nothing more.  The signature is not checked.  0 or -1. */
int checkpoint_read(struct checkpoint *c, const char *text, size_t n) __attribute__((warn_unused_result));

#endif
