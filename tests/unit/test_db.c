/* db.h: what is bound comes back, and no error goes by quietly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <cmocka.h>

#include "host/db.h"
#include "host/exits.h"
#include "host/log.h"
#include "tests/unit/child.h"

static char dir[256], path[300];
static struct db d;

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, text TEXT, blob BLOB, UNIQUE(text)) STRICT;"
    "CREATE TABLE IF NOT EXISTS child(id INTEGER REFERENCES t(id)) STRICT";

static int setup(void **state)
{
	(void)state;
	child_mkdir(dir);
	(void)snprintf(path, sizeof path, "%s/t.db", dir);
	db_open(&d, path, schema);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	db_close(&d);
	child_rmdir(dir);
	return 0;
}

static void settings(void **state)
{
	(void)state;
	sqlite3_stmt *s = db_query(&d, "PRAGMA journal_mode", "");
	assert_int_equal(db_step(&d, s), 1);
	assert_string_equal((const char *)sqlite3_column_text(s, 0), "wal");
	db_done(s);
	assert_int_equal(db_int(&d, "PRAGMA synchronous", NULL), 2);
	assert_int_equal(db_int(&d, "PRAGMA secure_delete", NULL), 1);
	assert_int_equal(db_int(&d, "PRAGMA foreign_keys", NULL), 1);
	assert_int_equal(db_int(&d, "PRAGMA busy_timeout", NULL), 5000);
}

static void round_trip(void **state)
{
	const uint8_t bytes[] = { 0, 1, 255, 0 };
	unsigned rows = 0;

	(void)state;
	db_exec(&d, "BEGIN IMMEDIATE");
	db_run(&d, "INSERT INTO t VALUES(?, ?, ?)", "itb", INT64_MAX, "表示ソ", bytes, sizeof bytes);
	db_run(&d, "INSERT INTO t VALUES(?, ?, ?)", "itb", INT64_MIN, NULL, NULL, (size_t)0);
	db_exec(&d, "COMMIT");
	sqlite3_stmt *s = db_query(&d, "SELECT id, text, blob FROM t ORDER BY id", "");
	for (; db_step(&d, s) == 1; rows++) {
		if (rows == 0) {
			assert_true(sqlite3_column_int64(s, 0) == INT64_MIN);
			assert_int_equal(sqlite3_column_type(s, 1), SQLITE_NULL);
			assert_int_equal(sqlite3_column_type(s, 2), SQLITE_BLOB); /* empty, not NULL */
			assert_int_equal(sqlite3_column_bytes(s, 2), 0);
		} else {
			assert_true(sqlite3_column_int64(s, 0) == INT64_MAX);
			assert_string_equal((const char *)sqlite3_column_text(s, 1), "表示ソ");
			assert_memory_equal(sqlite3_column_blob(s, 2), bytes, sizeof bytes);
		}
	}
	assert_int_equal(rows, 2);
	assert_int_equal(db_int(&d, "SELECT count(*) FROM t WHERE text = ?", "t", "表示ソ"), 1);
	assert_int_equal(db_int(&d, "SELECT id FROM t WHERE text = ?", "t", "none"), 0);
	for (s = NULL; (s = sqlite3_next_stmt(d.h, s)) != NULL;)
		assert_false(sqlite3_stmt_busy(s)); /* none holds a lock */
}

/* Prepared once; two that are at work at a time are two. */
static void statements_are_kept(void **state)
{
	static const char sql[] = "SELECT id FROM t WHERE id > ? ORDER BY id";

	(void)state;
	for (int64_t i = 1; i <= 3; i++)
		db_run(&d, "INSERT INTO t(id) VALUES(?)", "i", i);
	sqlite3_stmt *a = db_query(&d, sql, "i", (int64_t)0);
	assert_int_equal(db_step(&d, a), 1);
	sqlite3_stmt *b = db_query(&d, sql, "i", (int64_t)2);
	assert_ptr_not_equal(a, b);
	assert_int_equal(db_step(&d, b), 1);
	assert_int_equal(sqlite3_column_int64(b, 0), 3);
	assert_int_equal(db_step(&d, b), 0);
	assert_int_equal(db_step(&d, a), 1);
	assert_int_equal(sqlite3_column_int64(a, 0), 2);
	db_done(a);
	assert_ptr_equal(db_query(&d, sql, "i", (int64_t)0), a);
	db_done(a);
}

