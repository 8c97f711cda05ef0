/* replay.h - which packet numbers of an epoch were seen (PROTOCOL.md, section 3.5).
 * Freestanding.  A window of REPLAY_BITS numbers that ends at the highest one
 * marked; what lies below it counts as seen.
 * (The sliding bitmap of RFC 6479: blocks are cleared, never shifted.) */
#ifndef KM_REPLAY_H
#define KM_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

enum { REPLAY_BITS = 1 << 16 };

struct replay {
	uint64_t top; /* highest packet number marked; 0 = none */
	uint64_t bits[REPLAY_BITS / 64];
};

void replay_init(struct replay *r);
/* True if pn is new: not 0, not marked, not below the window.  Does not mark:
 * an unauthenticated number must not move the window. */
bool replay_fresh(const struct replay *r, uint64_t pn);
void replay_mark(struct replay *r, uint64_t pn); /* only after the tag was verified */

#endif
