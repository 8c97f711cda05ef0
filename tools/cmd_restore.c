/* cmd_restore.c - katamichi restore: a sender's outbox was restored from a backup, or moved. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "codec/hex.h"
#include "host/clock.h"
#include "host/exits.h"
#include "host/log.h"
#include "sender/identity.h"
#include "sender/sender_conf.h"
#include "sender/set_aside.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/status.h"

/* The daemon's own lock: it must not run, nor start while this is at work. */
static int lock(const struct sender_conf *c)
{
	char path[SENDER_PATH_MAX + 8];
	int fd;

	snprintf(path, sizeof(path), "%s/lock", c->state);
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		log_error("%s: %s", path, strerror(errno));
	} else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		log_error("%s: the sender runs; stop it first", c->state);
		close(fd);
		fd = -1;
	}
	return fd;
}

static void say(const struct sender_conf *c, const char *generation, unsigned moved)
{
	char aside[SENDER_PATH_MAX + 16];

	snprintf(aside, sizeof(aside), "%s/%s", c->state, SET_ASIDE);
	if (out_mode() == OUT_JSON) {
		out_json_free(json_pack("{s:s, s:I, s:s}", "generation", generation, "aside", (json_int_t)moved, "directory", moved > 0 ? aside : ""));
		return;
	}
	printf(_("generation %s; the receiver is told with the first transfer or heartbeat\n"), generation);
	if (moved > 0)
		printf(ngettext("%u sealed object is unknown to this database and was moved to %s: what the receiver lacks of it can be carried"
		    " there and opened (see The programs do not run in the guide to incidents)\n",
		    "%u sealed objects are unknown to this database and were moved to %s: what the receiver lacks of them can be carried"
		    " there and opened (see The programs do not run in the guide to incidents)\n", moved), moved, aside);
}

static int run(const struct cmd_line *l)
{
	static struct sender_conf c;
	char path[SENDER_PATH_MAX + 32], generation[2 * SEAL_GENERATION_LEN + 1];
	struct outbox o;
	int code = sender_conf_read(&c, cmd_value(l, "config"), -1), fd, moved;

	if (code != 0)
		return code;
	snprintf(path, sizeof(path), "%s/outbox.db", c.state);
	if (access(path, R_OK | W_OK) != 0) {
		log_error("%s: %s; is this the sending host, with its state directory restored?", path, strerror(errno));
		return EXIT_SYSTEM;
	}
	fd = lock(&c);
	if (fd < 0)
		return EXIT_SYSTEM;
	outbox_open(&o, c.state, clock_mono_ns());
	moved = set_aside_unknown(&o);
	if (moved < 0) {
		log_error("%s: sealed objects that it does not know cannot be set aside: %s", o.path, strerror(errno));
		outbox_close(&o);
		close(fd);
		return EXIT_SYSTEM;
	}
	identity_renew(&o, "katamichi restore");
	/* Everything else may be as it is now: the next start has nothing to find. */
	db_exec(&o.db, "DELETE FROM meta WHERE key IN ('machine', 'place', 'witness')");
	hex_put(generation, o.generation, SEAL_GENERATION_LEN);
	outbox_close(&o);
	close(fd);
	say(&c, generation, (unsigned)moved);
	return EXIT_OK;
}

const struct cmd cmd_restore = {
	.name = "restore",
	.text = N_("begin a new generation, after a sender's outbox was restored"),
	.usage = N_("-c sender.conf [--json]"),
	.help = N_("To be run on the sending host, before the sender is started, when its state directory was restored\n"
	    "from a backup or copied from another machine.  Numbers given since the backup would be given twice;\n"
	    "so a new generation begins, whose numbers start with 1.  The sender notices by itself most of the\n"
	    "times (another machine, another file, a witness that knows more); this is for when nobody wants to\n"
	    "rely on that.  Either way sealed objects that the restored database does not know are moved to\n"
	    "set-aside/ of the state directory; remove them when they are no longer needed.\n"),
	.exits = N_("0 done, 2 usage, 3 configuration, 5 the sender runs, or the outbox cannot be written,\n"
	    "6 it does not make sense"),
	.options = { CMD_CONFIG, CMD_JSON },
	.end = CONF_KIND_SENDER,
	.run = run,
};
