/* landlock.h - no path but those given, for this thread and those it starts. */
#ifndef KM_LANDLOCK_H
#define KM_LANDLOCK_H

#include "host/sandbox.h"

/* The kernel's ABI: 2 or more is of use, 0: it has none (or has it switched off). */
int landlock_abi(void);
/* 0, or -1 and errno.  no_new_privs has to be set. */
int landlock_confine(const struct sandbox_path *path, unsigned count) __attribute__((warn_unused_result));

#endif
