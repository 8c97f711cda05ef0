/* quarantine.c - the index of the quarantine (quarantine.h); what is asked for is in quarantine_ask.c. */
#include "receiver/quarantine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "host/clock.h"
#include "host/log.h"
#include "host/reason.h"
#include "receiver/name_json.h"

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

/* Names, separated by spaces. */
static void list(char *out, size_t room, const json_t *a)
{
	const json_t *v;
	size_t i, have = 0;

	out[0] = '\0';
	json_array_foreach(a, i, v) {
		int n = snprintf(out + have, room - have, "%s%s", i > 0 ? " " : "", json_string_value(v));
		if (n < 0 || (have += (size_t)n) >= room)
			return;
	}
}

void quarantine_add(struct ledger *l, const struct publish_item *it, const json_t *entry)
{
	uint8_t name[NAME_MAX_LEN];
	size_t n = name_json_get(name, entry, "file", "file_b64");
	const char *kept = text(entry, "kept");
	char checks[256];

	list(checks, sizeof(checks), json_object_get(entry, "checks"));
	db_run(&l->db, "INSERT OR IGNORE INTO quarantine(entry, kept, sender, channel, generation, number, manifest, previous, object,"
	    " file, files, bytes, checks, reason, at, seq, state) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'held')",
	    "tttttitttb" "iittii", it->dir, kept[0] != '\0' ? kept : "unverified", it->stream.sender, it->stream.channel,
	    it->stream.generation, (int64_t)it->number, it->manifest, it->previous, it->object, name, n,
	    (int64_t)json_integer_value(json_object_get(entry, "files")), (int64_t)json_integer_value(json_object_get(entry, "bytes")),
	    checks, text(entry, "reason"), (int64_t)(clock_wall_ms() / 1000), l->rows);
}

void quarantine_add_sealed(struct ledger *l, const char *name, const char *sender, const char *object, const char *reason)
{
	db_run(&l->db, "INSERT OR IGNORE INTO quarantine(entry, kept, sender, channel, generation, number, manifest, previous, object,"
	    " files, bytes, checks, reason, at, seq, state) VALUES(?, 'sealed', ?, '', '', 0, '', '', ?, 0, 0, '', ?, ?, ?, 'held')",
	    "ttttii", name, sender, object, reason, (int64_t)(clock_wall_ms() / 1000), l->rows);
}

void quarantine_released(struct ledger *l, const char *entry, const char *place)
{
	char answer[256];

	db_run(&l->db, "UPDATE quarantine SET state = 'released', place = ? WHERE entry = ?", "tt", place, entry);
	reason_put(answer, sizeof(answer), "released as %s", place);
	db_run(&l->db, "UPDATE quarantine_request SET code = 0, answer = ? WHERE entry = ? AND what = 'release' AND code IS NULL", "tt",
	    answer, entry);
	db_run(&l->db, "DELETE FROM quarantine_approval WHERE entry = ?", "t", entry);
}

uint64_t quarantine_count(struct ledger *l)
{
	return (uint64_t)db_int(&l->db, "SELECT count(*) FROM quarantine WHERE state = 'held'", "");
}

/* As JSON, which holds no text that is no UTF-8: of such a one, which only damage makes, the bytes are shown. */
static json_t *text_json(sqlite3_stmt *s, int i)
{
	const char *t = db_text(s, i);
	char shown[1024];
	json_t *j = json_string(t);

	return j != NULL ? j : json_string(log_show(shown, sizeof(shown), t, strlen(t)));
}

json_t *quarantine_list(struct db *db, int64_t most, bool held_only)
{
	json_t *a = json_array(), *o;
	char at[21];
#define COLUMNS "SELECT entry, state, kept, channel, number, object, files, bytes, checks, reason, at, sender, manifest, generation," \
	" place, file FROM quarantine"
	sqlite3_stmt *s = db_query(db, held_only ? COLUMNS " WHERE state = 'held' ORDER BY at DESC, seq DESC LIMIT ?" :
	    COLUMNS " ORDER BY at DESC, seq DESC LIMIT ?", "i", most);

	while (db_step(db, s) == 1) {
		clock_iso(at, (uint64_t)sqlite3_column_int64(s, 10));
		o = json_pack("{s:o, s:o, s:o, s:o, s:I, s:o, s:I, s:I, s:o, s:o, s:s, s:o, s:o, s:o, s:o*}", "entry", text_json(s, 0), "state",
		    text_json(s, 1), "kept", text_json(s, 2), "channel", text_json(s, 3), "number", (json_int_t)sqlite3_column_int64(s, 4),
		    "object", text_json(s, 5), "files", (json_int_t)sqlite3_column_int64(s, 6), "bytes",
		    (json_int_t)sqlite3_column_int64(s, 7), "checks", text_json(s, 8), "reason", text_json(s, 9), "at", at, "sender",
		    text_json(s, 11), "manifest", text_json(s, 12), "generation", text_json(s, 13), "place",
		    sqlite3_column_type(s, 14) == SQLITE_NULL ? NULL : text_json(s, 14));
		if (sqlite3_column_bytes(s, 15) > 0)
			name_json(o, "file", "file_b64", sqlite3_column_blob(s, 15), (size_t)sqlite3_column_bytes(s, 15));
		json_array_append_new(a, o);
	}
	return a;
}

static bool tells_apart(utf8proc_category_t c)
{
	return c <= UTF8PROC_CATEGORY_NO || c == UTF8PROC_CATEGORY_CO; /* letters, marks, numbers; gaiji and what is newer than the library */
}

/* What of a name tells people apart: its letters and digits, in Unicode's own folding (NFKC, case; half-width kana, full-width
 * signs, decomposed and compatibility characters are the plain ones), without blanks, punctuation, and what cannot be seen
 * (zero-width characters, variation selectors).  Malloc'd, may be ""; NULL: no UTF-8. */
static char *fold(const char *name)
{
	char *folded = (char *)utf8proc_NFKC_Casefold((const utf8proc_uint8_t *)name), *to = folded;
	const char *p = folded;
	utf8proc_int32_t c;
	utf8proc_ssize_t n;

	for (; p != NULL && *p != '\0'; p += n) {
		n = utf8proc_iterate((const utf8proc_uint8_t *)p, -1, &c);
		if (n <= 0)
			break;
		if (tells_apart(utf8proc_category(c))) {
			memmove(to, p, (size_t)n);
			to += n;
		}
	}
	if (to != NULL)
		*to = '\0';
	return folded;
}

bool quarantine_same_operator(const char *a, const char *b)
{
	char *x = fold(a), *y = fold(b);
	bool same = x == NULL || y == NULL || strcmp(x, y) == 0; /* in doubt it is one person */

	free(x);
	free(y);
	return same;
}

void quarantine_login(char out[static QUARANTINE_LOGIN_MAX + 1], sqlite3_stmt *s, int column)
{
	const char *login = db_text(s, column);

	log_show(out, QUARANTINE_LOGIN_MAX + 1, login, strlen(login));
}

bool quarantine_text_ok(const char *s, size_t max)
{
	char shown[4 * QUARANTINE_REASON_MAX + 1];
	size_t n = strlen(s);
	char *some = n <= max && name_is_utf8((const uint8_t *)s, n) ? fold(s) : NULL;
	bool says = some != NULL && some[0] != '\0';

	free(some);
	if (!says)
		return false;
	return strcmp(log_show(shown, sizeof(shown), s, n), s) == 0;
}
