/* status_common.c - what both ends' status is made of (status.h). */
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/clock.h"
#include "host/i18n.h"
#include "tools/out.h"
#include "tools/status.h"
#include "tools/wide.h"

enum {
	LABEL_COLUMNS = 11,
	INCIDENT_DAYS = 7, /* so long somebody is asked to look at one */
};

static const struct {
	const char *code, *text;
} todo_texts[] = {
	{ "not running", N_("The service does not run: start it, and if it does not stay, read its log (systemctl status, journalctl -u).") },
	{ "disk", N_("Make room on the disk, or repair it; nothing is lost, and all goes on by itself then.") },
	{ "channel full", N_("A channel keeps as much as its outbox_max allows: what waits goes on by itself when the retention of others has passed, or with a larger limit.") },
	{ "disk soon full", N_("The disk is nearly full: take out of the inbox and the quarantine what was dealt with.") },
	{ "set back", N_("The ledger is not the one that was signed: if nobody restored it, keep it as it is and tell who is responsible; what it has lost comes as gaps (the guide to incidents says more).") },
	{ "ledger changed", N_("A row of the ledger is not what was written: keep the file as it is, tell who is responsible, and compare it with a checkpoint or export kept elsewhere (katamichi ledger verify; the guide to incidents says more).") },
	{ "quarantine", N_("Look at what was set aside, and why: katamichi quarantine list.") },
	{ "gaps", N_("Numbers are missing: katamichi gaps says which and why; most come by themselves, a resend slip (gaps --slip) asks for them at once.") },
	{ "nothing received", N_("Nothing authentic has come since the start: check the cable, the addresses, the keys on both ends and both clocks.") },
	{ "silent", N_("Nothing has come for some time, not even the heartbeat: check the sender and the cable.") },
	{ "no sandbox", N_("Started with --no-sandbox, which is for finding faults: start it without.") },
	{ "kernel drops", N_("The kernel has thrown datagrams away: raise net.core.rmem_max and `buffer', or relieve this host.") },
	{ "small buffer", N_("The kernel gave too small a socket buffer: raise net.core.rmem_max to the size of `buffer'.") },
	{ "key not valid", N_("A sender's key is not valid now: put the clock or valid_from and valid_until of its [peer] right.") },
	{ "key ends soon", N_("A sender's key will soon not be valid any more: arrange for a new one.") },
	{ "key old", N_("A key is more than two years old: arrange for a new one.") },
	{ "old epoch", N_("A session with an old epoch came: was the sender restored from a backup, or does another machine use its key?") },
	{ "fork", N_("A number came again with other files (a fork): was the sender's outbox cloned or restored? Both are delivered; settle which counts.") },
	{ "clock", N_("This host's clock jumped: set it right if it is wrong; times in the ledger around that are not to be compared.") },
	{ "generation", N_("A channel's numbers begin again with 1: ask the sender's operators whether its outbox was restored, moved or set up anew.") },
	{ "sender's disk", N_("A sender's disk takes nothing: what is put in there waits; tell its operators.") },
	{ "lost", N_("Sealed objects have gone from the outbox: see the log, and put these files in again if the receiver lacks them.") },
	{ "refused", N_("Files were refused: look into refused/ in the channel's folder, where the reason stands beside each.") },
	{ "waits", N_("Files wait that the sender cannot take, or cannot move to refused/: see to the owner and mode of what is named, or to the disk; nothing is lost, it tries again.") },
};

void status_todo(json_t *list, const char *code)
{
	for (size_t i = 0; i < sizeof(todo_texts) / sizeof(todo_texts[0]); i++)
		if (strcmp(todo_texts[i].code, code) == 0)
			json_array_append_new(list, json_pack("{s:s, s:s}", "code", code, "text", todo_texts[i].text));
}

json_int_t status_number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

const char *status_text(const json_t *o, const char *key, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : otherwise;
}

static int note_created(void *out, const char *section, const char *key, const char *value)
{
	(void)section;
	if (strcmp(key, "created") == 0)
		snprintf(out, 32, "%.31s", value);
	return 1;
}

