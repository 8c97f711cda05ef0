/* report_period.h - a day or a month of the place where the report is made (TZ), in the ledger's UTC. */
#ifndef KM_REPORT_PERIOD_H
#define KM_REPORT_PERIOD_H

#include <stdint.h>

enum { REPORT_BUCKETS_MAX = 31 };

struct report_period {
	char label[12];               /* "2026-11-21" or "2026-11" */
	int is_month;
	char from[21], until[21];     /* UTC; until is the first moment that is not in it */
	unsigned buckets;             /* hours of the day, or days of the month */
	int64_t edge[REPORT_BUCKETS_MAX + 1]; /* seconds since 1970; a bucket is from edge[i] to before edge[i + 1] */
};

/* "2026-11-21", "today" or "yesterday".  -1: no such day. */
int report_period_day(struct report_period *p, const char *text) __attribute__((warn_unused_result));
/* "2026-11".  -1: no such month. */
int report_period_month(struct report_period *p, const char *text) __attribute__((warn_unused_result));
/* Is this moment, as the ledger writes it, in the period? */
int report_period_has(const struct report_period *p, const char *at);
/* Which bucket; the caller knows it is in the period. */
unsigned report_period_bucket(const struct report_period *p, const char *at);
/* "2026-11-21 11:26:03", local time; at itself, cut, if it is no moment. */
const char *report_period_local(char out[static 24], const char *at);
/* "JST (UTC+09:00)", of the period's beginning. */
const char *report_period_zone(const struct report_period *p, char out[static 64]);

#endif
