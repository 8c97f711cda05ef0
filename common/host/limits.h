/* limits.h - the limits that a service manager or a shell lays on us: at the start, before anything is made. */
#ifndef KM_LIMITS_H
#define KM_LIMITS_H

#include <stdint.h>

#define LIMITS_DATABASE (16ull << 30) /* bytes: they grow for years, by 1 to 2 KB a transfer */
enum { LIMITS_LOCKED = 1 << 20 }; /* bytes: more than all that any one process of ours locks */

/* 0 if a process of ours may keep its keys out of swap and write the files that it has to, else -1 after one logged line.
 * The hard limit of file sizes has to allow the largest sealed object and a database of LIMITS_DATABASE; a soft one below it is
 * lifted, for our children too; SIGXFSZ is ignored from here on (proc_child_init() does it
 * in a child), so that a limit laid on us later is EFBIG, which is a disk in trouble (durable_exit()). */
int limits_check(uint64_t object) __attribute__((warn_unused_result));

#endif
