/* cmd_verify.c - katamichi verify: a delivered transfer, offline. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <sodium/utils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/hex.h"
#include "host/db.h"
#include "host/exits.h"
#include "host/keyfile.h"
#include "host/log.h"
#include "host/reason.h"
#include "receiver/receiver_conf.h"
#include "tools/cmd.h"
#include "tools/out.h"
#include "tools/progress.h"
#include "tools/status.h"
#include "tools/verify_transfer.h"

enum { SENDERS_MAX = 64, SHOWN_MAX = 4 * 300 };

struct options {
	struct party senders[SENDERS_MAX];
	unsigned sender_count;
	struct party receiver;
	int has_receiver;
	int json;
	struct db ledger;
	int has_ledger;
};

static int add_sender(struct options *o, const char *path)
{
	if (o->sender_count == SENDERS_MAX) {
		log_error("more than %d senders", SENDERS_MAX);
		return EXIT_USAGE;
	}
	int r = keyfile_read_public(&o->senders[o->sender_count], path, PARTY_SENDER);

	if (r == 0)
		o->sender_count++;
	return r;
}

static int add_conf(struct options *o, const char *path)
{
	static char db[RECEIVER_PATH_MAX + 32];
	struct receiver_conf *c = calloc(1, sizeof(*c));
	int r;

	if (c == NULL) {
		log_error("there is not enough memory");
		return EXIT_SYSTEM;
	}
	r = receiver_conf_read(c, path, -1);
	for (unsigned i = 0; r == 0 && i < c->peers; i++)
		r = add_sender(o, c->peer[i].key);
	/* Whoever reads the inbox may not be allowed to read the ledger; then it is not asked. */
	snprintf(db, sizeof(db), "%s/ledger/ledger.db", c->state);
	if (r == 0 && !o->has_ledger && access(db, R_OK) == 0)
		o->has_ledger = db_open_readonly(&o->ledger, db) == 0 &&
		    db_int(&o->ledger, "SELECT count(*) FROM sqlite_master WHERE name = 'quarantine'", "") != 0;
	free(c);
	return r;
}

static int take(struct options *o, const struct cmd_line *l)
{
	int r = EXIT_OK;

	o->json = out_mode() == OUT_JSON;
	for (unsigned i = 0; r == EXIT_OK && i < l->givens; i++) {
		const char *option = l->given[i].option->name, *path = l->given[i].value;
		if (strcmp(option, "sender") == 0)
			r = add_sender(o, path);
		else if (strcmp(option, "config") == 0)
			r = add_conf(o, path);
		else if (strcmp(option, "receiver") == 0) {
			r = keyfile_read_public(&o->receiver, path, PARTY_RECEIVER);
			o->has_receiver = 1;
		}
	}
	return r;
}

static const char *word(enum verify_what what)
{
	switch (what) {
	case VERIFY_MISSING:
		return N_("missing");
	case VERIFY_EXTRA:
		return N_("extra");
	case VERIFY_CHANGED:
		return N_("changed");
	case VERIFY_KIND:
		return N_("wrong kind");
	case VERIFY_UNREADABLE:
		return N_("unreadable");
	case VERIFY_SIGNATURE:
		return N_("signature is not by a sender whose key was given");
	case VERIFY_MALFORMED:
		return N_("malformed");
	case VERIFY_OTHER_SITE:
		return N_("made for another receiver");
	case VERIFY_NOT_HELD:
		return N_("missing; said to be in the quarantine, which no ledger confirms (-c receiver.conf, as the receiver's user)");
	case VERIFY_UNCHECKED:
		return N_("signature NOT checked, name the sender with --sender FILE.pub or -c receiver.conf");
	}
	return "?";
}

struct output {
	const char *dir;
	struct db *ledger; /* NULL: none to ask */
	json_t *held;      /* what is rightly not here */
	json_t *problems; /* NULL: lines of text */
};

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
	const struct output *o = ctx;

	progress_show(done, total, "%s", o->dir);
}

/* Bytes as a JSON value: a string, or base64 under another key where they are not UTF-8. */
static void put_bytes(json_t *to, const char *key, const char *key_b64, const uint8_t *b, size_t n)
{
	char b64[sodium_base64_ENCODED_LEN(512, sodium_base64_VARIANT_ORIGINAL)];

	if (name_is_utf8(b, n))
		(void)json_object_set_new(to, key, json_stringn((const char *)b, n));
	else if (n <= 512)
		(void)json_object_set_new(to, key_b64,
		    json_string(sodium_bin2base64(b64, sizeof(b64), b, n, sodium_base64_VARIANT_ORIGINAL)));
}

