/* cmd_gaps.c - katamichi gaps: which numbers are missing, since when, and
 * whether they will come by themselves. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/hex.h"
#include "host/clock.h"
#include "host/db.h"
#include "host/exits.h"
#include "receiver/receiver_conf.h"
#include "tools/cmd.h"

static const char help[] =
    "usage: katamichi gaps -c receiver.conf [--json]\n"
    "\n"
    "Lists the numbers that the sender has given and that are not in the ledger: channel, numbers,\n"
    "since when, and whether the sender still keeps them (then they come by themselves).\n"
    "Also what arrived and was not delivered: set aside in the quarantine (until its directory is\n"
    "taken out of there, or its number is delivered), or refused, as over a cap of its channel; and\n"
    "objects that have arrived in part.\n"
    "Exit codes: 0 nothing is missing, 1 something is, 2 usage, 3 configuration, 4 keys,\n"
    "5 the ledger cannot be read.\n";

enum { LINES_MAX = 100 }; /* of each kind, for people */

static struct receiver_conf conf;

static const char *
peer_name(const char *fingerprint)
{
	char hex[2 * HASH_LEN + 1];

	for (unsigned i = 0; i < conf.peers; i++) {
		hex_put(hex, conf.peer[i].party.fingerprint, HASH_LEN);
		if (strcmp(hex, fingerprint) == 0)
			return conf.peer[i].name;
	}
	return "(no longer pinned)";
}

/* Why, as far as known: kept by the sender from `kept_from` on (0: nothing kept, -1: no beat has said).
 * unread: of this stream something was set aside whose number nobody could read. */
static const char *
outlook(uint64_t first, uint64_t last, int64_t kept_from, int unread)
{
	uint64_t oldest = (uint64_t)kept_from;

	if (kept_from < 0)
		return "not known yet";
	if (unread && oldest != 0 && last >= oldest)
		return "heals unless set aside";
	if (oldest != 0 && first >= oldest)
		return "heals";
	if (oldest == 0 || last < oldest)
		return "lost";
	return "heals in part";
}

static json_t *
gaps(struct db *db)
{
	json_t *a = json_array();
	char since[21];
	sqlite3_stmt *q = db_query(db, "SELECT g.channel, g.sender, g.generation, g.first, g.last, g.since, s.oldest, EXISTS(SELECT 1"
	    " FROM aside a WHERE a.sender = g.sender AND a.channel = g.channel AND a.generation = g.generation AND a.number = 0"
	    " AND a.dir <> '') FROM gap g JOIN"
	    " stream s ON s.sender = g.sender AND s.channel = g.channel AND s.generation = g.generation"
	    " ORDER BY g.channel, g.sender, g.generation, g.first", "");

	while (db_step(db, q) == 1) {
		uint64_t first = (uint64_t)sqlite3_column_int64(q, 3), last = (uint64_t)sqlite3_column_int64(q, 4);
		clock_iso(since, (uint64_t)sqlite3_column_int64(q, 5));
		int64_t kept_from = sqlite3_column_int64(q, 6);
		json_array_append_new(a, json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:o, s:s}", "channel",
		    sqlite3_column_text(q, 0), "peer", peer_name((const char *)sqlite3_column_text(q, 1)), "generation",
		    sqlite3_column_text(q, 2), "first", (json_int_t)first, "last", (json_int_t)last, "since", since, "kept_from",
		    kept_from < 0 ? json_null() : json_integer(kept_from), "outlook",
		    outlook(first, last, kept_from, sqlite3_column_int(q, 7))));
	}
	return a;
}

/* What came and was not delivered.  Somebody who took its directory out of the
 * quarantine has dealt with it. */
static json_t *
set_aside(struct db *db)
{
	static char path[RECEIVER_PATH_MAX + 256];
	json_t *a = json_array();
	char at[21];
	sqlite3_stmt *q = db_query(db, "SELECT channel, sender, generation, number, id, reason, dir, at FROM aside"
	    " ORDER BY channel, sender, generation, number", "");

	while (db_step(db, q) == 1) {
		const char *dir = (const char *)sqlite3_column_text(q, 6);
		snprintf(path, sizeof(path), "%s/quarantine/%s", conf.state, dir);
		if (dir[0] != '\0' && access(path, F_OK) != 0 && errno == ENOENT)
			continue;
		clock_iso(at, (uint64_t)sqlite3_column_int64(q, 7));
		json_array_append_new(a, json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s*}", "channel", sqlite3_column_text(q, 0),
		    "peer", peer_name((const char *)sqlite3_column_text(q, 1)), "generation", sqlite3_column_text(q, 2), "number",
		    (json_int_t)sqlite3_column_int64(q, 3), "object", sqlite3_column_text(q, 4), "reason", sqlite3_column_text(q, 5),
		    "since", at, "where", dir[0] != '\0' ? path : NULL));
	}
	return a;
}

