/* status_receiver_show.c - katamichi status of a receiver, for people. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/i18n.h"
#include "host/log.h"
#include "host/reason.h"
#include "receiver/name_json.h"
#include "tools/out.h"
#include "tools/status.h"
#include "tools/wide.h"

enum {
	PARTLY_MAX = 4,
	QUARANTINE_MAX = 3,
};

static void show_refused(const json_t *counters)
{
	char text[1024] = "";
	const json_t *v;
	const char *key;

	json_object_foreach((json_t *)(uintptr_t)counters, key, v) {
		size_t n = strlen(text);
		if (json_integer_value(v) == 0 || (strncmp(key, "refused_", 8) != 0 && strncmp(key, "no_", 3) != 0 &&
		    strcmp(key, "not_written") != 0 && strcmp(key, "blocks_failed") != 0 && strcmp(key, "damaged") != 0))
			continue;
		snprintf(text + n, sizeof(text) - n, "%s%s %lld", n > 0 ? ", " : "", strncmp(key, "refused_", 8) == 0 ? key + 8 : key,
		    (long long)json_integer_value(v));
	}
	if (text[0] != '\0')
		status_line("", _("datagrams refused: %s"), text);
}

static void show_link(const json_t *l)
{
	const json_t *c = json_object_get(l, "counters");
	char when[32], size[32];

	if (json_string_value(json_object_get(l, "last")) == NULL)
		status_line(_("link"), "%s", _("nothing authentic received since the start"));
	else
		status_line(_("link"), _("last datagram %s, from %s, lane %" PRIu64), out_time(when, status_text(l, "last", "")), status_text(l, "peer", "?"),
		    status_count(l, "lane"));
	status_line("", _("%" PRIu64 " datagrams, %s; %" PRIu64 " symbols repaired; dropped by the kernel: %" PRIu64), status_count(c, "datagrams"),
	    out_bytes(size, (double)status_count(c, "bytes")), status_count(c, "repaired"), status_count(c, "kernel_drops"));
	if (status_is(l, "small_buffer"))
		status_line("", _("DEGRADED: the kernel gave a socket buffer of %" PRIu64 " bytes, not %" PRIu64 "; expect losses"),
		    status_count(l, "buffer"), status_count(l, "buffer_wanted"));
	show_refused(c);
}

static void show_peers(const json_t *peers)
{
	char when[32];
	const json_t *p;
	size_t i;

	json_array_foreach(peers, i, p) {
		const char *since = json_string_value(json_object_get(p, "session"));
		status_line(i == 0 ? _("sender") : "", since != NULL ? _("%s: session since %s") : _("%s: no session since the start"),
		    status_text(p, "name", "?"), since != NULL ? out_time(when, since) : "");
		if (status_count(p, "old_epochs") != 0)
			status_line("", _("ALARM: %" PRIu64 " sessions with an old epoch"), status_count(p, "old_epochs"));
		if (json_is_false(json_object_get(p, "valid")))
			status_line("", "%s", _("ALARM: its key is not valid now: what it sends is held sealed"));
		if (status_is(p, "disk_trouble"))
			status_line("", "%s", _("ALARM: its disk takes nothing now, what is put in there waits"));
	}
}

static enum out_style channel_style(const json_t *row)
{
	return status_count(row, "missing") > 0 ? OUT_WARN : OUT_PLAIN;
}

/* "eltax 2-3, 7": which numbers are missing. */
static void show_missing(const json_t *channels)
{
	char text[2048] = "";
	const json_t *c, *g;
	size_t i, j;

	json_array_foreach(channels, i, c)
		json_array_foreach(json_object_get(c, "gaps"), j, g) {
			size_t n = strlen(text);
			long long a = json_integer_value(json_array_get(g, 0)), b = json_integer_value(json_array_get(g, 1));
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", n > 0 ? ", " : "");
			if (a == b)
				snprintf(text + n, sizeof(text) - n, "%s %lld", status_text(c, "channel", "?"), a);
			else
				snprintf(text + n, sizeof(text) - n, "%s %lld-%lld", status_text(c, "channel", "?"), a, b);
			if (strlen(text) > sizeof(text) - 128)
				break;
		}
	if (text[0] != '\0')
		status_line(_("gaps"), "%s", text);
}

static void show_channels(const json_t *list, uint64_t all)
{
	static const struct out_column columns[] = {
		{ "channel", N_("CHANNEL"), OUT_STRING }, { "peer", N_("SENDER"), OUT_PEER }, { "delivered", N_("DELIVERED"), OUT_NUMBER },
		{ "known", N_("NEWEST"), OUT_NUMBER }, { "missing", N_("MISSING"), OUT_NUMBER },
		{ "delivered_at", N_("LAST DELIVERY"), OUT_TIME },
	};
	json_t *channels = status_streams(list);

	putchar('\n');
	if (json_array_size(channels) == 0)
		puts(_("no channel: nothing delivered or announced yet"));
	else
		out_table(channels, columns, sizeof(columns) / sizeof(columns[0]), channel_style);
	if (all > json_array_size(channels))
		printf(_("... and %" PRIu64 " more (--json)\n"), all - json_array_size(channels));
	putchar('\n');
	show_missing(channels);
	json_decref(channels);
}

