/* resend.h - what a resend slip asks for (PROTOCOL.md, section 11), and doing it.
 *
 * Works on the sender's database alone, beside the running daemon: what is to be sent again becomes due at
 * once (due = 0), and goes with the new objects, before all repeats. */
#ifndef KM_RESEND_H
#define KM_RESEND_H

#include "codec/slip.h"
#include "core/name.h"
#include "host/db.h"

struct resend {
	struct slip slip;
	char channel[NAME_CHANNEL_MAX + 1];
	uint8_t generation[16];
	uint64_t newest;              /* of the stream */
	uint64_t objects, files, bytes /* sealed */; /* to be sent again */
	uint64_t gone;                /* asked for and numbered, but not kept any more: retention has passed, or lost */
	uint64_t unknown;             /* asked for, but never numbered */
};

/* r->slip is set; find its stream among those of this database and fill in the rest.  -1: it is of none of them. */
int resend_find(struct resend *r, struct db *db, const uint8_t sender[static HASH_LEN], const uint8_t receiver[static HASH_LEN])
    __attribute__((warn_unused_result));
/* Make it due, and record it under this code; one transaction.  Counts are taken anew. */
void resend_do(struct resend *r, struct db *db, const char *code, uint64_t wall_ms);

#endif
