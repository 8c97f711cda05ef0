/* cmd_ledger.c - katamichi ledger verify: does the chain of the record hold? */
#include <stdio.h>
#include <string.h>

#include "host/db.h"
#include "host/exits.h"
#include "receiver/ledger.h"
#include "receiver/receiver_conf.h"
#include "tools/cmd.h"

static const char help[] =
    "usage: katamichi ledger verify -c receiver.conf\n"
    "       katamichi ledger verify FILE.db\n"
    "\n"
    "Checks every row's hash and that no number is missing; says which row is wrong.\n"
    "Rows cut off at the end leave no trace in a chain: compare the last hash with one noted before.\n"
    "Exit codes: 0 the chain holds, 1 it does not, 2 usage, 3 configuration, 5 it cannot be read,\n"
    "6 it is a database, but no ledger of ours.\n";

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
		printf("%s: row %lld %s; the %lld rows before it hold\n", path, (long long)v.bad, v.why, (long long)v.rows);
		return EXIT_NO;
	}
	printf("%s: %lld rows, the chain holds, last hash %s\n", path, (long long)v.rows, v.hash);
	return EXIT_OK;
}

int
cmd_ledger(int argc, char **argv)
{
	static struct receiver_conf conf;
	static char path[RECEIVER_PATH_MAX + 32];
	const char *config = NULL, *file = NULL;
	int code;

	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(help, stdout);
		return EXIT_OK;
	}
	if (argc < 3 || strcmp(argv[1], "verify") != 0)
		goto wrong;
	for (int i = 2; i < argc; i++) {
		if ((strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "--config") == 0) && i + 1 < argc && config == NULL)
			config = argv[++i];
		else if (argv[i][0] != '-' && file == NULL)
			file = argv[i];
		else
			goto wrong;
	}
	if ((config == NULL) == (file == NULL))
		goto wrong;
	if (file != NULL)
		return verify(file);
	if ((code = receiver_conf_read(&conf, config, -1)) != 0)
		return code;
	snprintf(path, sizeof(path), "%s/ledger/ledger.db", conf.state);
	return verify(path);
wrong:
	fputs(help, stderr);
	return EXIT_USAGE;
}
