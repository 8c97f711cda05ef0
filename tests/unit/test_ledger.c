/* ledger.h: the chain finds every change; numbers that are missing are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "host/durable.h"
#include "receiver/ledger.h"
#include "tests/unit/seeded.h"

static char dir[64], path[80];
static struct ledger l;

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(dir, sizeof(dir), "%.40s/km-ledger-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/ledger.db", dir);
	ledger_open(&l, path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ledger_close(&l);
	return durable_remove_tree(AT_FDCWD, dir);
}

static void append(const char *entry)
{
	db_exec(&l.db, "BEGIN IMMEDIATE");
	ledger_append(&l, entry, strlen(entry));
	db_exec(&l.db, "COMMIT");
}

static void fill(void)
{
	append("{\"event\":\"a\"}");
	append("{\"event\":\"b\"}");
	append("{\"event\":\"c\"}");
	append("{\"event\":\"d\"}");
}

/* The first row is `opened`; the chain goes on after a restart. */
static void chain_holds(void **state)
{
	struct ledger_verdict v;
	char hash[CHAIN_HEX_LEN + 1];

	(void)state;
	assert_int_equal(l.rows, 1);
	fill();
	strcpy(hash, l.hash);
	ledger_close(&l);
	ledger_open(&l, path);
	assert_int_equal(l.rows, 5);
	assert_string_equal(l.hash, hash);
	append("{\"event\":\"e\"}");
	ledger_verify(&l.db, &v);
	assert_null(v.why);
	assert_int_equal(v.rows, 6);
	assert_string_equal(v.hash, l.hash);
}

/* As the running receiver does it, a few rows at a time. */
static void walk_on(struct ledger_verdict *v)
{
	*v = (struct ledger_verdict){ .rows = 0 };
	while (!ledger_walk_on(&l, v, 2))
		continue;
}

/* Whatever was done to the table behind its back. */
static void changes_are_found(void **state)
{
	static const struct {
		const char *sql;
		int64_t bad;
	} change[] = {
		{ "UPDATE ledger SET entry = '{\"event\":\"x\"}' WHERE seq = 3", 3 },
		{ "UPDATE ledger SET entry = entry || ' ' WHERE seq = 5", 5 },
		{ "UPDATE ledger SET hash = replace(hash, substr(hash, 1, 1), 'g') WHERE seq = 2", 2 },
		{ "UPDATE ledger SET hash = upper(hash) WHERE seq = 2 AND hash <> upper(hash)", 2 },
		{ "UPDATE ledger SET hash = '' WHERE seq = 4", 4 },
		{ "DELETE FROM ledger WHERE seq = 3", 3 },
		{ "DELETE FROM ledger WHERE seq = 1", 1 },
		{ "DELETE FROM ledger WHERE seq = 3; UPDATE ledger SET seq = seq - 1 WHERE seq > 3", 3 },
		{ "INSERT INTO ledger VALUES(0, 'x', 'y')", 1 },
		{ "INSERT INTO ledger VALUES(-9223372036854775808, 'x', 'y')", 1 }, /* there is none before it */
		{ "INSERT INTO ledger SELECT seq + 100, entry, hash FROM ledger WHERE seq = 5", 6 },
		{ "UPDATE ledger SET entry = (SELECT entry FROM ledger WHERE seq = 4) WHERE seq = 3", 3 },
		{ "DELETE FROM ledger", 1 },
	};
	struct ledger_verdict v;

	(void)state;
	fill();
	for (size_t i = 0; i < sizeof(change) / sizeof(change[0]); i++) {
		db_exec(&l.db, "PRAGMA foreign_keys = OFF; BEGIN");
		db_exec(&l.db, change[i].sql);
		ledger_verify(&l.db, &v);
		if (v.why == NULL || v.bad != change[i].bad)
			fail_msg("%s: row %lld %s", change[i].sql, (long long)v.bad, v.why != NULL ? v.why : "holds");
		walk_on(&v);
		if (v.why == NULL || v.bad != change[i].bad)
			fail_msg("on the way, %s: row %lld %s", change[i].sql, (long long)v.bad, v.why != NULL ? v.why : "holds");
		db_exec(&l.db, "ROLLBACK");
	}
	ledger_verify(&l.db, &v);
	assert_null(v.why);
}

