/* cmd_key_retired.c - katamichi key retired: from which day may a replaced key of the receiver go? */
#include <stdio.h>
#include <string.h>

#include "codec/hex.h"
#include "host/clock.h"
#include "host/db.h"
#include "host/exits.h"
#include "host/keyfile.h"
#include "host/log.h"
#include "receiver/receiver_conf.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/status.h"

static struct receiver_conf conf;

/* The fingerprint, from the public half where it lies beside, so that nobody needs the secret. */
static int fingerprint_of(char hex[static 2 * HASH_LEN + 1], const struct receiver_retired *r)
{
	static char path[RECEIVER_PATH_MAX + 8];
	struct party p;
	int code;

	snprintf(path, sizeof(path), "%.*s.pub", (int)(strlen(r->key) > 4 ? strlen(r->key) - 4 : 0), r->key);
	if ((code = keyfile_read_public(&p, path, PARTY_RECEIVER)) == EXIT_OK)
		hex_put(hex, p.fingerprint, HASH_LEN);
	return code;
}

static void set_day(json_t *o, const char *key, uint64_t s)
{
	char at[21];

	if (s == 0)
		return;
	clock_iso(at, s);
	at[10] = '\0';
	json_object_set_new(o, key, json_string(at));
}

/* The last moment at which something was sealed to it, as far as said or seen, and the retention after that; a day more, since a day has
 * many hours. */
static int describe(json_t *rows, struct db *db, const struct receiver_retired *r)
{
	char hex[2 * HASH_LEN + 1];
	uint64_t used, last, from, now = clock_wall_ms() / 1000;
	json_t *o;
	int code = fingerprint_of(hex, r);

	if (code != EXIT_OK)
		return code;
	used = db == NULL ? 0 : (uint64_t)db_int(db, "SELECT newest FROM retired_use WHERE receiver = ?", "t", hex);
	last = used > r->since ? used : r->since;
	from = last == 0 ? 0 : (last + conf.sender_retention_ns / 1000000000u) / 86400 * 86400 + 86400;
	o = json_pack("{s:s, s:s, s:b, s:b}", "name", r->name, "fingerprint", hex, "secret", receiver_retired_is_secret(r), "may_go",
	    from != 0 && now >= from);
	set_day(o, "since", r->since);
	set_day(o, "used", used);
	set_day(o, "from", from);
	json_array_append_new(rows, o);
	return EXIT_OK;
}

static int run(const struct cmd_line *l)
{
	static const struct out_column column[] = {
		{ "name", N_("key"), OUT_STRING }, { "since", N_("replaced"), OUT_STRING }, { "used", N_("newest object sealed to it"), OUT_STRING },
		{ "from", N_("may go from"), OUT_STRING }, { "may_go", N_("may go"), OUT_YES }, { "fingerprint", N_("fingerprint"), OUT_STRING },
	};
	static char path[RECEIVER_PATH_MAX + 32];
	json_t *rows = json_array();
	struct db db;
	int code = receiver_conf_read(&conf, cmd_value(l, "config"), -1), have;

	if (code != EXIT_OK)
		return code;
	snprintf(path, sizeof(path), "%s/ledger/ledger.db", conf.state);
	if (db_open_readonly(&db, path) != 0)
		return EXIT_SYSTEM;
	have = db_int(&db, "SELECT count(*) FROM sqlite_master WHERE name = 'retired_use'", "") != 0;
	for (unsigned i = 0; code == EXIT_OK && i < conf.retireds; i++)
		code = describe(rows, have ? &db : NULL, &conf.retired[i]);
	db_close(&db);
	if (code == EXIT_OK && out_mode() == OUT_JSON)
		out_json(rows);
	else if (code == EXIT_OK && json_array_size(rows) == 0 && out_mode() == OUT_TEXT)
		printf("%s\n", _("no key of this receiver is retired"));
	else if (code == EXIT_OK)
		out_table(rows, column, sizeof(column) / sizeof(column[0]), NULL);
	json_decref(rows);
	return code;
}

const struct cmd cmd_key_retired = {
	.name = "key retired",
	.text = N_("from which day the receiver's replaced keys may go"),
	.usage = N_("-c receiver.conf [--json | --tsv]"),
	.help = N_("A replaced key ([retired NAME] in receiver.conf) opens what was sealed to it before.  Nothing of that comes any more\n"
	    "once the sender's retention (sender_retention in [link], as in sender.conf) has passed since the day it was replaced\n"
	    "(since) and since the newest object that came sealed to it.\n"),
	.exits = N_("0 said, 2 usage, 3 configuration, 4 keys, 5 the ledger cannot be read,\n"
	    "6 its database is damaged"),
	.options = { CMD_CONFIG, CMD_JSON, CMD_TSV },
	.end = CONF_KIND_RECEIVER,
	.run = run,
};
