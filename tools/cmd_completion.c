/* cmd_completion.c - katamichi completion: for bash and zsh, from the table of subcommands. */
#include <stdio.h>
#include <string.h>

#include "host/exits.h"
#include "tools/cmd.h"

/* The options of one kind, separated by blanks. */
static void options(const struct cmd *c, int kinds)
{
	const char *blank = "";

	for (const struct cmd_option *o = c->options; o->name != NULL; o++)
		if (kinds >> o->takes & 1) {
			printf("%s--%s", blank, o->name);
			blank = " ";
			if (o->letter != 0)
				printf(" -%c", o->letter);
		}
	if (kinds >> CMD_FLAG & 1)
		printf("%s--help", blank);
}

static const char *const kind_name[] = { [CMD_FLAG] = "none", [CMD_TEXT] = "text", [CMD_FILE] = "file", [CMD_DIR] = "dir" };

static void bash_command(const struct cmd *c)
{
	printf("\t'%s')\n\t\toptions='", c->name);
	options(c, 1 << CMD_FLAG | 1 << CMD_TEXT | 1 << CMD_FILE | 1 << CMD_DIR);
	printf("' files='");
	options(c, 1 << CMD_FILE);
	printf("' dirs='");
	options(c, 1 << CMD_DIR);
	printf("' texts='");
	options(c, 1 << CMD_TEXT);
	printf("'\n\t\toperand=%s choices='%s' ;;\n", c->operands_max > 0 ? kind_name[c->operand] : "none",
	    c->choices != NULL ? c->choices : "");
}

/* The words that may follow `group' (NULL: the first ones), each once. */
static void words(const char *group, const char *before)
{
	const char *last = "";
	size_t n = group != NULL ? strlen(group) : 0;

	for (const struct cmd *const *c = commands; *c != NULL; c++) {
		const char *name = (*c)->name;
		size_t len;
		if (group != NULL) {
			if (strncmp(name, group, n) != 0 || name[n] != ' ')
				continue;
			name += n + 1;
		}
		len = strcspn(name, " ");
		if (strlen(last) >= len && strncmp(name, last, len) == 0 && (last[len] == ' ' || last[len] == '\0'))
			continue;
		printf("%s%.*s", before, (int)len, name);
		before = " ";
		last = name;
	}
}

static int is_first_of_group(const struct cmd *const *c)
{
	size_t n = strcspn((*c)->name, " ");

	return (*c)->name[n] == ' ' && (c == commands || strncmp(c[-1]->name, (*c)->name, n + 1) != 0);
}

static void groups(const char *form)
{
	char group[64];

	for (const struct cmd *const *c = commands; *c != NULL; c++)
		if (is_first_of_group(c)) {
			snprintf(group, sizeof(group), "%.*s", (int)strcspn((*c)->name, " "), (*c)->name);
			printf(form, group);
			words(group, "");
			puts("' ;;");
		}
}

static void bash(void)
{
	puts("# bash completion of katamichi; made by `katamichi completion bash'.\n"
	    "_katamichi()\n{\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	    "\tlocal name=${COMP_WORDS[1]} first=2 options='' files='' dirs='' texts='' operand=none choices='' more=''\n\tCOMPREPLY=()");
	printf("\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tmapfile -t COMPREPLY < <(compgen -W '");
	words(NULL, "");
	puts(" help --help --version' -- \"$cur\")\n\t\treturn\n\tfi\n\tcase $name in");
	groups("\t%s) more='");
	puts("\tesac\n\tif [ -n \"$more\" ]; then\n\t\tif [ \"$COMP_CWORD\" -eq 2 ]; then\n"
	    "\t\t\tmapfile -t COMPREPLY < <(compgen -W \"$more --help\" -- \"$cur\")\n\t\t\treturn\n\t\tfi\n"
	    "\t\tname+=\" ${COMP_WORDS[2]}\" first=3\n\tfi\n\tcase $name in");
	for (const struct cmd *const *c = commands; *c != NULL; c++)
		bash_command(*c);
	puts("\t*) return ;;\n\tesac\n\tif [[ \" $files \" == *\" $prev \"* ]]; then\n\t\toperand=file choices=\n"
	    "\telif [[ \" $dirs \" == *\" $prev \"* ]]; then\n\t\toperand=dir choices=\n"
	    "\telif [[ \" $texts \" == *\" $prev \"* ]]; then\n\t\treturn\n"
	    "\telif [[ $cur == -* ]]; then\n\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n\t\treturn\n"
	    "\telif [ -n \"$choices\" ] && [ \"$COMP_CWORD\" -eq \"$first\" ]; then\n"
	    "\t\tmapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$cur\")\n\t\treturn\n\tfi\n"
	    "\tcase $operand in\n\tfile) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
	    "\tdir) mapfile -t COMPREPLY < <(compgen -d -- \"$cur\") ;;\n\t*) return ;;\n\tesac\n"
	    "\tcompopt -o filenames 2>/dev/null\n}\ncomplete -F _katamichi katamichi");
}

/* Within '...' of zsh, inside [...] of _arguments. */
static void quoted(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s == '\'')
			fputs("'\\''", stdout);
		else if (strchr("[]:\\", *s) != NULL)
			printf("\\%c", *s);
		else
			putchar(*s);
}

