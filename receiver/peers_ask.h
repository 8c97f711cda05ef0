/* peers_ask.h - what operators decide about pinned senders while the receiver runs, and which retired keys of the receiver are still in use.
 *
 * `katamichi key revoke` and `katamichi link reset-epoch` write into table peer_request; the store process carries it out within a
 * second or at its next start, tells the open process, appends a row to the ledger (events `revoked`, `epoch-reset`) and answers
 * in the same row.  A revocation is for good: it stands in table `revoked`, whatever the configuration says, and nothing that this key
 * signed is delivered any more, by name.
 * Table retired_use: of each retired key the newest object that was sealed to it. */
#ifndef KM_PEERS_ASK_H
#define KM_PEERS_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "receiver/receiver_messages.h"

#define PEERS_ASK_SCHEMA \
	"CREATE TABLE IF NOT EXISTS peer_request(id INTEGER PRIMARY KEY, what TEXT NOT NULL, sender TEXT NOT NULL, lane INTEGER NOT NULL," \
	" operator TEXT NOT NULL, reason TEXT NOT NULL, login TEXT NOT NULL, at INTEGER NOT NULL, code INTEGER, answer TEXT);" /* code: 0 done */ \
	"CREATE TABLE IF NOT EXISTS revoked(sender TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;" \
	"CREATE TABLE IF NOT EXISTS retired_use(receiver TEXT PRIMARY KEY, newest INTEGER NOT NULL) WITHOUT ROWID;" /* seconds */

struct store;
void peers_start(struct store *s);   /* which pinned keys are revoked; open is told */
void peers_ask(struct store *s);     /* carry out what was asked for */
void peers_answer(struct store *s, const struct msg_about_peer *m); /* open has reset an epoch */
/* An object of this retired key (1, 2, ...) was opened, made at that time. */
void peers_retired_used(struct store *s, uint32_t key, uint64_t created_ms);

#endif
