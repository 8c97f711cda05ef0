/* closings.h: what a closing says, compared with the ledger; and what is not believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/hex.h"
#include "codec/manifest.h"
#include "host/log.h"
#include "receiver/closings.h"
#include "tests/unit/tmpdir.h"

static struct ledger l;
static struct receiver_conf conf;
static struct closings c;
static uint8_t self[HASH_LEN] = { 0x22 }, sender[HASH_LEN] = { 0x11 };
static char sender_hex[65], path[300];
static uint64_t closing_number;
static struct closing_gone missing_there[2]; /* of the next that arrives */

static int fresh(void **state)
{
	if (crypto_init() != 0 || tmpdir_make(state) != 0)
		return -1;
	log_init("test", NULL);
	snprintf(path, sizeof(path), "%s/ledger.db", tmpdir);
	ledger_open(&l, path);
	hex_put(sender_hex, sender, HASH_LEN);
	memset(&conf, 0, sizeof(conf));
	strcpy(conf.channel[0].name, "eltax");
	strcpy(conf.channel[1].name, CLOSING_CHANNEL);
	conf.channels = 2;
	c = (struct closings){ .ledger = &l, .conf = &conf, .inbox = open(tmpdir, O_RDONLY | O_DIRECTORY), .self = &self, .selfs = 1 };
	closing_number = 0;
	return mkdir(tmpdir_path("katamichi"), 0700);
}

static int gone(void **state)
{
	close(c.inbox);
	ledger_close(&l);
	return tmpdir_remove(state);
}

/* A delivery of this stream, whose manifest's hash is `hash` all over. */
static void deliver(const char *channel, uint64_t number, uint8_t hash)
{
	struct ledger_stream s = { .generation = "33333333333333333333333333333333" };
	uint8_t raw[HASH_LEN];
	char manifest[65];

	memset(raw, hash, sizeof(raw));
	hex_put(manifest, raw, HASH_LEN);
	strcpy(s.sender, sender_hex);
	strcpy(s.channel, channel);
	db_exec(&l.db, "BEGIN");
	ledger_append(&l, "{}", 2);
	db_run(&l.db, "INSERT INTO delivery(sender, channel, generation, number, manifest, previous, dir, at, seq) VALUES(?, ?, ?, ?, ?, '', "
	    "'', '', ?)", "tttiti", s.sender, s.channel, s.generation, (int64_t)number, manifest, l.rows);
	ledger_have(&l, &s, number, 1);
	db_exec(&l.db, "COMMIT");
}

/* A closing of eltax, first to last, hash 1 for number 1 and so on; delivered as the next transfer of its channel. */
static void arrive(const uint8_t *by, const uint8_t *receiver, const char *channel, uint64_t first, uint64_t last, uint64_t newest,
    const char *spoilt)
{
	static char text[8192];
	struct closing_head h = { .kind = CLOSING_DAILY, .at = "2026-11-21T15:00:00Z" };
	struct closing_channel ch = { .first = first, .last = last, .newest = newest };
	uint8_t hash[HASH_LEN];
	struct manifest m;
	char dir[64], name[128], hex[65], *bytes;
	size_t n, len = 0;

	memcpy(h.sender, by, HASH_LEN);
	memcpy(h.receiver, receiver, HASH_LEN);
	strcpy(ch.channel, channel);
	memset(ch.generation, 0x33, 16);
	n = closing_put_head(text, &h);
	n += closing_put_channel(text + n, &ch);
	for (uint64_t i = first; i <= last; i++) {
		struct closing_entry e = { .number = i };
		memset(e.manifest, (int)i, HASH_LEN);
		memset(e.object, (int)(0x50 + i), 16);
		n += closing_put_entry(text + n, &e);
	}
	for (int i = 0; i < 2 && missing_there[i].first != 0; i++)
		n += closing_put_gone(text + n, &missing_there[i]);
	memset(missing_there, 0, sizeof(missing_there));
	n += closing_put_end(text + n);

	manifest_init(&m);
	strcpy(m.channel, CLOSING_CHANNEL);
	m.number = ++closing_number;
	if (m.number > 1)
		m.previous[0] = 1;
	crypto_sha256(hash, text, n);
	assert_int_equal(manifest_add(&m, (const uint8_t *)"closing.txt", 11, n, hash), 0);
	bytes = manifest_write(&m, &len);
	assert_non_null(bytes);
	crypto_sha256(hash, bytes, len);
	hex_put(hex, hash, HASH_LEN);
	snprintf(dir, sizeof(dir), "katamichi/%08llu", (unsigned long long)m.number);
	assert_int_equal(mkdir(tmpdir_path(dir), 0700), 0);
	snprintf(name, sizeof(name), "%s/MANIFEST.json", dir);
	if (spoilt != NULL && strcmp(spoilt, "manifest") == 0)
		bytes[len / 2] ^= 1;
	tmpdir_write(name, bytes, len, 0600);
	snprintf(name, sizeof(name), "%s/files", dir);
	assert_int_equal(mkdir(tmpdir_path(name), 0700), 0);
	snprintf(name, sizeof(name), "%s/files/closing.txt", dir);
	if (spoilt != NULL && strcmp(spoilt, "text") == 0)
		text[n / 2] ^= 1;
	if (spoilt == NULL || strcmp(spoilt, "gone") != 0)
		tmpdir_write(name, text, n, 0600);
	free(bytes);
	manifest_free(&m);
	db_exec(&l.db, "BEGIN");
	ledger_append(&l, "{}", 2);
	db_run(&l.db, "INSERT INTO delivery(sender, channel, generation, number, manifest, previous, dir, at, seq) VALUES(?, 'katamichi', "
	    "'33333333333333333333333333333333', ?, ?, '', ?, '', ?)", "titti", sender_hex, (int64_t)closing_number, hex, dir, l.rows);
	db_exec(&l.db, "COMMIT");
}

