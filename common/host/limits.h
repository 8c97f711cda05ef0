/* limits.h - the limits that a service manager or a shell lays on us: at the start, before anything is made. */
#ifndef KM_LIMITS_H
#define KM_LIMITS_H

enum { LIMITS_LOCKED = 1 << 20 }; /* bytes: more than all that any one process of ours locks */

/* 0 if a process of ours may keep its keys out of swap and write files of any size, else -1 after one logged line.
 * A soft limit of file sizes is lifted, for our children too; SIGXFSZ is ignored from here on (proc_child_init() does it
 * in a child), so that a limit laid on us later is EFBIG, which is a disk in trouble (durable_exit()). */
int limits_check(void) __attribute__((warn_unused_result));

#endif
