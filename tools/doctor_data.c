/* doctor_data.c - R4, R6 and R12: keys and contents (doctor.h). */
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "codec/hex.h"
#include "host/clock.h"
#include "host/db.h"
#include "host/keyfile.h"
#include "receiver/validity.h"
#include "tools/doctor.h"

enum { DELIVERIES_LOOKED_AT = 1000, DAY_S = 86400 };

/* --- R4 --- */
static void pinned(struct doctor *d, const char *name, const char *path, enum party_role role, const struct receiver_peer *peer)
{
	char hex[2 * HASH_LEN + 1];
	struct party p;

	if (access(path, R_OK) != 0 || keyfile_read_public(&p, path, role) != 0) {
		doctor_wrong(d, _("%s: no public key that is well-formed and protected in %s"), name, path);
		return;
	}
	hex_put(hex, p.fingerprint, HASH_LEN);
	if (peer != NULL && !validity_at(peer, clock_wall_ms() / 1000))
		doctor_wrong(d, _("%s: pinned, fingerprint %s, but not valid today"), name, hex);
	else
		doctor_fact(d, _("%s: pinned, fingerprint %s"), name, hex);
}

void doctor_pinned(struct doctor *d)
{
	if (d->role == DOCTOR_SENDER)
		pinned(d, _("the receiver"), d->sender.receiver, PARTY_RECEIVER, NULL);
	for (unsigned i = 0; d->role == DOCTOR_RECEIVER && i < d->receiver.peers; i++)
		pinned(d, d->receiver.peer[i].name, d->receiver.peer[i].key, PARTY_SENDER, &d->receiver.peer[i]);
	doctor_fact(d, _("whoever is not pinned is refused before anything of theirs is read; there is no setting that takes unknown keys"));
}

/* --- R6 --- */
static void secret_file(struct doctor *d, const char *path)
{
	const char *state = d->role == DOCTOR_SENDER ? d->sender.state : d->receiver.state;
	struct stat st, dir, service;
	char parent[SENDER_PATH_MAX], day[21];
	const char *slash = strrchr(path, '/');
	long days;

	if (path[0] == '\0')
		return;
	if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
		doctor_wrong(d, _("%s: is no file that can be looked at"), path);
		return;
	}
	(void)snprintf(parent, sizeof(parent), "%.*s", slash != NULL && slash > path ? (int)(slash - path) : 1, slash != NULL ? path : ".");
	clock_iso(day, (uint64_t)st.st_mtime);
	days = (long)((int64_t)(clock_wall_ms() / 1000) - st.st_mtime) / DAY_S;
	if ((st.st_mode & 0177) != 0)
		doctor_wrong(d, _("%s: mode %04o, not 0600"), path, st.st_mode & 07777u);
	else if (st.st_uid != 0 && stat(state, &service) == 0 && st.st_uid != service.st_uid)
		doctor_wrong(d, _("%s: owner %u is neither root nor the service, whose state belongs to %u"), path, (unsigned)st.st_uid,
		    (unsigned)service.st_uid);
	else if (stat(parent, &dir) == 0 && (dir.st_mode & 022) != 0 && (dir.st_mode & S_ISVTX) == 0)
		doctor_wrong(d, _("%s: others may write in its directory"), path);
	else if (d->said.key_days > 0 && days > (long)d->said.key_days)
		doctor_wrong(d, _("%s: of %.10s, %ld days old; %llu are declared as the most (key_days)"), path, day, days,
		    (unsigned long long)d->said.key_days);
	else
		doctor_fact(d, _("%s: owner %u, mode %04o, of %.10s"), path, (unsigned)st.st_uid, st.st_mode & 07777u, day);
}

void doctor_keys(struct doctor *d)
{
	doctor_fact(d, _("there is no plaintext mode: what leaves is sealed to the receiver's key (X25519, AES-256-GCM or ChaCha20-Poly1305)"));
	secret_file(d, d->role == DOCTOR_SENDER ? d->sender.keys : d->receiver.keys);
	secret_file(d, d->role == DOCTOR_SENDER ? d->sender.psk : d->receiver.psk);
}

/* --- R12 --- */
static void policy(struct doctor *d, const char *channel, const struct content_policy *p)
{
	int looked_at = p->types != 0 || p->programs != 0;

	if (looked_at)
		doctor_fact(d, p->types != 0 ? _("channel %s: only certain types pass, and each is checked") :
		    _("channel %s: signed updates, which are programs and pass unread"), channel);
	else if (doctor_has(d->said.unchecked, channel))
		doctor_fact(d, _("channel %s: any type passes unread (content = any), declared"), channel);
	else
		doctor_wrong(d, _("channel %s: any type passes unread (content = any), which is not declared (unchecked)"), channel);
}

static void recorded(struct doctor *d)
{
	char path[RECEIVER_PATH_MAX + 32];
	struct db db;
	int64_t rows, without;

	(void)snprintf(path, sizeof(path), "%s/ledger/ledger.db", d->receiver.state);
	if (access(path, R_OK) != 0 || db_open_readonly(&db, path) != 0) {
		doctor_unclear(d, _("%s: cannot be read"), path);
		return;
	}
	rows = db_int(&db, "SELECT count(*) FROM (SELECT 1 FROM delivery ORDER BY seq DESC LIMIT ?)", "i", (int64_t)DELIVERIES_LOOKED_AT);
	without = db_int(&db, "SELECT count(*) FROM (SELECT seq FROM delivery ORDER BY seq DESC LIMIT ?) AS d JOIN ledger USING(seq) WHERE"
	    " NOT json_valid(entry) OR coalesce(json_array_length(entry, '$.checks'), 0) = 0", "i", (int64_t)DELIVERIES_LOOKED_AT);
	db_close(&db);
	if (without > 0)
		doctor_wrong(d, _("of the last %lld deliveries in the ledger, %lld do not say which checks were made"), (long long)rows, (long long)without);
	else
		doctor_fact(d, _("each of the last %lld deliveries says in the ledger which checks were made"), (long long)rows);
}

void doctor_content(struct doctor *d)
{
	/* The last one is the program's own. */
	for (unsigned i = 0; d->role == DOCTOR_SENDER && i + 1 < d->sender.channels; i++)
		policy(d, d->sender.channel[i].name, &d->sender.channel[i].content);
	for (unsigned i = 0; d->role == DOCTOR_RECEIVER && i + 1 < d->receiver.channels; i++)
		policy(d, d->receiver.channel[i].name, &d->receiver.channel[i].content);
	if (d->role == DOCTOR_RECEIVER)
		recorded(d);
}
