/* unfinished.c - see unfinished.h. */
#include "sender/unfinished.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "sender/claim.h"

static unsigned in_folder(struct outbox *o, const char *folder)
{
	char path[SENDER_PATH_MAX + sizeof("/.taken")];
	const struct dirent *e;
	unsigned n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/.taken", folder);
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL)
		n += claim_named(e->d_name) && e->d_name[CLAIM_ID_LEN] == '\0' && !outbox_has_claim(o, e->d_name);
	if (d != NULL)
		closedir(d);
	return n;
}

static bool is_configured(const struct sender_conf *c, const char *folder)
{
	for (unsigned i = 0; i < c->channels; i++)
		if (strcmp(c->channel[i].folder, folder) == 0)
			return true;
	return false;
}

/* Of folders that are configured no more; those in which nothing is left are forgotten. */
static unsigned in_earlier(struct outbox *o, const struct sender_conf *c)
{
	char folder[SENDER_PATH_MAX] = "";
	unsigned all = 0, n;
	sqlite3_stmt *q;

	while (db_step(&o->db, q = db_query(&o->db, "SELECT path FROM folder WHERE path > ? ORDER BY path LIMIT 1", "t", folder)) == 1) {
		db_text_to(folder, sizeof(folder), q, 0);
		db_done(q);
		if (is_configured(c, folder))
			continue;
		all += n = in_folder(o, folder);
		if (n == 0)
			db_run(&o->db, "DELETE FROM folder WHERE path = ?", "t", folder);
	}
	return all;
}

unsigned unfinished_claims(struct outbox *o, const struct sender_conf *c)
{
	unsigned n = in_earlier(o, c);

	for (unsigned i = 0; i < c->channels; i++) {
		db_run(&o->db, "INSERT OR IGNORE INTO folder(path) VALUES(?)", "t", c->channel[i].folder);
		n += in_folder(o, c->channel[i].folder);
	}
	return n;
}
