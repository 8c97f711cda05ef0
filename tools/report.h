/* report.h - katamichi report: what the receiver's ledger says of a day or a month.
 *
 * One pass over the whole ledger.  Every row's hash is checked, from the first row on, whatever the period: a chain that is
 * checked from its middle proves nothing about the middle.  So are the checkpoints on this host (ledger_against.h).  Rows of the period are told one by one to whoever writes them
 * as they come (CSV, JSON), and counted for whoever writes a page (text, HTML), so memory does not grow with the ledger.
 * Missing numbers are what table gap says now, of those that were known to be missing when the period ended. */
#ifndef KM_REPORT_H
#define KM_REPORT_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "host/i18n.h"
#include "receiver/ledger.h"
#include "receiver/receiver_conf.h"
#include "tools/ledger_against.h"
#include "tools/report_period.h"

enum report_kind { /* of a row */
	REPORT_DELIVERED,
	REPORT_FORK,        /* delivered apart: the number was there with another manifest */
	REPORT_QUARANTINED, /* here, and kept from the inbox */
	REPORT_APPROVED,    /* its release, by the first of two operators */
	REPORT_RELEASED,    /* taken out of the quarantine by somebody, who is named */
	REPORT_DISCARDED,   /* removed from the quarantine by somebody */
	REPORT_REFUSED,     /* could not be opened, or over a cap: nothing is kept */
	REPORT_SETTLED,     /* missing numbers that somebody waits for no longer */
	REPORT_CLOSING,     /* the sender's signed list of what it numbered, compared */
	REPORT_OTHER,       /* the ledger's own life, and kinds that a later version knows */
	REPORT_KINDS
};

/* A row of the period.  Texts are never NULL, valid UTF-8, and live until the callback returns. */
struct report_row {
	int64_t seq;
	enum report_kind kind;
	const char *event;  /* as the ledger calls it */
	const char *at;     /* "2026-11-21T02:26:03Z" */
	const char *channel, *sender, *generation, *object, *manifest, *dir, *reason, *by, *file; /* by: "NAME (login), NAME (login)" */
	int64_t number, last; /* 0: none; last: of a range, else number */
	int64_t numbers;    /* settled: how many of the range */
	int64_t files, bytes;
	const char *entry;  /* of the ledger, one JSON object */
	const json_t *json; /* the same, read; NULL of a delivery (report_plain.h) */
};
typedef void report_told(void *arg, const struct report_row *row);

struct report_channel {
	char name[NAME_CHANNEL_MAX + 1]; /* "" for rows that name none */
	int64_t count[REPORT_KINDS];
	int64_t files, bytes;            /* delivered, forks included */
	int64_t missing, settled;        /* numbers */
};

struct report_missing { /* a range of numbers */
	char channel[NAME_CHANNEL_MAX + 1], sender[2 * HASH_LEN + 1], generation[33], since[21];
	int64_t first, last;
};

enum {
	REPORT_CHANNELS_MAX = 256, /* further names are counted under the last */
	REPORT_KEPT_MAX = 500,     /* rows and ranges that a page lists; the CSV has all */
};

struct report {
	const struct receiver_conf *conf;
	struct report_period period;
	struct report_channel channel[REPORT_CHANNELS_MAX];
	unsigned channels;
	struct { int64_t delivered, bytes; } bucket[REPORT_BUCKETS_MAX]; /* an hour or a day each (report_period.h) */
	int64_t rows;                     /* of the period */
	int64_t unread;                   /* rows whose entry is no JSON object; in no count */
	/* Entries to be listed, at most REPORT_KEPT_MAX: anything but deliveries.  With seq, by and reason as in a row,
	 * shown_event (the kind's name) and shown_numbers (report_numbers()). */
	json_t *kept;
	int64_t worth;                    /* how many there are */
	json_t *closings;                 /* entries of closings, likewise */
	struct report_missing missing[REPORT_KEPT_MAX];
	unsigned missing_kept;
	int64_t missing_ranges, missing_numbers;
	struct ledger_keys keys;          /* whose checkpoints count */
	struct ledger_finding chain;
};

/* told may be NULL.  Returns 0, or -1 for want of memory (logged). */
int report_collect(struct report *r, struct db *db, report_told *told, void *arg) __attribute__((warn_unused_result));
void report_free(struct report *r);
/* Each missing range, also those that r does not keep. */
void report_each_missing(struct db *db, const struct report_period *p, void (*each)(void *, const struct report_missing *), void *arg);

/* The configured name of a sender, or the first digits of its fingerprint. */
const char *report_peer(const struct report *r, const char *fingerprint);
struct report_channel report_sum(const struct report *r); /* of all channels */
/* A kind's name for people; and a row's, where the kind is only "other". */
const char *report_kind_name(enum report_kind k);
const char *report_event_name(enum report_kind k, const char *event);
/* A number, or the first and the last of several; "" of none.  between: what stands there. */
const char *report_numbers(char out[static 48], int64_t first, int64_t last, const char *between);
/* Why, in the reader's language; an operator's own words stay as they are. */
const char *report_reason(const char *event, const char *reason);
const char *report_chain_state(const struct report *r, char *out, size_t size); /* one sentence */

/* The forms.  Each prints to out what it is called for; CSV and JSON collect by themselves. */
void report_text(const struct report *r, FILE *out);
void report_html(const struct report *r, FILE *out);
int report_csv(struct report *r, struct db *db, FILE *out) __attribute__((warn_unused_result));
int report_json(struct report *r, struct db *db, FILE *out) __attribute__((warn_unused_result));

#endif
