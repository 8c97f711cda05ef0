/* eraser.h - a thread that erases the files of claims whose object is in the
 * outbox, durably: where a disk is told of every freed block at once, each of
 * them costs as much as a sync, and neither the next batch nor the link is to
 * wait for that.  So it begins once nothing more has come for a moment, or when
 * many wait.  Until then they are marked as sent: what a crash keeps from being
 * erased, the next start erases, whatever its outbox knows (claim.h).
 *
 * Each that waits has a descriptor and its files' names in memory.  So where they
 * come faster than the disk erases, who puts one in erases the oldest himself. */
#ifndef KM_ERASER_H
#define KM_ERASER_H

#include "sender/claim.h"

enum {
	ERASER_WAITING_MAX = 16, /* claims; with more than these it begins */
	ERASER_HELD_MAX = 64,    /* there are never more */
};
#define ERASER_QUIET_NS 500000000ull

struct eraser; /* opaque */

struct eraser *eraser_start(void); /* fatal on failure */
void eraser_stop(struct eraser *e); /* when all that was put in is erased */
/* Takes the claim over: *c is an ended claim afterwards.  The folder outlives the eraser. */
void eraser_put(struct eraser *e, struct claim *c, const struct claim_folder *f);

#endif
