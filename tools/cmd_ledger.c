/* cmd_ledger.c - katamichi ledger verify: is the receiver's record what it was? */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/db.h"
#include "host/exits.h"
#include "host/keyfile.h"
#include "host/log.h"
#include "host/reason.h"
#include "receiver/ledger.h"
#include "receiver/receiver_conf.h"
#include "tools/cmd.h"
#include "tools/ledger_against.h"
#include "tools/out.h"
#include "tools/status.h"

static int read_checkpoint(struct checkpoint *c, const char *path)
{
	char text[CHECKPOINT_TEXT_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (n < 0)
		log_error("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return EXIT_SYSTEM;
	if (checkpoint_read(c, text, (size_t)n) == 0)
		return EXIT_OK;
	log_error(_("%s: is no checkpoint (katamichi ledger checkpoint prints one)"), path);
	return EXIT_DATA;
}

static int against_export(struct db *db, const char *path, struct ledger_finding *f)
{
	FILE *in = fopen(path, "re");

	if (in == NULL) {
		log_error("%s: %s", path, strerror(errno));
		return EXIT_SYSTEM;
	}
	ledger_against_export(db, in, path, f);
	fclose(in);
	return EXIT_OK;
}

static int check(const struct cmd_line *l, struct db *db, const struct ledger_keys *k, const char *state, struct ledger_finding *f)
{
	struct checkpoint c;
	int code = EXIT_OK;

	ledger_against_itself(db, k, state, NULL, NULL, f);
	for (unsigned i = 0; code == EXIT_OK && f->bad == 0 && i < l->givens; i++) {
		const char *option = l->given[i].option->name, *path = l->given[i].value;
		if (strcmp(option, "checkpoint") == 0 && (code = read_checkpoint(&c, path)) == EXIT_OK)
			ledger_against_checkpoint(db, &c, path, k, f);
		else if (strcmp(option, "export") == 0)
			code = against_export(db, path, f);
	}
	return code;
}

static void say(const char *path, const struct ledger_keys *k, const struct ledger_finding *f)
{
	json_t *o;

	if (out_mode() == OUT_JSON) {
		o = json_pack("{s:s, s:b, s:I, s:s, s:I, s:I}", "file", path, "holds", f->bad == 0, "rows", (json_int_t)f->rows, "hash", f->hash,
		    "checkpoints", (json_int_t)f->checked, "signed", (json_int_t)f->signed_rows);
		if (f->bad != 0) {
			json_object_set_new(o, "bad", json_integer((json_int_t)f->bad));
			json_object_set_new(o, "why", json_string(f->why));
		}
		out_json(o);
		json_decref(o);
		return;
	}
	if (f->bad != 0) {
		printf(_("%s: row %lld %s; the %lld rows of the chain before hold\n"), path, (long long)f->bad, reason_show(f->why),
		    (long long)(f->bad - 1 < f->rows ? f->bad - 1 : f->rows));
		return;
	}
	printf(_("%s: %lld rows, the chain holds, last hash %s\n"), path, (long long)f->rows, f->hash);
	if (f->signed_rows != 0)
		printf(_("%s: as the receiver signed it up to row %lld\n"), path, (long long)f->signed_rows);
	else if (k->count == 0)
		printf(_("%s: checkpoints are not checked: no key of the receiver is given\n"), path);
}

static int verify(const struct cmd_line *l, const struct ledger_keys *k, const char *state, const char *path)
{
	struct ledger_finding f;
	struct db db;
	int code;

	if (k->count == 0 && cmd_value(l, "checkpoint") != NULL)
		return cmd_usage(l->cmd, _("--checkpoint needs the receiver's key: -c receiver.conf or --receiver FILE.pub"));
	if (db_open_readonly(&db, path) != 0)
		return EXIT_SYSTEM;
	if ((code = check(l, &db, k, state, &f)) == EXIT_OK) {
		say(path, k, &f);
		code = f.bad == 0 ? EXIT_OK : EXIT_NO;
	}
	db_close(&db);
	return code;
}

static int run(const struct cmd_line *l)
{
	static struct receiver_conf conf;
	static char path[RECEIVER_PATH_MAX + 32];
	static struct ledger_keys k;
	const char *config = cmd_value(l, "config");
	int code = EXIT_OK;

	if ((config == NULL) == (l->operands == 0))
		return cmd_usage(l->cmd, _("-c receiver.conf, or one FILE.db"));
	k.count = 0;
	for (unsigned i = 0; code == EXIT_OK && i < l->givens; i++)
		if (strcmp(l->given[i].option->name, "receiver") == 0)
			code = ledger_keys_add(&k, l->given[i].value);
	if (code != EXIT_OK)
		return code;
	if (l->operands == 1)
		return verify(l, &k, NULL, l->operand[0]);
	if ((code = receiver_conf_read(&conf, config, -1)) != 0 || (code = ledger_keys_own(&k, &conf)) != 0)
		return code;
	snprintf(path, sizeof(path), "%s/ledger/ledger.db", conf.state);
	return verify(l, &k, conf.state, path);
}

const struct cmd cmd_ledger_verify = {
	.name = "ledger verify",
	.text = N_("check that the receiver's record of deliveries is what it was"),
	.usage = N_("-c receiver.conf [--receiver FILE.pub]... [--checkpoint FILE]... [--export FILE]... [--json]\n"
	    "[--receiver FILE.pub]... [--checkpoint FILE]... [--export FILE]... [--json] FILE.db"),
	.help = N_("Checks every row's hash, that no number is missing, and the checkpoints that the receiver signed; says\n"
	    "which row is wrong.  An end cut off, an older copy put in place, or a chain computed anew are found\n"
	    "against a checkpoint that is kept elsewhere (katamichi ledger checkpoint); against an export\n"
	    "(katamichi ledger export) also to the row.\n"),
	.exits = N_("0 it holds, 1 it does not, 2 usage, 3 configuration, 4 keys, 5 it cannot be read,\n"
	    "6 it is a database, but no ledger of ours or none that opens, or no checkpoint"),
	.options = { { "config", 'c', CMD_FILE, N_("FILE"), N_("the configuration file of this end"), 0 },
	    { "receiver", 0, CMD_FILE, N_("FILE.pub"), N_("a key of the receiver (with -c: beside its own and those that are retired)"), 0 },
	    { "checkpoint", 0, CMD_FILE, N_("FILE"), N_("a checkpoint that was kept elsewhere"), 0 },
	    { "export", 0, CMD_FILE, N_("FILE"), N_("an export that was kept elsewhere"), 0 }, CMD_JSON },
	.operands_max = 1, .operand = CMD_FILE,
	.end = CONF_KIND_RECEIVER,
	.run = run,
};