static void on_found(void *ctx, enum verify_what what, const uint8_t *name, size_t n, const char *why)
{
	char shown[SHOWN_MAX], shown_dir[SHOWN_MAX];
	struct output *o = ctx;

	progress_clear();
	if (o->problems != NULL) {
		json_t *p = json_object();

		(void)json_object_set_new(p, "what", json_string(word(what)));
		put_bytes(p, "name", "name_b64", name, n);
		if (why != NULL)
			(void)json_object_set_new(p, "why", json_string(why));
		(void)json_array_append_new(o->problems, p);
		return;
	}
	printf(why != NULL ? "%s: %s: %s (%s)\n" : "%s: %s: %s\n", log_show(shown_dir, sizeof(shown_dir), o->dir, strlen(o->dir)), _(word(what)),
	    log_show(shown, sizeof(shown), name, n), why != NULL ? reason_show(why) : "");
}

/* Does the ledger say that this file is in the quarantine, or was? */
static int on_held(struct output *o, const struct manifest *m, const char *hash, const uint8_t *name, size_t n, const char *reason)
{
	char sender[2 * HASH_LEN + 1], shown[SHOWN_MAX], shown_dir[SHOWN_MAX];
	sqlite3_stmt *s;
	json_t *h;

	hex_put(sender, m->sender, HASH_LEN);
	s = db_query(o->ledger, "SELECT entry, state, coalesce(place, '') FROM quarantine WHERE manifest = ? AND sender = ? AND file = ?"
	    " AND kept = 'file'", "ttb", hash, sender, name, n);
	if (db_step(o->ledger, s) == 0)
		return -1;
	h = out_made(json_pack("{s:s, s:s, s:s, s:s}", "entry", db_text(s, 0), "state", db_text(s, 1), "place", db_text(s, 2), "reason", reason));
	db_done(s);
	put_bytes(h, "name", "name_b64", name, n);
	(void)json_array_append_new(o->held, h);
	if (o->problems == NULL)
		printf(strcmp(json_string_value(json_object_get(h, "state")), "held") == 0 ? _("%s: in the quarantine as %s: %s (%s)\n") :
		    _("%s: was in the quarantine as %s and was decided on: %s (%s)\n"), log_show(shown_dir, sizeof(shown_dir), o->dir,
		    strlen(o->dir)), json_string_value(json_object_get(h, "entry")), log_show(shown, sizeof(shown), name, n), reason_show(reason));
	return 0;
}

static int on_away(void *ctx, const struct manifest *m, const uint8_t hash[static HASH_LEN], const uint8_t *name, size_t n,
    const char *reason)
{
	char hex[2 * HASH_LEN + 1];
	struct output *o = ctx;

	hex_put(hex, hash, HASH_LEN);
	progress_clear();
	if (reason != NULL)
		return on_held(o, m, hex, name, n, reason);
	return db_int(o->ledger, "SELECT (SELECT count(*) FROM quarantine WHERE manifest = ?1 AND kept = 'file' AND state = 'released')"
	    " * (SELECT count(*) FROM delivery WHERE manifest = ?1)", "t", hex) != 0 ? 0 : -1;
}

static void print_text(const struct output *o, const struct verify *v)
{
	char dir[SHOWN_MAX], hex[2 * HASH_LEN + 1];

	log_show(dir, sizeof(dir), o->dir, strlen(o->dir));
	if (v->findings > 0 || v->sender == NULL) {
		printf(_("%s: NOT verified\n"), dir);
		return;
	}
	hex_put(hex, v->sender->fingerprint, HASH_LEN);
	printf(ngettext("%s: verified: %s %" PRIu64 ", %" PRIu32 " file, %" PRIu64 " bytes, signed by %.4s %.4s %.4s %.4s ...\n",
	    "%s: verified: %s %" PRIu64 ", %" PRIu32 " files, %" PRIu64 " bytes, signed by %.4s %.4s %.4s %.4s ...\n", v->manifest.file_count),
	    dir, v->manifest.channel, v->manifest.number, v->manifest.file_count, v->bytes, hex, hex + 4, hex + 8, hex + 12);
	if (v->held != 0)
		printf(_("%s: %" PRIu32 " of these files did not pass the zone's checks and are not here; the ledger says so too\n"), dir, v->held);
	if (v->elsewhere != 0)
		printf(_("%s: released from the quarantine; %" PRIu32 " of these files were delivered, or are held, apart\n"), dir, v->elsewhere);
}

