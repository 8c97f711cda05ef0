/* publish_record.c - step 4 of publishing (publish.h): what stands in its place gets its rows. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "receiver/publish_private.h"
#include "receiver/quarantine.h"

static void delivery_row(struct publish *p, const struct publish_item *it, const char *at)
{
	db_run(&p->ledger->db, "INSERT OR IGNORE INTO delivery(sender, channel, generation, number, manifest, previous, dir, at, seq)"
	    " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)", "tttittt" "ti", it->stream.sender, it->stream.channel, it->stream.generation,
	    (int64_t)it->number, it->manifest, it->previous, it->dir, at, p->ledger->rows);
	ledger_have(p->ledger, &it->stream, it->number, clock_wall_ms() / 1000);
	ledger_not_aside(p->ledger, &it->stream, it->object, it->number);
}

/* The same number came before, with other files. */
static bool is_fork(const json_t *entry)
{
	const char *event = json_string_value(json_object_get(entry, "event"));

	return (event != NULL && strcmp(event, "fork") == 0) || json_is_true(json_object_get(entry, "fork"));
}

/* The index over the row that was just written.  Of recovered items what the entry says is all there is. */
static void index_row(struct publish *p, const struct publish_item *it, const char *at)
{
	json_t *entry = json_loads(it->entry, 0, NULL);
	const char *reason = json_string_value(json_object_get(entry, "reason"));
	const char *kept = json_string_value(json_object_get(entry, "kept"));
	bool file = kept != NULL && strcmp(kept, "file") == 0;
	struct ledger_aside aside = { it->object, reason != NULL ? reason : "", it->dir, it->number };

	if (it->base == PUBLISH_QUARANTINE) {
		quarantine_add(p->ledger, it, entry);
		if (!file)
			(void)ledger_aside(p->ledger, &it->stream, &aside, clock_wall_ms() / 1000);
	}
	if (it->base == PUBLISH_RELEASE)
		quarantine_released(p->ledger, it->work, it->dir);
	if (it->base != PUBLISH_QUARANTINE && !file)
		delivery_row(p, it, at);
	if (is_fork(entry))
		db_run(&p->ledger->db, "INSERT INTO fork(seq, at, dir) VALUES(?, ?, ?)", "itt", p->ledger->rows, at, it->dir);
	json_decref(entry);
}

static void record(struct publish *p, const struct publish_item *it, const char *at)
{
	ledger_append(p->ledger, it->entry, strlen(it->entry));
	index_row(p, it, at);
	db_run(&p->ledger->db, "DELETE FROM intent WHERE work = ?", "t", it->work);
}

/* The object is done with. */
static void forget_object(struct publish *p, const struct publish_item *it)
{
	if (it->base == PUBLISH_INBOX)
		ledger_not_aside(p->ledger, &it->stream, it->object, it->number);
	db_run(&p->ledger->db, "INSERT OR IGNORE INTO object(sender, id) VALUES(?, ?)", "tt", it->stream.sender, it->object);
	db_run(&p->ledger->db, "DELETE FROM trouble WHERE id = ? AND sender = ?", "tt", it->object, it->stream.sender);
}

void publish_record(struct publish *p, struct publish_item *it, unsigned n)
{
	char at[21];

	clock_iso(at, clock_wall_ms() / 1000);
	db_exec(&p->ledger->db, "BEGIN IMMEDIATE");
	for (unsigned i = 0; i < n; i++) {
		for (uint32_t k = 0; k < it[i].parts; k++)
			if (it[i].part[k].placed)
				record(p, &it[i].part[k], at);
		if (it[i].error != 0)
			continue;
		if (!it[i].duplicate)
			record(p, &it[i], at);
		if (!it[i].kept_file) /* its transfer comes again until the rest of it is there */
			forget_object(p, &it[i]);
	}
	db_exec(&p->ledger->db, "COMMIT");
}
