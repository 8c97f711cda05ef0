/* authenticate.h - which datagrams are from a pinned sender (PROTOCOL.md, section 3.6).
 *
 * The order is: shape of the head, epoch known, replay (without marking),
 * tag, mark.  Nothing beyond the first 18 bytes is looked at before the tag
 * was verified, except the key id in a HELLO, which finds the key for its tag.
 * No I/O; time is a parameter. */
#ifndef KM_AUTHENTICATE_H
#define KM_AUTHENTICATE_H

#include "core/frame.h"
#include "receiver/receiver_messages.h"

struct authenticate;

struct authenticate *authenticate_new(void); /* NULL: no memory for the keys */
void authenticate_free(struct authenticate *a);
/* The next pinned sender (index 0, 1, ...); one of a known id: a further key under which it may say HELLO, since it may
 * still mean a key of this receiver that was retired. */
void authenticate_peer(struct authenticate *a, const struct msg_peer *p);
uint32_t authenticate_peers(const struct authenticate *a);
const uint8_t (*authenticate_ids(const struct authenticate *a))[8];
/* A session that open accepted.  Of each sender and lane the two newest are kept. */
void authenticate_session(struct authenticate *a, const struct msg_session *s);
void authenticate_end(struct authenticate *a, uint32_t sender); /* all its sessions end: its key was revoked */

/* Judge the datagram d[0..n-1].  LC_TAKEN: an authentic SYMBOL; LC_HELLO, LC_BEAT: to be handed to open;
 * anything else: refused, or repeated too soon.  *h and *sender are set for the first three;
 * *h for LC_EPOCH, too: no session of such an epoch. */
enum link_counter authenticate(struct authenticate *a, const uint8_t *d, size_t n, uint64_t now_ns,
    struct frame_head *h, uint32_t *sender);

enum link_counter authenticate_count(enum frame_err e); /* the counter of a shape that is wrong */

#endif
