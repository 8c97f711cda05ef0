/* asking.h - what commands ask of the running receiver through its database. */
#ifndef KM_ASKING_H
#define KM_ASKING_H

#include <stdbool.h>

#include "host/db.h"
#include "receiver/receiver_conf.h"
#include "tools/cmd.h"

/* The ledger's database for a request: 0, or an exit code after one logged line. */
int asking_open(struct db *db, const struct receiver_conf *c);
/* Is there a ledger in this database at all?  To be asked before tables are made in it: what was emptied, or is another's, must
 * not come to look like one.  0, or an exit code after one logged line. */
int asking_is_ledger(const char *path);
int asking_receiver_runs(const struct receiver_conf *c); /* 1: a daemon holds its lock, or we may not look at that */
/* Who sits at the terminal, as far as the system knows: the name of the login user, else of the user who runs this. */
const char *asking_login(void);
/* The options of a command that decides something, and what they were given: 0, or an exit code, said. */
#define ASKING_WHO { "operator", 0, CMD_TEXT, N_("NAME"), N_("who decides this; goes into the ledger"), 1 }, \
	{ "reason", 0, CMD_TEXT, N_("TEXT"), N_("why; goes into the ledger"), 1 }
int asking_who(const struct cmd_line *l);
/* Waits, at most 15 s and while the receiver runs, until the query (of one int64_t, id) counts something. */
void asking_wait(struct db *db, const struct receiver_conf *c, const char *sql, int64_t id);
/* Says what came of the request (the query: of one int64_t, id, its code and answer), of which `name` is the `key`: an exit code. */
int asking_say(struct db *db, const struct receiver_conf *c, const char *sql, int64_t id, const char *key, const char *name);
const char *asking_pending(const struct receiver_conf *c); /* what to say of a request without an answer; not translated yet */

#endif
