/* progress.h - how far long work is, on standard error, where that is a terminal; elsewhere nothing. */
#ifndef KM_PROGRESS_H
#define KM_PROGRESS_H

#include <stdint.h>

/* At most ten times a second.  label is cut if it is long. */
void progress_show(const char *label, uint64_t done, uint64_t total);
/* Take the line away, before anything else is printed.  Harmless if there is none. */
void progress_clear(void);

#endif
