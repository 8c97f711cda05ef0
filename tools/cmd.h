/* cmd.h - the subcommands of katamichi, and the frame they stand in.
 *
 * To add one: write cmd_NAME.c, which exports `const struct cmd cmd_NAME`; declare
 * it below; put it into the table in commands.c, in the order people should read,
 * those of one group (`ledger ...') together.
 * Help, `--help`, the refusal of wrong options and the completion of bash and zsh
 * all come from that one structure, so they cannot say different things:
 *
 *	static int run(const struct cmd_line *l)
 *	{
 *		const char *conf = cmd_value(l, "config");       given: it is required
 *		int all = cmd_value(l, "all") != NULL;           a flag
 *		...
 *		if (out_mode() == OUT_JSON) ...                  out.h: tables, JSON, colours
 *	}
 *	const struct cmd cmd_ledger_export = {
 *		.name = "ledger export",                         two words: found under `ledger'
 *		.text = N_("write the ledger as CSV"),           its line in `katamichi --help'
 *		.usage = N_("-c receiver.conf [--all] FILE"),    more than one form: "...\n..."
 *		.help = N_("What it does, for whom.\nWrapped by hand at 100 columns.\n"),
 *		.exits = N_("0 written, 2 usage, 3 configuration, 5 it cannot be read"),
 *		.options = { CMD_CONFIG, CMD_JSON, { "all", 0, CMD_FLAG, NULL, N_("every row") } },
 *		.operands_min = 1, .operands_max = 1, .operand = CMD_FILE,
 *		.run = run,
 *	};
 *
 * --help/-h is known to all.  Which of --json and --tsv a command knows it says by
 * CMD_JSON, CMD_TSV.  Text is wrapped in N_() here and translated where it is shown
 * (host/i18n.h); option names, JSON keys and exit codes are the same in any language. */
#ifndef KM_CMD_H
#define KM_CMD_H

#include <stdint.h>

#include "host/i18n.h"

enum {
	CMD_OPTIONS_MAX = 12,
	CMD_GIVEN_MAX = 256, /* options on one command line */
};

enum cmd_takes { /* what completion offers */
	CMD_FLAG,
	CMD_TEXT,
	CMD_FILE,
	CMD_DIR,
};

struct cmd_option {
	const char *name;   /* without "--"; NULL ends the list */
	char letter;        /* 'c', or 0 */
	enum cmd_takes takes;
	const char *arg;    /* how the help names it: N_("FILE"); NULL for a flag */
	const char *text;   /* one line */
	int required;       /* "config": unless there is just one in /etc/katamichi */
};

#define CMD_CONFIG { "config", 'c', CMD_FILE, N_("FILE"), N_("the configuration file of this end"), 1 }
#define CMD_JSON { "json", 0, CMD_FLAG, NULL, N_("for programs: JSON"), 0 }
#define CMD_TSV { "tsv", 0, CMD_FLAG, NULL, N_("for scripts: separated by tabs, the first line names the columns"), 0 }

struct cmd_line;

struct cmd {
	const char *name;
	const char *text, *usage, *help, *exits;
	struct cmd_option options[CMD_OPTIONS_MAX + 1];
	int operands_min, operands_max; /* arguments that are no options */
	enum cmd_takes operand;
	const char *choices;            /* what the first operand may be, separated by blanks: "sender receiver"; or NULL */
	int end;                        /* CONF_KIND_SENDER or CONF_KIND_RECEIVER: on the other end it says that; 0: either */
	int (*run)(const struct cmd_line *l); /* an exit code (host/exits.h) */
};

struct cmd_line {
	const struct cmd *cmd;
	const char **operand;
	int operands;
	struct {
		const struct cmd_option *option;
		const char *value; /* "" of a flag */
	} given[CMD_GIVEN_MAX]; /* in the order of the command line */
	unsigned givens;
};

/* The last value given of this option ("" of a flag), or NULL. */
const char *cmd_value(const struct cmd_line *l, const char *option);
/* "katamichi: NAME: TEXT; see katamichi NAME --help".  text: already translated.  Returns EXIT_USAGE. */
int cmd_usage(const struct cmd *c, const char *text);
/* text (NULL: leave *out as it is) as a decimal number from 0 to max; -1: it is none. */
int cmd_number(const char *text, int64_t max, int64_t *out) __attribute__((warn_unused_result));
/* Is the configuration, if one was given, of this end?  EXIT_OK, or an exit code after a line: said before the file is looked at in detail. */
int cmd_wants_end(const struct cmd_line *l, int end);
/* Parse, and run it.  argv[0] is not looked at. */
int cmd_run(const struct cmd *c, int argc, char **argv);
/* A help's text, on a terminal run on to its width. */
void cmd_help_text(const char *text);

/* The table (commands.c), ended by NULL. */
extern const struct cmd *const commands[];

extern const struct cmd cmd_close;
extern const struct cmd cmd_closings;
extern const struct cmd cmd_settle;
extern const struct cmd cmd_completion;
extern const struct cmd cmd_config_check;
extern const struct cmd cmd_firmware_config;
extern const struct cmd cmd_gaps;
extern const struct cmd cmd_key_show;
extern const struct cmd cmd_key_retired;
extern const struct cmd cmd_key_revoke;
extern const struct cmd cmd_key_rotate;
extern const struct cmd cmd_keygen;
extern const struct cmd cmd_link_reset_epoch;
extern const struct cmd cmd_ledger_checkpoint;
extern const struct cmd cmd_ledger_export;
extern const struct cmd cmd_ledger_verify;
extern const struct cmd cmd_link_test_receive;
extern const struct cmd cmd_link_test_send;
extern const struct cmd cmd_list;
extern const struct cmd cmd_plan;
extern const struct cmd cmd_quarantine_discard;
extern const struct cmd cmd_quarantine_list;
extern const struct cmd cmd_quarantine_release;
extern const struct cmd cmd_quarantine_show;
extern const struct cmd cmd_report, cmd_doctor;
extern const struct cmd cmd_resend;
extern const struct cmd cmd_restore;
extern const struct cmd cmd_show;
extern const struct cmd cmd_status;
extern const struct cmd cmd_verify;
extern const struct cmd cmd_watch;

#endif
