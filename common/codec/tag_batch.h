/* tag_batch.h - tags of datagrams (tag.h) for who makes many of them: the
 * sender.  The same bytes as tag_make(), by libcrypto, whose Poly1305 is vectorised: 0.11
 * CPU s per GB against 0.27 (datagrams of 1456 and of 8912 bytes).  The receiver's link executable does not link libcrypto and has tag.h. */
#ifndef KM_TAG_BATCH_H
#define KM_TAG_BATCH_H

#include "codec/tag.h"

struct tag_batch; /* opaque; one thread */
struct tag_batch *tag_batch_new(void); /* NULL: libcrypto does not have it, and tag_make() has to do */
void tag_batch_free(struct tag_batch *b);
/* As tag_make(); b may be NULL. */
void tag_batch_make(struct tag_batch *b, uint8_t tag[static FRAME_TAG_LEN], const uint8_t once[static 32], const uint8_t *d,
    size_t n);

#endif
