/* katamichi - the operator's tool: finds the subcommand in the table (cmd.h) and runs it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/crypto.h"
#include "host/db.h"
#include "host/exits.h"
#include "host/log.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/wide.h"

#ifndef KM_VERSION
#define KM_VERSION "0"
#endif

/* Is this command one of the group (NULL: any)? */
static int belongs(const struct cmd *c, const char *group)
{
	size_t n = group != NULL ? strlen(group) : 0;

	return group == NULL || (strncmp(c->name, group, n) == 0 && c->name[n] == ' ');
}

static void list(const char *group)
{
	unsigned width = 0;

	for (const struct cmd *const *c = commands; *c != NULL; c++)
		if (belongs(*c, group) && wide_width((*c)->name) > width)
			width = wide_width((*c)->name);
	for (const struct cmd *const *c = commands; *c != NULL; c++)
		if (belongs(*c, group)) {
			printf("  %-*s  ", (int)width, (*c)->name);
			out_wrapped(_((*c)->text), width + 4, width + 4);
			putchar('\n');
		}
}

static void usage(const char *group)
{
	out_init(OUT_TEXT);
	if (group != NULL)
		printf(_("usage: katamichi %s COMMAND [ARGUMENTS]\n"), group);
	else
		fputs(_("usage: katamichi COMMAND [ARGUMENTS]\n"), stdout);
	putchar('\n');
	list(group);
	putchar('\n');
	cmd_help_text(_("`katamichi COMMAND --help' tells more.  --version prints the version.\n"
	    "Exit codes: 0 yes or done, 1 no (not verified, gaps exist), 2 usage, 3 configuration, 4 keys,\n"
	    "5 system, 6 own data damaged, 70 internal.\n"));
}

static int is_help(const char *s)
{
	return strcmp(s, "--help") == 0 || strcmp(s, "-h") == 0 || strcmp(s, "help") == 0;
}

/* The command that the first words name, and how many words that are; or NULL. */
static const struct cmd *find(int argc, char **argv, int *words)
{
	for (const struct cmd *const *c = commands; *c != NULL; c++) {
		size_t n = strcspn((*c)->name, " ");
		if (strlen(argv[1]) != n || strncmp(argv[1], (*c)->name, n) != 0)
			continue;
		*words = (*c)->name[n] == ' ' ? 2 : 1;
		if (*words == 1 || (argc > 2 && strcmp(argv[2], (*c)->name + n + 1) == 0))
			return *c;
	}
	return NULL;
}

static int is_group(const char *name)
{
	for (const struct cmd *const *c = commands; *c != NULL; c++)
		if (belongs(*c, name))
			return 1;
	return 0;
}

static int not_found(int argc, char **argv)
{
	if (!is_group(argv[1])) {
		log_error("unknown command \"%s\"; see katamichi --help", argv[1]);
		return EXIT_USAGE;
	}
	if (argc > 2 && is_help(argv[2])) {
		usage(argv[1]);
		return EXIT_OK;
	}
	if (argc > 2)
		log_error("%s: unknown command \"%s\"; see katamichi %s --help", argv[1], argv[2], argv[1]);
	else
		log_error("%s: what of it? see katamichi %s --help", argv[1], argv[1]);
	return EXIT_USAGE;
}

/* What was printed is part of what was asked for: a checkpoint that a full disk swallowed was not made. */
static int printed(int code)
{
	errno = EIO;
	if ((fflush(stdout) == 0 && !ferror(stdout)) || code == EXIT_SYSTEM)
		return code; /* with EXIT_SYSTEM one error was said already */
	log_error("%s: cannot be written: %s", "-", strerror(errno));
	return EXIT_SYSTEM;
}

/* A standard stream that is closed would be the next file that is opened: what is printed must not go into a ledger. */
static void hold_streams(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
			_exit(EXIT_SYSTEM);
}

int main(int argc, char **argv)
{
	const struct cmd *c;
	int words;

	hold_streams();
	(void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error with a name, not our end */
	log_init_tool("katamichi");
	db_for_people();
	if (argc < 2) {
		log_error("a command is missing; see katamichi --help");
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("katamichi %s\n", KM_VERSION);
		return printed(EXIT_OK);
	}
	if (is_help(argv[1])) {
		usage(NULL);
		return printed(EXIT_OK);
	}
	c = find(argc, argv, &words);
	if (c == NULL)
		return not_found(argc, argv);
	if (crypto_init() != 0)
		log_die(EXIT_SYSTEM, "the cryptographic library does not start (is /dev/urandom there?)");
	return printed(cmd_run(c, argc - words, argv + words));
}
