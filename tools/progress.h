/* progress.h - how far long work is, on standard error, where that is a terminal; elsewhere nothing. */
#ifndef KM_PROGRESS_H
#define KM_PROGRESS_H

#include <stdint.h>

/* "label [#####      ]  21 %", at most ten times a second, and not before the work has taken a moment; total 0: the label alone, where
 * nobody knows how much there will be.  fmt makes the label, translated; it is cut if it is long. */
void progress_show(uint64_t done, uint64_t total, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Take the line away, before anything else is printed.  Harmless if there is none. */
void progress_clear(void);

#endif
