/* db.c - see db.h */
#include "host/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/durable.h"
#include "host/exits.h"
#include "host/log.h"

enum {
	BUSY_MS = 5000,
	ROOM_LOG = 8 << 20, /* bytes: twice what the log grows to before it is written back */
	ROOM_STEP = 1 << 20,
	LOG_PAGES = 1000, /* of 4 KiB, after which the log is written back */
	IDLE_PAGES = 100, /* the same, when there is time */
	DB_PATH_MAX = 4096 + 8,
	URI_MAX = 3 * DB_PATH_MAX + 32,
};

static int for_people;

void db_for_people(void)
{
	for_people = 1;
}

/* A disk may heal, permissions are the system's fault, everything else is the data's. */
static int exit_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
		return EXIT_DISK;
	case SQLITE_PERM:
	case SQLITE_NOMEM:
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return EXIT_SYSTEM;
	default:
		return EXIT_DATA;
	}
}

/* Not what we wrote?  To a tool, which only reads, every other fault of the data is the same. */
static int is_damaged(const struct db *d)
{
	int rc = sqlite3_errcode(d->h) & 0xff;

	return rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB || ((d->readonly || for_people) && exit_of(rc) == EXIT_DATA);
}

static _Noreturn void die(struct db *d, const char *sql)
{
	if (is_damaged(d)) {
		log_debug("%s: at: %s", d->path, sql);
		log_die(EXIT_DATA, "%s: this database is damaged (%s): stop the service, move this file and those whose names begin with its "
		    "name away, keep them, and put the copy of a backup in its place (the guide to incidents says more)", d->path, sqlite3_errmsg(d->h));
	}
	if (for_people) {
		int error = sqlite3_system_errno(d->h);
		log_debug("%s: at: %s", d->path, sql);
		log_die(EXIT_SYSTEM, "%s: %s (%s): is the disk full or in trouble, or may this user not read, or write, this file and those whose"
		    " names begin with its name?", d->path, sqlite3_errmsg(d->h), error != 0 ? strerror(error) :
		    sqlite3_errstr(sqlite3_extended_errcode(d->h)));
	}
	log_die(exit_of(sqlite3_errcode(d->h)), "%s: %s (%s), at: %s", d->path, sqlite3_errmsg(d->h),
	    sqlite3_errstr(sqlite3_extended_errcode(d->h)), sql);
}

void db_exec(struct db *d, const char *sql)
{
	if (sqlite3_exec(d->h, sql, NULL, NULL, NULL) != SQLITE_OK)
		die(d, sql);
}

/* Alone on a disk that is mounted read-only: SQLite would need to make its index beside it, unless it is told that nothing changes. */
static int lies_still(const char *path)
{
	char wal[DB_PATH_MAX];

	return access(path, W_OK) != 0 && errno == EROFS && snprintf(wal, sizeof(wal), "%s-wal", path) < (int)sizeof(wal) &&
	    access(wal, F_OK) != 0;
}

static const char *still_name(char out[static URI_MAX], const char *path)
{
	size_t n = (size_t)snprintf(out, URI_MAX, "file:");

	for (; *path != '\0' && n < URI_MAX - sizeof("%25?immutable=1"); path++)
		n += (size_t)snprintf(out + n, URI_MAX - n, strchr("%?#", *path) != NULL ? "%%%02X" : "%c", (unsigned char)*path);
	(void)snprintf(out + n, URI_MAX - n, "?immutable=1");
	return out;
}

static int open_as(struct db *d, const char *path, int flags)
{
	char uri[URI_MAX];
	const char *name = path;

	*d = (struct db){ .path = path };
	if ((flags & SQLITE_OPEN_READONLY) != 0 && lies_still(path)) {
		name = still_name(uri, path);
		flags |= SQLITE_OPEN_URI;
	}
	if (sqlite3_open_v2(name, &d->h, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL) != SQLITE_OK) {
		int error = d->h != NULL ? sqlite3_system_errno(d->h) : ENOMEM;
		log_error("%s: cannot open the database: %s", path, error != 0 ? strerror(error) : sqlite3_errmsg(d->h));
		(void)sqlite3_close(d->h);
		d->h = NULL;
		errno = error;
		return -1;
	}
	(void)sqlite3_busy_timeout(d->h, BUSY_MS);
	return 0;
}

