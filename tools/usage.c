/* usage.c - see usage.h */
#include "tools/usage.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "host/exits.h"
#include "host/log.h"

int usage_error(const char *cmd, const char *text)
{
	log_error("%s: %s; see katamichi %s --help", cmd, text, cmd);
	return EXIT_USAGE;
}

int usage_bad_option(int argc, char **argv)
{
	char text[320];
	int at = optind - 1;

	(void)snprintf(text, sizeof(text), "%.200s: unknown option, or its argument is missing or too much",
	    at > 0 && at < argc ? argv[at] : "?");
	return usage_error(argv[0], text);
}

int usage_config_only(int argc, char **argv, const char *help, int (*run)(const char *conf))
{
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(help, stdout);
		return EXIT_OK;
	}
	if (argc == 3 && (strcmp(argv[1], "-c") == 0 || strcmp(argv[1], "--config") == 0))
		return run(argv[2]);
	fputs(help, stderr);
	return EXIT_USAGE;
}
