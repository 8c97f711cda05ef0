/* db.h - SQLite as we use it: one writer, durable commits, statements that cannot fail quietly.
 *
 * journal_mode=WAL, synchronous=FULL, secure_delete=ON, foreign_keys=ON, busy_timeout 5 s.
 * An SQLite error other than those named is logged with the statement and
 * fatal in a writer (EXIT_DATA; EXIT_DISK for a full, read-only or broken disk,
 * after which the main process starts all again until it works): the next
 * start recovers from what was committed.  8 MB of the log and up to 1 MB of
 * the database are allocated ahead, so that a full disk does not stop it. */
#ifndef KM_DB_H
#define KM_DB_H

#include <sqlite3.h>
#include <stdint.h>

struct db {
	sqlite3 *h;
	const char *path;
};

void db_open(struct db *d, const char *path, const char *schema); /* creates; runs schema (idempotent SQL); fatal on failure */
int db_open_readonly(struct db *d, const char *path); /* for tools: 0, or -1 (logged) */
void db_close(struct db *d);
void db_exec(struct db *d, const char *sql); /* "BEGIN IMMEDIATE", "COMMIT", ... */
/* Prepare and bind in one go; fmt has a letter an argument: i = int64_t,
 * t = const char * (NULL = SQL NULL), b = const void *, size_t (blob). */
sqlite3_stmt *db_query(struct db *d, const char *sql, const char *fmt, ...);
int db_step(struct db *d, sqlite3_stmt *s); /* 1 = a row; 0 = done, and s is finalised */
void db_done(sqlite3_stmt *s);              /* finalise early */
void db_run(struct db *d, const char *sql, const char *fmt, ...); /* no rows expected */
int64_t db_int(struct db *d, const char *sql, const char *fmt, ...); /* first column of the first row, or 0 */

#endif
