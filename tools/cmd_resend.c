/* cmd_resend.c - katamichi resend: carry out a resend slip on the sender, or list those that were. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utf8proc.h>

#include "codec/hex.h"
#include "host/clock.h"
#include "host/exits.h"
#include "host/keyfile.h"
#include "host/log.h"
#include "sender/outbox_schema.h"
#include "sender/resend.h"
#include "sender/sender_conf.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/status.h"

struct options {
	const char *conf;
	char code[512]; /* as typed */
	int yes, json;
};

/* Further behind what is there already, in the forms of ASCII where it has them: an input method writes full-width ones. */
static int append(char *to, size_t size, const char *typed)
{
	utf8proc_uint8_t *plain = utf8proc_NFKC((const utf8proc_uint8_t *)typed); /* NULL: not UTF-8 */
	const char *word = plain != NULL ? (const char *)plain : typed;
	size_t n = strlen(to);
	int r = n + strlen(word) + 2 > size ? -1 : 0;

	if (r == 0)
		snprintf(to + n, size - n, "%s ", word);
	free(plain);
	return r;
}

/* The words that are no options are the code, as somebody read it out. */
static int parse(struct options *o, const struct cmd_line *l)
{
	o->yes = cmd_value(l, "yes") != NULL;
	o->json = out_mode() == OUT_JSON;
	o->conf = cmd_value(l, "config");
	for (int i = 0; i < l->operands; i++)
		if (append(o->code, sizeof(o->code), l->operand[i]) != 0)
			return -1;
	return 0;
}

/* Both fingerprints are part of what a slip refers to. */
static int find(struct resend *r, struct db *db, const struct sender_conf *c)
{
	struct party_secret *me = crypto_secret_alloc(sizeof(*me));
	struct party receiver;
	int code = EXIT_KEYS;

	if (me == NULL) {
		log_error("out of lockable memory");
		return EXIT_SYSTEM;
	}
	if (keyfile_read_secret(me, c->keys, PARTY_SENDER) == 0 &&
	    keyfile_read_public(&receiver, c->receiver, PARTY_RECEIVER) == 0)
		code = resend_find(r, db, me->pub.fingerprint, receiver.fingerprint) == 0 ? EXIT_OK : EXIT_NO;
	crypto_secret_free(me);
	if (code == EXIT_NO)
		log_error("the code is right, but not for this sender: none of its channels and generations, with this receiver's "
		    "key, is meant");
	return code;
}

/* At most 8 bytes, and no part of a character. */
static const char *excerpt(char out[static 9], const char *s)
{
	size_t n = strnlen(s, 8);

	while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	snprintf(out, 9, "%.*s", (int)n, s);
	return out;
}

/* When this slip was carried out the last time, as ISO text; "": never. */
static void done_before(char at[static 21], struct db *db, const char *code)
{
	int64_t ms = db_int(db, "SELECT max(at) FROM slip WHERE code = ?", "t", code);

	at[0] = '\0';
	if (ms > 0)
		clock_iso(at, (uint64_t)ms / 1000);
}

static void say(const struct resend *r, const char *before)
{
	char numbers[SLIP_NUMBERS_MAX], made[21], when[32];

	clock_iso(made, SLIP_EPOCH_S + (uint64_t)r->slip.day * 86400);
	printf(ngettext("slip of %.10s, channel %s, number %s\n", "slip of %.10s, channel %s, numbers %s\n",
	    (unsigned long)slip_count(&r->slip)), made, r->channel, slip_numbers(numbers, &r->slip));
	printf(_("  to send again   transfers: %" PRIu64 ", files: %" PRIu64 ", bytes sealed: %" PRIu64 "\n"), r->objects, r->files, r->bytes);
	if (r->gone > 0)
		printf(_("  not kept        transfers: %" PRIu64 "; put their files into the folder again\n"), r->gone);
	if (r->unknown > 0)
		printf(_("  never numbered  %" PRIu64 " (the newest is %" PRIu64 "): was this outbox restored from a backup?\n"), r->unknown,
		    r->newest);
	if (before[0] != '\0')
		printf(_("  done before     at %s: once is enough unless it was lost again\n"), out_time(when, before));
}

static void say_json(const struct resend *r, const char *code, int done, const char *before)
{
	char numbers[SLIP_NUMBERS_MAX], generation[33], made[21];
	json_t *o;

	clock_iso(made, SLIP_EPOCH_S + (uint64_t)r->slip.day * 86400);
	made[10] = '\0';
	hex_put(generation, r->generation, 16);
	o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:b}", "code", code, "made", made, "channel", r->channel,
	    "generation", generation, "numbers", slip_numbers(numbers, &r->slip), "objects", (json_int_t)r->objects, "files",
	    (json_int_t)r->files, "bytes", (json_int_t)r->bytes, "gone", (json_int_t)r->gone, "unknown", (json_int_t)r->unknown,
	    "done", done);
	if (before[0] != '\0')
		json_object_set_new(o, "done_before", json_string(before));
	out_json(o);
	json_decref(o);
}

static int agreed(void)
{
	char line[16];

	if (!isatty(STDIN_FILENO)) {
		puts(_("nothing is done yet: --yes does it"));
		return 0;
	}
	fputs(_("send them again? [y/N] "), stdout);
	fflush(stdout);
	return fgets(line, sizeof(line), stdin) != NULL && (line[0] == 'y' || line[0] == 'Y');
}

