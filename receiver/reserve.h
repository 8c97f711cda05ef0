/* reserve.h - disk space that is kept free, so that the ledger can always be
 * written and what has arrived can be delivered.
 *
 * The reserve is a fiftieth of the file system, but 4 to 128 MiB.  Part files
 * stop at twice the reserve, transfers that are being built at the reserve:
 * the rest belongs to the database.  Free inodes count the same way. */
#ifndef KM_RESERVE_H
#define KM_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

enum reserve_use { RESERVE_PARTS = 2, RESERVE_BUILDING = 1 };

/* True if this use has to stop now, or before it has written so many bytes more.  fd: anything on the file system. */
bool reserve_reached(int fd, enum reserve_use use, uint64_t more);
/* Are fewer than so many bytes free (keep_free of a channel)?  0 bytes: never. */
bool reserve_below(int fd, uint64_t bytes);

#endif