/* Rows cut off at the end, which our own index still knows. */
static void cut_off_end(void **state)
{
	struct ledger_verdict v;

	(void)state;
	fill();
	db_exec(&l.db, "INSERT INTO delivery VALUES('s', 'c', 'g', 1, 'm', 'p', 'd', 'a', 5)");
	db_exec(&l.db, "PRAGMA foreign_keys = OFF; DELETE FROM ledger WHERE seq > 3");
	ledger_verify(&l.db, &v);
	assert_non_null(v.why);
	assert_int_equal(v.bad, 4);
}

/* The page in which this text stands is not what SQLite wrote: as after a disk's fault. */
static void damage(const char *text)
{
	static uint8_t file[4 << 20];
	int fd = open(path, O_RDWR | O_CLOEXEC);
	ssize_t n = pread(fd, file, sizeof(file), 0);
	const uint8_t *at = n > 0 ? memmem(file, (size_t)n, text, strlen(text)) : NULL;

	assert_non_null(at);
	memset(file, 0xff, 512);
	assert_int_equal(pwrite(fd, file, 512, (at - file) & ~4095l), 512);
	close(fd);
}

/* An old page that nothing needs any more is damaged, or its disk does not give it: that is told of the row, or of the list of
 * deliveries, and nothing ends by it; rows can still be appended. */
static void what_cannot_be_read(void **state)
{
	static const struct {
		const char *text;
		int64_t first, last; /* the row is one of these: a page has many */
	} part[] = { { "\"n\":1500}", 1400, 1501 }, { "manifest-1500", 3001, 3001 } };
	struct ledger_verdict v;

	(void)state;
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		if (i > 0)
			assert_int_equal(setup(NULL), 0);
		db_exec(&l.db, "BEGIN");
		for (int n = 2; n <= 3001; n++) {
			char entry[200];
			ledger_append(&l, entry, (size_t)snprintf(entry, sizeof(entry), "{\"event\":\"a\",\"n\":%d}", n));
			db_run(&l.db, "INSERT INTO delivery VALUES('s', 'c', 'g', ?, 'manifest-' || ?, 'p', 'd', 'a', ?)", "iii", (int64_t)n, (int64_t)n,
			    (int64_t)n);
		}
		db_exec(&l.db, "COMMIT");
		ledger_close(&l);
		damage(part[i].text);
		ledger_open(&l, path);
		for (int at_once = 0; at_once <= 1; at_once++) {
			if (at_once)
				ledger_verify(&l.db, &v);
			else
				walk_on(&v);
			assert_non_null(v.why);
			assert_non_null(strstr(v.why, "cannot be read"));
			assert_in_range(v.bad, part[i].first, part[i].last);
		}
		append("{\"event\":\"b\"}");
		if (i == 0)
			assert_int_equal(teardown(NULL), 0);
	}
}

static const struct ledger_stream a = { "aa", "eltax", "01" }, b = { "aa", "eltax", "02" };

static void have(const struct ledger_stream *s, uint64_t n)
{
	db_exec(&l.db, "BEGIN IMMEDIATE");
	ledger_have(&l, s, n, 1000 + n);
	db_exec(&l.db, "COMMIT");
}

/* "2-4@100 7@200" */
static const char *gaps(const struct ledger_stream *s)
{
	static char out[4096];
	size_t n = 0;
	sqlite3_stmt *q = db_query(&l.db, "SELECT first, last, since FROM gap WHERE sender = ? AND channel = ? AND generation = ?"
	    " ORDER BY first", "ttt", s->sender, s->channel, s->generation);

	out[0] = '\0';
	while (db_step(&l.db, q) == 1) {
		long long first = sqlite3_column_int64(q, 0), last = sqlite3_column_int64(q, 1);
		n += (size_t)snprintf(out + n, sizeof(out) - n, n > 0 ? " %lld" : "%lld", first);
		if (last != first)
			n += (size_t)snprintf(out + n, sizeof(out) - n, "-%lld", last);
		n += (size_t)snprintf(out + n, sizeof(out) - n, "@%lld", (long long)sqlite3_column_int64(q, 2));
	}
	return out;
}

