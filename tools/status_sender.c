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
#include "host/log.h"
#include "sender/sender_conf.h"
#include "tools/status.h"

enum { PATH_ROOM = SENDER_PATH_MAX + 32, STALE_MS = 5000 };
static const char note[] = "The sender cannot know what arrived: nothing comes back. Ask the receiver "
    "(katamichi status, katamichi gaps).";

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

/* What the database knows of a channel; service_ms: of the daemon, to say when a repeat is due. */
static json_t *channel(struct db *d, const char *name, const json_t *live, json_int_t service_ms)
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
		if (o != NULL && sqlite3_column_type(s, 8) != SQLITE_NULL) {
			json_int_t in = (json_int_t)sqlite3_column_int64(s, 8) - service_ms;
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
		return "it takes no word of the running sender (see the log); nothing is lost, all goes on when it does";
	return running && said != NULL ? said : "";
}

static json_t *describe(const struct sender_conf *c, struct db *d, int running, const json_t *live)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < c->channels; i++)
		json_array_append_new(all, channel(d, c->channel[i].name, live, number_of(live, "service_ms")));
	return json_pack("{s:s, s:b, s:b, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:o}", "role", "sender", "running", running,
	    "no_segmentation_offload", json_is_true(json_object_get(live, "no_segmentation_offload")),
	    "disk", disk_text(live, running), "generation", generation(d), "rate", (json_int_t)c->rate, "epoch", number_of(live, "epoch"),
	    "epoch_since_ms", number_of(live, "epoch_since_ms"), "at_ms", number_of(live, "at_ms"),
	    "in_flight", number_of(live, "in_flight"), "datagrams", number_of(live, "datagrams"),
	    "blocked", number_of(live, "blocked"), "delivery", note, "channels", all);
}

static void print_channel(const json_t *c)
{
	printf("\n%s\n", json_string_value(json_object_get(c, "name")));
	printf("  newest number   %" JSON_INTEGER_FORMAT " (%" JSON_INTEGER_FORMAT " files, %" JSON_INTEGER_FORMAT " bytes)\n",
	    number_of(c, "newest"), number_of(c, "files"), number_of(c, "bytes"));
	printf("  in the folder   %" JSON_INTEGER_FORMAT " waiting, %" JSON_INTEGER_FORMAT " being taken, %"
	    JSON_INTEGER_FORMAT " refused\n", number_of(c, "waiting"), number_of(c, "taken"), number_of(c, "refused"));
	printf("  kept to repeat  %" JSON_INTEGER_FORMAT " transfers from number %" JSON_INTEGER_FORMAT " on, %"
	    JSON_INTEGER_FORMAT " bytes; %" JSON_INTEGER_FORMAT " not sent once\n", number_of(c, "kept"),
	    number_of(c, "oldest_kept"), number_of(c, "kept_bytes"), number_of(c, "unsent"));
	printf("  sent            %" JSON_INTEGER_FORMAT " rounds", number_of(c, "rounds"));
	if (json_object_get(c, "next_repeat_s") != NULL)
		printf(", the next repeat in %" JSON_INTEGER_FORMAT " s", number_of(c, "next_repeat_s"));
	putchar('\n');
	if (number_of(c, "lost") > 0)
		printf("  LOST            %" JSON_INTEGER_FORMAT " sealed objects are gone from the outbox; see the log\n",
		    number_of(c, "lost"));
}

static void print_text(const struct sender_conf *c, const json_t *j)
{
	char since[21] = "never";
	const json_t *ch;
	size_t i;

	if (number_of(j, "epoch_since_ms") > 0)
		clock_iso(since, (uint64_t)number_of(j, "epoch_since_ms") / 1000);
	printf("sender, %s\n", json_is_true(json_object_get(j, "running")) ? "running" : "NOT RUNNING");
	printf("  link            %" PRIu64 " bit/s, datagrams of %" PRIu32 " bytes, epoch %" JSON_INTEGER_FORMAT " since %s\n",
	    c->rate, c->n, number_of(j, "epoch"), since);
	if (json_is_true(json_object_get(j, "no_segmentation_offload")))
		puts("  DEGRADED        no segmentation offload: one datagram a message, which takes more CPU and may not reach the rate");
	printf("  on the way      %" JSON_INTEGER_FORMAT " transfers; %" JSON_INTEGER_FORMAT " datagrams since the start\n",
	    number_of(j, "in_flight"), number_of(j, "datagrams"));
	if (json_string_value(json_object_get(j, "disk"))[0] != '\0')
		printf("  DISK            %s\n", json_string_value(json_object_get(j, "disk")));
	printf("  generation      %s\n", json_string_value(json_object_get(j, "generation")));
	json_array_foreach(json_object_get(j, "channels"), i, ch)
		print_channel(ch);
	printf("\n%s\n", note);
}

int status_sender(const char *name, int json)
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
	if (json) {
		json_dumpf(j, stdout, JSON_COMPACT | JSON_SORT_KEYS);
		putchar('\n');
	} else {
		print_text(&c, j);
	}
	json_decref(j);
	json_decref(live);
	return EXIT_OK;
}
