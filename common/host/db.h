/* db.h - SQLite as we use it: one writer, durable commits, statements that cannot fail quietly.
 *
 * journal_mode=WAL, synchronous=FULL, secure_delete=ON, foreign_keys=ON, busy_timeout 5 s.
 * An SQLite error other than those named is logged with the statement and
 * fatal in a writer (EXIT_DATA; EXIT_DISK for a full, read-only or broken disk,
 * after which the main process starts all again until it works): the next
 * start recovers from what was committed.  Of a database that is damaged an
 * operator is told that, and what to do, in place of the statement.  In a command that a person runs (db_for_people) so is
 * every other fault, and EXIT_DISK, which is for our processes only, is EXIT_SYSTEM there.  8 MB of the log and up to 1 MB of
 * the database are allocated ahead, so that a full disk does not stop it. */
#ifndef KM_DB_H
#define KM_DB_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

enum { DB_STATEMENTS = 256 };

struct db {
	sqlite3 *h;
	const char *path;
	sqlite3_stmt *kept[DB_STATEMENTS]; /* prepared once, by a hash of their text */
	int log_pages;                     /* of the write-ahead log, not written back */
	int readonly;
};

void db_for_people(void); /* before anything is opened */
void db_open(struct db *d, const char *path, const char *schema); /* creates; runs schema (idempotent SQL); fatal on failure */
int db_open_readonly(struct db *d, const char *path); /* for tools, also on a disk that is read-only: 0, or -1 (logged) */
void db_close(struct db *d);
void db_exec(struct db *d, const char *sql); /* "BEGIN IMMEDIATE", "COMMIT", ... */
/* Bind a statement, which is prepared when its text is first seen; fmt has a letter an argument: i = int64_t,
 * t = const char * (NULL = SQL NULL), b = const void *, size_t (blob). */
sqlite3_stmt *db_query(struct db *d, const char *sql, const char *fmt, ...);
int db_step(struct db *d, sqlite3_stmt *s); /* 1 = a row; 0 = done, and s is not the caller's any more */
int db_try(struct db *d, sqlite3_stmt *s);  /* for who can do without: likewise; -1 = done, it is damaged or the disk does not give it */
/* End a transaction in which nothing was written ("COMMIT", "RELEASE ..."), though what db_try() met may have ended it before. */
void db_end_reading(struct db *d, const char *sql);
void db_done(sqlite3_stmt *s);              /* done early */
const char *db_text(sqlite3_stmt *s, int column); /* of the present row; "" for NULL; good until the next step */
void db_text_to(char *to, size_t size, sqlite3_stmt *s, int column); /* likewise, copied; cut to size */
void db_run(struct db *d, const char *sql, const char *fmt, ...); /* no rows expected */
/* db_run() whose commit does not wait for the disk: after a power cut it may not have happened.  Durable with the
 * next commit that is.  Not within a transaction. */
void db_run_lazily(struct db *d, const char *sql, const char *fmt, ...);
/* For a moment in which nothing waits: write the log back, if there is enough of it, so that no commit has to. */
void db_idle(struct db *d);
int64_t db_int(struct db *d, const char *sql, const char *fmt, ...); /* first column of the first row, or 0 */

#endif
