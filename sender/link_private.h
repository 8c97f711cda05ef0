/* link_private.h - shared by proc_link.c (the loop), link_talk.c (messages to and
 * from the spool) and link_batch.c (what the next batch is made of).  No other
 * file includes it. */
#ifndef KM_LINK_PRIVATE_H
#define KM_LINK_PRIVATE_H

#include "codec/tag.h"
#include "host/ipc_recv.h"
#include "sender/link_session.h"
#include "sender/pacing.h"
#include "sender/round.h"
#include "sender/schedule.h"
#include "sender/sender_conf.h"
#include "sender/transmit.h"

enum { IN_FLIGHT = 64 }; /* as many as the spool hands out (dispatch.h) */
#define STATUS_NS 1000000000ull
#define LOOK_NS 300000ull /* between two looks at the descriptors */

struct flight {
	struct round round;
	int64_t row;           /* 0: being made, and not numbered yet */
	uint64_t stream;       /* 0: it was complete when it came */
	bool ended;            /* DONE is still to be said */
	bool failed;
	uint64_t datagrams;
};

struct link {
	int spool, stop;
	struct sender_conf conf;
	struct link_session now, next;
	struct transmit out;
	struct pacer_pair pacer;
	struct pacing pacing;
	bool idle;             /* until this turn: what was not sent is not owed */
	struct window window;  /* on what the spool is writing */
	struct encoder *encoder;
	struct schedule schedule;
	struct schedule_item item[IN_FLIGHT];
	struct flight flight[IN_FLIGHT];
	struct crypto_onetime *tagger;
	uint8_t once[TRANSMIT_SLOTS * TAG_ONCE_STRIDE]; /* the keys of a batch's tags */
	uint64_t status_ns, retry_ns, looked_ns;
	struct ipc_msg msg;
};

void link_take_messages(struct link *l); /* all that the spool has said */
void link_say_done(struct link *l);      /* of every round that ended; what does not fit, at the next turn */
void link_say_status(struct link *l, uint64_t now); /* once in STATUS_NS */

/* Fill l->out as far as a batch goes: HELLO and BEAT that are due, then symbols.
 * *wake: brought forward to when there will be more to do. */
void link_fill_batch(struct link *l, uint64_t now, uint64_t *wake);
/* The round of flight i is not to be sent further: its memory and file are given back. */
void link_drop_round(struct link *l, unsigned i);
bool link_idle(const struct link *l); /* nothing was given that could be sent now */

#endif