static void put_hash(json_t *j, const char *key, const uint8_t *hash)
{
	char hex[2 * HASH_LEN + 1];

	hex_put(hex, hash, HASH_LEN);
	(void)json_object_set_new(j, key, json_string(hex));
}

static void print_json(const struct output *o, const struct verify *v)
{
	const struct manifest *m = &v->manifest;
	json_t *j = json_object();

	put_bytes(j, "dir", "dir_b64", (const uint8_t *)o->dir, strlen(o->dir));
	(void)json_object_set_new(j, "verified", json_boolean(v->findings == 0 && v->sender != NULL));
	(void)json_object_set(j, "problems", o->problems);
	if (v->held != 0)
		(void)json_object_set(j, "held", o->held);
	if (v->elsewhere != 0)
		(void)json_object_set_new(j, "elsewhere", json_integer(v->elsewhere));
	if (v->read_manifest) {
		(void)json_object_set_new(j, "channel", json_string(m->channel));
		(void)json_object_set_new(j, "number", json_integer((json_int_t)m->number));
		(void)json_object_set_new(j, "files", json_integer(m->file_count));
		(void)json_object_set_new(j, "bytes", json_integer((json_int_t)v->bytes));
		put_hash(j, "receiver", m->receiver);
	}
	if (v->sender != NULL)
		put_hash(j, "sender", v->sender->fingerprint);
	(void)json_dumpf(j, stdout, JSON_COMPACT | JSON_SORT_KEYS);
	putchar('\n');
	json_decref(j);
}

static int verify_one(struct options *o, const char *dir)
{
	struct output out = {.dir = dir, .problems = o->json ? json_array() : NULL,
	    .ledger = o->has_ledger ? &o->ledger : NULL, .held = json_array()};
	struct verify v = {.senders = o->senders, .sender_count = o->sender_count,
	    .receiver = o->has_receiver ? &o->receiver : NULL, .found = on_found, .progress = on_progress, .away = o->has_ledger ? on_away : NULL, .ctx = &out};
	int r = EXIT_SYSTEM;

	if (verify_transfer(&v, dir) != 0) {
		log_error("%s: cannot open the directory: %m", dir);
	} else {
		progress_clear();
		r = v.findings == 0 && v.sender != NULL ? EXIT_OK : EXIT_NO;
		if (o->json)
			print_json(&out, &v);
		else
			print_text(&out, &v);
	}
	if (v.read_manifest)
		manifest_free(&v.manifest);
	json_decref(out.problems);
	json_decref(out.held);
	return r;
}

static int run(const struct cmd_line *l)
{
	struct options *o = calloc(1, sizeof(*o));
	int r, worst = EXIT_OK;

	if (o == NULL) {
		log_error("there is not enough memory");
		return EXIT_SYSTEM;
	}
	worst = take(o, l);
	for (int i = 0; worst <= EXIT_NO && i < l->operands; i++) {
		r = verify_one(o, l->operand[i]);
		if (r > worst)
			worst = r;
	}
	if (o->has_ledger)
		db_close(&o->ledger);
	free(o);
	return worst;
}

const struct cmd cmd_verify = {
	.name = "verify",
	.text = N_("check a delivered transfer: signature and every file"),
	.usage = N_("[--sender FILE.pub]... [-c receiver.conf] [--receiver FILE.pub] [--json] DIR..."),
	.help = N_("Checks delivered transfers (inbox/CHANNEL/NUMBER): the signature of MANIFEST.json by a sender whose\n"
	    "key is given (by --sender, or as a [peer] in receiver.conf), and every file against the manifest.\n"
	    "Says which files are missing, extra or changed.  With -c, the ledger is asked where a file is that the\n"
	    "directory says is in the quarantine; without it such a file is missing.\n"
	    "Without a sender's key it compares the files, but cannot say who made them: the answer is then no.\n"),
	.exits = N_("0 all verified, 1 not verified, 2 usage, 3 configuration, 4 keys, 5 a DIR cannot be opened,\n"
	    "6 its database is damaged"),
	.options = { { "sender", 0, CMD_FILE, N_("FILE.pub"), N_("a sender's public key"), 0 },
	    { "config", 'c', CMD_FILE, N_("FILE"), N_("receiver.conf: all senders that it names"), 0 },
	    { "receiver", 0, CMD_FILE, N_("FILE.pub"), N_("check, too, that it was made for this receiver"), 0 },
	    { "json", 0, CMD_FLAG, NULL, N_("for programs: JSON, one object a line for each DIR"), 0 } },
	.operands_min = 1, .operands_max = 1 << 20, .operand = CMD_DIR,
	.end = CONF_KIND_RECEIVER,
	.run = run,
};
