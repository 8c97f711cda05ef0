/* admit.h - may this file enter the channel at all?  Pure; content is looked
 * at later, by the check process. */
#ifndef KM_ADMIT_H
#define KM_ADMIT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum admit {
	ADMIT_OK = 0,
	ADMIT_NAME = -1,   /* name_check() refuses the name */
	ADMIT_KIND = -2,   /* not a regular file */
	ADMIT_LINKS = -3,  /* it has another name somewhere: whoever holds that could change it */
	ADMIT_SETUID = -4,
	ADMIT_SIZE = -5,   /* over the channel's cap */
};

/* why: a sentence part, and what: advice; both NUL-terminated when refused. */
enum admit admit_file(const char *name, const struct stat *st, uint64_t max_file, char *why, size_t why_size,
    const char **what) __attribute__((warn_unused_result));

#endif