/* Seen at once; whether a power cut undoes it only the next durable commit decides. */
static void lazily(void **state)
{
	(void)state;
	db_run_lazily(&d, "INSERT INTO t(text) VALUES(?)", "t", "later");
	assert_int_equal(db_int(&d, "SELECT count(*) FROM t", ""), 1);
	assert_int_equal(db_int(&d, "PRAGMA synchronous", ""), 2); /* FULL again */
}

/* The log is written back in a quiet moment, once it is long enough, and in any case before it grows out of its room. */
static void written_back(void **state)
{
	char wal[340];
	struct stat st;

	(void)state;
	for (int i = 0; i < 20; i++)
		db_run(&d, "INSERT INTO t(blob) VALUES(zeroblob(20000))", "");
	assert_in_range(d.log_pages, 100, 999);
	db_idle(&d);
	db_run(&d, "INSERT INTO t(blob) VALUES(zeroblob(100))", "");
	assert_in_range(d.log_pages, 1, 20); /* begun anew */
	for (int i = 0; i < 400; i++)
		db_run(&d, "INSERT INTO t(blob) VALUES(zeroblob(20000))", "");
	(void)snprintf(wal, sizeof wal, "%s-wal", path);
	assert_int_equal(stat(wal, &st), 0);
	assert_true(st.st_size < 5 << 20);
}

/* Bound, never pasted. */
static void injection(void **state)
{
	(void)state;
	db_run(&d, "INSERT INTO t(text) VALUES(?)", "t", "'); DROP TABLE t; --");
	assert_int_equal(db_int(&d, "SELECT count(*) FROM t", ""), 1);
}

static void survives(void **state)
{
	(void)state;
	db_run(&d, "INSERT INTO t(text) VALUES(?)", "t", "kept");
	db_close(&d);
	db_close(&d); /* twice does no harm */
	db_open(&d, path, schema);
	assert_int_equal(db_int(&d, "SELECT count(*) FROM t", ""), 1);
	struct db r;
	assert_int_equal(db_open_readonly(&r, path), 0);
	assert_int_equal(db_int(&r, "SELECT count(*) FROM t", ""), 1);
	db_close(&r);
	char none[320];
	(void)snprintf(none, sizeof none, "%s/none.db", dir);
	assert_int_equal(db_open_readonly(&r, none), -1);
	assert_int_not_equal(access(none, F_OK), 0); /* not made by asking */
	db_close(&r);
}

/* Uncommitted work of a writer that is killed is gone; committed work is not. */
static void in_mid_transaction(void *unused)
{
	struct db mine;

	(void)unused;
	db_open(&mine, path, schema);
	db_run(&mine, "INSERT INTO t(text) VALUES('committed')", "");
	db_exec(&mine, "BEGIN IMMEDIATE");
	db_run(&mine, "INSERT INTO t(text) VALUES('lost')", "");
	raise(SIGKILL);
}

static void killed(void **state)
{
	static struct child c;

	(void)state;
	child_run(&c, in_mid_transaction, NULL, 0);
	assert_int_equal(c.code, -SIGKILL);
	assert_int_equal(db_int(&d, "SELECT count(*) FROM t", ""), 1);
	assert_int_equal(db_int(&d, "SELECT count(*) FROM t WHERE text = 'committed'", ""), 1);
}

