/* inspect.h - what the sender's check process looks at in a claimed file. */
#ifndef KM_SENDER_INSPECT_H
#define KM_SENDER_INSPECT_H

#include <stddef.h>
#include <stdint.h>

/* Look at an open file of that many bytes.  Sets the bits of what was checked
 * (CHECK_..., messages.h).  0 = nothing against it; 1 = refused, why a sentence part. */
int inspect_claimed(int fd, uint64_t size, uint32_t *checks, char *why, size_t why_size)
    __attribute__((warn_unused_result));

/* Names for the manifest's `checks` of the bits made on every file of a
 * transfer, together with those that admission made of all: sorted.  Returns how many (at most max). */
unsigned inspect_names(uint32_t checks, const char **out, unsigned max);

#endif
