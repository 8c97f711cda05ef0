/* hash_aside.h - a thread that hashes a file's pieces in their order, while the
 * caller compresses them, which takes longer.  It may lag behind by a few: where
 * all processors are busy its turn comes only every few milliseconds, and a
 * caller that waited at every piece would leave a processor idle (measured: a
 * twentieth of both, at both ends together). */
#ifndef KM_HASH_ASIDE_H
#define KM_HASH_ASIDE_H

#include <stddef.h>
#include <stdint.h>

#include "codec/crypto.h"

enum { HASH_ASIDE_PIECES = 4 /* most that wait to be hashed */ };

struct hash_aside; /* opaque */
struct hash_aside *hash_aside_start(void); /* NULL: no thread to be had */
void hash_aside_stop(struct hash_aside *a); /* after what was added is hashed; NULL is fine */
/* Hash n bytes with h some time; waits until fewer than HASH_ASIDE_PIECES do.  data stays as it is until as many more were
 * added, or hash_aside_settle(). */
void hash_aside_add(struct hash_aside *a, struct crypto_hasher *h, const uint8_t *data, size_t n);
/* All that was added is hashed: only then is h the caller's again.  NULL is fine. */
void hash_aside_settle(struct hash_aside *a);

#endif
