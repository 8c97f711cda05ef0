/* gap_slips.c - see gap_slips.h. */
#include "tools/gap_slips.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
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
#include "tools/asking.h"
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
	uint64_t lost, held; /* missing numbers that no slip can bring: not kept any more; here already */
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

/* One stretch of numbers to ask for. */
struct wanted {
	const char *channel, *generation;
	const struct receiver_peer *peer;
	uint64_t first, last;
};

static const char *text_of(const json_t *g, const char *key)
{
	const char *s = json_string_value(json_object_get(g, key));

	return s != NULL ? s : "";
}

/* What of this range a slip can bring; false: nothing.  What the sender keeps no more, or what is here, is counted instead. */
static bool wants(struct making *m, const json_t *g, struct wanted *w)
{
	json_int_t kept = json_integer_value(json_object_get(g, "kept_from")); /* 0 where no beat has said: the outlook tells */
	const char *outlook = text_of(g, "outlook");

	*w = (struct wanted){ text_of(g, "channel"), text_of(g, "generation"), gap_peer_named(m->c, text_of(g, "peer")),
		(uint64_t)json_integer_value(json_object_get(g, "first")), (uint64_t)json_integer_value(json_object_get(g, "last")) };
	if (w->peer == NULL)
		return false; /* not pinned any more */
	if (strcmp(outlook, "held") == 0) {
		m->held += w->last - w->first + 1;
		return false;
	}
	if (strcmp(outlook, "lost") == 0) {
		m->lost += w->last - w->first + 1;
		return false;
	}
	if (kept > 0 && w->first < (uint64_t)kept) {
		m->lost += (uint64_t)kept - w->first;
		w->first = (uint64_t)kept;
	}
	return true;
}

/* A new sheet of this stream; NULL: there is none. */
static struct slip_sheet *begin(struct making *m, const struct wanted *w)
{
	struct slip_sheet *s = &m->sheet[m->sheets];
	uint8_t raw[16];

	if (hex_get(raw, sizeof(raw), w->generation, strlen(w->generation)) != 0)
		return NULL;
	if (m->sheets == SHEETS_MAX) {
		m->more = 1;
		return NULL;
	}
	m->sheets++;
	memset(s, 0, sizeof(*s));
	s->peer = w->peer->name;
	hex_put(s->sender, w->peer->party.fingerprint, HASH_LEN);
	hex_put(s->receiver, m->self, HASH_LEN);
	snprintf(s->channel, sizeof(s->channel), "%s", w->channel);
	snprintf(s->generation, sizeof(s->generation), "%s", w->generation);
	clock_iso(s->at, m->now_s);
	s->slip.ref = slip_ref(w->peer->party.fingerprint, m->self, raw, w->channel);
	s->slip.day = slip_day(m->now_s);
	return s;
}

static bool same_stream(const struct wanted *a, const struct wanted *b)
{
	return a->peer == b->peer && strcmp(a->channel, b->channel) == 0 && strcmp(a->generation, b->generation) == 0;
}

/* To the sheet of its stream, s, or to a new one; returns which (NULL: it is on none). */
static struct slip_sheet *ask_for(struct making *m, struct slip_sheet *s, const struct wanted *w)
{
	if (s != NULL && slip_add(&s->slip, w->first, w->last) == 0)
		return s;
	s = begin(m, w);
	if (s != NULL && slip_add(&s->slip, w->first, w->last) != 0)
		m->sheets--, s = NULL; /* no number of ours is that high */
	return s;
}