static void zsh_option(const char *dashes, const char *name, const struct cmd_option *o)
{
	static const char *const action[] = { [CMD_TEXT] = ": ", [CMD_FILE] = ":_files", [CMD_DIR] = ":_files -/" };

	printf(" \\\n\t\t\t'*%s%s[", dashes, name);
	quoted(_(o->text));
	putchar(']');
	if (o->takes != CMD_FLAG) {
		putchar(':');
		quoted(_(o->arg));
		fputs(action[o->takes], stdout);
	}
	putchar('\'');
}

static void zsh_command(const struct cmd *c)
{
	printf("\t'%s')\n\t\t_arguments '--help'", c->name);
	for (const struct cmd_option *o = c->options; o->name != NULL; o++) {
		char letter[] = { o->letter, '\0' };
		zsh_option("--", o->name, o);
		if (o->letter != 0)
			zsh_option("-", letter, o);
	}
	if (c->choices != NULL)
		printf(" \\\n\t\t\t'1: :(%s)'", c->choices);
	if (c->operands_max > 0 && c->operand != CMD_TEXT)
		printf(" \\\n\t\t\t'*: :_files%s'", c->operand == CMD_DIR ? " -/" : "");
	puts(" ;;");
}

static void zsh(void)
{
	puts("#compdef katamichi\n# zsh completion of katamichi; made by `katamichi completion zsh'.\n"
	    "_katamichi()\n{\n\tlocal name=$words[2] more=\n\tif (( CURRENT == 2 )); then");
	fputs("\t\tcompadd -- ", stdout);
	words(NULL, "");
	puts(" help --help --version\n\t\treturn\n\tfi\n\tcase $name in");
	groups("\t%s) more='");
	puts("\tesac\n\tif [[ -n $more ]]; then\n\t\tif (( CURRENT == 3 )); then\n\t\t\tcompadd -- ${=more} --help\n\t\t\treturn\n\t\tfi\n"
	    "\t\tname+=\" $words[3]\"\n\t\tshift words\n\t\t(( CURRENT-- ))\n\tfi\n\tshift words\n\t(( CURRENT-- ))\n\tcase $name in");
	for (const struct cmd *const *c = commands; *c != NULL; c++)
		zsh_command(*c);
	puts("\tesac\n}\n_katamichi \"$@\"");
}

static int run(const struct cmd_line *l)
{
	if (strcmp(l->operand[0], "bash") == 0)
		bash();
	else if (strcmp(l->operand[0], "zsh") == 0)
		zsh();
	else
		return cmd_usage(l->cmd, _("wanted: bash or zsh"));
	return EXIT_OK;
}

const struct cmd cmd_completion = {
	.name = "completion",
	.text = N_("the completion of these commands, for bash or zsh"),
	.usage = N_("bash|zsh"),
	.help = N_("Prints a script for the shell; make install puts both where the shells look for them.  By hand:\n"
	    "  . <(katamichi completion bash)\n"),
	.exits = N_("0 printed, 2 usage"),
	.operands_min = 1, .operands_max = 1, .choices = "bash zsh",
	.run = run,
};
