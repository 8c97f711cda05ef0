/* cmd_watch.c - katamichi watch: the screen of status, again and again; or each delivery as a line, when it comes. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "host/exits.h"
#include "host/log.h"
#include "tools/cmd.h"
#include "tools/deliveries.h"
#include "tools/out.h"
#include "tools/status.h"

enum {
	REDRAW_MS = 1000,
	LOOK_MS = 10000, /* looks by itself, too, should a change not be told (NFS) */
	SETTLE_MS = 20,  /* what comes at once is read at once */
};

/* 0: what was printed has left.  Does not return where nobody reads any more, a pipe's end or a terminal hung up: there is nobody to tell. */
static int leave(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO };

	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	if (errno == EPIPE || (poll(&p, 1, 0) > 0 && (p.revents & (POLLERR | POLLHUP))))
		_exit(EXIT_OK); /* exit() would try to write the rest */
	log_error("%s: cannot be written: %s", "-", strerror(errno));
	return -1;
}

/* Every delivery after row `after`, one line each.  The last row told; -1: it cannot be written, which was said.  *code: of rows that
 * are damaged, which are told once. */
static int64_t tell(struct db *db, const struct receiver_conf *c, int64_t after, int *code)
{
	struct deliveries_filter f = { .after = after };
	struct deliveries_damage damage;
	json_t *list = deliveries_list(db, c, &f, &damage), *o;
	char when[32], size[32];
	size_t i;

	json_array_foreach(list, i, o) {
		const char *dir = json_string_value(json_object_get(o, "dir")), *at = json_string_value(json_object_get(o, "at"));
		const char *reason = json_string_value(json_object_get(o, "reason"));
		if (out_mode() == OUT_JSON)
			out_json(o);
		else
			printf("%s  %s  %s  %s%s%s\n", out_time(when, at != NULL ? at : ""), _(json_string_value(json_object_get(o, "event"))),
			    out_bytes(size, (double)json_integer_value(json_object_get(o, "bytes"))), dir, reason != NULL ? "  " : "",
			    reason != NULL ? reason : "");
		after = json_integer_value(json_object_get(o, "row"));
	}
	json_decref(list);
	if (deliveries_damaged(&damage) != EXIT_OK)
		*code = EXIT_DATA;
	if (damage.last > after)
		after = damage.last;
	return leave() == 0 ? after : -1;
}

/* SQLite appends every commit to ledger.db-wal, and changes ledger.db now and then. */
static int watch_ledger(const struct receiver_conf *c)
{
	char path[RECEIVER_PATH_MAX + 32];
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	snprintf(path, sizeof(path), "%s/ledger", c->state);
	if (fd < 0 || inotify_add_watch(fd, path, IN_MODIFY | IN_CREATE | IN_ONLYDIR) < 0) {
		log_error("%s: cannot be watched: %m", path);
		return -1;
	}
	return fd;
}

static void wait_for_change(int fd)
{
	static char events[65536];
	struct pollfd p[] = { { .fd = fd, .events = POLLIN }, { .fd = STDOUT_FILENO } };

	if (poll(p, 2, LOOK_MS) > 0 && p[0].revents != 0) {
		(void)poll(NULL, 0, SETTLE_MS);
		while (read(fd, events, sizeof(events)) > 0)
			;
	}
	if (p[1].revents & (POLLERR | POLLHUP)) /* who read our pipe, or the terminal, has gone */
		_exit(EXIT_OK);
}

static int stream(const struct cmd_line *l)
{
	static struct receiver_conf c;
	const char *after_text = cmd_value(l, "after");
	struct db db;
	int64_t after = 0;
	int code, fd;

	if (cmd_number(after_text, INT64_MAX, &after) != 0)
		return cmd_usage(l->cmd, _("--after takes the number of a row of the ledger"));
	if ((code = cmd_wants_end(l, CONF_KIND_RECEIVER)) != 0)
		return code;
	if ((code = deliveries_open(&db, &c, cmd_value(l, "config"))) != 0)
		return code;
	fd = watch_ledger(&c);
	if (fd < 0) {
		db_close(&db);
		return EXIT_SYSTEM;
	}
	if (after_text == NULL)
		after = db_int(&db, "SELECT max(seq) FROM ledger", "");
	while ((after = tell(&db, &c, after, &code)) >= 0 && cmd_value(l, "once") == NULL)
		wait_for_change(fd);
	close(fd);
	db_close(&db);
	return after >= 0 ? code : EXIT_SYSTEM;
}

/* The screen is drawn into memory first, so that it does not flicker. */
static int screen(const char *conf)
{
	int kind = conf_kind(conf), code;

	if (kind < 0)
		return -kind;
	for (;;) {
		fputs("\033[H\033[2J", stdout);
		code = kind == CONF_KIND_SENDER ? status_sender(conf) : status_receiver(conf);
		if (code != EXIT_OK)
			return code;
		printf(_("\n%s(every second; Ctrl-C ends)%s"), out_style(OUT_DIM), out_style(OUT_PLAIN));
		if (leave() != 0)
			return EXIT_SYSTEM;
		(void)poll(NULL, 0, REDRAW_MS);
	}
}

static int run(const struct cmd_line *l)
{
	static char buffer[1 << 16];
	int lines = out_mode() == OUT_JSON || cmd_value(l, "lines") != NULL;

	if (!lines && (cmd_value(l, "after") != NULL || cmd_value(l, "once") != NULL))
		return cmd_usage(l->cmd, _("--after and --once go with --json or --lines"));
	if (!lines && !isatty(STDOUT_FILENO))
		return cmd_usage(l->cmd, _("the screen needs a terminal; --json or --lines tell each delivery"));
	(void)signal(SIGPIPE, SIG_IGN); /* leave() */
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	return lines ? stream(l) : screen(cmd_value(l, "config"));
}

const struct cmd cmd_watch = {
	.name = "watch",
	.text = N_("status again every second, or each delivery as a line when it comes"),
	.usage = N_("-c FILE\n-c receiver.conf --json|--lines [--after ROW] [--once]"),
	.help = N_("Without --json and --lines: the screen of `katamichi status', drawn anew every second.\n"
	    "With them: a line for every transfer that is delivered or set aside, at once when its files stand in\n"
	    "the inbox, so that a system which takes them in need not look by itself.  A reader that was away goes\n"
	    "on behind the last row that it has dealt with (`row' in JSON): --after ROW leaves out none.\n"
	    "tools/packaging/systemd/ has an example for systemd (katamichi-import.path, .service and .sh).\n"),
	.exits = N_("0 ended, or nobody reads any more, 2 usage, 3 configuration, 4 keys, 5 the ledger cannot be\n"
	    "read or watched, 6 its database is damaged (what can be read is told)"),
	.options = { CMD_CONFIG, { "json", 0, CMD_FLAG, NULL, N_("each delivery as JSON, one a line"), 0 },
	    { "lines", 0, CMD_FLAG, NULL, N_("each delivery as a line of text"), 0 },
	    { "after", 0, CMD_TEXT, N_("ROW"), N_("begin behind this row of the ledger (what is newest now); 0: from its beginning"), 0 },
	    { "once", 0, CMD_FLAG, NULL, N_("what there is, and do not wait for more"), 0 } },
	.run = run,
};
