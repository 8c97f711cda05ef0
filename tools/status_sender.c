/* status_sender.c - katamichi status of a sender: the database, read-only, and
 * the status.json that the running spool writes.  It never says "delivered":
 * nothing comes back over this link. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "codec/hex.h"
#include "host/clock.h"
#include "host/db.h"
#include "host/exits.h"
#include "host/i18n.h"
#include "host/log.h"
#include "host/reason.h"
#include "sender/sender_conf.h"
#include "tools/out.h"
#include "tools/status.h"

enum { PATH_ROOM = SENDER_PATH_MAX + 32, STALE_MS = 5000, KEY_OLD_DAYS = 730 };
static const char note[] = N_("The sender cannot know what arrived: nothing comes back. Ask the receiver "
    "(katamichi status, katamichi gaps).");

/* A daemon holds the lock as long as it lives. */
int status_sender_running(const struct sender_conf *c)
{
	char path[PATH_ROOM];
	int fd, running;

	snprintf(path, sizeof(path), "%s/lock", c->state);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	running = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	close(fd);
	return running;
}

static json_t *read_live(const struct sender_conf *c)
{
	char path[PATH_ROOM];

	snprintf(path, sizeof(path), "%s/status.json", c->state);
	return json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
}

static json_int_t number_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static json_t *live_channel(const json_t *live, const char *name)
{
	json_t *all = json_object_get(live, "channels"), *c;
	size_t i;

	json_array_foreach(all, i, c) {
		const char *have = json_string_value(json_object_get(c, "name"));
		if (have != NULL && strcmp(have, name) == 0)
			return c;
	}
	return NULL;
}

/* What the database knows of a channel, and the running sender. */
static json_t *channel(struct db *d, const char *name, const json_t *live, int running)
{
	sqlite3_stmt *s = db_query(d, "SELECT MAX(number), SUM(state = 0), SUM(state = 0 AND rounds = 0), SUM(rounds), "
	    "MIN(CASE WHEN state = 0 THEN number END), SUM(files), SUM(bytes), "
	    "SUM(CASE WHEN state = 0 THEN length ELSE 0 END), "
	    "MIN(CASE WHEN state = 0 AND rounds > 0 THEN due END), SUM(state = 2) FROM object WHERE channel = ? "
	    "AND generation = (SELECT value FROM meta WHERE key = 'generation')", "t", name);
	const json_t *lc = live_channel(live, name);
	json_t *o = NULL;

	if (db_step(d, s) == 1) {
		o = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "name", name,
		    "newest", (json_int_t)sqlite3_column_int64(s, 0), "kept", (json_int_t)sqlite3_column_int64(s, 1),
		    "unsent", (json_int_t)sqlite3_column_int64(s, 2), "rounds", (json_int_t)sqlite3_column_int64(s, 3),
		    "oldest_kept", (json_int_t)sqlite3_column_int64(s, 4), "files", (json_int_t)sqlite3_column_int64(s, 5),
		    "bytes", (json_int_t)sqlite3_column_int64(s, 6), "kept_bytes", (json_int_t)sqlite3_column_int64(s, 7),
		    "lost", (json_int_t)sqlite3_column_int64(s, 9), "waiting", number_of(lc, "waiting"),
		    "taken", number_of(lc, "taken"), "refused", number_of(lc, "refused"));
		if (o != NULL && running && json_is_object(json_object_get(lc, "trouble")))
			json_object_set(o, "trouble", json_object_get(lc, "trouble"));
		if (o != NULL && sqlite3_column_type(s, 8) != SQLITE_NULL) {
			json_int_t in = (json_int_t)sqlite3_column_int64(s, 8) - number_of(live, "service_ms"); /* when a repeat is due */
			json_object_set_new(o, "next_repeat_s", json_integer(in > 0 ? in / 1000 : 0));
		}
		db_done(s);
	}
	return o;
}

