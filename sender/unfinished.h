/* unfinished.h - claims without a row, wherever they may lie: what a kill left between the taking of files and their row.
 *
 * A channel may be taken out of the configuration, or be given another folder, before the next start.  Its claim is as
 * unfinished as any (it goes on when the folder is configured again), and its sealed object is no sign of a restored
 * database (identity.h).  So table folder of the outbox knows the folders that were configured, until nothing is left in them. */
#ifndef KM_UNFINISHED_H
#define KM_UNFINISHED_H

#include "sender/outbox.h"
#include "sender/sender_conf.h"

/* How many there are, in the folders of these channels and in those before; notes the folders.  One that cannot be read has none. */
unsigned unfinished_claims(struct outbox *o, const struct sender_conf *c);

#endif
