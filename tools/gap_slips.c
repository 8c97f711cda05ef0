/* gap_slips.c - see gap_slips.h. */
#include "tools/gap_slips.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/hex.h"
#include "host/clock.h"
#include "host/exits.h"
#include "host/i18n.h"
#include "host/keyfile.h"
#include "host/log.h"
#include "receiver/slips.h"
#include "tools/gap_list.h"
#include "tools/slip_print.h"

enum { SHEETS_MAX = 16 }; /* at a time: who lacks more asks again when these have come */

struct making {
	const struct receiver_conf *c;
	uint8_t self[HASH_LEN];
	uint64_t now_s;
	struct slip_sheet sheet[SHEETS_MAX];
	unsigned sheets;
	int more; /* than fits */
};

static int own_fingerprint(uint8_t out[static HASH_LEN], const struct receiver_conf *c)
{
	struct party_secret *me = crypto_secret_alloc(sizeof(*me));
	int code = EXIT_KEYS;

	if (me == NULL) {
		log_error("out of lockable memory");
		return EXIT_SYSTEM;
	}
	if (keyfile_read_secret(me, c->keys, PARTY_RECEIVER) == 0) {
		memcpy(out, me->pub.fingerprint, HASH_LEN);
		code = 0;
	}
	crypto_secret_free(me);
	return code;
}

/* A new sheet of this stream; NULL: there is none, or its sender is not pinned any more. */
static struct slip_sheet *begin(struct making *m, const char *sender, const char *channel, const char *generation)
{
	const struct receiver_peer *peer = gap_peer(m->c, sender);
	struct slip_sheet *s = &m->sheet[m->sheets];
	uint8_t raw[16];

	if (peer == NULL || hex_get(raw, sizeof(raw), generation, strlen(generation)) != 0)
		return NULL;
	if (m->sheets == SHEETS_MAX) {
		m->more = 1;
		return NULL;
	}
	m->sheets++;
	memset(s, 0, sizeof(*s));
	s->peer = peer->name;
	snprintf(s->sender, sizeof(s->sender), "%s", sender);
	hex_put(s->receiver, m->self, HASH_LEN);
	snprintf(s->channel, sizeof(s->channel), "%s", channel);
	snprintf(s->generation, sizeof(s->generation), "%s", generation);
	clock_iso(s->at, m->now_s);
	s->slip.ref = slip_ref(peer->party.fingerprint, m->self, raw, channel);
	s->slip.day = slip_day(m->now_s);
	return s;
}

static void collect(struct making *m, struct db *db, const char *only)
{
	sqlite3_stmt *q = db_query(db, "SELECT sender, channel, generation, first, last FROM gap WHERE ?1 IS NULL OR channel = ?1"
	    " ORDER BY channel, sender, generation, first", "t", only);
	struct slip_sheet *s = NULL;

	while (db_step(db, q) == 1) {
		const char *sender = (const char *)sqlite3_column_text(q, 0), *channel = (const char *)sqlite3_column_text(q, 1);
		const char *generation = (const char *)sqlite3_column_text(q, 2);
		uint64_t first = (uint64_t)sqlite3_column_int64(q, 3), last = (uint64_t)sqlite3_column_int64(q, 4);
		if (sender == NULL || channel == NULL || generation == NULL)
			continue;
		if (s != NULL && strcmp(s->sender, sender) == 0 && strcmp(s->channel, channel) == 0 &&
		    strcmp(s->generation, generation) == 0 && slip_add(&s->slip, first, last) == 0)
			continue;
		s = begin(m, sender, channel, generation);
		if (s != NULL && slip_add(&s->slip, first, last) != 0)
			m->sheets--, s = NULL; /* no number of ours is that high */
	}
	for (unsigned i = 0; i < m->sheets; i++)
		slip_write(m->sheet[i].code, &m->sheet[i].slip);
}

/* Before it is printed: nobody carries a slip that the ledger does not know. */
static void record(struct making *m, struct db *db)
{
	db_exec(db, "BEGIN IMMEDIATE");
	for (unsigned i = 0; i < m->sheets; i++) {
		const struct slip_sheet *s = &m->sheet[i];
		struct ledger_stream t;
		char numbers[SLIP_NUMBERS_MAX];
		strcpy(t.sender, s->sender);
		strcpy(t.channel, s->channel);
		strcpy(t.generation, s->generation);
		slips_printed(db, &t, s->code, slip_numbers(numbers, &s->slip), m->now_s);
	}
	db_exec(db, "COMMIT");
}

/* The picture of slip i: FILE.png, FILE-2.png and so on. */
static const char *png_name(const char *path, unsigned i)
{
	static char name[4096];
	const char *dot = strrchr(path, '.');
	int stem = dot != NULL && strchr(dot, '/') == NULL ? (int)(dot - path) : (int)strlen(path);

	if (i == 0)
		return path;
	snprintf(name, sizeof(name), "%.*s-%u%s", stem, path, i + 1, path + stem);
	return name;
}

static int print_one(const struct making *m, unsigned i, const struct gap_slips_how *how)
{
	if (how->png != NULL && slip_print_png(png_name(how->png, i), &m->sheet[i]) != 0)
		return -1;
	if (how->json)
		return 0;
	if (slip_print_text(stdout, &m->sheet[i], isatty(STDOUT_FILENO)) != 0)
		return -1;
	if (how->png != NULL)
		printf(_("  The code as a picture: %s\n\n"), png_name(how->png, i));
	return 0;
}

static void print_json(const struct making *m)
{
	json_t *a = json_array();
	char numbers[SLIP_NUMBERS_MAX];

	for (unsigned i = 0; i < m->sheets; i++) {
		const struct slip_sheet *s = &m->sheet[i];
		json_array_append_new(a, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s}", "code", s->code, "channel", s->channel, "peer",
		    s->peer, "generation", s->generation, "numbers", slip_numbers(numbers, &s->slip), "transfers",
		    (json_int_t)slip_count(&s->slip), "made", s->at));
	}
	json_dumpf(a, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(a);
}

static int print(const struct making *m, const struct gap_slips_how *how)
{
	if (how->json)
		print_json(m);
	for (unsigned i = 0; i < m->sheets; i++)
		if (print_one(m, i, how) != 0)
			return EXIT_SYSTEM;
	if (how->page != NULL && slip_print_page(how->page, m->sheet, m->sheets) != 0)
		return EXIT_SYSTEM;
	if (m->more)
		log_warn("there is more than these slips hold; ask for the rest when they have come");
	return EXIT_OK;
}

int gap_slips(const struct receiver_conf *c, const struct gap_slips_how *how)
{
	static struct making m;
	static char path[RECEIVER_PATH_MAX + 32];
	struct db db;
	int code = own_fingerprint(m.self, c);

	if (code != 0)
		return code;
	snprintf(path, sizeof(path), "%s/ledger/ledger.db", c->state);
	if (access(path, R_OK | W_OK) != 0) {
		log_error("%s: %s; a slip is recorded before it is printed: run this as the receiver's user", path, strerror(errno));
		return EXIT_SYSTEM;
	}
	m.c = c;
	m.now_s = clock_wall_ms() / 1000;
	db_open(&db, path, SLIPS_SCHEMA);
	collect(&m, &db, how->channel);
	record(&m, &db);
	db_close(&db);
	if (m.sheets == 0) {
		puts(how->json ? "[]" : how->channel != NULL ? _("nothing is missing in this channel that a slip could ask for") :
		    _("nothing is missing that a slip could ask for"));
		return EXIT_NO;
	}
	return print(&m, how);
}
