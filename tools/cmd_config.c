/* cmd_config.c - katamichi config check: reads a configuration as its daemon would. */
#include <stdio.h>
#include <string.h>

#include "host/exits.h"
#include "receiver/receiver_conf.h"
#include "sender/sender_conf.h"
#include "tools/cmd.h"
#include "tools/status.h"

static int run(const struct cmd_line *l)
{
	const char *name = l->operand[0];
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

const struct cmd cmd_config_check = {
	.name = "config check",
	.text = N_("check a configuration file"),
	.usage = N_("FILE"),
	.help = N_("Reads sender.conf or receiver.conf as the daemon would, and says OK or the first fault (FILE:LINE).\n"
	    "Keys and folders are looked at when the daemon starts.\n"),
	.exits = N_("0 OK, 2 usage, 3 a fault, 5 the file cannot be read"),
	.operands_min = 1, .operands_max = 1, .operand = CMD_FILE,
	.run = run,
};
