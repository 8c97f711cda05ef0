/* zip_name.h - is the name of a zip entry a place inside the folder it is
 * unpacked into, for every program?  Pure. */
#ifndef KM_ZIP_NAME_H
#define KM_ZIP_NAME_H

#include "content/why.h"

/* utf8: its flag says so; otherwise the name may be UTF-8 or CP932, where the
 * second byte of a character may look like a backslash.  0 or -1, said. */
int zip_name_check(const uint8_t *p, size_t n, int utf8, struct content_why *why) __attribute__((warn_unused_result));

#endif