/* SQLite would leave the mode to the umask; its other files follow this one. */
static void create(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
}

/* Room that nobody else can take: the log's first megabytes, which SQLite
 * writes over and over, and a database that grows by large steps.  Where the
 * file system cannot, we do without. */
static void reserve(struct db *d)
{
	char wal[DB_PATH_MAX];
	int fd, step = ROOM_STEP;

	(void)sqlite3_file_control(d->h, "main", SQLITE_FCNTL_CHUNK_SIZE, &step);
	if (snprintf(wal, sizeof(wal), "%s-wal", d->path) >= (int)sizeof(wal))
		return;
	fd = open(wal, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, ROOM_LOG) != 0)
		log_debug("%s: no room can be reserved: %s", wal, strerror(errno));
	close(fd);
}

/* In place of SQLite's own, which does the same but does not say how long the log is. */
static int committed(void *ctx, sqlite3 *h, const char *name, int pages)
{
	struct db *d = ctx;

	d->log_pages = pages;
	if (pages >= LOG_PAGES)
		(void)sqlite3_wal_checkpoint_v2(h, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK; /* the commit itself is durable */
}

void db_idle(struct db *d)
{
	if (d->log_pages < IDLE_PAGES)
		return;
	d->log_pages = 0;
	/* A reader in the way, a full disk: the next commit that finds the log long meets it again, and says so. */
	(void)sqlite3_wal_checkpoint_v2(d->h, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

void db_open(struct db *d, const char *path, const char *schema)
{
	create(path);
	if (open_as(d, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW) != 0)
		log_die(for_people ? EXIT_SYSTEM : durable_exit(errno), "%s: this database is needed", path);
	db_exec(d, "PRAGMA journal_mode=WAL");
	db_exec(d, "PRAGMA synchronous=FULL");
	db_exec(d, "PRAGMA secure_delete=ON");
	db_exec(d, "PRAGMA foreign_keys=ON");
	if (schema != NULL)
		db_exec(d, schema);
	(void)sqlite3_wal_hook(d->h, committed, d);
	reserve(d); /* the log is there by now */
}

int db_open_readonly(struct db *d, const char *path)
{
	int rc = open_as(d, path, SQLITE_OPEN_READONLY);

	d->readonly = 1;
	return rc;
}

void db_close(struct db *d)
{
	sqlite3_stmt *s;

	if (d->h == NULL)
		return;
	while ((s = sqlite3_next_stmt(d->h, NULL)) != NULL) {
		if (sqlite3_stmt_busy(s))
			log_die(EXIT_INTERNAL, "%s: closed with a statement open: %s", d->path, sqlite3_sql(s));
		(void)sqlite3_finalize(s);
	}
	if (sqlite3_close(d->h) != SQLITE_OK)
		log_die(EXIT_INTERNAL, "%s: cannot be closed: %s", d->path, sqlite3_errmsg(d->h));
	*d = (struct db){ .path = d->path };
}

static int bind_one(sqlite3_stmt *s, int i, char type, va_list *ap)
{
	switch (type) {
	case 'i':
		return sqlite3_bind_int64(s, i, va_arg(*ap, int64_t));
	case 't':
		return sqlite3_bind_text(s, i, va_arg(*ap, const char *), -1, SQLITE_TRANSIENT);
	case 'b': {
		const void *p = va_arg(*ap, const void *);
		size_t n = va_arg(*ap, size_t);
		/* A blob of no bytes is not NULL. */
		return n == 0 ? sqlite3_bind_zeroblob(s, i, 0) : sqlite3_bind_blob64(s, i, p, n, SQLITE_TRANSIENT);
	}
	default:
		return SQLITE_MISUSE;
	}
}

/* A statement of this text that nobody is at, kept until the database is closed. */
static sqlite3_stmt *prepared(struct db *d, const char *sql)
{
	uint32_t h = 2166136261u;

	for (const char *c = sql; *c != '\0'; c++)
		h = (h ^ (uint8_t)*c) * 16777619u; /* FNV-1a */
	for (unsigned i = 0; i < DB_STATEMENTS; i++) {
		sqlite3_stmt **s = &d->kept[(h + i) % DB_STATEMENTS];
		if (*s == NULL && sqlite3_prepare_v3(d->h, sql, -1, SQLITE_PREPARE_PERSISTENT, s, NULL) != SQLITE_OK)
			die(d, sql);
		if (!sqlite3_stmt_busy(*s) && strcmp(sqlite3_sql(*s), sql) == 0)
			return *s;
	}
	log_die(EXIT_INTERNAL, "%s: too many statements", d->path);
}

static sqlite3_stmt *query(struct db *d, const char *sql, const char *fmt, va_list *ap)
{
	sqlite3_stmt *s = prepared(d, sql);
	int n = fmt != NULL ? (int)strlen(fmt) : 0;

	if (sqlite3_bind_parameter_count(s) != n)
		log_die(EXIT_INTERNAL, "%s: %d arguments for: %s", d->path, n, sql);
	for (int i = 0; i < n; i++)
		if (bind_one(s, i + 1, fmt[i], ap) != SQLITE_OK)
			die(d, sql);
	return s;
}

sqlite3_stmt *db_query(struct db *d, const char *sql, const char *fmt, ...)
{
	va_list ap;
	sqlite3_stmt *s;

	va_start(ap, fmt);
	s = query(d, sql, fmt, &ap);
	va_end(ap);
	return s;
}

int db_step(struct db *d, sqlite3_stmt *s)
{
	int rc = sqlite3_step(s);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		die(d, sqlite3_sql(s));
	db_done(s);
	return 0;
}

int db_try(struct db *d, sqlite3_stmt *s)
{
	int rc = sqlite3_step(s);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE && (rc & 0xff) != SQLITE_CORRUPT && (rc & 0xff) != SQLITE_IOERR)
		die(d, sqlite3_sql(s));
	db_done(s);
	return rc == SQLITE_DONE ? 0 : -1;
}

void db_end_reading(struct db *d, const char *sql)
{
	if (sqlite3_exec(d->h, sql, NULL, NULL, NULL) != SQLITE_OK)
		(void)sqlite3_exec(d->h, "ROLLBACK", NULL, NULL, NULL); /* if there still is one */
}

void db_done(sqlite3_stmt *s)
{
	(void)sqlite3_reset(s); /* repeats the error of the last step, which was reported */
	(void)sqlite3_clear_bindings(s);
}

static void run(struct db *d, const char *sql, const char *fmt, va_list *ap)
{
	if (db_step(d, query(d, sql, fmt, ap)) != 0)
		log_die(EXIT_INTERNAL, "%s: rows that nobody reads, from: %s", d->path, sql);
}

const char *db_text(sqlite3_stmt *s, int column)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	return text != NULL ? text : "";
}

void db_text_to(char *to, size_t size, sqlite3_stmt *s, int column)
{
	snprintf(to, size, "%s", db_text(s, column));
}

void db_run(struct db *d, const char *sql, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	run(d, sql, fmt, &ap);
	va_end(ap);
}

void db_run_lazily(struct db *d, const char *sql, const char *fmt, ...)
{
	va_list ap;

	db_exec(d, "PRAGMA synchronous=NORMAL");
	va_start(ap, fmt);
	run(d, sql, fmt, &ap);
	va_end(ap);
	db_exec(d, "PRAGMA synchronous=FULL");
}

int64_t db_int(struct db *d, const char *sql, const char *fmt, ...)
{
	va_list ap;
	sqlite3_stmt *s;
	int64_t v = 0;

	va_start(ap, fmt);
	s = query(d, sql, fmt, &ap);
	va_end(ap);
	if (db_step(d, s) == 1) {
		v = sqlite3_column_int64(s, 0);
		db_done(s);
	}
	return v;
}
