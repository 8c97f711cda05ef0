/* doctor_disk.c - R14 and R16: data at rest, and how long the records are kept (doctor.h). */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "host/db.h"
#include "host/reason.h"
#include "tools/doctor.h"
#include "tools/ledger_against.h"

enum { FREE_LEAST = 5 /* per cent */, NS_PER_DAY = 86400 };

static const char *state_of(const struct doctor *d)
{
	return d->role == DOCTOR_SENDER ? d->sender.state : d->receiver.state;
}

/* --- R14 --- */
static int found_crypt;

static void under(struct doctor *d, const char *dir, const char *name);

/* Is this device dm-crypt, or does it lie on one? */
static void look_below(struct doctor *d, const char *dir)
{
	char path[512], *uuid;

	(void)snprintf(path, sizeof(path), "%s/dm/uuid", dir);
	uuid = doctor_read(d, path);
	if (uuid != NULL && strncmp(uuid, "CRYPT-", 6) == 0)
		found_crypt = 1;
	free(uuid);
	(void)snprintf(path, sizeof(path), "%s/slaves", dir);
	if (!found_crypt && strlen(dir) < 200) /* however deep they are stacked */
		(void)doctor_each(d, path, under);
}

static void under(struct doctor *d, const char *dir, const char *name)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	look_below(d, path);
}

static void encrypted(struct doctor *d)
{
	char dir[64];
	struct stat st;

	if (stat(state_of(d), &st) != 0) {
		doctor_unclear(d, _("%s cannot be looked at"), state_of(d));
		return;
	}
	found_crypt = 0;
	(void)snprintf(dir, sizeof(dir), "/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
	look_below(d, dir);
	if (found_crypt)
		doctor_fact(d, _("%s lies on an encrypted disk (dm-crypt)"), state_of(d));
	else if (d->said.disk_encryption[0] != '\0')
		doctor_word(d, "disk_encryption", d->said.disk_encryption);
	else
		doctor_unclear(d, _("this host does not see that the disk of %s is encrypted (unlinked files can be found on it), and nobody has"
		    " declared it (disk_encryption)"), state_of(d));
}

static void swap_line(struct doctor *d, const char *path, char *line)
{
	char name[256];

	if (sscanf(line, "%255s", name) != 1 || strcmp(name, "Filename") == 0 || strstr(name, "/dm-") != NULL ||
	    strncmp(name, "/dev/mapper/", 12) == 0 || strstr(name, "/zram") != NULL)
		return;
	doctor_wrong(d, _("%s: memory is written out to %s, which is not encrypted"), path, name);
}

static void closed_directory(struct doctor *d, const char *name)
{
	char path[SENDER_PATH_MAX + 64];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", state_of(d), name);
	if (stat(path, &st) != 0)
		return; /* not made yet */
	if ((st.st_mode & 07) != 0)
		doctor_wrong(d, _("%s: mode %04o, open to everybody"), path, st.st_mode & 07777u);
	else
		doctor_fact(d, _("%s: mode %04o"), path, st.st_mode & 07777u);
}

void doctor_rest(struct doctor *d)
{
	if (d->role == DOCTOR_SENDER) {
		doctor_fact(d, _("what waits in the outbox is sealed to the receiver's key, whose secret half is not on this host: the sender itself"
		    " cannot read it"));
		doctor_fact(d, _("sealed objects are erased after %llu days (retention), with their number and time in the database"),
		    (unsigned long long)(d->sender.retention_ns / 1000000000u / NS_PER_DAY));
		closed_directory(d, "objects");
	} else {
		closed_directory(d, "quarantine");
		closed_directory(d, "work");
	}
	encrypted(d);
	(void)doctor_lines(d, "/proc/swaps", swap_line);
}

/* --- R16 --- */
static void chain(struct doctor *d)
{
	char path[RECEIVER_PATH_MAX + 32], since[32] = "";
	struct ledger_keys keys = { .count = 0 };
	struct ledger_finding v;
	sqlite3_stmt *q;
	struct db db;

	(void)snprintf(path, sizeof(path), "%s/ledger/ledger.db", d->receiver.state);
	if (access(path, R_OK) != 0 || db_open_readonly(&db, path) != 0) {
		doctor_unclear(d, _("%s: cannot be read"), path);
		return;
	}
	if (ledger_keys_own(&keys, &d->receiver) != 0)
		keys.count = 0; /* R4 and R6 say what is the matter with them */
	ledger_against_itself(&db, &keys, d->receiver.state, NULL, NULL, &v);
	q = db_query(&db, "SELECT substr(entry, 8, 10) FROM ledger WHERE seq = 1", "");
	if (db_try(&db, q) == 1) {
		(void)snprintf(since, sizeof(since), "%s", (const char *)sqlite3_column_text(q, 0));
		db_done(q);
	}
	db_close(&db);
	if (v.bad != 0)
		doctor_wrong(d, _("the ledger's chain does not hold: row %lld %s"), (long long)v.bad, reason_show(v.why));
	else
		doctor_fact(d, _("the ledger's chain holds: %lld rows since %s, nothing is ever removed from it"), (long long)v.rows, since);
}

static void room(struct doctor *d)
{
	struct statvfs v;
	unsigned percent;

	if (statvfs(state_of(d), &v) != 0 || v.f_blocks == 0) {
		doctor_unclear(d, _("%s cannot be looked at"), state_of(d));
		return;
	}
	percent = (unsigned)(100.0 * (double)v.f_bavail / (double)v.f_blocks);
	if (percent < FREE_LEAST)
		doctor_wrong(d, _("only %u %% of the disk of %s is free"), percent, state_of(d));
	else
		doctor_fact(d, _("%u %% of the disk of %s is free"), percent, state_of(d));
}

static char journal_kept[64], journal_storage[64];

static void journal_line(struct doctor *d, const char *path, char *line)
{
	(void)d;
	(void)path;
	if (strncmp(line, "MaxRetentionSec=", 16) == 0)
		(void)snprintf(journal_kept, sizeof(journal_kept), "%s", line + 16);
	if (strncmp(line, "Storage=", 8) == 0)
		(void)snprintf(journal_storage, sizeof(journal_storage), "%s", line + 8);
}

static void journal_file(struct doctor *d, const char *dir, const char *name)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	(void)doctor_lines(d, path, journal_line);
}