static void gaps_by_beat_and_delivery(void **state)
{
	(void)state;
	assert_string_equal(gaps(&a), "");
	ledger_seen(&l, &a, 5, 1, 100);
	assert_string_equal(gaps(&a), "1-5@100");
	have(&a, 3);
	assert_string_equal(gaps(&a), "1-2@100 4-5@100");
	have(&a, 1);
	assert_string_equal(gaps(&a), "2@100 4-5@100");
	have(&a, 5);
	assert_string_equal(gaps(&a), "2@100 4@100");
	have(&a, 9); /* nothing told of 6 to 8 before */
	assert_string_equal(gaps(&a), "2@100 4@100 6-8@1009");
	have(&a, 9); /* a fork: the number had its row */
	assert_string_equal(gaps(&a), "2@100 4@100 6-8@1009");
	ledger_seen(&l, &a, 3, 2, 300); /* an old beat takes nothing back */
	assert_string_equal(gaps(&a), "2@100 4@100 6-8@1009");
	ledger_seen(&l, &a, 10, 2, 400);
	assert_string_equal(gaps(&a), "2@100 4@100 6-8@1009 10@400");
	assert_string_equal(gaps(&b), ""); /* another generation has numbers of its own */
	have(&b, 1);
	assert_string_equal(gaps(&b), "");
	assert_int_equal(db_int(&l.db, "SELECT oldest FROM stream WHERE generation = '01'", ""), 2);
	ledger_seen(&l, &b, UINT64_MAX, UINT64_MAX, 500); /* nonsense changes nothing */
	assert_string_equal(gaps(&b), "");
}

/* Nobody waits for them any more; what lies outside is missing as before, and what comes after all is delivered. */
static void settled(void **state)
{
	static const struct {
		uint64_t first, last, numbers, from, to; /* from, to: what was settled, if anything was */
		const char *left;
	} row[] = {
		{ 20, 29, 0, 0, 0, "1-9@100 12-19@100" }, { 10, 11, 0, 0, 0, "1-9@100 12-19@100" },
		{ 9, 8, 0, 0, 0, "1-9@100 12-19@100" }, { 1, 1, 1, 1, 1, "2-9@100 12-19@100" }, { 4, 5, 2, 4, 5, "2-3@100 6-9@100 12-19@100" },
		{ 9, 12, 2, 9, 12, "2-3@100 6-8@100 13-19@100" }, { 3, 18, 10, 3, 18, "2@100 19@100" },
		{ 1, INT64_MAX / 2, 2, 2, 19, "" }, { 1, INT64_MAX / 2, 0, 0, 0, "" },
	};
	struct ledger_aside unkept = { "0a", "over max_file", "", 20 }, kept = { "0b", "its content", "eltax/0b", 21 };

	(void)state;
	ledger_seen(&l, &a, 19, 1, 100);
	have(&a, 10);
	have(&a, 11);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uint64_t first = row[i].first, last = row[i].last;
		assert_int_equal(ledger_settle(&l, &a, &first, &last), row[i].numbers);
		if (row[i].numbers > 0)
			assert_true(first == row[i].from && last == row[i].to);
		assert_string_equal(gaps(&a), row[i].left);
	}
	have(&a, 5);
	assert_string_equal(gaps(&a), "");
	ledger_aside(&l, &a, &unkept, 200);
	ledger_aside(&l, &a, &kept, 200);
	assert_false(ledger_settled(&l.db, &a, 20));
	assert_int_equal(ledger_settle(&l, &a, &(uint64_t){ 1 }, &(uint64_t){ 29 }), 1); /* what is in the quarantine is dealt with there */
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM aside WHERE id = '0b'", ""), 1);
	assert_true(ledger_settled(&l.db, &a, 20));
	assert_false(ledger_settled(&l.db, &a, 21) || ledger_settled(&l.db, &a, 22)); /* kept; never heard of */
	/* The object of a settled number repeats, and is refused again: nobody is told.  Kept, it is somebody's to look at. */
	assert_false(ledger_aside(&l, &a, &unkept, 300));
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM aside WHERE number = 20", ""), 0);
	unkept.dir = "eltax/0a";
	assert_true(ledger_aside(&l, &a, &unkept, 300));
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM aside WHERE number = 20", ""), 1);
	assert_string_equal(gaps(&a), "");
}

/* What came and was refused is no gap, nor delivered; told again it changes, and ends with the delivery. */
static void aside(void **state)
{
	struct ledger_aside x = { "0a", "over max_file", "", 3 };

	(void)state;
	ledger_seen(&l, &a, 5, 1, 100);
	db_exec(&l.db, "BEGIN IMMEDIATE");
	ledger_aside(&l, &a, &x, 200);
	x.reason = "over max_transfer";
	ledger_aside(&l, &a, &x, 300);
	db_exec(&l.db, "COMMIT");
	assert_string_equal(gaps(&a), "1-2@100 4-5@100");
	assert_int_equal(db_int(&l.db, "SELECT delivered FROM stream", ""), 0);
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM aside WHERE reason = 'over max_transfer' AND at = 200", ""), 1);
	ledger_not_aside(&l, &b, "0b", 3); /* another generation's 3 */
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM aside", ""), 1);
	ledger_not_aside(&l, &a, "0b", 3); /* this number, by another object */
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM aside", ""), 0);
	x.number = 0; /* not known: no gap is closed by it */
	ledger_aside(&l, &a, &x, 400);
	assert_string_equal(gaps(&a), "1-2@100 4-5@100");
	ledger_not_aside(&l, &a, "0a", 4);
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM aside", ""), 0);
}