void status_key(json_t *list, const char *name, const char *path, uint64_t valid_until)
{
	char created[32] = "", public[4096];
	json_int_t now_s = (json_int_t)(clock_wall_ms() / 1000);
	json_t *o = json_pack("{s:s}", "name", name);
	struct tm tm = { 0 };
	size_t n = strlen(path);

	if (n > 4 && strcmp(path + n - 4, ".key") == 0)
		snprintf(public, sizeof(public), "%.*s.pub", (int)n - 4, path);
	else
		snprintf(public, sizeof(public), "%s", path);
	if (ini_parse(public, note_created, created) == 0 && strptime(created, "%Y-%m-%dT%H:%M:%SZ", &tm) != NULL) {
		json_object_set_new(o, "created", json_string(created));
		if (timegm(&tm) <= now_s) /* else a clock is wrong */
			json_object_set_new(o, "days", json_integer((now_s - timegm(&tm)) / 86400));
	}
	if (valid_until != 0)
		json_object_set_new(o, "days_left", json_integer(((json_int_t)valid_until - now_s) / 86400));
	json_array_append_new(list, o);
}

void status_line(const char *label, const char *fmt, ...)
{
	static char text[8192];
	unsigned width = wide_width(label);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printf("%s%*s", label, width < LABEL_COLUMNS ? (int)(LABEL_COLUMNS - width) : 1, "");
	out_wrapped(text, width < LABEL_COLUMNS ? LABEL_COLUMNS : width + 1, LABEL_COLUMNS);
	putchar('\n');
}

void status_show_keys(const json_t *keys)
{
	static char text[8192];
	const json_t *k;
	size_t i;

	text[0] = '\0';
	json_array_foreach(keys, i, k) {
		const char *name = json_string_value(json_object_get(k, "name"));
		size_t at = strlen(text);
		if (i > 0)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s", _(", "));
		if (json_object_get(k, "days") == NULL)
			snprintf(text + at, sizeof(text) - at, _("%s (age not known)"), name);
		else
			snprintf(text + at, sizeof(text) - at, ngettext("%s %lld day old", "%s %lld days old",
			    (unsigned long)status_number(k, "days")), name, (long long)status_number(k, "days"));
		at = strlen(text);
		if (json_object_get(k, "days_left") != NULL && status_number(k, "days_left") < 0)
			snprintf(text + at, sizeof(text) - at, "%s", _(" (not valid any more)"));
		else if (json_object_get(k, "days_left") != NULL)
			snprintf(text + at, sizeof(text) - at, _(" (valid for %lld more days)"), (long long)status_number(k, "days_left"));
	}
	status_line(_("keys"), "%s", text);
}

void status_show_todo(const json_t *todo)
{
	const json_t *t;
	size_t i;

	printf("\n%s%s%s\n", out_style(OUT_STRONG), _("What to do"), out_style(OUT_PLAIN));
	if (json_array_size(todo) == 0)
		printf("  %s%s%s\n", out_style(OUT_GOOD), _("nothing"), out_style(OUT_PLAIN));
	json_array_foreach(todo, i, t) {
		printf("  %s*%s ", out_style(OUT_WARN), out_style(OUT_PLAIN));
		out_wrapped(_(json_string_value(json_object_get(t, "text"))), 4, 4);
		putchar('\n');
	}
}

uint64_t status_count(const json_t *o, const char *key)
{
	return (uint64_t)status_number(o, key);
}

int status_is(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

uint64_t status_age(const char *iso)
{
	struct tm tm = { 0 };
	uint64_t now = clock_wall_ms() / 1000;
	time_t t;

	if (strptime(iso, "%Y-%m-%dT%H:%M:%SZ", &tm) == NULL)
		return 0;
	t = timegm(&tm);
	return t >= 0 && now > (uint64_t)t ? now - (uint64_t)t : 0;
}

int status_recent(const json_t *incident)
{
	const char *at = status_text(incident, "at", "");
	char soon[21];

	clock_iso(soon, clock_wall_ms() / 1000 + 86400); /* what is later was noted by a clock that was wrong */
	return at[0] != '\0' && strcmp(at, soon) < 0 && status_age(at) < INCIDENT_DAYS * 86400;
}

/* { channel: its generation, "" if it has several }. */
static json_t *generations(const json_t *list)
{
	json_t *all = json_object();
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o) {
		const char *channel = status_text(o, "channel", ""), *now = status_text(o, "generation", ""), *known = status_text(all, channel, now);
		json_object_set_new(all, channel, json_string(strcmp(now, known) == 0 ? now : ""));
	}
	return all;
}

json_t *status_streams(const json_t *list)
{
	json_t *all = json_deep_copy(list), *of = generations(list), *o;
	size_t i;

	json_array_foreach(all, i, o) {
		const char *channel = status_text(o, "channel", ""), *generation = status_text(o, "generation", "");
		if (generation[0] != '\0' && status_text(of, channel, "")[0] == '\0')
			json_object_set_new(o, "channel", json_sprintf("%s.g-%.8s", channel, generation));
	}
	json_decref(of);
	return all;
}
