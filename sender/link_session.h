/* link_session.h - the sessions that the link process speaks in (PROTOCOL.md, section 4.5):
 * the current one, and for two seconds the next one, whose HELLO is already sent. */
#ifndef KM_LINK_SESSION_H
#define KM_LINK_SESSION_H

#include <stdbool.h>

#include "host/ipc_recv.h"
#include "sender/messages.h"

/* At the start of a session; symbols follow these 300 ms, in which the receiver
 * has written the epoch down, however slow its disk: what comes earlier is lost. */
enum { HELLO_COPIES = 15 };
#define HELLO_APART_NS 20000000ull    /* between these */
#define HELLO_AGAIN_NS 200000000ull   /* then, as long as it lasts */
#define SESSION_OVERLAP_NS 2000000000ull
#define BEAT_APART_NS 1000000000ull

struct link_session {
	bool used;
	uint32_t epoch, n;
	uint8_t lane;
	uint8_t tag_key[TAG_KEY_LEN];
	uint8_t *hello;        /* n bytes, complete */
	unsigned copies;       /* HELLOs sent so far, up to HELLO_COPIES */
	uint64_t hello_ns;     /* when the next is due */
	uint64_t from_ns;      /* data from then on */
	uint64_t pn;           /* last packet number used */
	uint8_t *beat;         /* n bytes, of which the spool wrote what lies between head and tag */
	bool has_beat;
	uint64_t beat_ns;      /* when to send one next */
};

/* Take a SESSION or BEAT message; an impossible one is fatal. */
void link_session_start(struct link_session *s, const struct msg_session *m, uint64_t now_ns);
void link_session_beat(struct link_session *s, const struct ipc_msg *m);
void link_session_end(struct link_session *s);

/* Write the control datagram that is due into d (n bytes, complete with its
 * tag) and return true; else *next_ns is when one will be. */
bool link_session_control(struct link_session *s, uint8_t *d, uint64_t now_ns, uint64_t *next_ns);

#endif
