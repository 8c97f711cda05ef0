/* status_receiver.c - katamichi status of a receiver: state/status.json, which
 * the store process writes every second, and what follows from it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/clock.h"
#include "host/exits.h"
#include "host/log.h"
#include "receiver/receiver_conf.h"
#include "tools/asking.h"
#include "tools/out.h"
#include "tools/status.h"

enum {
	STALE_MS = 5000,
	SILENT_S = 300,  /* heartbeats come far more often */
	KEY_SOON_DAYS = 30,
	KEY_OLD_DAYS = 730,
};

/* --- facts --- */
static void add_keys(json_t *s, const struct receiver_conf *c)
{
	json_t *keys = json_array();

	status_key(keys, "receiver", c->keys, 0);
	for (unsigned i = 0; i < c->peers; i++)
		status_key(keys, c->peer[i].name, c->peer[i].key, c->peer[i].valid_until);
	json_object_set_new(s, "keys", keys);
}

/* (Not their sum: a sender may say 2^62 of each channel, and it would come round to none.) */
static int any_missing(const json_t *channels)
{
	const json_t *c;
	int any = 0;
	size_t i;

	json_array_foreach(channels, i, c)
		any |= status_count(c, "missing") != 0;
	return any;
}

static void todo_of_peers(json_t *todo, const json_t *peers)
{
	const json_t *p;
	size_t i;
	int invalid = 0, epochs = 0, disk = 0;

	json_array_foreach(peers, i, p) {
		invalid |= json_is_false(json_object_get(p, "valid"));
		epochs |= status_count(p, "old_epochs") != 0;
		disk |= status_is(p, "disk_trouble");
	}
	if (invalid)
		status_todo(todo, "key not valid");
	if (epochs)
		status_todo(todo, "old epoch");
	if (disk)
		status_todo(todo, "sender's disk");
}

static void todo_of_keys(json_t *todo, const json_t *keys)
{
	const json_t *k;
	size_t i;
	int soon = 0, old = 0;

	json_array_foreach(keys, i, k) {
		json_int_t left = status_number(k, "days_left");
		soon |= json_object_get(k, "days_left") != NULL && left >= 0 && left <= KEY_SOON_DAYS;
		old |= status_number(k, "days") > KEY_OLD_DAYS;
	}
	if (soon)
		status_todo(todo, "key ends soon");
	if (old)
		status_todo(todo, "key old");
}

static void add_todo(json_t *s)
{
	json_t *todo = json_array(), *link = json_object_get(s, "link"), *disk = json_object_get(s, "disk");
	const char *last = status_text(link, "last", "");
	const json_t *incidents = json_object_get(s, "incidents");

	if (!status_is(s, "running"))
		status_todo(todo, "not running");
	if (status_text(disk, "trouble", "")[0] != '\0' || (status_is(s, "running") && !status_is(s, "fresh")))
		status_todo(todo, "disk");
	else if (status_count(disk, "total") > 0 && status_count(disk, "free") < status_count(disk, "total") / 20)
		status_todo(todo, "disk soon full");
	if (status_is(s, "no_sandbox") && status_is(s, "running"))
		status_todo(todo, "no sandbox");
	if (json_is_integer(json_object_get(json_object_get(s, "ledger"), "set_back")) || status_recent(json_object_get(incidents, "set-back")))
		status_todo(todo, "set back");
	if (json_is_integer(json_object_get(json_object_get(s, "ledger"), "bad")))
		status_todo(todo, "ledger changed");
	if (status_recent(json_object_get(incidents, "clock")))
		status_todo(todo, "clock");
	if (status_recent(json_object_get(incidents, "generation")))
		status_todo(todo, "generation");
	if (status_count(s, "quarantined") > 0)
		status_todo(todo, "quarantine");
	if (status_recent(json_object_get(s, "forks")))
		status_todo(todo, "fork");
	if (any_missing(json_object_get(s, "channels")))
		status_todo(todo, "gaps");
	if (status_is(s, "running") && last[0] == '\0' && status_age(status_text(s, "started", "")) > SILENT_S)
		status_todo(todo, "nothing received");
	if (status_is(s, "running") && last[0] != '\0' && status_age(last) > SILENT_S)
		status_todo(todo, "silent");
	if (status_count(json_object_get(link, "counters"), "kernel_drops") > 0)
		status_todo(todo, "kernel drops");
	if (status_is(link, "small_buffer"))
		status_todo(todo, "small buffer");
	todo_of_peers(todo, json_object_get(s, "peers"));
	todo_of_keys(todo, json_object_get(s, "keys"));
	json_object_set_new(s, "todo", todo);
}

int status_receiver(const char *name)
{
	static struct receiver_conf conf;
	char path[RECEIVER_PATH_MAX + 32];
	uint64_t at, now;
	json_error_t e;
	json_t *s;
	int code = receiver_conf_read(&conf, name, -1);

	if (code != 0)
		return code;
	snprintf(path, sizeof(path), "%s/status.json", conf.state);
	errno = 0;
	if ((s = json_load_file(path, 0, &e)) == NULL) {
		if (errno == ENOENT)
			log_error("%s: is not there; the receiver has not run yet", path);
		else
			log_error("%s: %s", path, errno != 0 ? strerror(errno) : e.text);
		return errno != 0 ? EXIT_SYSTEM : EXIT_DATA;
	}
	at = status_count(s, "at_ms");
	now = clock_wall_ms();
	json_object_set_new(s, "running", json_boolean(asking_receiver_runs(&conf)));
	json_object_set_new(s, "fresh", json_boolean(now <= at + STALE_MS && at <= now + STALE_MS));
	add_keys(s, &conf);
	add_todo(s);
	if (out_mode() == OUT_JSON)
		out_json(s);
	else
		status_receiver_show(s);
	json_decref(s);
	return EXIT_OK;
}