static int64_t of_last_entry(const char *what)
{
	char sql[300];

	snprintf(sql, sizeof(sql), "SELECT json_extract(entry, '$.channels[0].%s') FROM ledger WHERE json_extract(entry, '$.event') = "
	    "'closing' ORDER BY seq DESC LIMIT 1", what);
	return db_int(&l.db, sql, "");
}

static void what_it_finds(void **state)
{
	(void)state;
	deliver("eltax", 1, 1);
	deliver("eltax", 2, 99); /* not what the sender has under this number */
	deliver("eltax", 4, 4);
	arrive(sender, self, "eltax", 1, 6, 8, NULL);
	closings_run(&c);
	assert_int_equal(of_last_entry("missing"), 3);
	assert_int_equal(of_last_entry("missing_ranges[0][0]"), 3);
	assert_int_equal(of_last_entry("missing_ranges[1][0]"), 5);
	assert_int_equal(of_last_entry("missing_ranges[1][1]"), 6);
	assert_int_equal(of_last_entry("differs"), 1);
	/* 7 and 8 are heard of for the first time; 3, 5 and 6 are known by their objects */
	assert_int_equal(db_int(&l.db, "SELECT sum(last - first + 1) FROM gap", ""), 5);
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM catalogue WHERE number IN (3, 5, 6)", ""), 3);
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM catalogue WHERE number = 5 AND object = "
	    "'55555555555555555555555555555555'", ""), 1);
	deliver("eltax", 5, 5); /* comes after all */
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM catalogue", ""), 2);
	/* again: nothing new, no second entry */
	closings_run(&c);
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM closing", ""), 1);
}

static void nothing_new(void **state)
{
	(void)state;
	arrive(sender, self, "eltax", 5, 4, 4, NULL);
	closings_run(&c);
	assert_int_equal(of_last_entry("last"), 4);
	assert_int_equal(of_last_entry("missing"), 0);
	assert_int_equal(db_int(&l.db, "SELECT sum(last - first + 1) FROM gap", ""), 4); /* but 1 to 4 were never heard of */
}

/* What is not kept any more is known as of the newest closing. */
static void gone_at_the_sender(void **state)
{
	(void)state;
	missing_there[0] = (struct closing_gone){ 2, 3 };
	missing_there[1] = (struct closing_gone){ 6, 6 };
	arrive(sender, self, "eltax", 1, 6, 6, NULL);
	closings_run(&c);
	assert_int_equal(db_int(&l.db, "SELECT sum(last - first + 1) FROM gone WHERE channel = 'eltax'", ""), 3);
	missing_there[0] = (struct closing_gone){ 6, 6 }; /* 2 and 3 are older than all that is kept now: the beat says so */
	arrive(sender, self, "eltax", 7, 6, 6, NULL);
	closings_run(&c);
	assert_int_equal(db_int(&l.db, "SELECT sum(first) FROM gone", ""), 6);
	missing_there[0] = (struct closing_gone){ 1, 1 };
	arrive(sender, self, "update", 1, 3, 3, NULL); /* a channel that is not configured here */
	closings_run(&c);
	assert_int_equal(db_int(&l.db, "SELECT sum(first) FROM gone", ""), 6);
}

static void not_ours_to_miss(void **state)
{
	(void)state;
	arrive(sender, self, "update", 1, 3, 3, NULL); /* a channel that is not configured here */
	closings_run(&c);
	assert_int_equal(of_last_entry("missing"), 0);
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM gap", ""), 0);
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM closing WHERE text IS NOT NULL", ""), 1);
}

static void what_is_not_believed(void **state)
{
	static const struct { const char *spoilt, *reason; } t[] = {
		{ "manifest", "its manifest is not the one that was delivered" }, { "text", "its file is not what was delivered" },
		{ "gone", "its file cannot be read" },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		arrive(sender, self, "eltax", 1, 2, 2, t[i].spoilt);
		closings_run(&c);
		assert_int_equal(db_int(&l.db, "SELECT count(*) FROM ledger WHERE json_extract(entry, '$.reason') = ?", "t", t[i].reason), 1);
	}
	arrive(self, self, "eltax", 1, 2, 2, NULL);
	arrive(sender, sender, "eltax", 1, 2, 2, NULL);
	closings_run(&c); /* both at once */
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM ledger WHERE json_extract(entry, '$.reason') LIKE '%another sender'", ""), 1);
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM ledger WHERE json_extract(entry, '$.reason') LIKE '%another receiver'", ""), 1);
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM gap", ""), 0);
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM closing WHERE text IS NULL", ""), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_it_finds, fresh, gone), cmocka_unit_test_setup_teardown(nothing_new, fresh, gone),
		cmocka_unit_test_setup_teardown(gone_at_the_sender, fresh, gone),
		cmocka_unit_test_setup_teardown(not_ours_to_miss, fresh, gone), cmocka_unit_test_setup_teardown(what_is_not_believed, fresh, gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
