/* verify_notes.h - what a delivered directory says of files that its manifest lists and that are not in it:
 * QUARANTINE.json (held.h) and RELEASE.json (quarantine.h).  Nobody signed them, so they excuse nothing by
 * themselves: verify_transfer() asks its caller, who has the ledger, whether each is so. */
#ifndef KM_VERIFY_NOTES_H
#define KM_VERIFY_NOTES_H

#include "codec/manifest.h"

struct verify_notes {
	int quarantine, release;    /* this file is there, and speaks of this manifest */
	unsigned char *away;        /* for each file of the manifest: said to be held, or (release) delivered elsewhere */
	char **reason;              /* why it was held, or NULL */
};

/* why: "" or what is wrong with the file of that name.  -1: not enough memory. */
int verify_notes_read(struct verify_notes *n, int dirfd, const struct manifest *m, const uint8_t manifest_hash[static HASH_LEN],
    const char **bad_file, const char **why) __attribute__((warn_unused_result));
void verify_notes_free(struct verify_notes *n, const struct manifest *m);
/* Index in the manifest, or -1. */
long verify_notes_find(const struct manifest *m, const uint8_t *name, size_t n);

#endif
