/* cmd_status.c - katamichi status: what a sender or a receiver is doing. */
#include <stdio.h>

#include "host/exits.h"
#include "tools/cmd.h"
#include "tools/status.h"

static int run(const struct cmd_line *l)
{
	const char *conf = cmd_value(l, "config");
	int kind = conf_kind(conf);

	if (kind < 0)
		return -kind;
	return kind == CONF_KIND_SENDER ? status_sender(conf) : status_receiver(conf);
}

const struct cmd cmd_status = {
	.name = "status",
	.text = N_("what a sender or a receiver is doing"),
	.usage = N_("-c FILE [--json]"),
	.help = N_("FILE is sender.conf or receiver.conf.  Reads only: the daemon need not run.\n"
	    "A sender cannot know what arrived; ask the receiver (status, gaps).\n"),
	.exits = N_("0 said, 2 usage, 3 configuration, 5 the state cannot be read, 6 it does not make sense"),
	.options = { CMD_CONFIG, CMD_JSON },
	.run = run,
};
