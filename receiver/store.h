/* store.h - what the files of the store process share: store_start.c, proc_store.c
 * (messages), intake.c (complete objects become deliveries) and those named below. */
#ifndef KM_STORE_H
#define KM_STORE_H

#include <stdbool.h>

#include "host/clock.h"
#include "receiver/audit.h"
#include "receiver/checkpoints.h"
#include "receiver/closings.h"
#include "receiver/part_store.h"
#include "receiver/pipeframe.h"
#include "receiver/publish.h"
#include "receiver/quarantine.h"
#include "receiver/receiver_conf.h"
#include "receiver/scan.h"

enum {
	STORE_AHEAD = 4,     /* objects that open may have beside the one being built */
	STORE_BATCH = 64,    /* transfers made durable together, at most */
	STORE_ATTEMPTS = 5,  /* deaths of the processes behind one object, then it is set aside */
};

/* What a complete object waits for. */
enum job_held { JOB_NOT_HELD, JOB_HELD_DISK, JOB_HELD_ROOM /* keep_free */, JOB_HELD_KEY /* validity.h */, JOB_HELD_SCANNER };

struct job { /* an object on its way */
	struct job *next;
	enum receiver_lane lane;
	uint32_t slot, sender;
	uint64_t turn;          /* place in the list: senders take turns */
	uint8_t id[16];
	uint64_t length;
	uint64_t not_before_ns; /* after trouble with the disk */
	enum job_held held;     /* why, the last time; also while it is tried again */
	bool sent, opened, unsealed, begun;
	int result;             /* of unsealing */
	/* on LANE_EARLY (early.c) */
	bool whole;             /* complete by now */
	bool asked;             /* open waits for MSG_READY */
	bool stopped;
	uint64_t ready, told_ready, told_length;
	uint64_t progress_ns;   /* when more of it came */
	struct msg_opened inner;
	bool needs_scan, scanned; /* scan.h */
	uint32_t scan_at, scan_tries;
	char scanner[CLAMD_TEXT_MAX]; /* what it says of its version */
	struct transfer transfer;
	char checks[sizeof(((struct pipe_finish *)0)->checks)]; /* that were made */
};

struct peer_state {
	uint32_t lane, epoch;
	uint64_t session_ms;    /* 0: none since the start */
	unsigned flags;         /* of its last beat: enum beat_flag */
	uint64_t old_epochs, refused; /* HELLOs */
};

struct store {
	struct receiver_conf conf;
	char fingerprint[RECEIVER_PEERS_MAX][2 * HASH_LEN + 1]; /* of the peers */
	struct msg_self self;   /* this receiver's fingerprint, and those of its retired keys */
	bool revoked[RECEIVER_PEERS_MAX]; /* peers_ask.h */
	bool self_known;
	bool started;           /* the ledger is open */
	bool ready;             /* link has said that it gathers */
	int stop_fd;
	int state, parts_dir, work, inbox, quarantine;
	struct part_store parts;
	struct ledger ledger;
	struct publish publish;
	struct syncs *syncs;
	struct closings closings;
	struct checkpoints checkpoints;
	struct audit audit;
	struct scan scan;
	struct clock_watch clock;
	uint64_t held_log_ns[RECEIVER_PEERS_MAX]; /* validity.h */
	struct store_lane {
		int open;               /* socket */
		struct pipeframe_in events;
		int wake;               /* readable when there are any */
		struct outfile *out;    /* of the transfer being built */
	} lane[LANES];

	struct job *early;      /* the one on LANE_EARLY, or NULL */
	uint32_t early_gone;    /* slot of the last one that was given up */
	struct job *jobs;       /* complete ones; those sent come first, then senders take turns, each in order of arrival */
	uint64_t turn, turn_of[RECEIVER_PEERS_MAX]; /* of the one sent last; of the last one in the list */
	unsigned sent, waiting;
	struct publish_item batch[STORE_BATCH];
	unsigned batched;
	struct msg_done done;   /* to be told to link */

