/* accept.h - HELLO and BEAT, checked by the open process (PROTOCOL.md, sections 3.4, 4).
 *
 * Epochs of a sender's lane only grow: the highest accepted is kept in a file
 * (the floor), one row of 16 bytes each - sender's key id 8, lane 1, zero 3,
 * epoch u32 - written and synced before the tag key leaves this process.  The
 * main process opens the file; here it is a descriptor. */
#ifndef KM_ACCEPT_H
#define KM_ACCEPT_H

#include "codec/beat.h"
#include "codec/session.h"
#include "receiver/receiver_conf.h"

enum { ACCEPT_LANES = FRAME_LANE_MAX + 1, ACCEPT_ROW = 16 };

struct accept;

/* NULL: no memory.  The configuration with its peers' parties stays valid; psk may be NULL. */
struct accept *accept_new(const struct receiver_conf *c, const struct party_secret *receiver, const uint8_t *psk,
    int floor_fd);
/* Keys of ours that were replaced: a sender may still mean one of them.  They stay valid. */
void accept_retired(struct accept *a, const struct party_secret *const *retired, unsigned count);
void accept_revoke(struct accept *a, uint32_t sender); /* no session of it from now on; those that stand end */
/* Forget the floors of this sender (lane -1: of all its lanes): the next session may have any epoch.  *was: the highest of
 * them.  0 or errno. */
int accept_reset(struct accept *a, uint32_t sender, int lane, uint32_t *was) __attribute__((warn_unused_result));
void accept_free(struct accept *a);

enum accept_result {
	ACCEPT_NEW,       /* *out is to be handed to link */
	ACCEPT_KNOWN,     /* its HELLO again; *out as well (link may have lost it) */
	ACCEPT_OLD_EPOCH, /* authentic, below the floor: an alarm */
	ACCEPT_REFUSED,   /* not authentic, or not for us */
	ACCEPT_REVOKED,   /* authentic, of a key that was revoked */
	ACCEPT_UNSAVED,   /* the floor could not be stored; its next copy is tried again */
};
enum accept_result accept_hello(struct accept *a, uint32_t sender, const uint8_t *d, size_t n, struct msg_session *out);
uint32_t accept_floor(const struct accept *a, uint32_t sender, uint32_t lane);

/* A beat of this session: 0 and *b, or -1: not authentic, of an unknown session, or not newer than its last one.
 * Counters are not compared between sessions: a sender that was set up anew begins low. */
int accept_beat(struct accept *a, const struct msg_datagram *m, const uint8_t *d, struct beat *b)
    __attribute__((warn_unused_result));

#endif
