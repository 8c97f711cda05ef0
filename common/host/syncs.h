/* syncs.h - many descriptors made durable at the same time.
 *
 * One fsync after another costs the disk's latency each; a disk takes many at
 * once.  A few threads and the caller do them together.  Only what needs no
 * order among itself belongs between two syncs_wait().
 *
 * The order of things is the caller's: when syncs_wait() returns, all of them
 * are done, and only then may be written what relies on them.  One thread adds
 * and waits.  A struct syncs * of NULL is fine: each is then done at once. */
#ifndef KM_SYNCS_H
#define KM_SYNCS_H

#include <stdbool.h>

struct syncs; /* opaque */

struct syncs *syncs_start(void); /* NULL: no thread to be had */
void syncs_stop(struct syncs *s);
/* fsync(fd), and then close(fd) if it is `ours`.  *error (0 before the first, valid until syncs_wait()) becomes the
 * errno of the first that failed; several may share it. */
void syncs_add(struct syncs *s, int fd, bool ours, int *error);
void syncs_wait(struct syncs *s); /* all that were added are done */

#endif
