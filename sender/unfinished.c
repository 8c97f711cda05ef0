/* unfinished.c - see unfinished.h. */
#include "sender/unfinished.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/log.h"
#include "sender/claim.h"

enum { TAKEN_PATH_MAX = SENDER_PATH_MAX + sizeof("/.taken") };

static const char *taken_in(char path[static TAKEN_PATH_MAX], const char *folder)
{
	snprintf(path, TAKEN_PATH_MAX, "%s/.taken", folder);
	return path;
}

/* When its .taken was made, ns: no other one can be given this time.  0: there is none, or this file system keeps no such time. */
static int64_t born(const char *folder)
{
	char path[TAKEN_PATH_MAX];
	struct statx st;

	if (statx(AT_FDCWD, taken_in(path, folder), AT_SYMLINK_NOFOLLOW, STATX_BTIME, &st) != 0 || !(st.stx_mask & STATX_BTIME))
		return 0;
	return st.stx_btime.tv_sec * 1000000000 + st.stx_btime.tv_nsec;
}

static bool is_another(struct outbox *o, const char *folder)
{
	int64_t now = born(folder), noted = db_int(&o->db, "SELECT born FROM taken WHERE path = ?", "t", folder);

	return now != 0 && noted != 0 && now != noted;
}

/* How many in this folder, or UNFINISHED_UNSEEN with errno. */
static unsigned in_folder(struct outbox *o, const char *folder)
{
	char path[TAKEN_PATH_MAX];
	const struct dirent *e;
	unsigned n = 0;
	int error;
	DIR *d;

	d = opendir(taken_in(path, folder));
	if (d == NULL)
		return UNFINISHED_UNSEEN;
	while (errno = 0, (e = readdir(d)) != NULL)
		n += claim_named(e->d_name) && e->d_name[CLAIM_ID_LEN] == '\0' && !outbox_has_claim(o, e->d_name);
	error = errno;
	closedir(d);
	errno = error;
	return error == 0 ? n : UNFINISHED_UNSEEN;
}

static bool is_noted(struct outbox *o, const char *folder)
{
	return db_int(&o->db, "SELECT count(*) FROM folder WHERE path = ?", "t", folder) != 0;
}

static const char *channel_of(const struct sender_conf *c, const char *folder)
{
	for (unsigned i = 0; i < c->channels; i++)
		if (strcmp(c->channel[i].folder, folder) == 0)
			return c->channel[i].name;
	return NULL;
}

static unsigned sum(unsigned a, unsigned b)
{
	return a == UNFINISHED_UNSEEN || b == UNFINISHED_UNSEEN ? UNFINISHED_UNSEEN : a + b;
}

/* One that is configured no more and in which nothing is left is forgotten. */
static unsigned look(struct outbox *o, const char *folder, const char *channel)
{
	unsigned n = in_folder(o, folder);

	if (n == UNFINISHED_UNSEEN && channel != NULL)
		log_warn("%s: the folder of channel %s is not as this sender left it (.taken: %s); if its disk is not mounted, stop the "
		    "sender, mount it and start again", folder, channel, strerror(errno));
	else if (n == UNFINISHED_UNSEEN)
		log_warn("%s: this folder, of an earlier configuration, cannot be read (.taken: %s), and perhaps holds files that were not "
		    "sent; mount its disk, or, if it is gone for good, make an empty folder .taken in it", folder, strerror(errno));
	else if (channel != NULL && is_another(o, folder)) {
		log_warn("%s: the folder of channel %s has another .taken than when this sender ran last: a disk was mounted, unmounted or replaced"
		    " there; files that were taken and not sent may lie in the other one (under the mount, or on the disk that is away):"
		    " move them into this folder", folder, channel);
		return UNFINISHED_UNSEEN;
	} else if (n > 0 && channel == NULL) {
		log_warn("%s: this folder, of an earlier configuration, has files that were taken and not sent (in .taken): they are sent when a channel"
		    " has this folder again", folder);
	} else if (n == 0 && channel == NULL) {
		db_run(&o->db, "DELETE FROM folder WHERE path = ?", "t", folder);
		db_run(&o->db, "DELETE FROM taken WHERE path = ?", "t", folder);
	}
	return n;
}

unsigned unfinished_claims(struct outbox *o, const struct sender_conf *c)
{
	char folder[SENDER_PATH_MAX] = "";
	unsigned all = 0, n;
	sqlite3_stmt *q;

	while (db_step(&o->db, q = db_query(&o->db, "SELECT path FROM folder WHERE path > ? ORDER BY path LIMIT 1", "t", folder)) == 1) {
		db_text_to(folder, sizeof(folder), q, 0);
		db_done(q);
		all = sum(all, look(o, folder, channel_of(c, folder)));
	}
	for (unsigned i = 0; i < c->channels; i++) /* a new one may have been another sender's; one without .taken is empty */
		if (!is_noted(o, c->channel[i].folder) && (n = in_folder(o, c->channel[i].folder)) != UNFINISHED_UNSEEN)
			all = sum(all, n);
	return all;
}

void unfinished_note(struct outbox *o, const struct sender_conf *c)
{
	for (unsigned i = 0; i < c->channels; i++) {
		const char *folder = c->channel[i].folder;
		db_run(&o->db, "INSERT OR IGNORE INTO folder(path) VALUES(?)", "t", folder);
		db_run(&o->db, "INSERT INTO taken(path, born) VALUES(?, ?) ON CONFLICT(path) DO UPDATE SET born = excluded.born"
		    " WHERE born <> excluded.born", "ti", folder, born(folder)); /* most starts write nothing */
	}
}
