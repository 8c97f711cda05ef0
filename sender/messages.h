/* messages.h - what the sender's processes say to each other (ipc_recv.h).
 *
 *     spool -> check   INSPECT + the file's descriptor, or INSPECT_KEPT: small files themselves, as far as they are looked at
 *     check -> spool   VERDICT: one for each file of the question
 *     spool -> link    SESSION, BEAT, OBJECT + the sealed object's descriptor (read-only)
 *     spool -> link    STREAM + the descriptor of an object that is being made, GROWN ..., then NUMBERED or ABANDON
 *     link  -> spool   DONE, LINK
 *
 * All integers are in host order: both ends are this very executable. */
#ifndef KM_SENDER_MESSAGES_H
#define KM_SENDER_MESSAGES_H

#include <stdint.h>

#include "codec/tag.h"
#include "core/frame.h"
#include "core/name.h"
#include "sender/layout.h"

enum sender_msg {
	MSG_INSPECT = 1,
	MSG_VERDICT = 2,
	MSG_INSPECT_KEPT = 3,
	MSG_SESSION = 16,
	MSG_BEAT = 17,
	MSG_OBJECT = 18,
	MSG_DONE = 19,
	MSG_LINK = 20,
	MSG_STREAM = 21,
	MSG_GROWN = 22,
	MSG_NUMBERED = 23,
	MSG_ABANDON = 24,
};

struct msg_inspect {
	uint64_t batch;  /* which batch and which of its files: given back as they are */
	uint32_t file;
	uint32_t name_len;
	uint64_t size;
	char channel[NAME_CHANNEL_MAX + 1];
	uint8_t name[NAME_MAX_LEN];
};

enum { KEPT_QUESTION_FILES = 128 };
struct msg_inspect_kept {
	uint64_t batch;
	uint32_t first;  /* of `count` files in a row */
	uint32_t count;  /* 1 to KEPT_QUESTION_FILES */
	char channel[NAME_CHANNEL_MAX + 1];
	/* for each: struct kept_question, name, bytes; nothing after the last */
};
struct kept_question {
	uint32_t name_len;
	uint32_t size; /* of all of it, or of its first bytes where the channel's policy looks at no others */
};

struct msg_verdict { /* as many as the question had files, in a row */
	uint64_t batch;
	uint32_t file;
	uint32_t checks;  /* made: bits of content.h */
	uint32_t refused;
	char reason[160]; /* a sentence part, NUL-terminated */
};

enum { HELLO_HEAD_LEN = 148 }; /* bytes of HELLO before its zero padding (PROTOCOL.md, section 4.1) */

struct msg_session {
	uint32_t epoch;
	uint32_t n;        /* datagram length of the session */
	uint32_t lane;
	uint32_t at_once;  /* first session of this run: nothing to overlap with */
	uint8_t tag_key[TAG_KEY_LEN];
	uint8_t hello[HELLO_HEAD_LEN];
	uint8_t hello_tag[FRAME_TAG_LEN];
};

struct msg_beat { /* followed by n - 34 bytes: what stands between head and tag */
	uint32_t epoch;
	uint32_t reserved;
};

struct msg_object {
	int64_t row;       /* of the outbox: given back in DONE */
	uint64_t length;
	uint32_t round;    /* rounds before this one */
	uint32_t channel;  /* index in the configuration: for fairness */
	uint32_t asked;    /* by a resend slip: it goes with the new ones */
	uint32_t priority; /* of the channel */
	struct layout layout;
	uint8_t id[FRAME_ID_LEN];
};

struct msg_stream { /* its first round; it has no row yet */
	uint64_t stream;   /* never 0, never twice */
	uint64_t most;     /* bytes it can have at most */
	uint32_t channel, priority; /* as in struct msg_object */
	struct layout layout;
	uint8_t id[FRAME_ID_LEN];
};

struct msg_grown {
	uint64_t stream;
	uint64_t there;    /* bytes of it that can be read */
};

struct msg_numbered { /* complete, durable, and in the outbox: the round can be finished and ends with DONE */
	uint64_t stream;
	int64_t row;
	uint64_t length;
	struct layout layout;
};

struct msg_abandon { /* it will not be completed: forget it, without DONE */
	uint64_t stream;
};

struct msg_done {
	int64_t row;
	uint32_t round;
	uint32_t failed;   /* the object could not be read */
	uint64_t datagrams;
};

struct msg_link { /* counters since the start of the process, once a second */
	uint32_t epoch;
	uint32_t in_flight;
	uint64_t datagrams, bytes /* on the wire */;
	uint64_t refused;  /* ECONNREFUSED and EPERM: counted and ignored */
	uint64_t blocked;  /* times the kernel had no room or the link was down */
	uint32_t segments; /* datagrams a message; 1 where there could be more: no segmentation offload */
	uint32_t segments_want;
};

#endif
