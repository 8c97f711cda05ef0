/* session.h - HELLO and the keys of a session (PROTOCOL.md, section 4).
 * psk: 32 bytes, or NULL. */
#ifndef KM_SESSION_H
#define KM_SESSION_H

#include "codec/party.h"
#include "core/frame.h"

enum { SESSION_HELLO_MIN = 164, SESSION_AT_SENDER = FRAME_HEAD_LEN + 2 };

struct session_keys { /* secret */
	uint8_t tag[KEY_LEN];
	uint8_t beat[KEY_LEN];
};

/* Section 4.2, seen from either side: mine is the own secret, peer the other. */
int session_hello_key(uint8_t out[static KEY_LEN], const struct party_secret *mine, const struct party *peer,
    const uint8_t *psk) __attribute__((warn_unused_result));

/* Sender: write the HELLO d[0..n-1] (n: the session's datagram length) for a
 * fresh ephemeral key, and derive the session's keys. */
int session_start(uint8_t *d, size_t n, struct session_keys *keys, const struct party_secret *sender,
    const struct party *receiver, const uint8_t *psk, uint8_t lane, uint32_t epoch, uint64_t now_ms)
    __attribute__((warn_unused_result));

enum session_err {
	SESSION_OK = 0,
	SESSION_EFIELD = -1,    /* reserved bytes, padding, kind */
	SESSION_EPEER = -2,     /* key ids are not those of this sender and this receiver, or the psk id differs */
	SESSION_ESIGN = -3,     /* signature or tag wrong, or a degenerate ephemeral key */
};
/* Receiver (open process): check a HELLO whose head was decoded, and derive
 * the keys.  The caller checks the epoch against its floor. */
enum session_err session_accept(const uint8_t *d, size_t n, struct session_keys *keys,
    const struct party_secret *receiver, const struct party *sender, const uint8_t *psk)
    __attribute__((warn_unused_result));
/* The sender's key id in a HELLO of at least SESSION_HELLO_MIN bytes, to find the pinned party.
 * In the header, so that a process that only looks at it links nothing of session.c. */
static inline const uint8_t *session_sender_id(const uint8_t *d)
{
	return d + SESSION_AT_SENDER;
}

#endif
