/* spool.h - what the stages of the spool process share: feed > batch > dispatch.
 *
 *     feed.c      a channel's folder: finished files become a claimed batch
 *     ask.c       its files to the check process, and what that says of them
 *     batch.c     a batch: sealed, numbered; its sources erased
 *     stream.c    a large object: to the link while it is being sealed
 *     dispatch.c  numbered objects: to the link, again when due, erased in the end
 *     closer.c    what was numbered, written down for the receiver
 *     report.c    status.json, once a second, for `katamichi status`
 *
 * One thread owns all of it; the sealers (sealer.h) only touch the job they were given. */
#ifndef KM_SPOOL_H
#define KM_SPOOL_H

#include "host/clock.h"
#include "host/ipc_recv.h"
#include "sender/eraser.h"
#include "sender/messages.h"
#include "sender/outbox.h"
#include "sender/rekey.h"
#include "sender/sealer.h"
#include "sender/sender_conf.h"
#include "sender/watch.h"

enum { IN_FLIGHT_MAX = 64, IN_FLIGHT_REPEATS = 8, IN_FLIGHT_FIRST = 8 /* kept for the highest priority */ };

/* Two sealers, so that small files never wait behind a large one. */
enum track { TRACK_QUICK, TRACK_BULK, TRACKS };
enum { TRACK_BULK_FROM = 16 << 20 }; /* bytes of a file from which on it is bulk */
enum { EARLIER_MAX = 64, QUICK_AHEAD = 2 /* batches of small files of a channel in the works */ };
#define SPOOL_RETRY_NS 5000000000ull  /* after a full disk and the like */

enum batch_state { BATCH_CHECK, BATCH_WAIT /* for its sealer, or for better times */, BATCH_SEAL };

struct batch {
	struct batch *next;
	uint64_t serial;
	unsigned feed;
	enum track track;
	enum batch_state state;
	uint64_t since_ns;        /* when its first file was taken */
	uint64_t not_before_ns;
	uint32_t asked, answered; /* files given to the check process, verdicts back */
	uint32_t stuck;           /* of these, refused but still in the claim */
	unsigned troubles;        /* tries that failed */
	struct claim claim;
	struct seal_job job;
};

struct feed {
	const struct sender_channel *conf;
	struct claim_folder folder;
	unsigned batches[TRACKS];  /* in the works */
	uint64_t not_before_ns;    /* after a fault */
	uint64_t quiet_until_ns;   /* one line about faults in a while */
	uint32_t refused;          /* files in refused/, as last counted */
	uint64_t trouble_ns;       /* when one was met last, for the status: */
	const char *trouble;       /* what it is, as feed_complain() takes it */
	char trouble_name[1200];   /* of which file, to be shown */
	int trouble_error;
};

struct closer {
	int state, folder;         /* directories */
	uint64_t listed_ms, day_ms; /* service time: of the last list, of the last daily closing */
	int64_t day;               /* local date of it, as days; -1 not known */
	bool lost;                 /* a sealed object, since the last closing */
	uint64_t not_before_ns;    /* after a fault */
};

struct in_flight {
	int64_t row;               /* 0: free */
	uint32_t rounds;
	char channel[NAME_CHANNEL_MAX + 1];
	uint64_t number;
};

/* The object that is sent while the sealer of large files makes it (stream.c). */
struct stream {
	enum stream_state {
		STREAM_NONE,
		STREAM_OPEN,      /* the link has it */
		STREAM_NUMBERED,  /* the link is to be told */
		STREAM_ABANDONED, /* the same */
	} state;
	uint64_t number, serial;  /* of the stream, never twice; of its batch */
	uint64_t most, told;      /* bytes it can have; that the link knows of */
	uint64_t block;           /* bytes of a block at most (layout.h) */
	struct layout layout;
	struct msg_numbered end;
};

