/* unfinished.h - claims without a row, wherever they may lie: what a kill left between the taking of files and their row.
 *
 * A channel may be taken out of the configuration, or be given another folder, before the next start.  Its claim is as
 * unfinished as any (it goes on when the folder is configured again), and its sealed object is no sign of a restored
 * database (identity.h).  So table folder of the outbox knows the folders that were configured, until it was seen that nothing
 * is left in them.  One whose .taken cannot be read (feed_open() made it: perhaps its disk is not mounted) is not forgotten,
 * and each start says so.
 *
 * Where a disk was not mounted at a start, its mount point got a .taken of its own, and a kill may leave a claim in that, too: which
 * the mount then hides.  So table taken knows when each folder's .taken was made, and the next start says that it is another. */
#ifndef KM_UNFINISHED_H
#define KM_UNFINISHED_H

#include <limits.h>

#include "sender/outbox.h"
#include "sender/sender_conf.h"

#define UNFINISHED_UNSEEN UINT_MAX /* any number: a folder that is known cannot be read, or is another */

/* How many there are, in the folders of these channels and in those before; forgets what is empty. */
unsigned unfinished_claims(struct outbox *o, const struct sender_conf *c);
/* Notes the folders of these channels, once they have their .taken. */
void unfinished_note(struct outbox *o, const struct sender_conf *c);

#endif