static int carry_out(struct resend *r, struct db *db, const struct options *o)
{
	char code[SLIP_TEXT_MAX], before[21];
	int done;

	slip_write(code, &r->slip);
	done_before(before, db, code);
	if (!o->json)
		say(r, before);
	done = r->objects > 0 && (o->yes || (!o->json && agreed()));
	if (done)
		resend_do(r, db, code, clock_wall_ms());
	if (o->json)
		say_json(r, code, done, before);
	else if (done)
		puts(_("recorded; they go out first of all"));
	return done ? EXIT_OK : EXIT_NO;
}

/* The oldest first. */
static int list(const struct options *o)
{
	static const struct out_column column[] = { { "at", N_("WHEN"), OUT_TIME }, { "channel", N_("CHANNEL"), OUT_STRING },
		{ "numbers", N_("NUMBERS"), OUT_STRING }, { "objects", N_("SENT AGAIN"), OUT_NUMBER }, { "gone", N_("NOT KEPT"), OUT_NUMBER },
		{ "code", N_("CODE"), OUT_STRING } };
	static struct sender_conf c;
	static char path[SENDER_PATH_MAX + 32];
	json_t *rows = json_array();
	struct db db;
	sqlite3_stmt *q;
	int code = sender_conf_read(&c, o->conf, -1);

	if (code == 0) {
		snprintf(path, sizeof(path), "%s/outbox.db", c.state);
		code = db_open_readonly(&db, path) == 0 ? 0 : EXIT_SYSTEM;
	}
	if (code != 0) {
		json_decref(rows);
		return code;
	}
	q = db_query(&db, "SELECT at, channel, numbers, objects, bytes, gone, code FROM slip ORDER BY row", "");
	while (db_step(&db, q) == 1) {
		char at[21];
		clock_iso(at, (uint64_t)sqlite3_column_int64(q, 0) / 1000);
		json_array_append_new(rows, out_made(json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s}", "at", at, "channel", db_text(q, 1), "numbers",
		    db_text(q, 2), "objects", (json_int_t)sqlite3_column_int64(q, 3), "bytes", (json_int_t)sqlite3_column_int64(q, 4), "gone",
		    (json_int_t)sqlite3_column_int64(q, 5), "code", db_text(q, 6))));
	}
	db_close(&db);
	if (o->json)
		out_json(rows);
	else if (out_mode() == OUT_TEXT && json_array_size(rows) == 0)
		puts(_("no slip was carried out here"));
	else
		out_table(rows, column, sizeof(column) / sizeof(column[0]), NULL);
	json_decref(rows);
	return EXIT_OK;
}

static int resend(const struct options *o)
{
	static struct sender_conf c;
	static char path[SENDER_PATH_MAX + 32];
	struct resend r = { 0 };
	char part[9];
	struct db db;
	size_t at = 0;
	int code = sender_conf_read(&c, o->conf, -1);
	enum slip_err e;

	if (code != 0)
		return code;
	e = slip_read(&r.slip, o->code, &at);
	if (e != SLIP_OK) {
		if (e == SLIP_ECHAR)
			log_error("the code: %s, at \"%.8s\"", _(slip_strerror(e)), excerpt(part, o->code + at));
		else
			log_error("the code: %s", _(slip_strerror(e)));
		return EXIT_NO;
	}
	snprintf(path, sizeof(path), "%s/outbox.db", c.state);
	if (access(path, R_OK | W_OK) != 0) {
		log_error("%s: %s; run this as the sender's user, on the sending host", path, strerror(errno));
		return EXIT_SYSTEM;
	}
	db_open(&db, path, OUTBOX_SCHEMA);
	code = find(&r, &db, &c);
	if (code == EXIT_OK)
		code = carry_out(&r, &db, o);
	db_close(&db);
	return code;
}

static int run(const struct cmd_line *l)
{
	struct options o = { 0 };

	if (parse(&o, l) != 0)
		return cmd_usage(l->cmd, _("no code is so long"));
	if ((cmd_value(l, "list") != NULL) == (l->operands > 0))
		return cmd_usage(l->cmd, _("either the code of a slip, or --list"));
	if (out_mode() == OUT_TSV && l->operands > 0)
		return cmd_usage(l->cmd, _("--tsv goes with --list"));
	return l->operands > 0 ? resend(&o) : list(&o);
}

const struct cmd cmd_resend = {
	.name = "resend",
	.text = N_("carry out a resend slip on the sender"),
	.usage = N_("-c sender.conf CODE [--yes] [--json]\n"
	    "-c sender.conf --list [--json|--tsv]"),
	.help = N_("CODE is what `katamichi gaps --slip' printed on the receiver; blanks and hyphens do not matter, and\n"
	    "what is mistyped is found.  Says what is asked for and what of it is still kept, and asks.  The\n"
	    "running sender begins within a second, before all repeats.  --list shows the slips that were carried out.\n"),
	.exits = N_("0 done, or listed, 1 not done (the code is wrong or not for this sender, nothing of it is kept, or the\n"
	    "answer was no), 2 usage, 3 configuration, 4 keys, 5 the outbox cannot be written,\n"
	    "6 its database is damaged"),
	.options = { CMD_CONFIG, { "yes", 'y', CMD_FLAG, NULL, N_("do not ask, do it"), 0 },
	    { "list", 0, CMD_FLAG, NULL, N_("slips that were carried out here"), 0 }, CMD_JSON, CMD_TSV },
	.operands_min = 0, .operands_max = 64, .operand = CMD_TEXT,
	.end = CONF_KIND_SENDER,
	.run = run,
};
