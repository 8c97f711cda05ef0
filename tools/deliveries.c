/* deliveries.c - see deliveries.h */
#include "tools/deliveries.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/exits.h"
#include "host/log.h"
#include "tools/gap_list.h"

int deliveries_day(struct deliveries_filter *f, const char *day)
{
	struct tm tm = { .tm_isdst = -1 }, utc;
	const char *end = strptime(day, "%Y-%m-%d", &tm);
	time_t begin, after;
	int wanted = tm.tm_mday;

	if (end == NULL || *end != '\0' || strlen(day) != 10)
		return -1;
	begin = mktime(&tm);
	if (tm.tm_mday != wanted) /* the 31st of February */
		return -1;
	tm.tm_mday++;
	tm.tm_isdst = -1;
	after = mktime(&tm);
	strftime(f->from, sizeof(f->from), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&begin, &utc));
	strftime(f->to, sizeof(f->to), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&after, &utc));
	return 0;
}

json_t *deliveries_files(const char *dir)
{
	char path[RECEIVER_PATH_MAX + 64];
	json_t *manifest, *files;

	snprintf(path, sizeof(path), "%s/MANIFEST.json", dir);
	manifest = json_load_file(path, 0, NULL);
	files = json_incref(json_object_get(manifest, "files"));
	json_decref(manifest);
	return files;
}

static int has_name(const char *dir, const char *pattern)
{
	json_t *files = deliveries_files(dir), *f;
	size_t i;
	int found = 0;

	json_array_foreach(files, i, f) {
		const char *name = json_string_value(json_object_get(f, "name"));
		if (name != NULL && fnmatch(pattern, name, 0) == 0)
			found = 1;
	}
	json_decref(files);
	return found;
}

int deliveries_damaged(const struct deliveries_damage *damage)
{
	if (damage->rows == 0)
		return EXIT_OK;
	if (damage->rows == 1)
		log_warn("row %lld of the ledger is damaged: what it was of is not shown, the other rows are; `katamichi ledger verify` says more",
		    (long long)damage->first);
	else
		log_warn("row %lld of the ledger is damaged, and others up to row %lld, %lld in all: what they were of is not shown, the other rows "
		    "are; `katamichi ledger verify` says more", (long long)damage->first, (long long)damage->last, (long long)damage->rows);
	return EXIT_DATA;
}

static void note_damage(struct deliveries_damage *d, int64_t row)
{
	if (d->rows++ == 0)
		d->first = d->last = row;
	d->first = row < d->first ? row : d->first;
	d->last = row > d->last ? row : d->last;
}

/* A row of the ledger as deliveries_list() tells it; NULL: it does not pass the filter, or is damaged. */
static json_t *tell(const struct receiver_conf *c, const struct deliveries_filter *f, int64_t row, const char *entry, struct deliveries_damage *damage)
{
	char path[RECEIVER_PATH_MAX + 320];
	json_t *o = json_loads(entry, 0, NULL);
	const char *dir = json_string_value(json_object_get(o, "dir")), *event = json_string_value(json_object_get(o, "event"));
	const char *sender = json_string_value(json_object_get(o, "sender")), *file = json_string_value(json_object_get(o, "file"));
	const struct receiver_peer *peer = gap_peer(c, sender != NULL ? sender : "");

	if (dir == NULL || event == NULL) {
		note_damage(damage, row);
		json_decref(o);
		return NULL;
	}
	if (strcmp(event, "quarantined") == 0)
		snprintf(path, sizeof(path), "%s/quarantine/%s", c->state, dir);
	else
		snprintf(path, sizeof(path), "%s/%s", c->inbox, dir);
	/* One file of a transfer, kept or released by itself, or all that its manifest lists. */
	if (f->name != NULL && !(file != NULL ? fnmatch(f->name, file, 0) == 0 : has_name(path, f->name))) {
		json_decref(o);
		return NULL;
	}
	json_object_set_new(o, "row", json_integer(row));
	json_object_set_new(o, "peer", json_string(peer != NULL ? peer->name : RECEIVER_NOT_PINNED));
	json_object_set_new(o, "dir", json_string(path));
	json_object_set_new(o, "here", json_boolean(access(path, F_OK) == 0));
	return o;
}

json_t *deliveries_list(struct db *db, const struct receiver_conf *c, const struct deliveries_filter *f, struct deliveries_damage *damage)
{
	json_t *a = json_array();
	/* What is no entry is looked at, too: it may be one that is asked for. */
	sqlite3_stmt *q = db_query(db, "SELECT seq, entry FROM ledger WHERE seq > ?1 AND CASE WHEN NOT json_valid(entry) THEN 1"
	    " WHEN typeof(json_extract(entry, '$.event')) <> 'text' THEN 1 ELSE json_extract(entry, '$.event') IN"
	    " ('delivered', 'fork', 'quarantined', 'released') AND (?2 IS NULL OR json_extract(entry, '$.channel') = ?2)"
	    " AND (?3 = '' OR json_extract(entry, '$.at') >= ?3) AND (?4 = '' OR json_extract(entry, '$.at') < ?4)"
	    " AND (?5 = 0 OR json_extract(entry, '$.number') = ?5) END ORDER BY seq DESC", "ittti", f->after, f->channel, f->from, f->to,
	    f->number);

	*damage = (struct deliveries_damage){ 0 };
	while (db_step(db, q) == 1) {
		json_t *o = tell(c, f, sqlite3_column_int64(q, 0), db_text(q, 1), damage);
		if (o != NULL)
			json_array_append_new(a, o);
		if (f->last > 0 && (int64_t)json_array_size(a) == f->last) {
			db_done(q);
			break;
		}
	}
	/* Read from the newest on, shown from the oldest on. */
	for (size_t i = 0, n = json_array_size(a); i < n / 2; i++) {
		json_t *first = json_incref(json_array_get(a, i));
		json_array_set(a, i, json_array_get(a, n - 1 - i));
		json_array_set_new(a, n - 1 - i, first);
	}
	return a;
}

int deliveries_open(struct db *db, struct receiver_conf *c, const char *conf)
{
	static char path[RECEIVER_PATH_MAX + 32];
	int code = receiver_conf_read(c, conf, -1);

	if (code != 0 || (code = receiver_conf_peers(c)) != 0)
		return code;
	snprintf(path, sizeof(path), "%s/ledger/ledger.db", c->state);
	return db_open_readonly(db, path) == 0 ? 0 : EXIT_SYSTEM;
}
