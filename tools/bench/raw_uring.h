/* raw_uring.h - receiving by io_uring, to see what it would give (raw_link.c --uring). */
#ifndef KM_BENCH_RAW_URING_H
#define KM_BENCH_RAW_URING_H

#include <stdbool.h>
#include <stdint.h>

struct raw_uring; /* opaque */

/* One receive operation that stays (multishot) on this bound socket, with a ring of buffers provided to the kernel.  Fatal
 * where the kernel has no such thing (before Linux 6.1).  Ends with the program. */
struct raw_uring *raw_uring_start(int fd);
/* Takes what is there, without waiting: how many datagrams; *bytes grows by theirs. */
unsigned raw_uring_take(struct raw_uring *u, uint64_t *bytes);

#endif
