/* spool.h - what the stages of the spool process share: feed > batch > dispatch.
 *
 *     feed.c      a channel's folder: finished files become a claimed batch
 *     batch.c     a batch: checked, sealed, numbered; its sources erased
 *     dispatch.c  numbered objects: to the link, again when due, erased in the end
 *     closer.c    what was numbered, written down for the receiver
 *     report.c    status.json, once a second, for `katamichi status`
 *
 * One thread owns all of it; the sealers (sealer.h) only touch the job they were given. */
#ifndef KM_SPOOL_H
#define KM_SPOOL_H

#include "host/clock.h"
#include "host/ipc_recv.h"
#include "sender/claim.h"
#include "sender/messages.h"
#include "sender/outbox.h"
#include "sender/rekey.h"
#include "sender/sealer.h"
#include "sender/sender_conf.h"
#include "sender/watch.h"

enum { IN_FLIGHT_MAX = 64, IN_FLIGHT_REPEATS = 8 };

/* Two sealers, so that small files never wait behind a large one. */
enum track { TRACK_QUICK, TRACK_BULK, TRACKS };
enum { TRACK_BULK_FROM = 16 << 20 }; /* bytes of a file from which on it is bulk */
#define SPOOL_RETRY_NS 5000000000ull  /* after a full disk and the like */

enum batch_state { BATCH_CHECK, BATCH_WAIT /* for its sealer, or for better times */, BATCH_SEAL };

struct batch {
	struct batch *next;
	uint64_t serial;
	unsigned feed;
	enum track track;
	enum batch_state state;
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
};

struct closer {
	int state, folder;         /* directories */
	uint64_t listed_ms, day_ms; /* service time: of the last list, of the last daily closing */
	int64_t day;               /* local date of it, as days; -1 not known */
	uint64_t not_before_ns;    /* after a fault */
};

struct in_flight {
	int64_t row;               /* 0: free */
	uint32_t rounds;
	char channel[NAME_CHANNEL_MAX + 1];
	uint64_t number;
};

struct spool {
	struct sender_conf conf;
	int stop, check, link;
	struct watch *watch;
	struct outbox outbox;
	struct sealer_keys keys;
	struct sealer *sealer[TRACKS];
	struct batch *sealing[TRACKS];
	struct batch *batches;     /* all, in the order of their claims */
	uint64_t serial;
	uint32_t open_questions;   /* to the check process */
	struct feed feed[SENDER_CHANNELS_MAX];
	struct in_flight flight[IN_FLIGHT_MAX];
	unsigned flights, flights_again;
	bool oldest_turn;
	uint64_t full_ns;          /* the link's socket was full: not before */
	struct msg_link last;      /* what the link said last */
	struct party receiver, recovery;
	struct party_secret *me;   /* secret memory */
	uint8_t *psk;              /* secret memory; NULL: none */
	struct rekey *rekey;       /* secret memory */
	struct closer closer;
	struct clock_watch clock;
	uint64_t clock_jumps;      /* since the start */
	struct ipc_msg msg;
};

/* feed.c */
void feed_open(struct spool *s, unsigned i);              /* fatal on failure */
void feed_recover(struct spool *s, unsigned i);           /* claims that an earlier run left */
void feed_run(struct spool *s, unsigned i, uint64_t now_ns); /* form batches as far as may be */
void feed_count_refused(struct spool *s, unsigned i);

/* batch.c */
struct batch *batch_new(struct spool *s, unsigned feed, enum track track);
void batch_drop(struct spool *s, struct batch *b);        /* ends its claim, too; takes it out of the list */
void batch_ask(struct spool *s, uint64_t now_ns);         /* files to the check process, as it has room */
void batch_verdict(struct spool *s, const struct msg_verdict *v);
void batch_seal(struct spool *s, uint64_t now_ns);        /* waiting batches to idle sealers */
void batch_sealed(struct spool *s, enum track t, uint64_t now_ns); /* a sealer's event */
uint64_t batch_next(const struct spool *s);               /* when a waiting one may go on; UINT64_MAX: none */

/* dispatch.c */
void dispatch_run(struct spool *s, uint64_t now_ns);
void dispatch_done(struct spool *s, const struct msg_done *d, uint64_t now_ns);
void dispatch_expire(struct spool *s, uint64_t now_ns);

/* closer.c */
void closer_open(struct spool *s, uint64_t now_ns);      /* before feed_open(): makes the folder; fatal on failure */
void closer_run(struct spool *s, uint64_t now_ns);       /* once a second */

/* report.c */
void report_write(struct spool *s, uint64_t now_ns);

#endif