	struct msg_stats stats;
	struct peer_state peer[RECEIVER_PEERS_MAX];
	struct quarantine decisions; /* of operators about the quarantine */
	struct store_tally {    /* of a channel, since the start */
		uint64_t delivered, files, bytes, forks, quarantined, refused;
	} tally[RECEIVER_CHANNELS_MAX]; /* quarantined: transfers, and files of delivered ones */
	uint64_t unopened;      /* objects that could not be opened, since the start */
	uint64_t metrics_log_ns; /* when it was last said that the figures cannot be written */
	uint64_t disk_log_ns;
	uint64_t stranger_log_ns, strangers; /* LC_PEER when it was last spoken of */
	uint64_t started_ms;
};

/* jobs.c */
const char *job_show(char out[static 33], const uint8_t *id);
void job_append(struct store *s, struct job *j);
void job_unlink(struct store *s, struct job *j); /* out of the list; it lives on */
void job_done(struct store *s, struct job *j);   /* these three end it, once it is out of the list */
void job_forget(struct store *s, struct job *j);
void job_later(struct store *s, struct job *j, int error);

/* store_tally.c: what metrics count. */
void tally_published(struct store *s, const struct publish_item *it);
void tally_refused(struct store *s, const struct job *j);

/* intake.c */
void intake_complete(struct store *s, const struct msg_object *o);
void intake_opened(struct store *s, enum receiver_lane lane, const struct msg_opened *o);
void intake_unsealed(struct store *s, enum receiver_lane lane, const struct msg_unsealed *u);
void intake_frame(struct store *s, enum receiver_lane lane, const struct pipeframe *f);
int intake_file(struct store *s, uint32_t slot, uint64_t length); /* the sealed object, for open: descriptor or -1 */
void intake_pump(struct store *s, uint64_t now_ns); /* give open what it may have */
void intake_commit(struct store *s);                /* publish the batch */
void intake_accept(struct store *s, struct job *j);  /* all of it has come (intake_accept.c) */
void intake_over_cap(struct store *s, struct job *j, const char *reason);
void intake_scanned(struct store *s, struct job *j); /* the scanner has looked at all its files (scan.h) */

/* early.c: a large object is opened while it still arrives.  Nothing of it is
 * published before the whole was verified. */
void early_progress(struct store *s, const struct msg_progress *p);
bool early_complete(struct store *s, const struct msg_object *o); /* true: it is this one, and goes on as it is */
void early_stop(struct store *s, uint32_t slot);                  /* link gave it up */
void early_want(struct store *s, const struct msg_want *m);
void early_failed(struct store *s, struct job *j);                /* ends the attempt, not the object */

/* poison.c: objects that the check process dies of. */
bool poison_suspect(const struct store *s, uint32_t slot);  /* has it died while it looked at this one? */
bool poison_set_aside(struct store *s, struct job *j);      /* true: too often; the job has ended, the object is in the quarantine */
void poison_check_died(struct store *s);                    /* it is gone: note whose fault it may be */

/* refused.c: objects that never become a transfer. */
void refused_row(struct store *s, const struct job *j, uint64_t number, const char *reason); /* in a transaction */
void refuse_object(struct store *s, struct job *j, const char *why, uint64_t number); /* ends the job; number 0: not known */
void refused_expired(struct store *s, const struct msg_object *o); /* link gives it up, unfinished */

/* store_start.c: the directories; then ledger and part files, and link is told what it need not gather.  Fatal on failure. */
void store_directories(struct store *s);
void store_start(struct store *s);

/* proc_store.c */
void store_from_open(struct store *s, enum receiver_lane lane, bool wait);   /* read its messages; wait for at least one */
void store_to_link(struct store *s, uint32_t type, const void *body, size_t n);
void store_give_slot(struct store *s, uint32_t slot, int data, int map); /* the descriptors stay the caller's */
uint32_t store_give_slots(struct store *s, uint32_t count); /* new ones; returns how many, fewer for want of disk */
void store_flush_done(struct store *s);
int store_peer(const struct store *s, const char *fingerprint); /* index, or -1 */

/* jumps.c: jumps of this machine's clock, into the log and the ledger. */
void jumps_since_last(struct store *s);              /* at the start: is the last entry from the future? */
void jumps_look(struct store *s, uint64_t now_ns);   /* once a second */

/* receiver_status.c: write state/status.json (whole or not at all). */
void receiver_status_write(struct store *s);
extern const char *const receiver_counter_name[LC_COUNT]; /* NULL: not shown */

/* receiver_metrics.c: the same for Prometheus, where the configuration asks for it. */
void receiver_metrics_write(struct store *s, int disk_trouble);

#endif