static void show_partly(const json_t *partly)
{
	const json_t *p;
	size_t i;

	json_array_foreach(partly, i, p) {
		uint64_t have = status_count(p, "have"), all = status_count(p, "symbols");
		const char *label = i == 0 ? _("on its way") : "", *object = status_text(p, "object", "?"), *peer = status_text(p, "peer", "?");
		if (i == PARTLY_MAX) {
			status_line("", _("... and %zu more (--json)"), json_array_size(partly) - i);
			break;
		}
		if (all != 0)
			status_line(label, _("object %.8s from %s: %.1f %% of %" PRIu64 " symbols"), object, peer, 100.0 * (double)have / (double)all, all);
		else
			status_line(label, _("object %.8s from %s: %" PRIu64 " symbols"), object, peer, have);
	}
}

static void show_scanner(const json_t *a)
{
	status_line(_("antivirus"), _("%" PRIu64 " transfers before the scanner, %" PRIu64 " objects held until it has looked at them"),
	    status_count(a, "scanning"), status_count(a, "held"));
	if (status_text(a, "trouble", "")[0] != '\0')
		status_line("", "%s%s%s", out_style(OUT_BAD), status_text(a, "trouble", ""), out_style(OUT_PLAIN));
}

static void show_quarantine(const json_t *list, uint64_t all, uint64_t waiting)
{
	uint8_t name[NAME_MAX_LEN];
	char shown[160], when[32];
	const json_t *e;
	size_t i;

	status_line(_("set aside"), _("%" PRIu64 " in quarantine; %" PRIu64 " complete, not yet opened"), all, waiting);
	json_array_foreach(list, i, e) {
		size_t n = name_json_get(name, e, "file", "file_b64");
		if (i == QUARANTINE_MAX) {
			status_line("", "%s", _("... and more (katamichi quarantine list)"));
			break;
		}
		status_line("", _("%s since %s: %s%s%s"), status_text(e, "entry", "?"), out_time(when, status_text(e, "at", "?")),
		    log_show(shown, sizeof(shown), name, n), n > 0 ? ": " : "", reason_show(status_text(e, "reason", "")));
	}
}

static void show_forks(const json_t *forks)
{
	char when[32];

	if (status_count(forks, "count") != 0)
		status_line(_("forks"), _("%" PRIu64 " numbers came again with other files, the last %s: %s"), status_count(forks, "count"),
		    out_time(when, status_text(forks, "at", "")), status_text(forks, "dir", "?"));
}

/* What is in the ledger and is told for some days. */
static void show_incidents(const json_t *incidents)
{
	const json_t *clock = json_object_get(incidents, "clock"), *generation = json_object_get(incidents, "generation");
	char when[32];

	if (status_recent(generation))
		status_line(_("generation"), _("a new one of channel %s, %s"), status_text(generation, "what", "?"),
		    out_time(when, status_text(generation, "at", "?")));
	if (status_recent(clock))
		status_line(_("clock"), _("it jumped by %s s, %s"), status_text(clock, "what", "?"), out_time(when, status_text(clock, "at", "?")));
}

void status_receiver_show(const json_t *s)
{
	const json_t *d = json_object_get(s, "disk"), *l = json_object_get(s, "ledger"), *incidents = json_object_get(s, "incidents");
	const json_t *back = json_object_get(incidents, "set-back");
	char when[32], size[2][32];

	const char *state = !status_is(s, "running") ? _("receiver, NOT RUNNING") : status_is(s, "fresh") ? _("receiver, running") :
	    _("receiver, running, but its disk takes no word of it (see the log)");

	printf("%s%s%s  ", out_style(status_is(s, "running") && status_is(s, "fresh") ? OUT_GOOD : OUT_BAD), state, out_style(OUT_PLAIN));
	if (status_is(s, "running") && status_is(s, "fresh"))
		printf(_("since %s\n\n"), out_time(when, status_text(s, "started", "?")));
	else
		printf(_("as it was at %s\n\n"), out_time(when, status_text(s, "at", "?")));
	show_link(json_object_get(s, "link"));
	show_peers(json_object_get(s, "peers"));
	show_channels(json_object_get(s, "channels"), status_count(s, "streams"));
	show_partly(json_object_get(s, "partly"));
	show_quarantine(json_object_get(s, "quarantine"), status_count(s, "quarantined"), status_count(s, "waiting"));
	show_forks(json_object_get(s, "forks"));
	show_incidents(incidents);
	status_line(_("ledger"), _("%" PRIu64 " rows, last hash %.16s..."), status_count(l, "rows"), status_text(l, "hash", ""));
	if (json_object_get(s, "antivirus") != NULL)
		show_scanner(json_object_get(s, "antivirus"));
	if (json_is_integer(json_object_get(l, "set_back")))
		status_line("", _("%sALARM: %" PRIu64 " rows were signed before, so it was set back or changed (katamichi ledger verify)%s"),
		    out_style(OUT_BAD), status_count(l, "set_back"), out_style(OUT_PLAIN));
	else if (status_recent(back))
		status_line("", _("it was set back or changed: %s rows were signed before; noticed %s"),
		    status_text(back, "what", "?"),
		    out_time(when, status_text(back, "at", "?")));
	if (json_is_integer(json_object_get(l, "bad")))
		status_line("", _("%sALARM: row %" PRIu64 " %s (katamichi ledger verify)%s"), out_style(OUT_BAD), status_count(l, "bad"),
		    reason_show(status_text(l, "why", "?")), out_style(OUT_PLAIN));
	status_line(_("disk"), _("%s of %s free"), out_bytes(size[0], (double)status_count(d, "free")), out_bytes(size[1], (double)status_count(d, "total")));
	if (status_text(d, "trouble", "")[0] != '\0')
		status_line("", "%s%s%s", out_style(OUT_BAD), _(status_text(d, "trouble", "")), out_style(OUT_PLAIN));
	status_show_keys(json_object_get(s, "keys"));
	status_show_todo(json_object_get(s, "todo"));
}
