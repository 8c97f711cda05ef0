/* manifest_text.h - inside manifest*.c only. */
#ifndef KM_MANIFEST_TEXT_H
#define KM_MANIFEST_TEXT_H

#include "codec/manifest.h"

#define MANIFEST_FORMAT "katamichi-manifest-1"
enum { MANIFEST_TIME_LEN = 20 }; /* "2026-11-21T02:26:03Z" */

/* Seconds since 1970 in the form of section 7.2; -1 past the year 9999. */
int manifest_time(char out[static MANIFEST_TIME_LEN + 1], uint64_t seconds) __attribute__((warn_unused_result));
/* The canonical bytes of *m with m->sums as it stands. */
char *manifest_text(const struct manifest *m, size_t *n);

#endif
