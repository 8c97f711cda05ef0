/* receiver_messages.h - what the receiver's processes say to each other (ipc_recv.h).
 *
 *          keys, sessions                 jobs (sealed objects by fd)
 *   link <---------------- open <---------------------------------- store
 *   link ----------------> open ----------------------------------> store
 *          HELLO, BEAT          inner headers, results, beats
 *   link <======================== part files (fds) ================ store
 *   link ------------------------- COMPLETE, NEED, STATS ----------> store
 *   open ==== plaintext (ring) ===> check ==== events (ring) ======> store
 *
 * Store also sees, but cannot write, the ring between open and check: a file's bytes that check only passes on stay there
 * (pipeframe.h).  It hashes and writes one copy of them, so that whoever changes them changes the hash.
 *
 * open, check and store work on two lanes at once, each with descriptors of its
 * own: LANE_WHOLE takes the complete objects in turn, LANE_EARLY one large object
 * that is still arriving, so that small ones never wait for it.
 *
 * Peers are named by their index in the configuration, which open and store
 * read from the same file.  Same machine, same build: host order, no packing. */
#ifndef KM_RECEIVER_MESSAGES_H
#define KM_RECEIVER_MESSAGES_H

#include <stdint.h>

#include "core/frame.h"
#include "core/name.h"

enum {
	RECEIVER_PEERS_MAX = 64,
	RECEIVER_RETIRED_MAX = 4,
	RECEIVER_CHANNELS_MAX = 64 + 1, /* with the reserved one (closings.h) */
};

enum receiver_lane { LANE_WHOLE, LANE_EARLY, LANES };

enum receiver_msg {
	/* link -> open: struct msg_datagram, then its n bytes */
	MSG_HELLO = 1,
	MSG_BEAT,
	/* open -> link */
	MSG_PEER,    /* struct msg_peer, one for each pinned sender, at the start */
	MSG_PEERS_END, /* no body: link begins to receive */
	MSG_SESSION, /* struct msg_session; and MSG_REVOKED */
	/* link -> store */
	MSG_NEED,     /* struct msg_need: part files wanted; one at a time, answered by MSG_GIVEN */
	MSG_COMPLETE, /* struct msg_object */
	MSG_PROGRESS, /* struct msg_progress: a large object of which the beginning is in the file */
	MSG_DISCARD,  /* struct msg_object: nothing of this slot is of use */
	MSG_EXPIRED,  /* struct msg_object: only a part of it came, and nothing more for days; MSG_DISCARD follows */
	MSG_STATS,    /* struct msg_stats */
	/* store -> link */
	MSG_LIMITS, /* struct msg_limits, first of all */
	MSG_SLOT,   /* struct msg_slot, with descriptors: data, map, and the data past the page cache if that can be had */
	MSG_GIVEN,  /* struct msg_need: so many MSG_SLOT were the answer to MSG_NEED; fewer for want of disk */
	MSG_DONE,   /* struct msg_done: objects never needed again */
	MSG_FORGET, /* struct msg_object: damaged, to be gathered afresh */
	/* store -> open */
	MSG_UNSEAL, /* struct msg_progress, with the descriptor of the data; slot is the job number */
	MSG_READY,  /* struct msg_progress: the answer to MSG_WANT; ready 0: stop */
	MSG_REVOKED,    /* struct msg_about_peer: no session of this peer any more; on the socket of MSG_CHECKPOINT. Open tells link the same */
	MSG_RESET_EPOCH, /* struct msg_about_peer, there too; answered by the same */
	MSG_SCAN,       /* struct msg_scan (scan.h) to the scan process, with a file */
	MSG_SCANNED,    /* struct msg_scanned: its answer */
	MSG_CHECKPOINT, /* struct msg_checkpoint (witness.h), on a socket of its own; answered by the same */
	/* open -> store */
	MSG_SELF,     /* struct msg_self, first of all */
	MSG_OPENED,   /* struct msg_opened: the inner header is authentic */
	MSG_WANT,     /* struct msg_want: all that was ready has been read; asked once, until MSG_READY comes */
	MSG_UNSEALED, /* struct msg_unsealed: the end of a job, sent before the end of its stream */
	MSG_SEEN,     /* struct msg_seen: a channel in a beat */
	MSG_SESSION_SEEN, /* struct msg_session_seen */
};

struct msg_datagram {
	uint32_t sender; /* index of the peer */
	uint32_t epoch;
	uint32_t lane;
	uint32_t n;
};

struct msg_peer {
	uint8_t id[8];
	uint8_t hello_key[32];
};

struct msg_session {
	uint32_t sender, lane, epoch;
	uint32_t n; /* bytes of every datagram of the session */
	uint8_t tag_key[32];
};

struct msg_need {
	uint32_t count;
};

struct msg_object {
	uint8_t id[FRAME_ID_LEN];
	uint64_t length;
	uint32_t sender;
	uint32_t slot;
};

struct msg_progress {
	struct msg_object object; /* length 0: not known yet */
	uint64_t ready;           /* bytes from the beginning of the file that are there */
};

struct msg_want {
	uint32_t job;
};

struct msg_limits {
	uint64_t object; /* largest sealed object, bytes */
};

struct msg_slot {
	uint32_t slot;
};

struct msg_key { /* an object is known by its sender and its id */
	uint8_t id[FRAME_ID_LEN];
	uint32_t sender;
};

enum { MSG_DONE_MAX = 2048 };
struct msg_done {
	uint32_t count;
	struct msg_key key[MSG_DONE_MAX];
};

