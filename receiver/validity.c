/* validity.c - when a pinned sender's key is valid (validity.h). */
#include "receiver/validity.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host/clock.h"
#include "host/log.h"
#include "receiver/store.h"

#define SAY_NS 600000000000ull /* ten minutes */

int validity_date(const char *text, uint64_t *seconds)
{
	static const char form[] = "dddd-dd-dd";
	struct tm tm = { 0 }, back;
	time_t t;

	if (strlen(text) != sizeof(form) - 1)
		return -1;
	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return -1;
	if (sscanf(text, "%4d-%2d-%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday) != 3)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	back = tm;
	t = timegm(&back);
	/* The 31st of February is what timegm() makes something else of. */
	if (t < 0 || back.tm_year != tm.tm_year || back.tm_mon != tm.tm_mon || back.tm_mday != tm.tm_mday)
		return -1;
	*seconds = (uint64_t)t;
	return 0;
}

bool validity_at(const struct receiver_peer *p, uint64_t wall_s)
{
	return wall_s >= p->valid_from && (p->valid_until == 0 || wall_s < p->valid_until + 86400 /* to the end of that day */);
}

bool validity_now(struct store *s, uint32_t sender)
{
	const struct receiver_peer *p = &s->conf.peer[sender];
	uint64_t wall_s = clock_wall_ms() / 1000, now = clock_mono_ns();
	char at[21];

	if (validity_at(p, wall_s))
		return true;
	if (s->held_log_ns[sender] == 0 || now - s->held_log_ns[sender] > SAY_NS) {
		s->held_log_ns[sender] = now;
		clock_iso(at, wall_s);
		log_about(.event = LOG_EVENT_KEY, .peer = p->name);
		log_warn("ALARM: peer %s: its key is not valid now (the clock says %s); what it sends is held sealed, and opened once "
		    "the clock, or valid_from and valid_until, are right", p->name, at);
	}
	return false;
}