static json_t *generation(struct db *d)
{
	sqlite3_stmt *s = db_query(d, "SELECT value FROM meta WHERE key = 'generation'", "");
	char hex[33] = "";

	if (db_step(d, s) == 1) {
		if (sqlite3_column_bytes(s, 0) == 16)
			hex_put(hex, sqlite3_column_blob(s, 0), 16);
		db_done(s);
	}
	return json_string(hex);
}

/* What the disk keeps the sender from, or "". */
static const char *disk_text(const json_t *live, int running)
{
	const char *said = json_string_value(json_object_get(live, "disk"));
	json_int_t age_ms = (json_int_t)clock_wall_ms() - number_of(live, "at_ms");

	if (running && (age_ms > STALE_MS || age_ms < -STALE_MS))
		return N_("it takes no word of the running sender (see the log); nothing is lost, all goes on when it does");
	return running && said != NULL ? said : "";
}

static json_t *describe(const struct sender_conf *c, struct db *d, int running, const json_t *live)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < c->channels; i++)
		json_array_append_new(all, channel(d, c->channel[i].name, live, running));
	return json_pack("{s:s, s:b, s:b, s:b, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:o}", "role", "sender", "running", running,
	    "no_sandbox", running && json_is_true(json_object_get(live, "no_sandbox")),
	    "no_segmentation_offload", json_is_true(json_object_get(live, "no_segmentation_offload")),
	    "disk", disk_text(live, running), "generation", generation(d), "rate", (json_int_t)c->rate, "epoch", number_of(live, "epoch"),
	    "epoch_since_ms", number_of(live, "epoch_since_ms"), "at_ms", number_of(live, "at_ms"),
	    "in_flight", number_of(live, "in_flight"), "datagrams", number_of(live, "datagrams"),
	    "blocked", number_of(live, "blocked"), "delivery", note, "channels", all);
}

static void add_keys(json_t *j, const struct sender_conf *c)
{
	json_t *keys = json_array();

	status_key(keys, "sender", c->keys, 0);
	status_key(keys, "receiver", c->receiver, 0);
	json_object_set_new(j, "keys", keys);
}

static void add_todo(json_t *j)
{
	json_t *todo = json_array(), *all = json_object_get(j, "channels"), *c;
	json_int_t lost = 0, refused = 0;
	int waits = 0;
	size_t i;

	json_array_foreach(all, i, c) {
		lost += number_of(c, "lost");
		refused += number_of(c, "refused");
		waits |= json_object_get(c, "trouble") != NULL;
	}
	if (!json_is_true(json_object_get(j, "running")))
		status_todo(todo, "not running");
	if (status_text(j, "disk", "")[0] != '\0')
		status_todo(todo, strstr(status_text(j, "disk", ""), "outbox_max") != NULL ? "channel full" : "disk");
	if (json_is_true(json_object_get(j, "no_sandbox")))
		status_todo(todo, "no sandbox");
	if (lost > 0)
		status_todo(todo, "lost");
	if (refused > 0)
		status_todo(todo, "refused");
	if (waits)
		status_todo(todo, "waits");
	json_array_foreach(json_object_get(j, "keys"), i, c)
		if (number_of(c, "days") > KEY_OLD_DAYS) {
			status_todo(todo, "key old");
			break;
		}
	json_object_set_new(j, "todo", todo);
}

static enum out_style channel_style(const json_t *row)
{
	return number_of(row, "lost") > 0 ? OUT_BAD : number_of(row, "refused") > 0 || json_object_get(row, "trouble") != NULL ? OUT_WARN : OUT_PLAIN;
}

static void print_lost(const json_t *channels)
{
	const json_t *c;
	size_t i;

	json_array_foreach(channels, i, c)
		if (number_of(c, "lost") > 0)
			status_line(_("LOST"), _("%s: %lld sealed objects are gone from the outbox; see the log"), status_text(c, "name", "?"),
			    (long long)number_of(c, "lost"));
}

/* One file of each folder that cannot be taken. */
static void print_waiting(const json_t *channels)
{
	const json_t *c, *t;
	size_t i;

	json_array_foreach(channels, i, c)
		if ((t = json_object_get(c, "trouble")) != NULL)
			status_line(_("WAITS"), "%s: %s %s: %s", status_text(c, "name", "?"), status_text(t, "name", "?"),
			    _(status_text(t, "what", "?")), reason_show(status_text(t, "error", "?")));
}

