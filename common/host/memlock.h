/* memlock.h - whether keys can be kept out of swap. */
#ifndef KM_MEMLOCK_H
#define KM_MEMLOCK_H

enum { MEMLOCK_NEED = 1 << 20 }; /* bytes: more than all that any one process of ours locks */

/* 0 if a process of ours may lock so much memory, else -1 after one logged line. */
int memlock_check(void) __attribute__((warn_unused_result));

#endif