/* systemd's "3year", "1100d", "36month"; seconds without a unit.  -1: another way of writing it. */
static double years_of(const char *s)
{
	static const struct { const char *unit; double years; } unit[] = { { "year", 1 }, { "y", 1 }, { "month", 1 / 12.0 }, { "week", 7 / 365.25 },
		{ "w", 7 / 365.25 }, { "day", 1 / 365.25 }, { "d", 1 / 365.25 }, { "", 1 / 365.25 / 86400 } };
	char *end;
	double v = strtod(s, &end);
	size_t n;

	end += strspn(end, " ");
	n = strlen(end);
	if (n > 1 && end[n - 1] == 's')
		n--;
	for (size_t i = 0; end != s && i < sizeof(unit) / sizeof(unit[0]); i++)
		if (strlen(unit[i].unit) == n && strncmp(unit[i].unit, end, n) == 0)
			return v * unit[i].years;
	return -1;
}

static void journal(struct doctor *d)
{
	double years;

	journal_kept[0] = journal_storage[0] = '\0';
	(void)doctor_lines(d, "/etc/systemd/journald.conf", journal_line);
	(void)doctor_each(d, "/etc/systemd/journald.conf.d", journal_file);
	if (strcmp(journal_storage, "volatile") == 0 || strcmp(journal_storage, "none") == 0 ||
	    (strcmp(journal_storage, "persistent") != 0 && !doctor_there(d, "/var/log/journal") && !doctor_there(d, "/var/log/syslog"))) {
		doctor_wrong(d, _("the journal does not outlive a restart (no /var/log/journal, no Storage=persistent), and there is no /var/log/syslog"));
		return;
	}
	years = years_of(journal_kept);
	if (journal_kept[0] == '\0' || strcmp(journal_kept, "0") == 0)
		doctor_fact(d, _("the journal is kept on disk; how long, only its size decides (MaxRetentionSec is not set)"));
	else if (years < 0)
		doctor_unclear(d, _("MaxRetentionSec=%s of the journal: not understood here"), journal_kept);
	else if (years < (double)d->said.log_years)
		doctor_wrong(d, _("the journal is kept for %.1f years (MaxRetentionSec=%s), not %llu (log_years)"), years, journal_kept,
		    (unsigned long long)d->said.log_years);
	else
		doctor_fact(d, _("the journal is kept for %.1f years (MaxRetentionSec=%s)"), years, journal_kept);
}

void doctor_logs(struct doctor *d)
{
	if (d->role == DOCTOR_RECEIVER)
		chain(d);
	room(d);
	journal(d);
}
