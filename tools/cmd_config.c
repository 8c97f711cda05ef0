/* cmd_config.c - katamichi config check: the daemon's own reading of its file, and what has to be on the host besides. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/exits.h"
#include "host/log.h"
#include "host/reason.h"
#include "receiver/receiver_conf.h"
#include "sender/link_socket.h"
#include "sender/places.h"
#include "sender/sender_conf.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/status.h"

/* What is wrong with what stands behind a key: said at once, or kept as facts. */
struct lacks {
	const char *conf; /* its name */
	json_t *list;     /* { key, path, why } of each */
};

static void lack(struct lacks *l, const char *key, const char *path, const char *why)
{
	json_array_append_new(l->list, json_pack("{s:s, s:s, s:s}", "key", key, "path", path, "why", why));
}

static void want_directory(struct lacks *l, const char *key, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		lack(l, key, path, errno == ENOENT ? N_("this directory is not there, and no program makes it: mkdir -p does") : reason_errno(errno));
	else if (!S_ISDIR(st.st_mode))
		lack(l, key, path, N_("this is not a directory"));
}

/* Only whether it is there: a secret key is its daemon's to read, and maybe not ours. */
static void want_file(struct lacks *l, const char *key, const char *path)
{
	struct stat st;

	if (path[0] != '\0' && stat(path, &st) != 0)
		lack(l, key, path, reason_errno(errno));
}

static void look_at_sender(struct lacks *l, const struct sender_conf *c)
{
	char to[INET_ADDRSTRLEN];

	want_file(l, "keys", c->keys);
	want_file(l, "receiver", c->receiver);
	want_file(l, "recovery", c->recovery);
	want_file(l, "psk", c->psk);
	want_directory(l, "state", c->state);
	if (link_socket_to_self(c))
		lack(l, "destination", inet_ntop(AF_INET, &c->destination.sin_addr, to, sizeof(to)), N_("this is an address of this host; the receiver's belongs there"));
	for (unsigned i = 0; i + 1 < c->channels; i++) /* the last is the program's own, and has no folder */
		want_directory(l, c->channel[i].name, c->channel[i].folder);
}

static void look_at_receiver(struct lacks *l, const struct receiver_conf *c)
{
	struct stat inbox, state;

	want_file(l, "keys", c->keys);
	want_file(l, "psk", c->psk);
	for (unsigned i = 0; i < c->peers; i++)
		want_file(l, c->peer[i].name, c->peer[i].key);
	want_directory(l, "inbox", c->inbox);
	want_directory(l, "state", c->state);
	if (stat(c->inbox, &inbox) == 0 && stat(c->state, &state) == 0 && inbox.st_dev != state.st_dev)
		lack(l, "inbox", c->inbox, N_("inbox and state do not lie on one file system, so that nothing could be moved into place whole"));
	if (receiver_conf_nested(c))
		lack(l, "state", c->state, N_("it lies in the inbox, and whoever reads the inbox must not see it"));
}

static void say(const struct lacks *l, int kind)
{
	const json_t *o;
	size_t i;

	if (out_mode() == OUT_JSON) {
		out_json_free(json_pack("{s:s, s:s, s:b, s:O}", "file", l->conf, "end", kind == CONF_KIND_SENDER ? "sender" : "receiver", "ok",
		    json_array_size(l->list) == 0, "problems", l->list));
		return;
	}
	json_array_foreach(l->list, i, o)
		log_error("%s: %s: %s: %s", l->conf, json_string_value(json_object_get(o, "key")), json_string_value(json_object_get(o, "path")),
		    reason_show(json_string_value(json_object_get(o, "why"))));
	if (json_array_size(l->list) == 0)
		printf(kind == CONF_KIND_SENDER ? _("%s: OK, the configuration of a sender\n") : _("%s: OK, the configuration of a receiver\n"), l->conf);
}

static int run(const struct cmd_line *line)
{
	static struct sender_conf sender;
	static struct receiver_conf receiver;
	struct lacks l = { .conf = line->operand[0], .list = json_array() };
	bool file_only = cmd_value(line, "file-only") != NULL;
	int kind = conf_kind(l.conf), code;

	if (kind < 0)
		return -kind;
	code = kind == CONF_KIND_SENDER ? sender_conf_read(&sender, l.conf, -1) : receiver_conf_read(&receiver, l.conf, -1);
	if (code == 0 && kind == CONF_KIND_SENDER && !file_only)
		code = places_check(&sender, l.conf);
	if (code != 0)
		return code;
	if (!file_only) {
		if (kind == CONF_KIND_SENDER)
			look_at_sender(&l, &sender);
		else
			look_at_receiver(&l, &receiver);
	}
	say(&l, kind);
	code = json_array_size(l.list) == 0 ? EXIT_OK : EXIT_NO;
	json_decref(l.list);
	return code;
}

const struct cmd cmd_config_check = {
	.name = "config check",
	.text = N_("check a configuration file, and that its keys and folders are there"),
	.usage = N_("FILE [--file-only] [--json]"),
	.help = N_("Reads sender.conf or receiver.conf as the daemon would, and says OK or the first fault (FILE:LINE).\n"
	    "Then looks whether the keys, folders and directories that it names are on this host: each that is\n"
	    "not gets a line.  What stands in the keys is looked at when the daemon starts.\n"),
	.exits = N_("0 OK, 1 something that it names is not here, 2 usage, 3 a fault in the file,\n"
	    "5 the file cannot be read"),
	.options = { { "file-only", 0, CMD_FLAG, NULL, N_("only the file itself, not what it names"), 0 }, CMD_JSON },
	.operands_min = 1, .operands_max = 1, .operand = CMD_FILE,
	.run = run,
};