/* Each of these ends the process; the argument says which. */
static void fault(void *which)
{
	struct db mine;
	const char *w = which;
	struct rlimit small = { 200000, 200000 };

	log_init_tool("t");
	if (strcmp(w, "open") == 0)
		db_open(&mine, "/nonexistent/t.db", schema);
	if (strcmp(w, "garbage") == 0) {
		(void)snprintf(path, sizeof path, "%s/garbage.db", dir);
		FILE *f = fopen(path, "w");
		for (int i = 0; i < 1000 && f != NULL; i++)
			fputs("this is no database ", f);
		if (f != NULL)
			fclose(f);
	}
	db_open(&mine, path, schema);
	if (strcmp(w, "unique") == 0) {
		db_run(&mine, "INSERT INTO t(text) VALUES('a')", "");
		db_run(&mine, "INSERT INTO t(text) VALUES('a')", "");
	} else if (strcmp(w, "foreign") == 0) {
		db_run(&mine, "INSERT INTO child VALUES(99)", "");
	} else if (strcmp(w, "read") == 0) { /* by a tool, of a database that has lost a table */
		db_exec(&mine, "DROP TABLE child");
		db_close(&mine);
		if (db_open_readonly(&mine, path) == 0)
			(void)db_query(&mine, "SELECT id FROM child", "");
	} else if (strcmp(w, "sql") == 0) {
		db_exec(&mine, "SELEKT 1");
	} else if (strcmp(w, "prepare") == 0) {
		(void)db_query(&mine, "SELECT nothing FROM t", "");
	} else if (strcmp(w, "arguments") == 0) {
		(void)db_query(&mine, "SELECT ?, ?", "i", (int64_t)1);
	} else if (strcmp(w, "rows") == 0) {
		db_run(&mine, "SELECT 1", "");
	} else if (strcmp(w, "unfinished") == 0) {
		(void)db_step(&mine, db_query(&mine, "SELECT 1", ""));
		db_close(&mine);
	} else if (strcmp(w, "full") == 0) {
		(void)signal(SIGXFSZ, SIG_IGN);
		(void)setrlimit(RLIMIT_FSIZE, &small);
		for (int i = 0; i < 1000; i++)
			db_run(&mine, "INSERT INTO t(blob) VALUES(zeroblob(10000))", "");
	}
}

static void faults(void **state)
{
	static const struct {
		const char *which;
		int code;
		const char *says;
	} row[] = {
		{ "open", EXIT_SYSTEM, "/nonexistent/t.db" },
		{ "garbage", EXIT_DATA, "damaged (file is not a database): stop the service" },
		{ "read", EXIT_DATA, "damaged (no such table: child): stop the service" },
		{ "unique", EXIT_DATA, "INSERT INTO t(text)" },
		{ "foreign", EXIT_DATA, "INSERT INTO child" },
		{ "sql", EXIT_DATA, "SELEKT" },
		{ "prepare", EXIT_DATA, "nothing" },
		{ "arguments", EXIT_INTERNAL, "SELECT ?, ?" },
		{ "rows", EXIT_INTERNAL, "SELECT 1" },
		{ "unfinished", EXIT_INTERNAL, "SELECT 1" },
		{ "full", EXIT_DISK, "zeroblob" },
	};
	static const char *const for_us[] = { "SELECT", "PRAGMA" }; /* of no use to who has a damaged database before him */
	static struct child c;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		char which[16];
		strcpy(which, row[i].which);
		db_exec(&d, "DELETE FROM t");
		child_run(&c, fault, which, 0);
		if (c.code != row[i].code || strstr(c.text, row[i].says) == NULL)
			fail_msg("%s: %d %s", row[i].which, c.code, c.text);
		for (size_t k = 0; k < 2 && strstr(row[i].says, "damaged") != NULL; k++)
			assert_null(strstr(c.text, for_us[k]));
	}
}

#define WITH_DB(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DB(settings), WITH_DB(round_trip), WITH_DB(statements_are_kept), WITH_DB(lazily), WITH_DB(written_back),
		WITH_DB(injection), WITH_DB(survives), WITH_DB(killed), WITH_DB(faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