/* Beats of invented generations fill no table; one that delivers is taken all the same. */
static void generations_of_beats(void **state)
{
	struct ledger_stream s = a, other = { "bb", "eltax", "99" };

	(void)state;
	have(&a, 1); /* one that delivered does not count */
	for (int i = 0; i < 3 * LEDGER_GENERATIONS; i++) {
		snprintf(s.generation, sizeof(s.generation), "%032x", 0x1000 + i);
		ledger_seen(&l, &s, 5, 1, 100);
	}
	assert_int_equal(db_int(&l.db, "SELECT count(*) FROM stream", ""), 1 + LEDGER_GENERATIONS);
	assert_true(l.generations_log_ns != 0);
	assert_string_equal(gaps(&s), "");
	ledger_seen(&l, &a, 3, 1, 100); /* known ones go on */
	assert_string_equal(gaps(&a), "2-3@100");
	ledger_seen(&l, &other, 1, 1, 100); /* and other senders */
	assert_string_equal(gaps(&other), "1@100");
	have(&s, 2);
	ledger_seen(&l, &s, 3, 1, 200);
	assert_string_equal(gaps(&s), "1@1002 3@200");
}

/* Before the first beat nobody knows what the sender keeps; 0 is a beat's "nothing". */
static void kept_from(void **state)
{
	(void)state;
	have(&a, 3);
	assert_int_equal(db_int(&l.db, "SELECT oldest FROM stream", ""), -1);
	ledger_seen(&l, &a, 3, 0, 100);
	assert_int_equal(db_int(&l.db, "SELECT oldest FROM stream", ""), 0);
	have(&a, 6); /* 4 and 5 are missing, and that nothing was kept was said before they were numbered */
	assert_int_equal(db_int(&l.db, "SELECT oldest FROM stream", ""), -1);
	ledger_seen(&l, &a, 3, 0, 100); /* on the way since then */
	assert_int_equal(db_int(&l.db, "SELECT oldest FROM stream", ""), -1);
	ledger_seen(&l, &a, 6, 0, 100);
	assert_int_equal(db_int(&l.db, "SELECT oldest FROM stream", ""), 0);
	ledger_seen(&l, &a, 6, 2, 100);
	assert_int_equal(db_int(&l.db, "SELECT oldest FROM stream", ""), 2);
}

/* Random deliveries and beats against a plain list. */
static void gaps_against_a_list(void **state)
{
	char has[65] = { 0 };
	uint64_t known = 0;

	(void)state;
	for (int i = 0; i < 300; i++) {
		uint64_t n = 1 + seeded_below(64);
		if (seeded_below(4) == 0) {
			ledger_seen(&l, &a, n, 1, 7);
		} else {
			have(&a, n);
			has[n] = 1;
		}
		if (n > known)
			known = n;
	}
	for (uint64_t n = 1; n <= 64; n++)
		assert_int_equal(db_int(&l.db, "SELECT count(*) FROM gap WHERE first <= ? AND last >= ?", "ii", (int64_t)n, (int64_t)n),
		    n <= known && !has[n]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(chain_holds, setup, teardown),
		cmocka_unit_test_setup_teardown(changes_are_found, setup, teardown),
		cmocka_unit_test_setup_teardown(cut_off_end, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_read, setup, teardown),
		cmocka_unit_test_setup_teardown(gaps_by_beat_and_delivery, setup, teardown),
		cmocka_unit_test_setup_teardown(settled, setup, teardown),
		cmocka_unit_test_setup_teardown(aside, setup, teardown),
		cmocka_unit_test_setup_teardown(generations_of_beats, setup, teardown),
		cmocka_unit_test_setup_teardown(kept_from, setup, teardown),
		cmocka_unit_test_setup_teardown(gaps_against_a_list, setup, teardown),
	};

	seeded_init();
	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
