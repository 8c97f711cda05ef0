/* status_receiver.c - katamichi status of a receiver: state/status.json, which
 * the store process writes every second, and what follows from it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host/clock.h"
#include "host/exits.h"
#include "host/i18n.h"
#include "host/log.h"
#include "host/reason.h"
#include "receiver/name_json.h"
#include "receiver/receiver_conf.h"
#include "tools/asking.h"
#include "tools/out.h"
#include "tools/status.h"
#include "tools/wide.h"

enum {
	STALE_MS = 5000,
	SILENT_S = 300,  /* heartbeats come far more often */
	SHOWN_MAX = 64,  /* channels and generations; partly received objects */
	PARTLY_MAX = 4,
	QUARANTINE_MAX = 3,
	FORK_DAYS = 7,   /* so long somebody is asked to look at it, and at other incidents */
	KEY_SOON_DAYS = 30,
	KEY_OLD_DAYS = 730,
};

static uint64_t number(const json_t *o, const char *key)
{
	return (uint64_t)status_number(o, key);
}

static int is_true(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

/* Seconds since an ISO time; 0 if there is none. */
static uint64_t age_s(const char *iso)
{
	struct tm tm = { 0 };
	uint64_t now = clock_wall_ms() / 1000;
	time_t t;

	if (strptime(iso, "%Y-%m-%dT%H:%M:%SZ", &tm) == NULL)
		return 0;
	t = timegm(&tm);
	return t >= 0 && now > (uint64_t)t ? now - (uint64_t)t : 0;
}

/* --- facts --- */
static void add_keys(json_t *s, const struct receiver_conf *c)
{
	json_t *keys = json_array();

	status_key(keys, "receiver", c->keys, 0);
	for (unsigned i = 0; i < c->peers; i++)
		status_key(keys, c->peer[i].name, c->peer[i].key, c->peer[i].valid_until);
	json_object_set_new(s, "keys", keys);
}

static uint64_t missing_of(const json_t *channels)
{
	const json_t *c;
	uint64_t n = 0;
	size_t i;

	json_array_foreach(channels, i, c)
		n += number(c, "missing");
	return n;
}

static void todo_of_peers(json_t *todo, const json_t *peers)
{
	const json_t *p;
	size_t i;
	int invalid = 0, epochs = 0, disk = 0;

	json_array_foreach(peers, i, p) {
		invalid |= json_is_false(json_object_get(p, "valid"));
		epochs |= number(p, "old_epochs") != 0;
		disk |= is_true(p, "disk_trouble");
	}
	if (invalid)
		status_todo(todo, "key not valid");
	if (epochs)
		status_todo(todo, "old epoch");
	if (disk)
		status_todo(todo, "sender's disk");
}

static void todo_of_keys(json_t *todo, const json_t *keys)
{
	const json_t *k;
	size_t i;
	int soon = 0, old = 0;

	json_array_foreach(keys, i, k) {
		json_int_t left = status_number(k, "days_left");
		soon |= json_object_get(k, "days_left") != NULL && left >= 0 && left <= KEY_SOON_DAYS;
		old |= status_number(k, "days") > KEY_OLD_DAYS;
	}
	if (soon)
		status_todo(todo, "key ends soon");
	if (old)
		status_todo(todo, "key old");
}

static bool is_recent(const json_t *incidents, const char *event)
{
	const char *at = status_text(json_object_get(incidents, event), "at", "");

	return at[0] != '\0' && age_s(at) < FORK_DAYS * 86400;
}

static void add_todo(json_t *s)
{
	json_t *todo = json_array(), *link = json_object_get(s, "link"), *disk = json_object_get(s, "disk");
	const char *last = status_text(link, "last", ""), *forked = status_text(json_object_get(s, "forks"), "at", "");
	const json_t *incidents = json_object_get(s, "incidents");

	if (!is_true(s, "running"))
		status_todo(todo, "not running");
	if (status_text(disk, "trouble", "")[0] != '\0' || (is_true(s, "running") && !is_true(s, "fresh")))
		status_todo(todo, "disk");
	else if (number(disk, "total") > 0 && number(disk, "free") < number(disk, "total") / 20)
		status_todo(todo, "disk soon full");
	if (is_true(s, "no_sandbox") && is_true(s, "running"))
		status_todo(todo, "no sandbox");
	if (json_is_integer(json_object_get(json_object_get(s, "ledger"), "set_back")) || is_recent(incidents, "set-back"))
		status_todo(todo, "set back");
	if (is_recent(incidents, "clock"))
		status_todo(todo, "clock");
	if (is_recent(incidents, "generation"))
		status_todo(todo, "generation");
	if (number(s, "quarantined") > 0)
		status_todo(todo, "quarantine");
	if (forked[0] != '\0' && age_s(forked) < FORK_DAYS * 86400)
		status_todo(todo, "fork");
	if (missing_of(json_object_get(s, "channels")) > 0)
		status_todo(todo, "gaps");
	if (is_true(s, "running") && last[0] == '\0' && age_s(status_text(s, "started", "")) > SILENT_S)
		status_todo(todo, "nothing received");
	if (is_true(s, "running") && last[0] != '\0' && age_s(last) > SILENT_S)
		status_todo(todo, "silent");
	if (number(json_object_get(link, "counters"), "kernel_drops") > 0)
		status_todo(todo, "kernel drops");
	if (is_true(link, "small_buffer"))
		status_todo(todo, "small buffer");
	todo_of_peers(todo, json_object_get(s, "peers"));
	todo_of_keys(todo, json_object_get(s, "keys"));
	json_object_set_new(s, "todo", todo);
}

/* --- the screen --- */
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
		    number(l, "lane"));
	status_line("", _("%" PRIu64 " datagrams, %s; %" PRIu64 " symbols repaired; dropped by the kernel: %" PRIu64), number(c, "datagrams"),
	    out_bytes(size, (double)number(c, "bytes")), number(c, "repaired"), number(c, "kernel_drops"));
	if (is_true(l, "small_buffer"))
		status_line("", _("DEGRADED: the kernel gave a socket buffer of %" PRIu64 " bytes, not %" PRIu64 "; expect losses"),
		    number(l, "buffer"), number(l, "buffer_wanted"));
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
		if (number(p, "old_epochs") != 0)
			status_line("", _("ALARM: %" PRIu64 " sessions with an old epoch"), number(p, "old_epochs"));
		if (json_is_false(json_object_get(p, "valid")))
			status_line("", "%s", _("ALARM: its key is not valid now: what it sends is held sealed"));
		if (is_true(p, "disk_trouble"))
			status_line("", "%s", _("ALARM: its disk takes nothing now, what is put in there waits"));
	}
}

