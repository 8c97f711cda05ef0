/* zip_name.h - is the name of a zip entry a place inside the folder it is unpacked
 * into, for every program, and one that Windows writes as it stands?  Pure. */
#ifndef KM_ZIP_NAME_H
#define KM_ZIP_NAME_H

#include "content/zip.h"

/* utf8: its flag says so; otherwise the name may be UTF-8 or CP932, where the
 * second byte of a character may look like a backslash.  0 or -1, said. */
int zip_name_check(const uint8_t *p, size_t n, int utf8, struct content_why *why) __attribute__((warn_unused_result));

/* The second name that an entry's notes give it (Unicode path, UTF-8): it must be as good as the first and,
 * since what is checked follows from the first, have the same extension.  name: checked.  0 or -1, said. */
int zip_name_second(const uint8_t *name, size_t n, const uint8_t *second, size_t m, struct content_why *why)
    __attribute__((warn_unused_result));
/* Hash of what two names have in common that are one file on Windows (by ASCII letters only). */
void zip_name_fold(uint8_t out[static ZIP_HASH_LEN], const uint8_t *name, size_t n);

#endif
