/* manifest.h - the signed list of a transfer's files (PROTOCOL.md, section 7). */
#ifndef KM_MANIFEST_H
#define KM_MANIFEST_H

#include "codec/crypto.h"
#include "codec/record.h"

struct manifest_file {
	uint8_t name[NAME_MAX_LEN];
	size_t name_len;
	uint64_t size;
	uint8_t sha256[HASH_LEN];
};

struct manifest {
	char channel[NAME_CHANNEL_MAX + 1];
	uint8_t sender[HASH_LEN], receiver[HASH_LEN]; /* fingerprints */
	uint8_t generation[16];
	uint64_t number;
	uint64_t created_s;    /* seconds since 1970 */
	uint8_t previous[HASH_LEN];
	uint8_t sums[HASH_LEN]; /* SHA-256 of SHA256SUMS */
	char checks[16][24];    /* sorted; may be none */
	uint32_t check_count;
	struct manifest_file *file; /* sorted by name_order(); owned */
	uint32_t file_count, file_room;
};

void manifest_init(struct manifest *m);
void manifest_free(struct manifest *m);
/* Append (the caller adds in name order).  -1: out of memory, over 4,096, or not in order. */
int manifest_add(struct manifest *m, const uint8_t *name, size_t n, uint64_t size, const uint8_t sha256[static HASH_LEN])
    __attribute__((warn_unused_result));
/* SHA256SUMS of the files, malloc'd; *n its length.  NULL: out of memory. */
char *manifest_sums(const struct manifest *m, size_t *n);
/* Canonical bytes, malloc'd; m->sums is computed and filled in.  NULL: out of memory or over 4 MiB. */
char *manifest_write(struct manifest *m, size_t *n);
/* Parse bytes whose signature the caller has verified.  Strict: unknown or
 * missing keys, wrong types, anything not canonical, wrong order, names that
 * name_check() refuses, or a wrong sha256sums are errors.  On success the
 * caller frees *m; on error *m is empty and *why a static sentence part. */
int manifest_read(struct manifest *m, const char *bytes, size_t n, const char **why) __attribute__((warn_unused_result));

#endif
