/* set_aside.h - sealed objects that the outbox's database does not know.
 *
 * In an outbox that just ran on, such an object is what a kill left between its name and its row: its source is still claimed,
 * and outbox_sweep() may remove it.  Where there are more of them than such claims, the database is not what ran last
 * (identity.h).  In one whose database came back from a backup, or is new, it may be all there is of files
 * that were numbered since: their sources are erased, and nobody knows whether they arrived.  So these are moved to set-aside/
 * of the state directory, never removed; who holds the receiver's key can open them (the guide to incidents). */
#ifndef KM_SET_ASIDE_H
#define KM_SET_ASIDE_H

#include "sender/outbox.h"

#define SET_ASIDE "set-aside" /* in the state directory */

/* How many there are; 0 where they cannot be listed, which outbox_sweep() dies of. */
unsigned set_aside_count(struct outbox *o);
/* How many were moved, or -1 with errno. */
int set_aside_unknown(struct outbox *o) __attribute__((warn_unused_result));

#endif
