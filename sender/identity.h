/* identity.h - is this the outbox that ran here last?  If it was restored from a backup, moved or cloned, numbers would be
 * given twice; so it then begins a new generation (PROTOCOL.md, section 2.6).  What is missed here, the receiver sees as a fork.
 *
 * Noted in table meta, and compared at every start:
 *   machine   a hash of /etc/machine-id: another machine
 *   place     the file system's id (not XFS's, which is only a device number) and inode and time of birth of outbox.db: a copy,
 *             however faithful, has others
 *   witness   a file outside the state directory, if configured, best on another disk: generation, newest row, service time.  It is
 *             written after the database, so it is never ahead of it, unless the database is older than what ran last.
 * And looked at: sealed objects that the database does not know (set_aside.h).  A kill leaves one for a claim at most; where there
 * are more of them than claims without a row, what erased their sources was a later state of this database.  Where not all
 * claims can be seen, they tell nothing, and are kept. */
#ifndef KM_IDENTITY_H
#define KM_IDENTITY_H

#include "sender/outbox.h"

/* Compare, begin a new generation if need be (logged, with a row in table generation), note how things are now.
 * machine_id: its file; witness: path, or "" for none; unfinished: claims without a row, or UNFINISHED_UNSEEN (unfinished.h).  Fatal if the witness cannot be used. */
void identity_check(struct outbox *o, const char *machine_id, const char *witness, unsigned unfinished, uint64_t now_ns);
#define IDENTITY_MACHINE "/etc/machine-id"
/* Numbers belong to the sender's key: another one than last time begins a new generation. */
void identity_key(struct outbox *o, const uint8_t fingerprint[static HASH_LEN]);
/* A new generation, because of `reason`. */
void identity_renew(struct outbox *o, const char *reason);
/* The witness is told how far the outbox is: after a transfer was numbered (sync false: a kill loses nothing of it), and
 * after outbox_tick() (sync true: nor does a power cut). */
void identity_tell(struct outbox *o, bool sync, uint64_t now_ns);

#endif
