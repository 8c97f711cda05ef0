/* witness.h - the open process's side of checkpoints (PROTOCOL.md, section 9.5): it signs how far the ledger has come,
 * and never less than it signed before.
 *
 * The last one is kept in a file (STATE/checkpoint, opened by the main process): rows u64, hash 32 bytes, written and
 * synced before a signature leaves this process.  So a ledger that was set back, or changed and chained anew, is not
 * signed but alarmed. */
#ifndef KM_WITNESS_H
#define KM_WITNESS_H

#include "codec/checkpoint.h"

enum witness_result {
	WITNESS_SIGNED = 0,
	WITNESS_BACK = -1,   /* fewer rows than were signed before, or as many under another hash */
	WITNESS_UNSAVED = -2, /* the file cannot be written now */
	WITNESS_BAD = -3,
};

struct msg_checkpoint { /* store -> open: at, rows, hash; open -> store: all of it */
	struct checkpoint checkpoint;
	uint64_t before; /* rows of the one signed before */
	int32_t result;  /* enum witness_result */
};

void witness_answer(struct msg_checkpoint *m, const struct party_secret *receiver, int floor_fd);

#endif
