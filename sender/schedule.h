/* schedule.h - what is sent next.  Pure: time is a parameter, the caller owns the items.
 *
 * New objects go before repeats, except for a share of one twentieth of the
 * bytes that repeats keep even when the link is busy.  Within a class the
 * channels of the highest priority go first; among those, the channel that was
 * given least (what it did not use while it had nothing is not kept for it);
 * and within a channel the object with least left to send.  Every fourth turn
 * belongs to the one that has waited longest, of those with a lower priority if
 * there are any: so a small file never waits behind a large one, and neither a
 * large one nor a low priority ever stops.  A turn is a batch of datagrams. */
#ifndef KM_SCHEDULE_H
#define KM_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	SCHEDULE_OLDEST_EVERY = 4,         /* turns */
	SCHEDULE_REPEAT_SHARE = 20,        /* one byte in so many, when busy */
	SCHEDULE_CHANNELS = 68,            /* as many as may be configured, and one for those that are not any more */
	SCHEDULE_CREDIT_MAX = 1 << 20,     /* bytes that repeats may have saved up, or sent ahead while idle */
};

struct schedule_item {
	bool used;
	bool repeat;
	bool blocked;      /* waits for something without a time (its parity) */
	uint64_t left;     /* bytes still to send in this round */
	uint64_t since_ns; /* when it came */
	uint64_t ready_ns; /* not before this moment */
	uint32_t channel;  /* below SCHEDULE_CHANNELS */
	uint32_t priority; /* the higher goes first */
};

struct schedule {
	int64_t credit;    /* bytes that repeats have earned; below 0: sent ahead */
	uint32_t turn;
	uint64_t given[SCHEDULE_CHANNELS]; /* bytes, by channel */
	uint64_t floor;    /* what the channel had been given that had least, among those with something to send */
};

/* The item to send from now, or -1; then *wake_ns is the earliest ready_ns of
 * those that only wait for their time (UINT64_MAX if there is none). */
int schedule_pick(struct schedule *s, const struct schedule_item *item, unsigned n, uint64_t now_ns, uint64_t *wake_ns);
/* So many bytes of item were sent. */
void schedule_sent(struct schedule *s, const struct schedule_item *item, uint64_t bytes);

/* When an object is due again after its `rounds`-th round (1 or more) ended at
 * now, with the configured intervals; the last interval goes on. */
uint64_t schedule_due(const uint64_t *repeat, unsigned repeats, uint32_t rounds, uint64_t now);

#endif
