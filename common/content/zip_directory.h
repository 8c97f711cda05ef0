/* zip_directory.h - the second half of a zip file: the directory, which must
 * agree with the entries that passed, and its end record.  For zip.c alone. */
#ifndef KM_ZIP_DIRECTORY_H
#define KM_ZIP_DIRECTORY_H

#include "content/zip.h"

/* z->field has the first four bytes; sets z->want to the next stop. */
int zip_directory_begin(struct zip *z) __attribute__((warn_unused_result));
/* z->want bytes are in z->field.  When nothing more may come, want == have. */
int zip_directory_field(struct zip *z) __attribute__((warn_unused_result));
int zip_directory_end(struct zip *z) __attribute__((warn_unused_result));
/* The notes (extra field, n bytes at p) of an entry with this name; *second becomes the folded second name's hash if they
 * have one, which must be as good as the first. */
int zip_extra_check(const uint8_t *name, size_t name_n, const uint8_t *p, size_t n, uint8_t second[static ZIP_HASH_LEN],
    struct content_why *why) __attribute__((warn_unused_result));
/* -1, said: an entry other than `but` has this name, as its first or second. */
int zip_name_taken(const struct zip *z, const uint8_t *folded, const struct zip_entry *but) __attribute__((warn_unused_result));

#endif
