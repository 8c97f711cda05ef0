/* cmd.c - see cmd.h */
#include "tools/cmd.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/exits.h"
#include "host/log.h"
#include "tools/out.h"
#include "tools/status.h"
#include "tools/wide.h"

int cmd_usage(const struct cmd *c, const char *text)
{
	log_error("%s: %s; see katamichi %s --help", c->name, text, c->name);
	return EXIT_USAGE;
}

int cmd_number(const char *text, int64_t max, int64_t *out)
{
	int64_t v = 0;

	if (text == NULL)
		return 0;
	if (*text == '\0')
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9' || v > (max - (*text - '0')) / 10)
			return -1;
		v = 10 * v + (*text - '0');
	}
	*out = v;
	return 0;
}

const char *cmd_value(const struct cmd_line *l, const char *option)
{
	const struct cmd_option *o = l->cmd->options;

	for (unsigned i = l->givens; i-- > 0;)
		if (strcmp(l->given[i].option->name, option) == 0)
			return l->given[i].value;
	while (o->name != NULL && strcmp(o->name, option) != 0)
		o++;
	if (o->name == NULL) /* a misspelt name in the command itself */
		log_die(EXIT_INTERNAL, "%s: has no option --%s", l->cmd->name, option);
	return NULL;
}

/* "  -c, --config FILE", as wide as the widest; then the text. */
static void help_options(const struct cmd *c)
{
	unsigned width = 0;
	char left[CMD_OPTIONS_MAX + 1][160];
	const struct cmd_option help = { "help", 'h', CMD_FLAG, NULL, N_("this text"), 0 };

	for (unsigned i = 0; i <= CMD_OPTIONS_MAX; i++) {
		const struct cmd_option *o = c->options[i].name != NULL ? &c->options[i] : &help;
		char letter[] = "-?, ";
		letter[1] = o->letter;
		snprintf(left[i], sizeof(left[i]), "%s--%s%s%s", o->letter != 0 ? letter : "    ", o->name, o->arg != NULL ? " " : "",
		    o->arg != NULL ? _(o->arg) : "");
		if (wide_width(left[i]) > width)
			width = wide_width(left[i]);
		if (o == &help)
			break;
	}
	for (unsigned i = 0; i <= CMD_OPTIONS_MAX; i++) {
		const struct cmd_option *o = c->options[i].name != NULL ? &c->options[i] : &help;
		printf("  %s%*s  ", left[i], (int)(width - wide_width(left[i])), "");
		out_wrapped(_(o->text), width + 4, width + 4);
		putchar('\n');
		if (o == &help)
			break;
	}
}

/* "[-o FILE]", "--listen", "A|B": up to a blank that stands in no bracket.  Returns what is behind it. */
static const char *usage_item(const char *p, unsigned *where, unsigned indent)
{
	char item[160];
	size_t n = 0;

	for (int deep = 0; *p != '\0' && *p != '\n' && (deep > 0 || *p != ' '); p++) {
		deep += (*p == '[') - (*p == ']');
		if (n + 1 < sizeof(item))
			item[n++] = *p;
	}
	item[n] = '\0';
	out_item(item, where, indent);
	return p + (*p == ' ');
}

static void help_usage(const struct cmd *c)
{
	const char *head = _("usage:"), *p = c->usage != NULL && c->usage[0] != '\0' ? _(c->usage) : "";

	for (int first = 1; first || *p != '\0'; first = 0) {
		unsigned where = wide_width(head) + 1 + wide_width("katamichi ") + wide_width(c->name);
		printf("%*s katamichi %s", first ? 0 : (int)wide_width(head), first ? head : "", c->name);
		while (*p != '\0' && *p != '\n')
			p = usage_item(p, &where, wide_width(head) + 5);
		p += *p == '\n';
		putchar('\n');
	}
}

/* Lines that begin with blanks stay; the others run on to the width of the terminal. */
void cmd_help_text(const char *p)
{
	static char text[8192];
	size_t n = 0, line_at = 0;

	if (out_columns() == 0) {
		fputs(p, stdout);
		return;
	}
	for (; *p != '\0' && n + 2 < sizeof(text); p++)
		if (*p != '\n' || p[1] == '\0' || p[1] == ' ' || text[line_at] == ' ') {
			text[n++] = *p;
			line_at = *p == '\n' ? n : line_at;
		} else if ((unsigned char)p[1] < 0x80 && (unsigned char)p[-1] < 0x80) /* Japanese has no blanks between words */
			text[n++] = ' ';
	text[n] = '\0';
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		out_wrapped(line, 0, 0);
		putchar('\n');
	}
}

static void help(const struct cmd *c)
{
	char exits[2048];

	out_init(OUT_TEXT);
	help_usage(c);
	putchar('\n');
	cmd_help_text(_(c->help));
	putchar('\n');
	help_options(c);
	putchar('\n');
	snprintf(exits, sizeof(exits), _("Exit codes: %s.\n"), _(c->exits));
	cmd_help_text(exits);
}

/* getopt's own tables from ours; a long option's value is its place + 256. */
static void tables(const struct cmd *c, char letters[static 2 * CMD_OPTIONS_MAX + 4], struct option *o)
{
	char *p = letters;

	*p++ = 'h';
	for (unsigned i = 0; c->options[i].name != NULL; i++, o++) {
		int arg = c->options[i].takes != CMD_FLAG;
		*o = (struct option){ c->options[i].name, arg ? required_argument : no_argument, NULL, (int)i + 256 };
		if (c->options[i].letter != 0) {
			*p++ = c->options[i].letter;
			if (arg)
				*p++ = ':';
		}
	}
	*o++ = (struct option){ "help", no_argument, NULL, 'h' };
	*o = (struct option){ NULL, 0, NULL, 0 };
	*p = '\0';
}

