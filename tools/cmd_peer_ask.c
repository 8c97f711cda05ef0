/* cmd_peer_ask.c - katamichi key revoke, katamichi link reset-epoch: what is decided about a pinned sender. */
#include <inttypes.h>
#include <string.h>

#include "codec/hex.h"
#include "host/clock.h"
#include "host/exits.h"
#include "host/log.h"
#include "receiver/peers_ask.h"
#include "receiver/quarantine.h"
#include "tools/asking.h"
#include "tools/cmd.h"
#include "tools/status.h"

static struct receiver_conf conf;

static const struct receiver_peer *find(const char *name)
{
	for (unsigned i = 0; i < conf.peers; i++)
		if (strcmp(conf.peer[i].name, name) == 0)
			return &conf.peer[i];
	log_error(_("%s: there is no [peer] of this name in the configuration"), name);
	return NULL;
}

static int ask(const struct cmd_line *l, const char *what, int64_t lane)
{
	const struct receiver_peer *p;
	char hex[2 * HASH_LEN + 1];
	struct db db;
	int64_t id;
	int code;

	if ((code = asking_who(l)) != 0 || (code = receiver_conf_read(&conf, cmd_value(l, "config"), -1)) != 0 || (code = receiver_conf_peers(&conf)) != 0)
		return code;
	if ((p = find(l->operand[0])) == NULL)
		return EXIT_CONFIG;
	if ((code = asking_open(&db, &conf)) != 0)
		return code;
	hex_put(hex, p->party.fingerprint, HASH_LEN);
	db_run(&db, "INSERT INTO peer_request(what, sender, lane, operator, reason, login, at) VALUES(?, ?, ?, ?, ?, ?, ?)", "ttitt" "ti", what,
	    hex, lane, cmd_value(l, "operator"), cmd_value(l, "reason"), asking_login(), (int64_t)clock_wall_ms());
	id = db_int(&db, "SELECT last_insert_rowid()", "");
	asking_wait(&db, &conf, "SELECT code IS NOT NULL FROM peer_request WHERE id = ?", id);
	code = asking_say(&db, &conf, "SELECT code, answer FROM peer_request WHERE id = ?", id, "peer", p->name);
	db_close(&db);
	return code;
}

static int run_revoke(const struct cmd_line *l)
{
	return ask(l, "revoke", -1);
}

static int run_reset(const struct cmd_line *l)
{
	int64_t lane = -1;

	if (cmd_number(cmd_value(l, "lane"), FRAME_LANE_MAX, &lane) != 0)
		return cmd_usage(l->cmd, _("--lane takes a number from 0 to 15"));
	return ask(l, "reset-epoch", lane);
}

#define EXITS N_("0 done, 1 not done (the line says why), or asked for while the receiver does not run,\n" \
	"2 usage, 3 configuration, 4 keys, 5 the ledger cannot be written, 6 its database is damaged")

const struct cmd cmd_key_revoke = {
	.name = "key revoke",
	.text = N_("take nothing any more that this sender's key signed"),
	.usage = N_("-c receiver.conf --operator NAME --reason TEXT PEER [--json]"),
	.help = N_("For a key that may be in wrong hands.  PEER is the name of its [peer] section.  At once and for good: no session of it, and\n"
	    "nothing that came and is not delivered yet; each refusal names it.  Let the [peer] stand, so that the name does.\n"
	    "The sender gets a new key (katamichi key rotate).\n"),
	.exits = EXITS,
	.options = { CMD_CONFIG, ASKING_WHO, CMD_JSON },
	.operands_min = 1, .operands_max = 1, .operand = CMD_TEXT,
	.end = CONF_KIND_RECEIVER,
	.run = run_revoke,
};

const struct cmd cmd_link_reset_epoch = {
	.name = "link reset-epoch",
	.text = N_("accept a sender again whose sessions are called old"),
	.usage = N_("-c receiver.conf --operator NAME --reason TEXT PEER [--lane N] [--json]"),
	.help = N_("Sessions of a sender are numbered, and the receiver takes none below the highest that it has seen: a replay would be one.  Where\n"
	    "the sender's clock was years ahead once, or its state is lost, its sessions are refused as old (katamichi status\n"
	    "says so).  This forgets the number, after which recorded sessions could be played again: they bring nothing\n"
	    "but what was delivered before.\n"),
	.exits = EXITS,
	.options = { CMD_CONFIG, ASKING_WHO, { "lane", 0, CMD_TEXT, N_("N"), N_("of this lane only"), 0 }, CMD_JSON },
	.operands_min = 1, .operands_max = 1, .operand = CMD_TEXT,
	.end = CONF_KIND_RECEIVER,
	.run = run_reset,
};
