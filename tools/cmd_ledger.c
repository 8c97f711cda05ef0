/* cmd_ledger.c - katamichi ledger verify: does the chain of the record hold? */
#include <stdio.h>
#include <string.h>

#include "host/db.h"
#include "host/exits.h"
#include "receiver/ledger.h"
#include "receiver/receiver_conf.h"
#include "tools/cmd.h"
#include "tools/status.h"

static int
verify(const char *path)
{
	struct ledger_verdict v;
	struct db db;

	if (db_open_readonly(&db, path) != 0)
		return EXIT_SYSTEM;
	ledger_verify(&db, &v);
	db_close(&db);
	if (v.why != NULL) {
		printf(_("%s: row %lld %s; the %lld rows before it hold\n"), path, (long long)v.bad, _(v.why), (long long)v.rows);
		return EXIT_NO;
	}
	printf(_("%s: %lld rows, the chain holds, last hash %s\n"), path, (long long)v.rows, v.hash);
	return EXIT_OK;
}

static int
run(const struct cmd_line *l)
{
	static struct receiver_conf conf;
	static char path[RECEIVER_PATH_MAX + 32];
	const char *config = cmd_value(l, "config");
	int code;

	if ((config == NULL) == (l->operands == 0))
		return cmd_usage(l->cmd, _("-c receiver.conf, or one FILE.db"));
	if (l->operands == 1)
		return verify(l->operand[0]);
	if ((code = receiver_conf_read(&conf, config, -1)) != 0)
		return code;
	snprintf(path, sizeof(path), "%s/ledger/ledger.db", conf.state);
	return verify(path);
}

const struct cmd cmd_ledger_verify = {
	.name = "ledger verify",
	.text = N_("check the chain of the receiver's record of deliveries"),
	.usage = N_("-c receiver.conf\nFILE.db"),
	.help = N_("Checks every row's hash and that no number is missing; says which row is wrong.\n"
	    "Rows cut off at the end leave no trace in a chain: compare the last hash with one noted before.\n"),
	.exits = N_("0 the chain holds, 1 it does not, 2 usage, 3 configuration, 5 it cannot be read,\n"
	    "6 it is a database, but no ledger of ours"),
	.options = { { "config", 'c', CMD_FILE, N_("FILE"), N_("the configuration file of this end"), 0 } },
	.operands_max = 1, .operand = CMD_FILE,
	.end = CONF_KIND_RECEIVER,
	.run = run,
};
