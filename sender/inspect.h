/* inspect.h - what the sender's check process looks at in a claimed file. */
#ifndef KM_SENDER_INSPECT_H
#define KM_SENDER_INSPECT_H

#include <stddef.h>
#include <stdint.h>

#include "content/content.h"

struct inspect_file {
	const uint8_t *bytes; /* what is looked at of it (content_policy_looks_at()), or NULL: */
	int fd;
	uint64_t size;
	const uint8_t *name;
	size_t name_len;
};

/* Look at a file by the policy of its channel.  Sets the bits of what was checked
 * (content.h).  0 = nothing against it; 1 = refused, why a sentence part. */
int inspect_claimed(struct content *c, const struct content_policy *p, const struct inspect_file *f, uint32_t *checks,
    char *why, size_t why_size) __attribute__((warn_unused_result));

/* Names for the manifest's `checks`, sorted: those made on every file (bits `all`; with
 * what admission made) and those made on each file of a type (bits `any`).  Returns how many (at most max). */
unsigned inspect_names(uint32_t all, uint32_t any, const char **out, unsigned max);

#endif