static json_t *
partly(void)
{
	char path[RECEIVER_PATH_MAX + 32];
	json_t *s, *a;

	snprintf(path, sizeof(path), "%s/status.json", conf.state);
	s = json_load_file(path, 0, NULL);
	a = json_incref(json_object_get(s, "partly"));
	json_decref(s);
	return a != NULL ? a : json_array();
}

static void
show_aside(const json_t *list)
{
	const json_t *g;
	size_t i;

	json_array_foreach(list, i, g) {
		long long number = json_integer_value(json_object_get(g, "number"));
		const char *where = json_string_value(json_object_get(g, "where"));
		if (i == LINES_MAX) {
			printf("... and %zu more (--json has all)\n", json_array_size(list) - i);
			break;
		}
		printf("%s: %s ", where != NULL ? "set aside" : "refused", json_string_value(json_object_get(g, "channel")));
		if (number != 0)
			printf("%lld", number);
		else
			printf("(number not known)");
		printf("\tfrom %s\tsince %s\t%s\t%s\n", json_string_value(json_object_get(g, "peer")),
		    json_string_value(json_object_get(g, "since")), json_string_value(json_object_get(g, "reason")),
		    where != NULL ? where : "not kept; once this is put right here, a later round of the sender brings it");
	}
}

static const struct {
	const char *outlook, *words;
} saying[] = {
	{ "heals", "the sender still keeps it: it comes by itself" },
	{ "lost", "the sender does not keep it any more: put the files in again" },
	{ "heals in part", "the sender keeps the newer ones only: put the older ones in again" },
	{ "not known yet", "not known yet whether the sender keeps it: no heartbeat of this generation so far" },
	{ "heals unless set aside", "the sender still keeps it: it comes by itself, unless it is one that was set aside unread" },
};

static const char *
words(const char *look)
{
	for (size_t i = 0; i < sizeof(saying) / sizeof(saying[0]); i++)
		if (strcmp(saying[i].outlook, look) == 0)
			return saying[i].words;
	return look;
}

static void
show(const json_t *list, const json_t *parts)
{
	const json_t *g, *p;
	size_t i;

	json_array_foreach(list, i, g) {
		if (i == LINES_MAX) {
			printf("... and %zu more (--json has all)\n", json_array_size(list) - i);
			break;
		}
		long long first = json_integer_value(json_object_get(g, "first")), last = json_integer_value(json_object_get(g, "last"));
		printf("%s\t%lld", json_string_value(json_object_get(g, "channel")), first);
		if (last != first)
			printf("-%lld", last);
		printf("\tfrom %s\tsince %s\t%s\n", json_string_value(json_object_get(g, "peer")),
		    json_string_value(json_object_get(g, "since")),
		    words(json_string_value(json_object_get(g, "outlook"))));
	}
	json_array_foreach(parts, i, p) {
		long long have = json_integer_value(json_object_get(p, "have")), all = json_integer_value(json_object_get(p, "symbols"));
		printf("partly received: object %.8s from %s, %lld symbols", json_string_value(json_object_get(p, "object")),
		    json_string_value(json_object_get(p, "peer")), have);
		if (all > 0)
			printf(" of %lld (%.1f %%)", all, 100.0 * (double)have / (double)all);
		printf("\n");
	}
}

static int
run(const char *name, int json)
{
	static char path[RECEIVER_PATH_MAX + 32];
	struct db db;
	json_t *list, *aside, *parts;
	int code = receiver_conf_read(&conf, name, -1), missing;

	if (code != 0 || (code = receiver_conf_peers(&conf)) != 0)
		return code;
	snprintf(path, sizeof(path), "%s/ledger/ledger.db", conf.state);
	if (db_open_readonly(&db, path) != 0)
		return EXIT_SYSTEM;
	list = gaps(&db);
	aside = set_aside(&db);
	db_close(&db);
	parts = partly();
	missing = json_array_size(list) != 0 || json_array_size(aside) != 0;
	if (json) {
		json_t *o = json_pack("{s:O, s:O, s:O}", "gaps", list, "aside", aside, "partly", parts);
		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(o);
	} else {
		show_aside(aside);
		show(list, parts);
		if (!missing)
			printf("nothing that was announced is missing\n");
	}
	json_decref(list);
	json_decref(aside);
	json_decref(parts);
	return missing ? EXIT_NO : EXIT_OK;
}

int
cmd_gaps(int argc, char **argv)
{
	const char *name = NULL;
	int json = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(help, stdout);
			return EXIT_OK;
		}
		if (strcmp(argv[i], "--json") == 0)
			json = 1;
		else if ((strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "--config") == 0) && i + 1 < argc)
			name = argv[++i];
		else
			goto wrong;
	}
	if (name != NULL)
		return run(name, json);
wrong:
	fputs(help, stderr);
	return EXIT_USAGE;
}