struct spool {
	struct sender_conf conf;
	int stop, check, link;
	struct watch *watch;
	struct stream stream;
	struct outbox outbox;
	struct sealer_keys keys;
	struct window window;      /* on what the sealer of large files makes */
	struct sealer *sealer[TRACKS];
	struct syncs *syncs;
	struct eraser *eraser;
	struct batch *sealing[TRACKS];
	struct batch *batches;     /* all, in the order of their claims */
	uint64_t serial;
	uint32_t open_questions;   /* to the check process */
	struct kept_room kept;
	struct feed feed[SENDER_CHANNELS_MAX];
	struct in_flight flight[IN_FLIGHT_MAX];
	unsigned flights, flights_again;
	bool oldest_turn;
	unsigned channel_turn, new_max; /* dispatch.c */
	struct outbox_stream earlier[EARLIER_MAX]; /* told of in beats, too; looked up now and then */
	unsigned earliers;
	bool disk_trouble;         /* something waits for the disk */
	char disk_why[160];        /* what, as last seen */
	uint64_t unread_until_ns;  /* a sealed object could not be read: trouble until then, unless it is tried in vain again */
	uint64_t full_ns;          /* the link's socket was full: not before */
	struct msg_link last;      /* what the link said last */
	struct party receiver, recovery;
	struct party_secret *me;   /* secret memory */
	uint8_t *psk;              /* secret memory; NULL: none */
	struct rekey *rekey;       /* secret memory */
	struct closer closer;
	struct clock_watch clock;
	uint64_t clock_jumps;      /* since the start */
	uint64_t metrics_log_ns;   /* when it was last said that the figures cannot be written */
	struct ipc_msg msg;
};

/* feed.c */
void feed_open(struct spool *s, unsigned i);              /* fatal on failure */
void feed_recover(struct spool *s, unsigned i);           /* claims that an earlier run left */
void feed_run(struct spool *s, unsigned i, uint64_t now_ns); /* form batches as far as may be */
bool feed_takes_any(const struct feed *f);
void feed_count_refused(struct spool *s, unsigned i);
void feed_look_at_place(struct spool *s, unsigned i, uint64_t now_ns); /* is it still this folder?  If not, a new start opens what is there */
/* One line in a while, however many files of the folder have a trouble, and a word in the status.  what: N_("cannot be read") and
 * the like, which stays. */
#define FEED_STUCK N_("is refused, but cannot be moved to refused/")
void feed_complain(struct feed *f, const char *name, const char *what, int error, uint64_t now_ns);

/* ask.c */
void batch_ask(struct spool *s, uint64_t now_ns);         /* files to the check process, as it has room */
void batch_ask_full(struct spool *s, struct batch *b);    /* of one that is being formed, what fills a message */
void batch_verdict(struct spool *s, const struct msg_verdict *v);

/* batch.c */
struct batch *batch_new(struct spool *s, unsigned feed, enum track track);
void batch_drop(struct spool *s, struct batch *b);        /* ends its claim, too; takes it out of the list */
void batch_seal(struct spool *s, uint64_t now_ns);        /* waiting batches to idle sealers */
void batch_sealed(struct spool *s, enum track t, uint64_t now_ns); /* a sealer's event */
bool batch_waits_for_disk(const struct spool *s);         /* is one tried again and again? */
uint64_t batch_next(const struct spool *s);               /* when a waiting one may go on; UINT64_MAX: none */

/* Bytes that a sealed object of so many bytes of files can have at most, manifest and all. */
static inline uint64_t spool_object_most(uint64_t bytes)
{
	return bytes + bytes / 64 + (16u << 20);
}

/* stream.c */
void stream_grow(struct spool *s, const struct batch *b); /* the sealer's event: its object can be read some way */
/* The layout of a batch whose object is complete.  0 or -1. */
int stream_layout(struct spool *s, const struct batch *b, struct layout *l) __attribute__((warn_unused_result));
void stream_numbered(struct spool *s, const struct batch *b, const struct outbox_new *n, int64_t row);
void stream_abandon(struct spool *s, const struct batch *b); /* nothing, if it is not this batch's */
void stream_say(struct spool *s);                         /* what the link's socket had no room for */
bool stream_is_open(const struct spool *s);

/* dispatch.c */
bool dispatch_new_room(const struct spool *s);            /* for one more new object at the link */
void dispatch_note(struct spool *s, const struct outbox_object *o); /* it is at the link now */
void dispatch_run(struct spool *s, uint64_t now_ns);
void dispatch_done(struct spool *s, const struct msg_done *d, uint64_t now_ns);
void dispatch_expire(struct spool *s, uint64_t now_ns);

/* closer.c */
void closer_open(struct spool *s, uint64_t now_ns);      /* before feed_open(): makes the folder; fatal on failure */
void closer_run(struct spool *s, uint64_t now_ns);       /* once a second */

/* report.c */
void report_write(struct spool *s, uint64_t now_ns);

/* sender_metrics.c: the same for Prometheus, where the configuration asks for it */
void sender_metrics_write(struct spool *s, uint64_t now_ns);

#endif