struct msg_self {
	uint32_t count;
	uint8_t fingerprint[1 + RECEIVER_RETIRED_MAX][32]; /* this receiver's, then those of its retired keys */
};

struct msg_opened {
	uint32_t job;
	uint32_t key;    /* 0: this receiver's; n: the n-th of those retired */
	uint32_t sender;
	uint8_t object[FRAME_ID_LEN];
	uint8_t generation[16];
	uint64_t created_ms;
	char channel[NAME_CHANNEL_MAX + 1];
};

/* How unsealing ended.  0: authentic to the last byte.  Else an enum open_err, or: */
enum { UNSEAL_ECHANNEL = -100, /* authentic, but the channel is not configured here */
	UNSEAL_EREAD = -101,   /* the part file could not be read */
	UNSEAL_EID = -102,     /* the object inside is not the one of the datagrams */
	UNSEAL_ESTOP = -103 }; /* store gave up an object that was not complete */
struct msg_unsealed {
	uint32_t job;
	int32_t result;
};

struct msg_about_peer {
	uint32_t sender;
	int32_t lane;     /* -1: all */
	int64_t request;  /* echoed */
	uint32_t was;     /* answer: the highest epoch that was forgotten */
	int32_t error;    /* answer: errno, 0 done */
};

struct msg_seen {
	uint32_t sender;
	uint64_t counter, time_ms;
	uint64_t newest, oldest;
	uint32_t flags; /* enum beat_flag */
	uint8_t generation[16];
	char channel[NAME_CHANNEL_MAX + 1];
};

enum session_event { SESSION_NEW = 1, SESSION_OLD_EPOCH, SESSION_REFUSED };
struct msg_session_seen {
	uint32_t sender, lane, epoch, event;
};

/* The counters of the link process.  Each datagram ends in exactly one of
 * those up to LC_WAYS. */
enum link_counter {
	LC_TAKEN,      /* symbol kept */
	LC_HELLO,      /* HELLO handed to open */
	LC_BEAT,       /* BEAT handed to open */
	LC_REPEAT,     /* HELLO or BEAT not handed on: seen a moment ago, or too many */
	LC_DELIVERED,  /* symbol of an object that is complete or was delivered */
	LC_DUPLICATE,  /* symbol that was there, or of a block that is */
	LC_SIZE,       /* from here on: refused */
	LC_MAGIC,
	LC_KIND,
	LC_FIELD,
	LC_EPOCH,      /* no session with this lane and epoch */
	LC_REPLAY,
	LC_TAG,
	LC_PEER,       /* HELLO of a key that is not pinned, or with a wrong tag */
	LC_GEOMETRY,   /* fields that do not fit together */
	LC_CONTRADICT, /* fields that contradict earlier ones */
	LC_LIMIT,      /* larger than the channels allow */
	LC_OBJECTS,    /* too many objects open, or no memory left for them */
	LC_SLOT,       /* no part file ready */
	LC_PARITY,     /* no memory for repair symbols */
	LC_DISK,       /* could not be written */
	LC_WAYS,
	LC_DATAGRAMS = LC_WAYS, /* received in all */
	LC_BYTES,
	LC_SESSIONS,   /* sessions accepted */
	LC_REPAIRED,   /* source symbols computed from repair symbols */
	LC_COMPLETED,  /* objects */
	LC_DAMAGED,    /* objects to be gathered afresh */
	LC_FAILED,     /* blocks that could not be computed or written */
	LC_KERNEL,     /* datagrams the kernel dropped for want of buffer */
	LC_COUNT
};

enum { STATS_OBJECTS_MAX = 128 };
struct stats_object {
	uint8_t id[FRAME_ID_LEN];
	uint32_t sender;
	uint32_t spare;
	uint64_t length;        /* 0 = not known yet */
	uint64_t have, symbols; /* source symbols */
};
struct msg_stats {
	uint64_t counter[LC_COUNT];
	uint64_t last_ms;       /* wall clock of the last authentic datagram; 0 = none */
	uint32_t sender, lane, epoch;   /* of it */
	uint32_t open;          /* objects being gathered */
	uint64_t parity_bytes;
	uint64_t buffer_bytes, buffer_used; /* socket buffer */
	uint32_t objects;       /* listed here */
	uint32_t spare;
	struct stats_object object[STATS_OBJECTS_MAX];
};

/* The rings, framed by pipeframe.h. */
enum pipe_type {
	/* open -> check */
	PIPE_BEGIN = 1, /* struct pipe_begin */
	PIPE_BYTES,     /* of the zstd frame */
	PIPE_END,       /* struct pipe_end: 0 = whole and authentic */
	/* check -> store; PIPE_BEGIN as well, passed on */
	PIPE_FILE,      /* u64 size (host order), name */
	PIPE_DATA,
	PIPE_BAD,       /* struct pipe_bad: what the next PIPE_FILE_END ends did not pass; the rest of the transfer goes on */
	PIPE_FILE_END,  /* SHA-256 that the sender computed */
	PIPE_MANIFEST,
	PIPE_SIGNATURE,
	PIPE_FINISH,    /* struct pipe_finish */
};

struct pipe_begin {
	char channel[NAME_CHANNEL_MAX + 1];
};
struct pipe_end {
	int32_t result;
};
struct pipe_bad {
	char checks[160]; /* as below, those made on this file */
	char reason[320];
};
struct pipe_finish {
	int32_t bad;     /* 0: it is whole, and what did not pass was said of each file; 1: it is not a transfer, reason
	                    says why; 2: unsealing stopped it; 3: over a cap, so it was not passed on whole */
	char checks[160]; /* names of the checks made, separated by spaces, sorted */
	char reason[320];
};

#endif
