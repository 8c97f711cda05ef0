/* store_start.c - the start of the store process (store.h): its directories, the
 * ledger, what was being published, what link need not gather, and its part files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/hex.h"
#include "host/durable.h"
#include "host/exits.h"
#include "host/log.h"
#include "receiver/peers_ask.h"
#include "receiver/store.h"

enum {
	DELIVERED_MAX = 1 << 18, /* told to link at the start: what it can remember */
	MODE_OURS = 0700,
	MODE_CHANNEL = 0750,
};

static int directory(int parent, const char *name, unsigned mode, const char *shown)
{
	int fd;

	if (parent >= 0 && durable_mkdir(parent, name, mode) != 0)
		log_die(durable_exit(errno), "%s/%s: cannot be made: %s", shown, name, strerror(errno));
	fd = parent >= 0 ? openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : durable_open_dir(name);
	if (fd < 0)
		log_die(durable_exit(errno), "%s: %s", name, strerror(errno));
	return fd;
}

void store_directories(struct store *s)
{
	s->state = directory(-1, s->conf.state, 0, "");
	s->inbox = directory(-1, s->conf.inbox, 0, "");
	s->parts_dir = directory(s->state, "parts", MODE_OURS, s->conf.state);
	s->work = directory(s->state, "work", MODE_OURS, s->conf.state);
	s->quarantine = directory(s->state, "quarantine", MODE_OURS, s->conf.state);
	close(directory(s->state, "ledger", MODE_OURS, s->conf.state));
	for (unsigned i = 0; i < s->conf.channels; i++) {
		struct stat st;
		/* One that is there keeps the mode that its owner gave it. */
		if (fstatat(s->inbox, s->conf.channel[i].name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
			continue;
		close(directory(s->inbox, s->conf.channel[i].name, MODE_CHANNEL, s->conf.inbox));
	}
}

/* All that link need not gather again, oldest first, so that it forgets those first. */
static void tell_delivered(struct store *s)
{
	sqlite3_stmt *q = db_query(&s->ledger.db, "SELECT sender, id FROM (SELECT age, sender, id FROM object ORDER BY age DESC"
	    " LIMIT ?) ORDER BY age", "i", (int64_t)DELIVERED_MAX);

	while (db_step(&s->ledger.db, q) == 1) {
		int peer = store_peer(s, (const char *)sqlite3_column_text(q, 0));
		struct msg_key *k = &s->done.key[s->done.count];
		if (peer < 0 || hex_get(k->id, 16, (const char *)sqlite3_column_text(q, 1), 32) != 0)
			continue;
		k->sender = (uint32_t)peer;
		if (++s->done.count == MSG_DONE_MAX)
			store_flush_done(s);
	}
	store_flush_done(s);
}

/* A part file of before: link takes it up, unless nobody needs it any more. */
static int found_part(void *ctx, uint32_t slot, const struct parts_head *h)
{
	struct store *s = ctx;
	char id[33];
	int data, map;

	for (unsigned i = 0; i < s->conf.peers; i++) {
		if (memcmp(h->sender, s->conf.peer[i].party.id, KEY_ID_LEN) != 0)
			continue;
		hex_put(id, h->id, 16);
		if (db_int(&s->ledger.db, "SELECT count(*) FROM object WHERE id = ? AND sender = ?", "tt", id, s->fingerprint[i]) != 0)
			return -1;
		data = part_store_data(&s->parts, slot, O_RDWR);
		map = part_store_map(&s->parts, slot, O_RDWR);
		if (data >= 0 && map >= 0)
			store_give_slot(s, slot, data, map);
		if (data >= 0)
			close(data);
		if (map >= 0)
			close(map);
		return data >= 0 && map >= 0 ? 0 : -1;
	}
	return -1; /* its sender is no longer pinned */
}

void store_start(struct store *s)
{
	static char path[RECEIVER_PATH_MAX + 32];
	struct msg_limits limits = { .object = receiver_conf_object_max(&s->conf) };

	for (unsigned i = 0; i < s->conf.peers; i++)
		hex_put(s->fingerprint[i], s->conf.peer[i].party.fingerprint, HASH_LEN);
	snprintf(path, sizeof(path), "%s/ledger/ledger.db", s->conf.state);
	ledger_open(&s->ledger, path);
	s->publish = (struct publish){ .ledger = &s->ledger, .syncs = s->syncs, .work_fd = s->work, .inbox_fd = s->inbox,
		.quarantine_fd = s->quarantine };
	publish_recover(&s->publish);
	s->checkpoints = (struct checkpoints){ .ledger = &s->ledger };
	for (unsigned i = 0; i < s->conf.channels; i++)
		s->scan.wanted = s->scan.wanted || s->conf.channel[i].antivirus[0] != '\0';
	s->closings = (struct closings){ .ledger = &s->ledger, .conf = &s->conf, .inbox = s->inbox, .self = s->self.fingerprint, .selfs = s->self.count };
	s->decisions = (struct quarantine){ .publish = &s->publish, .conf = &s->conf };
	quarantine_start(&s->decisions);
	peers_start(s);
	store_to_link(s, MSG_LIMITS, &limits, sizeof(limits));
	tell_delivered(s);
	if (part_store_open(&s->parts, s->parts_dir, found_part, s) != 0)
		log_die(durable_exit(errno), "%s/parts: %s", s->conf.state, strerror(errno));
}
