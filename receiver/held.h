/* held.h - files that did not pass their checks are taken out of a transfer that is otherwise published.
 *
 * In work/NAME/:
 *     files/                 what passed
 *     held/INDEX/files/FILE  one that did not (INDEX: its number in the manifest, from 1), with MANIFEST.json,
 *                            MANIFEST.json.sig and SHA256SUMS beside files/: all that is needed to release it
 *     QUARANTINE.json        who is held and why, for whoever finds less in files/ than the manifest lists
 * publish.h moves each held/INDEX to quarantine/ before the rest is published. */
#ifndef KM_HELD_H
#define KM_HELD_H

#include "receiver/publish.h"

/* it: the item of a verified transfer with some, not all, files bad; its stream, number, manifest and object are
 * filled in.  Fills part and parts.  Failure: t->error. */
void held_apart(struct transfer *t, struct publish_item *it);
/* One sentence part for a transfer that is held as a whole: the first file, its reason, how many more. */
void held_reason(char *out, size_t room, const struct transfer *t);

#endif
