/* outbox_schema.h - the tables of outbox.db (outbox.h; read by katamichi status, too). */
#ifndef KM_OUTBOX_SCHEMA_H
#define KM_OUTBOX_SCHEMA_H

/* object.state: */
enum { OUTBOX_KEPT = 0, OUTBOX_ERASED = 1 /* retention has passed */, OUTBOX_LOST = 2 /* its file was gone */ };

#define OUTBOX_SCHEMA \
	"CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;" \
	"CREATE TABLE IF NOT EXISTS object(" \
	" row INTEGER PRIMARY KEY," \
	" id BLOB NOT NULL UNIQUE," \
	" claim TEXT NOT NULL UNIQUE," \
	" channel TEXT NOT NULL," \
	" generation BLOB NOT NULL," \
	" number INTEGER NOT NULL," \
	" manifest BLOB NOT NULL," /* its SHA-256 */ \
	" created INTEGER NOT NULL," /* ms, wall clock */ \
	" files INTEGER NOT NULL," \
	" bytes INTEGER NOT NULL," \
	" length INTEGER NOT NULL," \
	" layout TEXT NOT NULL," \
	" state INTEGER NOT NULL DEFAULT 0," \
	" rounds INTEGER NOT NULL DEFAULT 0," \
	" due INTEGER NOT NULL DEFAULT 0," /* ms, service time */ \
	" expires INTEGER NOT NULL," /* ms, service time */ \
	" UNIQUE(generation, channel, number)) STRICT;" \
	"CREATE TABLE IF NOT EXISTS slip(" /* resend slips that were carried out (resend.h) */ \
	" row INTEGER PRIMARY KEY," \
	" at INTEGER NOT NULL," /* ms, wall clock */ \
	" code TEXT NOT NULL," \
	" channel TEXT NOT NULL," \
	" generation BLOB NOT NULL," \
	" numbers TEXT NOT NULL," \
	" objects INTEGER NOT NULL," /* sent again */ \
	" bytes INTEGER NOT NULL," /* of them, sealed */ \
	" gone INTEGER NOT NULL) STRICT;" /* asked for, but not kept any more */ \
	"CREATE TABLE IF NOT EXISTS closing(" /* closings that were written (closer.h) */ \
	" row INTEGER PRIMARY KEY," \
	" at INTEGER NOT NULL," /* ms, wall clock */ \
	" kind INTEGER NOT NULL) STRICT;" \
	"CREATE TABLE IF NOT EXISTS closed(" /* up to which number closings have listed a channel */ \
	" generation BLOB NOT NULL," \
	" channel TEXT NOT NULL," \
	" number INTEGER NOT NULL," \
	" PRIMARY KEY(generation, channel)) STRICT;" \
	"CREATE TABLE IF NOT EXISTS generation(" /* every change of it (identity.h) */ \
	" row INTEGER PRIMARY KEY," \
	" at INTEGER NOT NULL," /* ms, wall clock */ \
	" before TEXT NOT NULL," \
	" after TEXT NOT NULL," \
	" reason TEXT NOT NULL) STRICT;" \
	"CREATE TABLE IF NOT EXISTS folder(path TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;" /* of channels, now and before (unfinished.h) */ \
	"CREATE TABLE IF NOT EXISTS taken(path TEXT PRIMARY KEY, born INTEGER NOT NULL) STRICT, WITHOUT ROWID;" /* their .taken (unfinished.h) */ \
	"CREATE TABLE IF NOT EXISTS erased(" /* numbers whose rows were deleted (receipts.h) */ \
	" generation BLOB NOT NULL," \
	" channel TEXT NOT NULL," \
	" first INTEGER NOT NULL," \
	" last INTEGER NOT NULL," \
	" at INTEGER NOT NULL," /* ms, wall clock: the last of them */ \
	" PRIMARY KEY(generation, channel, first)) STRICT;" \
	"CREATE TABLE IF NOT EXISTS request(" /* what tools ask the running spool for */ \
	" row INTEGER PRIMARY KEY," \
	" what TEXT NOT NULL," \
	" at INTEGER NOT NULL) STRICT;" \
	"CREATE INDEX IF NOT EXISTS object_new ON object(length) WHERE state = 0 AND rounds = 0;" \
	"CREATE INDEX IF NOT EXISTS object_new_row ON object(row) WHERE state = 0 AND rounds = 0;" \
	"CREATE INDEX IF NOT EXISTS object_new_channel ON object(channel) WHERE state = 0 AND rounds = 0;" \
	"CREATE INDEX IF NOT EXISTS object_due ON object(due) WHERE state = 0 AND rounds > 0;" \
	"CREATE INDEX IF NOT EXISTS object_expires ON object(expires) WHERE state = 0;" \
	"CREATE INDEX IF NOT EXISTS object_gone ON object(expires) WHERE state <> 0;" \
	"CREATE INDEX IF NOT EXISTS object_kept ON object(generation, channel, number) WHERE state = 0;"

#endif
