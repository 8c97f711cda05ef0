/* quarantine.h - what did not pass its checks, and what people decide about it.
 *
 * state/quarantine/ (0700) has a directory for each entry, and table `quarantine` a row.  An entry is
 *   file        one file of a transfer whose rest was delivered (held.h)
 *   transfer    a whole transfer as its sender signed it: none of its files passed, or its channel says `whole = yes`
 *   unverified  what came as a transfer and is not what a sender signed
 *   sealed      an object that the check process dies of, as it came
 * The first two can be released into the inbox, all of them discarded.
 *
 * `katamichi quarantine` writes what an operator wants into table `quarantine_request`, as it may while the store process
 * runs; only the store process carries it out, within a second or at its next start, and answers in the same row.
 * A release is published like a delivery (publish.h: intent, rename, row), so it happens once or not yet.  What is
 * discarded gets its row first and is removed then; the next start removes what a crash left.
 *
 * Events of the ledger: `quarantined`, `approved` (one of two operators), `released`, `discarded`. */
#ifndef KM_QUARANTINE_H
#define KM_QUARANTINE_H

#include <jansson.h>

#include "receiver/publish.h"
#include "receiver/receiver_conf.h"

#define QUARANTINE_SCHEMA \
	"CREATE TABLE IF NOT EXISTS quarantine(entry TEXT PRIMARY KEY, kept TEXT NOT NULL, sender TEXT NOT NULL, channel TEXT NOT NULL," \
	" generation TEXT NOT NULL, number INTEGER NOT NULL, manifest TEXT NOT NULL, previous TEXT NOT NULL, object TEXT NOT NULL," \
	" file BLOB, files INTEGER NOT NULL, bytes INTEGER NOT NULL, checks TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL," \
	" seq INTEGER NOT NULL, state TEXT NOT NULL, place TEXT);" /* state: held, released (place: below inbox/), discarded */ \
	"CREATE INDEX IF NOT EXISTS quarantine_object ON quarantine(object, sender);" \
	"CREATE INDEX IF NOT EXISTS quarantine_held ON quarantine(at) WHERE state = 'held';" \
	"CREATE TABLE IF NOT EXISTS quarantine_request(id INTEGER PRIMARY KEY, what TEXT NOT NULL, entry TEXT NOT NULL," \
	" operator TEXT NOT NULL, reason TEXT NOT NULL, login TEXT NOT NULL, at INTEGER NOT NULL, code INTEGER, answer TEXT);" \
	"CREATE TABLE IF NOT EXISTS quarantine_approval(entry TEXT NOT NULL, operator TEXT NOT NULL, reason TEXT NOT NULL," \
	" login TEXT NOT NULL, at INTEGER NOT NULL);"

enum { QUARANTINE_OPERATOR_MAX = 64, QUARANTINE_REASON_MAX = 300, QUARANTINE_LOGIN_MAX = 63 }; /* bytes of printable UTF-8 */

/* The answer in a request's row: code. */
enum quarantine_answer {
	QUARANTINE_DONE = 0,
	QUARANTINE_NO = 1,     /* not possible, the answer says why */
	QUARANTINE_ANOTHER = 2, /* recorded; another operator has to ask for the same */
};

/* The index of a `quarantined` entry, the ledger's last row.  In its transaction. */
void quarantine_add(struct ledger *l, const struct publish_item *it, const json_t *entry);
/* An object that is kept sealed.  In a transaction. */
void quarantine_add_sealed(struct ledger *l, const char *name, const char *sender, const char *object, const char *reason);
/* In the transaction of its `released` row: the entry's state, and the answer to who asked for it. */
void quarantine_released(struct ledger *l, const char *entry, const char *place);
uint64_t quarantine_count(struct ledger *l); /* entries that are held */

/* Entries, the newest first, at most so many; held_only: none that was decided.  Objects: entry, state, kept, channel, number,
 * object, file or file_b64, files, bytes, checks, reason, at, sender, manifest, generation, place. */
json_t *quarantine_list(struct db *db, int64_t most, bool held_only);

struct quarantine {
	struct publish *publish;
	const struct receiver_conf *conf;
};
/* At the start, after publish_recover(): remove what was discarded. */
void quarantine_start(struct quarantine *q);
/* Carry out what was asked for. */
void quarantine_run(struct quarantine *q);

/* Same operator?  However the name is spelt (Unicode's NFKC and case folding; blanks, punctuation and invisible characters aside):
 * whoever signs twice must not pass for two. */
bool quarantine_same_operator(const char *a, const char *b);
/* A login, as the ledger takes it: of what is not printable text in a request, its bytes. */
void quarantine_login(char out[static QUARANTINE_LOGIN_MAX + 1], sqlite3_stmt *s, int column);
/* Printable UTF-8 of at most max bytes, with a letter or a digit in it. */
bool quarantine_text_ok(const char *s, size_t max);

#endif
