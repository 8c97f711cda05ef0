/* cmd_config.c - katamichi config check: the daemon's own reading of its file, and what has to be on the host besides. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/exits.h"
#include "host/log.h"
#include "receiver/receiver_conf.h"
#include "sender/sender_conf.h"
#include "tools/cmd.h"
#include "tools/status.h"

/* Is this a directory?  Else one line, and 1. */
static int lacks_directory(const char *conf, const char *key, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		log_error(errno == ENOENT ? N_("%s: %s: the directory %s is not there; nothing makes it up: mkdir -p it") :
		    N_("%s: %s: the directory %s cannot be looked at: %m"), conf, key, path);
	else if (!S_ISDIR(st.st_mode))
		log_error("%s: %s: %s is not a directory", conf, key, path);
	else
		return 0;
	return 1;
}

/* Only whether it is there: a secret key is its daemon's to read, and maybe not ours. */
static int lacks_file(const char *conf, const char *key, const char *path)
{
	struct stat st;

	if (path[0] == '\0' || stat(path, &st) == 0)
		return 0;
	log_error("%s: %s: %s: %m", conf, key, path);
	return 1;
}

static int lacks_of_sender(const char *name, const struct sender_conf *c)
{
	int n = lacks_file(name, "keys", c->keys) + lacks_file(name, "receiver", c->receiver) + lacks_file(name, "recovery", c->recovery) +
	    lacks_file(name, "psk", c->psk) + lacks_directory(name, "state", c->state);

	for (unsigned i = 0; i + 1 < c->channels; i++) /* the last is the program's own, and has no folder */
		n += lacks_directory(name, c->channel[i].name, c->channel[i].folder);
	return n;
}

static int lacks_of_receiver(const char *name, const struct receiver_conf *c)
{
	struct stat inbox, state;
	int n = lacks_file(name, "keys", c->keys) + lacks_file(name, "psk", c->psk);

	for (unsigned i = 0; i < c->peers; i++)
		n += lacks_file(name, c->peer[i].name, c->peer[i].key);
	n += lacks_directory(name, "inbox", c->inbox) + lacks_directory(name, "state", c->state);
	if (stat(c->inbox, &inbox) == 0 && stat(c->state, &state) == 0 && inbox.st_dev != state.st_dev) {
		log_error("%s: inbox and state do not lie on one file system, so that nothing could be moved into place whole", name);
		n++;
	}
	return n;
}

static int run(const struct cmd_line *l)
{
	static struct sender_conf sender;
	static struct receiver_conf receiver;
	const char *name = l->operand[0];
	int kind = conf_kind(name), code;

	if (kind < 0)
		return -kind;
	code = kind == CONF_KIND_SENDER ? sender_conf_read(&sender, name, -1) : receiver_conf_read(&receiver, name, -1);
	if (code != 0)
		return code;
	if (cmd_value(l, "file-only") == NULL && (kind == CONF_KIND_SENDER ? lacks_of_sender(name, &sender) : lacks_of_receiver(name, &receiver)) != 0)
		return EXIT_NO;
	printf(kind == CONF_KIND_SENDER ? _("%s: OK, the configuration of a sender\n") : _("%s: OK, the configuration of a receiver\n"), name);
	return EXIT_OK;
}

const struct cmd cmd_config_check = {
	.name = "config check",
	.text = N_("check a configuration file, and that its keys and folders are there"),
	.usage = N_("FILE [--file-only]"),
	.help = N_("Reads sender.conf or receiver.conf as the daemon would, and says OK or the first fault (FILE:LINE).\n"
	    "Then looks whether the keys, folders and directories that it names are on this host: each that is\n"
	    "not gets a line.  What stands in the keys is looked at when the daemon starts.\n"),
	.exits = N_("0 OK, 1 something that it names is not here, 2 usage, 3 a fault in the file,\n"
	    "5 the file cannot be read"),
	.options = { { "file-only", 0, CMD_FLAG, NULL, N_("only the file itself, not what it names"), 0 } },
	.operands_min = 1, .operands_max = 1, .operand = CMD_FILE,
	.run = run,
};
