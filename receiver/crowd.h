/* crowd.h - which session to give up where no more can be kept.
 *
 * Link keeps the tag keys of sessions, open their beat keys, and each as many as there may be peers, twice.  A sender that begins
 * many must not push out those of the others: so it is the oldest of whoever has most. */
#ifndef KM_CROWD_H
#define KM_CROWD_H

#include <stdint.h>

#include "receiver/receiver_conf.h"

enum { CROWD_MAX = 2 * RECEIVER_PEERS_MAX };

struct crowd_member {
	uint32_t sender; /* below RECEIVER_PEERS_MAX */
	uint64_t serial; /* order of arrival */
};
/* Of n, at least 1, the one to give up for another of this sender: the oldest of whoever has most, of those that have as many itself. */
uint32_t crowd_too_many(const struct crowd_member *m, uint32_t n, uint32_t sender);

#endif