static void print_head(const struct sender_conf *c, const json_t *j)
{
	int running = json_is_true(json_object_get(j, "running"));
	char iso[21] = "", since[32];

	printf("%s%s%s\n\n", out_style(running ? OUT_GOOD : OUT_BAD), running ? _("sender, running") : _("sender, NOT RUNNING"),
	    out_style(OUT_PLAIN));
	if (number_of(j, "epoch_since_ms") > 0)
		clock_iso(iso, (uint64_t)number_of(j, "epoch_since_ms") / 1000);
	if (iso[0] != '\0')
		status_line(_("link"), _("%.4g Mbit/s, datagrams of %" PRIu32 " bytes, epoch %lld since %s"), (double)c->rate / 1e6, c->n,
		    (long long)number_of(j, "epoch"), out_time(since, iso));
	else
		status_line(_("link"), _("%.4g Mbit/s, datagrams of %" PRIu32 " bytes, no session yet"), (double)c->rate / 1e6, c->n);
	if (json_is_true(json_object_get(j, "no_segmentation_offload")))
		status_line("", "%s", _("DEGRADED: no segmentation offload: one datagram a message, which takes more CPU and may not reach the rate"));
	status_line(_("sending"), _("%lld transfers; %lld datagrams since the start"), (long long)number_of(j, "in_flight"),
	    (long long)number_of(j, "datagrams"));
	if (status_text(j, "disk", "")[0] != '\0')
		status_line(_("disk"), "%s%s%s", out_style(OUT_BAD), reason_show(status_text(j, "disk", "")), out_style(OUT_PLAIN));
	status_line(_("generation"), "%s", status_text(j, "generation", ""));
	status_show_keys(json_object_get(j, "keys"));
}

static void print_text(const struct sender_conf *c, const json_t *j)
{
	static const struct out_column columns[] = {
		{ "name", N_("CHANNEL"), OUT_STRING }, { "waiting", N_("WAITING"), OUT_NUMBER }, { "taken", N_("TAKEN"), OUT_NUMBER },
		{ "refused", N_("REFUSED"), OUT_NUMBER }, { "newest", N_("NEWEST"), OUT_NUMBER }, { "unsent", N_("UNSENT"), OUT_NUMBER },
		{ "kept", N_("KEPT"), OUT_NUMBER }, { "kept_bytes", N_("SIZE"), OUT_BYTES }, { "next_repeat_s", N_("REPEAT IN s"), OUT_NUMBER },
	};
	const json_t *channels = json_object_get(j, "channels");

	print_head(c, j);
	putchar('\n');
	out_table(channels, columns, sizeof(columns) / sizeof(columns[0]), channel_style);
	print_lost(channels);
	print_waiting(channels);
	status_show_todo(json_object_get(j, "todo"));
	putchar('\n');
	out_wrapped(_(note), 0, 0);
	putchar('\n');
}

int status_sender(const char *name)
{
	static struct sender_conf c;
	char path[PATH_ROOM];
	json_t *live, *j;
	struct db d;
	int code = sender_conf_read(&c, name, -1);

	if (code != 0)
		return code;
	snprintf(path, sizeof(path), "%s/outbox.db", c.state);
	if (access(path, R_OK) != 0) {
		log_error("%s: %s; has this sender ever run?", path, strerror(errno));
		return EXIT_SYSTEM;
	}
	if (db_open_readonly(&d, path) != 0)
		return EXIT_SYSTEM;
	live = read_live(&c);
	j = describe(&c, &d, status_sender_running(&c), live);
	db_close(&d);
	if (j == NULL)
		log_die(EXIT_INTERNAL, "out of memory");
	add_keys(j, &c);
	add_todo(j);
	if (out_mode() == OUT_JSON)
		out_json(j);
	else
		print_text(&c, j);
	json_decref(j);
	json_decref(live);
	return EXIT_OK;
}
