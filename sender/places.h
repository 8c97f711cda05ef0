/* places.h - is nothing of this program's own, and no other channel, in the folder of a channel?
 *
 * What lies there is sent and erased, or moved to refused/: the outbox, a key, a folder below it.  Looked at in the file
 * system, since a place has many paths. */
#ifndef KM_PLACES_H
#define KM_PLACES_H

#include "sender/sender_conf.h"

/* name: of the configuration's file.  0, or EXIT_CONFIG after one logged line. */
int places_check(const struct sender_conf *c, const char *name) __attribute__((warn_unused_result));

#endif
