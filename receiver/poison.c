/* poison.c - objects that the check process dies of (store.h).  The count of its
 * deaths is kept in the part file, so that it outlives the store process too. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/i18n.h"
#include "host/log.h"
#include "receiver/store.h"

/* Has the check process died while it looked at this one? */
bool poison_suspect(const struct store *s, uint32_t slot)
{
	int map = part_store_map(&s->parts, slot, O_RDONLY);
	bool yes = map < 0 || parts_attempts(map) != 0;

	if (map >= 0)
		close(map);
	return yes;
}

/* Every time this object was before it, the check process died.  Five times
 * is no accident: the sealed object is set aside and the service goes on. */
bool poison_set_aside(struct store *s, struct job *j)
{
	static const char why[] = N_("the check process ended each time it looked at this object");
	int map = part_store_map(&s->parts, j->slot, O_RDONLY);
	uint32_t attempts = map >= 0 ? parts_attempts(map) : 0;
	char name[64], id[33];

	if (map >= 0)
		close(map);
	if (attempts < STORE_ATTEMPTS)
		return false;
	snprintf(name, sizeof(name), "sealed-%s", job_show(id, j->id));
	if (part_store_move(&s->parts, j->slot, s->quarantine, name) != 0 && errno != EEXIST)
		log_warn("object %s: cannot be moved to the quarantine: %s", id, strerror(errno));
	db_exec(&s->ledger.db, "BEGIN IMMEDIATE");
	refused_row(s, j, 0, why);
	quarantine_add_sealed(&s->ledger, name, s->fingerprint[j->sender], id, why);
	db_run(&s->ledger.db, "INSERT OR IGNORE INTO object(sender, id) VALUES(?, ?)", "tt", s->fingerprint[j->sender], id);
	db_exec(&s->ledger.db, "COMMIT");
	log_warn("object %s of peer %s: ALARM: the check process ended %u times on it; set aside as quarantine/%s", id,
	    s->conf.peer[j->sender].name, attempts, name);
	job_unlink(s, j);
	job_done(s, j);
	store_flush_done(s);
	return true;
}

static void blame(struct store *s, const struct job *j)
{
	int map;

	if (j == NULL || !j->sent || (map = part_store_map(&s->parts, j->slot, O_RDWR)) < 0)
		return;
	parts_set_attempts(map, parts_attempts(map) + 1);
	close(map);
}

/* Either may be the cause.  One that was blamed once is not opened early again,
 * so that an innocent one is not blamed for long. */
void poison_check_died(struct store *s)
{
	blame(s, s->jobs);
	blame(s, s->early);
}