static void collect(struct making *m, const json_t *gaps, const char *only)
{
	struct wanted now = { .last = 0 }, next; /* now.last 0: none */
	struct slip_sheet *s = NULL;
	const json_t *g;
	size_t i;

	json_array_foreach(gaps, i, g) {
		if ((only != NULL && strcmp(text_of(g, "channel"), only) != 0) || !wants(m, g, &next))
			continue;
		if (now.last != 0 && same_stream(&now, &next) && next.first == now.last + 1) { /* cut by reasons */
			now.last = next.last;
			continue;
		}
		if (now.last != 0)
			s = ask_for(m, s, &now);
		if (s != NULL && !same_stream(&now, &next))
			s = NULL;
		now = next;
	}
	if (now.last != 0)
		(void)ask_for(m, s, &now);
	for (unsigned k = 0; k < m->sheets; k++)
		slip_write(m->sheet[k].code, &m->sheet[k].slip);
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

static int picture(const struct making *m, unsigned i, const struct gap_slips_how *how)
{
	int good;

	if (out_file_begin(png_name(how->png, i), how->own) != EXIT_OK)
		return -1;
	good = slip_print_png(stdout, &m->sheet[i]) == 0;
	return out_file_end(good) == EXIT_OK && good ? 0 : -1;
}

static int page(const struct making *m, const struct gap_slips_how *how)
{
	int good;

	if (out_file_begin(how->page, how->own) != EXIT_OK)
		return -1;
	good = slip_print_page(stdout, m->sheet, m->sheets) == 0;
	return out_file_end(good) == EXIT_OK && good ? 0 : -1;
}

static int print_one(const struct making *m, unsigned i, const struct gap_slips_how *how)
{
	if (!how->json && slip_print_text(stdout, &m->sheet[i], isatty(STDOUT_FILENO)) != 0)
		return -1;
	if (how->png != NULL && picture(m, i, how) != 0)
		return -1;
	if (how->png != NULL && !how->json)
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

/* They are in the ledger already: what can be shown is shown, whatever file cannot be written. */
static int print(const struct making *m, const struct gap_slips_how *how)
{
	int code = EXIT_OK;

	if (how->json)
		print_json(m);
	for (unsigned i = 0; i < m->sheets; i++)
		if (print_one(m, i, how) != 0)
			code = EXIT_SYSTEM;
	if (how->page != NULL && page(m, how) != 0)
		code = EXIT_SYSTEM;
	if (m->more)
		log_warn("there is more than these slips hold; ask for the rest when they have come");
	return code;
}

static void say_rest(const struct making *m)
{
	if (m->lost != 0)
		log_warn("missing numbers that their sender keeps no more: %llu, not asked for; put their files in again (`katamichi gaps` has the "
		    "numbers)", (unsigned long long)m->lost);
	if (m->held != 0)
		log_warn("missing numbers that are here, complete and held: %llu, not asked for; `katamichi gaps` says what they wait for",
		    (unsigned long long)m->held);
}

int gap_slips(const struct receiver_conf *c, const struct gap_slips_how *how)
{
	static struct making m;
	static char path[RECEIVER_PATH_MAX + 32];
	struct gap_here here;
	struct db db;
	json_t *gaps;
	int code = own_fingerprint(m.self, c);

	if (code != 0)
		return code;
	snprintf(path, sizeof(path), "%s/ledger/ledger.db", c->state);
	if (access(path, R_OK | W_OK) != 0) {
		log_error("%s: %s; a slip is recorded before it is printed: run this as the receiver's user", path, strerror(errno));
		return EXIT_SYSTEM;
	}
	if ((code = asking_is_ledger(path)) != EXIT_OK)
		return code;
	m.c = c;
	m.now_s = clock_wall_ms() / 1000;
	db_open(&db, path, SLIPS_SCHEMA);
	gap_here_read(&here, c);
	gaps = gap_list(&db, c, &here);
	gap_here_free(&here);
	collect(&m, gaps, how->channel);
	json_decref(gaps);
	record(&m, &db);
	db_close(&db);
	say_rest(&m);
	if (m.sheets == 0) {
		puts(how->json ? "[]" : how->channel != NULL ? _("nothing is missing in this channel that a slip could ask for") :
		    _("nothing is missing that a slip could ask for"));
		return EXIT_NO;
	}
	return print(&m, how);
}