static enum out_style channel_style(const json_t *row)
{
	return number(row, "missing") > 0 ? OUT_WARN : OUT_PLAIN;
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

static void show_channels(const json_t *channels, uint64_t all)
{
	static const struct out_column columns[] = {
		{ "channel", N_("CHANNEL"), OUT_STRING }, { "peer", N_("SENDER"), OUT_STRING }, { "delivered", N_("DELIVERED"), OUT_NUMBER },
		{ "known", N_("NEWEST"), OUT_NUMBER }, { "missing", N_("MISSING"), OUT_NUMBER },
		{ "delivered_at", N_("LAST DELIVERY"), OUT_TIME },
	};

	putchar('\n');
	if (json_array_size(channels) == 0)
		puts(_("no channel: nothing delivered or announced yet"));
	else
		out_table(channels, columns, sizeof(columns) / sizeof(columns[0]), channel_style);
	if (all > json_array_size(channels))
		printf(_("... and %" PRIu64 " more (--json)\n"), all - json_array_size(channels));
	putchar('\n');
	show_missing(channels);
}

static void show_partly(const json_t *partly)
{
	const json_t *p;
	size_t i;

	json_array_foreach(partly, i, p) {
		uint64_t have = number(p, "have"), all = number(p, "symbols");
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
	    number(a, "scanning"), number(a, "held"));
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

	if (number(forks, "count") != 0)
		status_line(_("forks"), _("%" PRIu64 " numbers came again with other files, the last %s: %s"), number(forks, "count"),
		    out_time(when, status_text(forks, "at", "")), status_text(forks, "dir", "?"));
}

/* What is in the ledger and is told for some days. */
static void show_incidents(const json_t *incidents)
{
	const json_t *clock = json_object_get(incidents, "clock"), *generation = json_object_get(incidents, "generation");
	char when[32];

	if (is_recent(incidents, "generation"))
		status_line(_("generation"), _("a new one of channel %s, %s"), status_text(generation, "what", "?"),
		    out_time(when, status_text(generation, "at", "?")));
	if (is_recent(incidents, "clock"))
		status_line(_("clock"), _("it jumped by %s s, %s"), status_text(clock, "what", "?"), out_time(when, status_text(clock, "at", "?")));
}

static void show(const json_t *s)
{
	const json_t *d = json_object_get(s, "disk"), *l = json_object_get(s, "ledger");
	char when[32], size[2][32];

	const char *state = !is_true(s, "running") ? _("receiver, NOT RUNNING") : is_true(s, "fresh") ? _("receiver, running") :
	    _("receiver, running, but its disk takes no word of it (see the log)");

	printf("%s%s%s  ", out_style(is_true(s, "running") && is_true(s, "fresh") ? OUT_GOOD : OUT_BAD), state, out_style(OUT_PLAIN));
	if (is_true(s, "running") && is_true(s, "fresh"))
		printf(_("since %s\n\n"), out_time(when, status_text(s, "started", "?")));
	else
		printf(_("as it was at %s\n\n"), out_time(when, status_text(s, "at", "?")));
	show_link(json_object_get(s, "link"));
	show_peers(json_object_get(s, "peers"));
	show_channels(json_object_get(s, "channels"), number(s, "streams"));
	show_partly(json_object_get(s, "partly"));
	show_quarantine(json_object_get(s, "quarantine"), number(s, "quarantined"), number(s, "waiting"));
	show_forks(json_object_get(s, "forks"));
	show_incidents(json_object_get(s, "incidents"));
	status_line(_("ledger"), _("%" PRIu64 " rows, last hash %.16s..."), number(l, "rows"), status_text(l, "hash", ""));
	if (json_object_get(s, "antivirus") != NULL)
		show_scanner(json_object_get(s, "antivirus"));
	if (json_is_integer(json_object_get(l, "set_back")))
		status_line("", _("%sALARM: %" PRIu64 " rows were signed before, so it was set back or changed (katamichi ledger verify)%s"),
		    out_style(OUT_BAD), number(l, "set_back"), out_style(OUT_PLAIN));
	else if (is_recent(json_object_get(s, "incidents"), "set-back"))
		status_line("", _("it was set back or changed: %s rows were signed before; noticed %s"),
		    status_text(json_object_get(json_object_get(s, "incidents"), "set-back"), "what", "?"),
		    out_time(when, status_text(json_object_get(json_object_get(s, "incidents"), "set-back"), "at", "?")));
	status_line(_("disk"), _("%s of %s free"), out_bytes(size[0], (double)number(d, "free")), out_bytes(size[1], (double)number(d, "total")));
	if (status_text(d, "trouble", "")[0] != '\0')
		status_line("", "%s%s%s", out_style(OUT_BAD), _(status_text(d, "trouble", "")), out_style(OUT_PLAIN));
	status_show_keys(json_object_get(s, "keys"));
	status_show_todo(json_object_get(s, "todo"));
}

int status_receiver(const char *name)
{
	static struct receiver_conf conf;
	char path[RECEIVER_PATH_MAX + 32];
	uint64_t at, now;
	json_error_t e;
	json_t *s;
	int code = receiver_conf_read(&conf, name, -1);

	if (code != 0)
		return code;
	snprintf(path, sizeof(path), "%s/status.json", conf.state);
	errno = 0;
	if ((s = json_load_file(path, 0, &e)) == NULL) {
		if (errno == ENOENT)
			log_error("%s: is not there; the receiver has not run yet", path);
		else
			log_error("%s: %s", path, errno != 0 ? strerror(errno) : e.text);
		return errno != 0 ? EXIT_SYSTEM : EXIT_DATA;
	}
	at = number(s, "at_ms");
	now = clock_wall_ms();
	json_object_set_new(s, "running", json_boolean(asking_receiver_runs(&conf)));
	json_object_set_new(s, "fresh", json_boolean(now <= at + STALE_MS && at <= now + STALE_MS));
	add_keys(s, &conf);
	add_todo(s);
	if (out_mode() == OUT_JSON)
		out_json(s);
	else
		show(s);
	json_decref(s);
	return EXIT_OK;
}
