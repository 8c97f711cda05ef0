/* report_period.c - see report_period.h. */
#include "tools/report_period.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host/clock.h"

enum { HOUR_S = 3600 };

/* "####-##-##" and the like: digits where the pattern has #, the pattern's own characters elsewhere. */
static int shaped(const char *s, const char *pattern)
{
	size_t n = strlen(pattern);

	if (strlen(s) != n)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (pattern[i] == '#' ? s[i] < '0' || s[i] > '9' : s[i] != pattern[i])
			return 0;
	return 1;
}

static int digits(const char *s, unsigned n)
{
	int v = 0;

	for (unsigned i = 0; i < n; i++)
		v = v * 10 + (s[i] - '0');
	return v;
}

/* Local midnight; mon and day may run over, as for mktime(). */
static int64_t midnight(int year, int mon, int day)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = mon - 1, .tm_mday = day, .tm_isdst = -1 };

	return (int64_t)mktime(&tm);
}

static void set_ends(struct report_period *p)
{
	clock_iso(p->from, (uint64_t)p->edge[0]);
	clock_iso(p->until, (uint64_t)p->edge[p->buckets]);
}

/* A day is 23 or 25 hours long where clocks are changed. */
static int day_of(struct report_period *p, int year, int mon, int day)
{
	struct tm tm;
	time_t begin = (time_t)midnight(year, mon, day);
	int64_t end = midnight(year, mon, day + 1);

	if (begin < 0 || localtime_r(&begin, &tm) == NULL || tm.tm_mday != day || tm.tm_mon != mon - 1)
		return -1;
	memset(p, 0, sizeof(*p));
	(void)snprintf(p->label, sizeof(p->label), "%04d-%02d-%02d", year % 10000, mon % 100, day % 100);
	for (int64_t t = begin; t < end; t += HOUR_S)
		p->edge[p->buckets++] = t;
	p->edge[p->buckets] = end;
	set_ends(p);
	return 0;
}

static int day_from_now(struct report_period *p, int days)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm tm;

	if (localtime_r(&now, &tm) == NULL)
		return -1;
	tm = (struct tm){ .tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday + days, .tm_hour = 12, .tm_isdst = -1 };
	if (mktime(&tm) == -1)
		return -1;
	return day_of(p, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

int report_period_day(struct report_period *p, const char *text)
{
	if (strcmp(text, "today") == 0 || strcmp(text, "yesterday") == 0)
		return day_from_now(p, text[0] == 'y' ? -1 : 0);
	if (!shaped(text, "####-##-##") || digits(text, 4) < 1970)
		return -1;
	return day_of(p, digits(text, 4), digits(text + 5, 2), digits(text + 8, 2));
}

int report_period_month(struct report_period *p, const char *text)
{
	int year, mon;

	if (!shaped(text, "####-##"))
		return -1;
	year = digits(text, 4);
	mon = digits(text + 5, 2);
	if (year < 1970 || mon < 1 || mon > 12)
		return -1;
	memset(p, 0, sizeof(*p));
	p->is_month = 1;
	(void)snprintf(p->label, sizeof(p->label), "%04d-%02d", year % 10000, mon % 100);
	for (int64_t next = midnight(year, mon + 1, 1); midnight(year, mon, (int)p->buckets + 1) < next; p->buckets++)
		p->edge[p->buckets] = midnight(year, mon, (int)p->buckets + 1);
	p->edge[p->buckets] = midnight(year, mon + 1, 1);
	set_ends(p);
	return p->edge[0] < 0 ? -1 : 0;
}

static int64_t seconds(const char *at)
{
	struct tm tm = { .tm_year = digits(at, 4) - 1900, .tm_mon = digits(at + 5, 2) - 1, .tm_mday = digits(at + 8, 2),
		.tm_hour = digits(at + 11, 2), .tm_min = digits(at + 14, 2), .tm_sec = digits(at + 17, 2) };

	return (int64_t)timegm(&tm);
}

int report_period_has(const struct report_period *p, const char *at)
{
	/* Of one shape, so the order of letters is that of time. */
	return shaped(at, "####-##-##T##:##:##Z") && strcmp(at, p->from) >= 0 && strcmp(at, p->until) < 0;
}

unsigned report_period_bucket(const struct report_period *p, const char *at)
{
	int64_t t = seconds(at);
	unsigned i = 0;

	while (i + 1 < p->buckets && t >= p->edge[i + 1])
		i++;
	return i;
}

const char *report_period_local(char out[static 24], const char *at)
{
	struct tm tm;
	time_t t;

	if (shaped(at, "####-##-##T##:##:##Z") && (t = (time_t)seconds(at), localtime_r(&t, &tm) != NULL) &&
	    strftime(out, 24, "%Y-%m-%d %H:%M:%S", &tm) != 0)
		return out;
	(void)snprintf(out, 24, "%.23s", at);
	return out;
}

const char *report_period_zone(const struct report_period *p, char out[static 64])
{
	time_t t = (time_t)p->edge[0];
	char name[32] = "", offset[16] = "";
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL || strftime(name, sizeof(name), "%Z", &tm) == 0 ||
	    strftime(offset, sizeof(offset), "%z", &tm) != 5)
		return "UTC";
	(void)snprintf(out, 64, "%s (UTC%.3s:%s)", name, offset, offset + 3);
	return out;
}
