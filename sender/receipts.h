/* receipts.h - what is remembered of a transfer after its sealed object has gone.
 *
 * Its row in table object stays for the time `receipts` after its retention, service time.  Then it is deleted, and table
 * erased says which numbers there were.  What is kept for ever: the newest row of a stream (the next number and the
 * chain of manifests come from it), and a row that no closing has listed yet. */
#ifndef KM_RECEIPTS_H
#define KM_RECEIPTS_H

#include "sender/outbox.h"

/* Once in a while.  How many rows were deleted: RECEIPTS_AT_ONCE at most. */
enum { RECEIPTS_AT_ONCE = 256 };
unsigned receipts_run(struct outbox *o, uint64_t service_ms, uint64_t keep_ms, uint64_t wall_ms);

#endif
