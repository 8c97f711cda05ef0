/* deliveries.h - what the receiver's ledger says was delivered or set aside, for list, show and watch. */
#ifndef KM_DELIVERIES_H
#define KM_DELIVERIES_H

#include <jansson.h>

#include "host/db.h"
#include "receiver/receiver_conf.h"

struct deliveries_filter {
	const char *channel;   /* NULL: any */
	const char *name;      /* a file name, also with * and ?; looked for in the manifests that are still in the inbox */
	char from[21], to[21]; /* ISO, UTC: from <= at < to; empty: no limit */
	int64_t number;        /* 0: any */
	int64_t after;         /* rows after this one of the ledger */
	int64_t last;          /* so many at most, the newest; 0: all */
};

struct deliveries_damage { /* rows that were read and are no entries: nobody knows what they were of */
	int64_t rows, first, last;
};

/* "2026-11-21", a day of the local time zone, into from and to.  -1: it is no date. */
int deliveries_day(struct deliveries_filter *f, const char *day) __attribute__((warn_unused_result));

/* An array, the oldest first, of { row, at, event (delivered, fork, quarantined, released), channel, number (if known), peer, files,
 * bytes, object, generation, dir (its whole path), here (is that there now?), reason (if set aside), ... } */
json_t *deliveries_list(struct db *db, const struct receiver_conf *c, const struct deliveries_filter *f, struct deliveries_damage *damage);
/* Say of the rows that were passed over.  EXIT_DATA, or EXIT_OK: there are none. */
int deliveries_damaged(const struct deliveries_damage *damage);
/* The files of a delivered transfer, from its manifest: [{ name | name_b64, size, sha256 }]; NULL: it is not there any more. */
json_t *deliveries_files(const char *dir);
/* The ledger of this configuration, read-only.  0, or an exit code after one logged line. */
int deliveries_open(struct db *db, struct receiver_conf *c, const char *conf) __attribute__((warn_unused_result));

#endif
