/* cmd_status.c - katamichi status: what a sender or a receiver is doing. */
#include <stdio.h>
#include <string.h>

#include "host/exits.h"
#include "tools/cmd.h"
#include "tools/status.h"

static const char help[] =
    "usage: katamichi status -c FILE [--json]\n"
    "\n"
    "FILE is sender.conf or receiver.conf.  Reads only: the daemon need not run.\n"
    "A sender cannot know what arrived; ask the receiver (status, gaps).\n"
    "Exit codes: 0 said, 2 usage, 3 configuration, 5 the state cannot be read, 6 it does not make sense.\n";

int cmd_status(int argc, char **argv)
{
	const char *conf = NULL;
	int json = 0, kind;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(help, stdout);
			return EXIT_OK;
		}
		if (strcmp(argv[i], "--json") == 0)
			json = 1;
		else if ((strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "--config") == 0) && i + 1 < argc)
			conf = argv[++i];
		else
			goto wrong;
	}
	if (conf == NULL)
		goto wrong;
	kind = conf_kind(conf);
	if (kind < 0)
		return -kind;
	return kind == CONF_KIND_SENDER ? status_sender(conf, json) : status_receiver(conf, json);

wrong:
	fputs(help, stderr);
	return EXIT_USAGE;
}
