/* asking.c - see asking.h */
#include "tools/asking.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/exits.h"
#include "host/log.h"
#include "host/reason.h"
#include "receiver/checkpoints.h"
#include "receiver/peers_ask.h"
#include "receiver/quarantine.h"
#include "receiver/settle.h"
#include "tools/out.h"

enum { TRIES = 150 };
#define TRY_NS 100000000ull /* 15 s in all */

int asking_is_ledger(const char *path)
{
	struct db db;
	int64_t there;

	if (db_open_readonly(&db, path) != 0)
		return EXIT_SYSTEM;
	there = db_int(&db, "SELECT count(*) FROM sqlite_master WHERE name = 'ledger'", "");
	db_close(&db);
	if (there != 0)
		return EXIT_OK;
	log_error(_("%s: there is no ledger in this database, and it is left as it is: stop the service, and put the copy of a backup in its place"
	    " (the guide to incidents says how)"), path);
	return EXIT_DATA;
}

int asking_open(struct db *db, const struct receiver_conf *c)
{
	static char path[RECEIVER_PATH_MAX + 32];
	int code;

	snprintf(path, sizeof(path), "%s/ledger/ledger.db", c->state);
	if (access(path, R_OK | W_OK) != 0) {
		log_error("%s: %s; run this as the receiver's user, on the receiving host", path, strerror(errno));
		return EXIT_SYSTEM;
	}
	if ((code = asking_is_ledger(path)) != EXIT_OK)
		return code;
	db_open(db, path, QUARANTINE_SCHEMA CHECKPOINTS_SCHEMA PEERS_ASK_SCHEMA SETTLE_SCHEMA);
	return EXIT_OK;
}

int asking_receiver_runs(const struct receiver_conf *c)
{
	static char path[RECEIVER_PATH_MAX + 8];
	int fd, r;

	snprintf(path, sizeof(path), "%s/lock", c->state);
	if ((fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		return errno == EACCES; /* somebody who may only look cannot know */
	r = flock(fd, LOCK_SH | LOCK_NB) != 0;
	close(fd);
	return r;
}

const char *asking_login(void)
{
	static char name[64];
	unsigned uid = (unsigned)getuid(), login;
	FILE *f = fopen("/proc/self/loginuid", "re");
	const struct passwd *p;

	if (f != NULL) {
		if (fscanf(f, "%u", &login) == 1 && login != (unsigned)-1)
			uid = login;
		fclose(f);
	}
	p = getpwuid((uid_t)uid);
	if (p != NULL)
		snprintf(name, sizeof(name), "%s", p->pw_name);
	else
		snprintf(name, sizeof(name), "uid %u", uid);
	return name;
}

int asking_who(const struct cmd_line *l)
{
	if (!quarantine_text_ok(cmd_value(l, "operator"), QUARANTINE_OPERATOR_MAX))
		return cmd_usage(l->cmd, _("--operator takes a name of at most 64 bytes, printable"));
	if (!quarantine_text_ok(cmd_value(l, "reason"), QUARANTINE_REASON_MAX))
		return cmd_usage(l->cmd, _("--reason takes a text of at most 300 bytes, printable"));
	return EXIT_OK;
}

void asking_wait(struct db *db, const struct receiver_conf *c, const char *sql, int64_t id)
{
	for (int i = 0; i < TRIES && db_int(db, sql, "i", id) == 0 && asking_receiver_runs(c); i++)
		clock_sleep_ns(TRY_NS);
}

const char *asking_pending(const struct receiver_conf *c)
{
	return asking_receiver_runs(c) ? N_("asked for; the receiver has not done it yet (is its disk full? see its log)") :
	    N_("asked for; the receiver does not run, and does it when it does");
}

int asking_say(struct db *db, const struct receiver_conf *c, const char *sql, int64_t id, const char *key, const char *name)
{
	sqlite3_stmt *s = db_query(db, sql, "i", id);
	int code = EXIT_NO;
	const char *text;

	if (db_step(db, s) == 0)
		return EXIT_NO;
	if (sqlite3_column_type(s, 0) == SQLITE_NULL) {
		text = asking_pending(c);
	} else {
		code = sqlite3_column_int(s, 0) == 0 ? EXIT_OK : EXIT_NO;
		text = db_text(s, 1);
	}
	if (out_mode() == OUT_JSON)
		out_json_free(json_pack("{s:s, s:b, s:s}", key, name, "done", code == EXIT_OK, "answer", text));
	else
		printf("%s: %s\n", name, reason_show(text));
	db_done(s);
	return code;
}