static int bad_option(const struct cmd *c, int argc, char **argv)
{
	char text[320];

	snprintf(text, sizeof(text), _("%.200s: unknown option, or its argument is missing or too much"),
	    optind > 1 && optind <= argc ? argv[optind - 1] : "?");
	return cmd_usage(c, text);
}

static const struct cmd_option *found(const struct cmd *c, int option)
{
	for (unsigned i = 0; c->options[i].name != NULL; i++)
		if (option == (int)i + 256 || (option < 256 && option == c->options[i].letter))
			return &c->options[i];
	return NULL;
}

/* 0; or -1: help was asked for; or an exit code. */
static int parse(struct cmd_line *l, int argc, char **argv)
{
	char letters[2 * CMD_OPTIONS_MAX + 4];
	struct option longs[CMD_OPTIONS_MAX + 2];
	int o;

	tables(l->cmd, letters, longs);
	optind = 1;
	opterr = 0;
	while ((o = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct cmd_option *option = found(l->cmd, o);
		if (o == 'h')
			return -1;
		if (option == NULL || l->givens == CMD_GIVEN_MAX)
			return bad_option(l->cmd, argc, argv);
		l->given[l->givens].option = option;
		l->given[l->givens++].value = optarg != NULL ? optarg : "";
	}
	l->operand = (const char **)(argv + optind);
	l->operands = argc - optind;
	return 0;
}

/* On a host with one end only nobody has to say where its configuration is: the one file that is there, or NULL. */
static const char *only_config(void)
{
	static const char *const names[] = { "/etc/katamichi/sender.conf", "/etc/katamichi/receiver.conf" };
	int sender = access(names[0], F_OK) == 0, receiver = access(names[1], F_OK) == 0;

	return sender == receiver ? NULL : names[receiver];
}

static void add_config(struct cmd_line *l)
{
	const struct cmd_option *o = l->cmd->options;
	const char *name = only_config();

	while (o->name != NULL && strcmp(o->name, "config") != 0)
		o++;
	if (o->name == NULL || cmd_value(l, "config") != NULL || name == NULL || l->givens == CMD_GIVEN_MAX)
		return;
	if (!o->required && (l->operands > 0 || l->cmd->operands_min > 0)) /* it has something else to go by */
		return;
	l->given[l->givens].option = o;
	l->given[l->givens++].value = name;
}

static int check(const struct cmd_line *l)
{
	const struct cmd *c = l->cmd;
	char text[320];

	for (const struct cmd_option *o = c->options; o->name != NULL; o++)
		if (o->required && cmd_value(l, o->name) == NULL) {
			if (o->letter != 0)
				snprintf(text, sizeof(text), _("-%c %s is missing"), o->letter, _(o->arg));
			else
				snprintf(text, sizeof(text), _("--%s %s is missing"), o->name, _(o->arg));
			return cmd_usage(c, text);
		}
	if (l->operands < c->operands_min)
		return cmd_usage(c, _("an argument is missing"));
	if (l->operands > c->operands_max) {
		snprintf(text, sizeof(text), _("%.200s: an argument too much"), l->operand[c->operands_max]);
		return cmd_usage(c, text);
	}
	return EXIT_OK;
}

static int knows(const struct cmd *c, const char *option)
{
	const struct cmd_option *o = c->options;

	while (o->name != NULL && strcmp(o->name, option) != 0)
		o++;
	return o->name != NULL;
}

int cmd_wants_end(const struct cmd_line *l, int end)
{
	const char *conf = end != 0 && knows(l->cmd, "config") ? cmd_value(l, "config") : NULL;
	int kind = conf != NULL ? conf_kind(conf) : 0;

	if (conf == NULL || kind == end)
		return EXIT_OK;
	if (kind < 0)
		return -kind;
	if (kind == CONF_KIND_SENDER)
		log_error("%s: this is the configuration of a sender; katamichi %s works on the receiving host, with its receiver.conf",
		    conf, l->cmd->name);
	else
		log_error("%s: this is the configuration of a receiver; katamichi %s works on the sending host, with its sender.conf",
		    conf, l->cmd->name);
	return EXIT_CONFIG;
}

int cmd_run(const struct cmd *c, int argc, char **argv)
{
	static struct cmd_line l;
	int json, tsv, code;

	memset(&l, 0, sizeof(l));
	l.cmd = c;
	code = parse(&l, argc, argv);
	if (code < 0) {
		help(c);
		return EXIT_OK;
	}
	if (code != EXIT_OK)
		return code;
	add_config(&l);
	if ((code = check(&l)) != EXIT_OK || (code = cmd_wants_end(&l, c->end)) != EXIT_OK)
		return code;
	json = knows(c, "json") && cmd_value(&l, "json") != NULL;
	tsv = knows(c, "tsv") && cmd_value(&l, "tsv") != NULL;
	if (json && tsv)
		return cmd_usage(c, _("--json or --tsv, not both"));
	out_init(json ? OUT_JSON : tsv ? OUT_TSV : OUT_TEXT);
	return c->run(&l);
}
