/* validity.h - when a pinned sender's key is valid (receiver.conf: valid_from, valid_until).
 *
 * The receiver's clock decides, and it may be wrong; so what arrives outside of that time is not refused but held, complete
 * and sealed, and opened once the clock or the pin was put right. */
#ifndef KM_VALIDITY_H
#define KM_VALIDITY_H

#include <stdbool.h>
#include <stdint.h>

struct receiver_peer;

/* "2027-03-31" as seconds since 1970, 00:00 UTC of that day.  -1: it is no date. */
int validity_date(const char *text, uint64_t *seconds) __attribute__((warn_unused_result));
/* Is the key of this peer valid at that moment? */
bool validity_at(const struct receiver_peer *p, uint64_t wall_s);

struct store;
/* validity_at() now, for peer `sender`; says so in the log, now and then, if it is not. */
bool validity_now(struct store *s, uint32_t sender);

#endif
