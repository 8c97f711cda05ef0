/* cmd_config.c - katamichi config check: reads a configuration as its daemon would. */
#include <stdio.h>
#include <string.h>

#include "host/exits.h"
#include "receiver/receiver_conf.h"
#include "sender/sender_conf.h"
#include "tools/cmd.h"
#include "tools/status.h"

static const char help[] =
    "usage: katamichi config check FILE\n"
    "\n"
    "Reads sender.conf or receiver.conf as the daemon would, and says OK or the first fault\n"
    "(FILE:LINE).  Keys and folders are looked at when the daemon starts.\n"
    "Exit codes: 0 OK, 2 usage, 3 a fault, 5 the file cannot be read.\n";

static int check(const char *name)
{
	static struct sender_conf sender;
	static struct receiver_conf receiver;
	int kind = conf_kind(name), code;

	if (kind < 0)
		return -kind;
	code = kind == CONF_KIND_SENDER ? sender_conf_read(&sender, name, -1) : receiver_conf_read(&receiver, name, -1);
	if (code == 0)
		printf("%s: OK, the configuration of a %s\n", name, kind == CONF_KIND_SENDER ? "sender" : "receiver");
	return code;
}

int cmd_config(int argc, char **argv)
{
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(help, stdout);
		return EXIT_OK;
	}
	if (argc != 3 || strcmp(argv[1], "check") != 0) {
		fputs(help, stderr);
		return EXIT_USAGE;
	}
	return check(argv[2]);
}
