/* publish_entry.c - the ledger entry of a transfer (publish.h): jansson's compact,
 * sorted form is the canonical form of PROTOCOL 7.1 for the values that occur here. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "host/clock.h"
#include "host/exits.h"
#include "host/i18n.h"
#include "host/log.h"
#include "receiver/name_json.h"
#include "receiver/publish.h"

static json_t *text(const char *s)
{
	json_t *j = json_string(s);

	return j != NULL ? j : json_string(N_("(not printable)"));
}

static json_t *list(const char *words)
{
	json_t *a = json_array();
	char copy[256], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", words != NULL ? words : "");
	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		json_array_append_new(a, text(w));
	return a;
}

char *publish_entry(const struct publish_item *it)
{
	json_t *o = json_object();
	char at[21], *s;

	clock_iso(at, clock_wall_ms() / 1000);
	json_object_set_new(o, "at", text(at));
	json_object_set_new(o, "event", text(it->base == PUBLISH_QUARANTINE ? "quarantined" :
	    it->base == PUBLISH_RELEASE ? "released" : it->fork ? "fork" : "delivered"));
	json_object_set_new(o, "sender", text(it->stream.sender));
	json_object_set_new(o, "channel", text(it->stream.channel));
	json_object_set_new(o, "generation", text(it->stream.generation));
	if (it->number != 0)
		json_object_set_new(o, "number", json_integer((json_int_t)it->number));
	if (it->manifest[0] != '\0')
		json_object_set_new(o, "manifest", text(it->manifest));
	json_object_set_new(o, "object", text(it->object));
	json_object_set_new(o, "dir", text(it->dir));
	json_object_set_new(o, "files", json_integer((json_int_t)it->files));
	json_object_set_new(o, "bytes", json_integer((json_int_t)it->bytes));
	json_object_set_new(o, "checks", list(it->checks));
	if (it->parts != 0)
		json_object_set_new(o, "held", json_integer((json_int_t)it->parts));
	if (it->kept != NULL)
		json_object_set_new(o, "kept", text(it->kept));
	if (it->file_len != 0)
		name_json(o, "file", "file_b64", it->file, it->file_len);
	if (it->more != NULL)
		json_object_update(o, it->more);
	if (it->base == PUBLISH_RELEASE && it->fork)
		json_object_set_new(o, "fork", json_true());
	if (it->reason != NULL)
		json_object_set_new(o, "reason", text(it->reason));
	if (it->chain_broken)
		json_object_set_new(o, "chain", text(N_("does not follow its predecessor")));
	s = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(o);
	if (s == NULL)
		log_die(EXIT_SYSTEM, "no memory for a ledger entry");
	return s;
}
