/* intake.c - complete objects become deliveries: open unseals them, check looks
 * at them, and what they send is built, verified and published here.
 *
 * Objects go through in order, one at a time in the check process, while open
 * may be up to STORE_AHEAD further.  Transfers that are ready are published
 * together as soon as nothing more is waiting in the pipe. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/seal.h"
#include "host/clock.h"
#include "host/exits.h"
#include "host/i18n.h"
#include "host/ipc_send.h"
#include "host/log.h"
#include "host/reason.h"
#include "receiver/peer_gone.h"
#include "receiver/peers_ask.h"
#include "receiver/receiver_proc.h"
#include "receiver/stage.h"
#include "receiver/store.h"
#include "receiver/unseal.h"
#include "receiver/validity.h"

#define HELD_NS 5000000000ull /* between looks at an object that is held (validity.h) */

/* The stream of this object has ended. */
static void conclude(struct store *s, struct job *j, const struct pipe_finish *f)
{
	struct transfer *t = &j->transfer;

	while (!j->unsealed) /* was sent before the end of the stream */
		store_from_open(s, j->lane, true);
	if (j->begun)
		transfer_close(t);
	if (j->lane == LANE_EARLY) {
		s->early = NULL;
		if (!j->whole || j->result != 0) {
			early_failed(s, j);
			return;
		}
	} else {
		job_unlink(s, j);
	}
	if (j->result != 0 || f->bad == 2 || !j->opened || j->inner.sender >= s->conf.peers) {
		if (j->begun)
			transfer_remove(t);
		if (j->result == UNSEAL_EREAD || j->result == OPEN_ENOMEM)
			job_later(s, j, j->result == OPEN_ENOMEM ? ENOMEM : EIO);
		else
			refuse_object(s, j, unseal_strerror(j->result), 0);
		return;
	}
	if (s->revoked[j->inner.sender]) {
		if (j->begun)
			transfer_remove(t);
		refuse_object(s, j, N_("its sender's key was revoked"), 0);
		return;
	}
	if (j->inner.key != 0)
		peers_retired_used(s, j->inner.key, j->inner.created_ms);
	if (f->bad == 3) {
		intake_over_cap(s, j, f->reason);
		return;
	}
	if (f->bad != 0)
		transfer_refuse(t, "%s", f->reason);
	snprintf(j->checks, sizeof(j->checks), "%s", f->checks);
	j->scanned = false;
	intake_accept(s, j);
}

static void begin(struct store *s, struct job *j)
{
	char name[TRANSFER_NAME_MAX + 1], id[33];

	snprintf(name, sizeof(name), "%s-%u%s", job_show(id, j->id), j->slot, j->lane == LANE_EARLY ? "-early" : "");
	transfer_begin(&j->transfer, s->work, name, s->lane[j->lane].out);
	j->begun = true;
}

static void take_bad(struct job *j, const struct pipeframe *f)
{
	struct pipe_bad bad;

	if (f->len != sizeof(bad))
		log_die(EXIT_INTERNAL, "check said in %u bytes what did not pass", f->len);
	memcpy(&bad, f->body, sizeof(bad));
	bad.checks[sizeof(bad.checks) - 1] = bad.reason[sizeof(bad.reason) - 1] = '\0';
	transfer_bad(&j->transfer, bad.checks, bad.reason);
}

static void take_finish(struct store *s, struct job *j, const struct pipeframe *f)
{
	struct pipe_finish finish;

	if (f->len != sizeof(finish))
		log_die(EXIT_INTERNAL, "check ended in %u bytes", f->len);
	memcpy(&finish, f->body, sizeof(finish));
	finish.reason[sizeof(finish.reason) - 1] = finish.checks[sizeof(finish.checks) - 1] = '\0';
	conclude(s, j, &finish);
}

void intake_frame(struct store *s, enum receiver_lane lane, const struct pipeframe *f)
{
	struct job *j = lane == LANE_EARLY ? s->early : s->jobs;
	uint64_t size;

	if (j == NULL || !j->sent || j->slot != f->job)
		log_die(EXIT_INTERNAL, "check sent a frame of a job that is not its turn");
	if (f->type != PIPE_FINISH && (f->type == PIPE_BEGIN) == j->begun)
		log_die(EXIT_INTERNAL, "check sent a frame of type %u out of turn", f->type);
	switch (f->type) {
	case PIPE_BEGIN:
		begin(s, j);
		break;
	case PIPE_FILE:
		if (f->len <= 8)
			log_die(EXIT_INTERNAL, "check sent a file without a name");
		memcpy(&size, f->body, 8);
		transfer_file(&j->transfer, f->body + 8, f->len - 8, size);
		break;
	case PIPE_DATA:
		transfer_data(&j->transfer, f->body, f->len);
		break;
	case PIPE_BAD:
		take_bad(j, f);
		break;
	case PIPE_FILE_END:
		if (f->len != HASH_LEN)
			log_die(EXIT_INTERNAL, "check sent a hash of %u bytes", f->len);
		transfer_file_end(&j->transfer, f->body);
		break;
	case PIPE_MANIFEST:
		transfer_manifest(&j->transfer, f->body, f->len);
		break;
	case PIPE_SIGNATURE:
		transfer_signature(&j->transfer, f->body, f->len);
		break;
	case PIPE_FINISH:
		take_finish(s, j, f);
		break;
	default:
		log_die(EXIT_INTERNAL, "check sent a frame of unknown type %u", f->type);
	}
	if (s->batched == STORE_BATCH)
		intake_commit(s);
}

static void say(const struct store *s, const struct publish_item *it, const struct job *j)
{
	const char *peer = s->conf.peer[j->sender].name;
	unsigned long long n = it->number;
	bool plain = strchr(it->dir, '.') == NULL; /* is it where its number says? */

	log_about(.event = it->duplicate ? LOG_EVENT_NONE : it->base == PUBLISH_QUARANTINE ? LOG_EVENT_QUARANTINED : it->fork ? LOG_EVENT_FORK :
	    LOG_EVENT_DELIVERED, .channel = it->stream.channel, .object = it->object, .peer = peer, .number = n);
	if (it->duplicate)
		log_info("%s %llu: was delivered before; nothing to do", it->stream.channel, n);
	else if (it->base == PUBLISH_QUARANTINE)
		log_warn("%s: object %s is quarantined in %s: %s", it->stream.channel, it->object, it->dir, reason_show(j->transfer.reason));
	else if (it->fork)
		log_warn("%s %llu: ALARM: a fork: this number of the same generation was delivered before with other content; was its outbox cloned or "
		    "restored from a backup? this one is in %s",
		    it->stream.channel, n, it->dir);
	else
		log_info(plain ? ngettext("%s %llu: delivered, %u file, %llu bytes, object %.8s", "%s %llu: delivered, %u files, %llu bytes, object %.8s",
		    it->files) : ngettext("%s %llu: delivered, %u file, %llu bytes, object %.8s; its place was taken: it is in %s",
		    "%s %llu: delivered, %u files, %llu bytes, object %.8s; its place was taken: it is in %s", it->files), it->stream.channel, n,
		    it->files, (unsigned long long)it->bytes, it->object, it->dir);
	for (uint32_t k = 0; k < it->parts; k++) {
		char name[160];
		log_about(.event = LOG_EVENT_QUARANTINED, .channel = it->stream.channel, .object = it->object, .peer = peer, .number = n);
		if (!it->part[k].duplicate)
			log_warn("%s %llu: ALARM: %s is quarantined as %s: %s", it->stream.channel, n, log_show(name, sizeof(name),
			    it->part[k].file, it->part[k].file_len), it->part[k].dir, reason_show(it->part[k].reason));
	}
	log_about(.event = LOG_EVENT_CHAIN, .channel = it->stream.channel, .object = it->object, .peer = peer, .number = n);
	if (it->chain_broken)
		log_warn("%s %llu: its manifest does not follow the one delivered before or after it", it->stream.channel, n);
	log_about(.event = LOG_EVENT_NONE);
}

/* What is being built begins anew (publish.h, sync_error). */
static void spoil_what_is_built(struct store *s, int error)
{
	for (struct job *j = s->jobs; j != NULL; j = j->next)
		if (j->begun && j->transfer.error == 0)
			j->transfer.error = error;
	for (struct job *j = s->scan.jobs; j != NULL; j = j->next)
		if (j->transfer.error == 0)
			j->transfer.error = error;
	if (s->early != NULL && s->early->begun && s->early->transfer.error == 0)
		s->early->transfer.error = error;
}

void intake_commit(struct store *s)
{
	if (s->batched == 0)
		return;
	publish_batch(&s->publish, s->batch, s->batched);
	if (s->publish.sync_error != 0)
		spoil_what_is_built(s, s->publish.sync_error);
	for (unsigned i = 0; i < s->batched; i++) {
		struct publish_item *it = &s->batch[i];
		struct job *j = it->ctx;
		if (it->error == 0) {
			say(s, it, j);
			tally_published(s, it);
		}
		publish_free(it);
		json_decref(it->more);
		if (it->error != 0)
			job_later(s, j, it->error);
		else
			job_done(s, j);
	}
	s->batched = 0;
	store_flush_done(s);
}

int intake_file(struct store *s, uint32_t slot, uint64_t length)
{
	/* Link wrote a large one past the page cache, so nothing of it is there. */
	int fd = stage_takes(length) ? part_store_data(&s->parts, slot, O_RDONLY | O_DIRECT) : -1;

	return fd >= 0 ? fd : part_store_data(&s->parts, slot, O_RDONLY);
}

static void send_job(struct store *s, struct job *j)
{
	struct msg_progress m = { { .length = j->length, .sender = j->sender, .slot = j->slot }, j->length };
	int fd = intake_file(s, j->slot, j->length);

	if (fd < 0) {
		int error = errno;
		job_unlink(s, j);
		job_later(s, j, error);
		return;
	}
	memcpy(m.object.id, j->id, 16);
	if (ipc_send_fds(s->lane[LANE_WHOLE].open, MSG_UNSEAL, &m, sizeof(m), &fd, 1) != 1)
		peer_gone(s->stop_fd, "open");
	close(fd);
	j->sent = true;
	s->sent++;
	if (j->turn > s->turn)
		s->turn = j->turn;
}

void intake_pump(struct store *s, uint64_t now_ns)
{
	struct job *j, *next;

	for (j = s->jobs; j != NULL && s->sent <= STORE_AHEAD; j = next) {
		next = j->next;
		if (j->sent)
			continue;
		if (j->not_before_ns > now_ns)
			continue;
		if (!validity_now(s, j->sender)) {
			j->held = JOB_HELD_KEY;
			j->not_before_ns = now_ns + HELD_NS;
			continue;
		}
		if (poison_set_aside(s, j) || !scan_may_open(s, j))
			continue;
		/* Those sent stay in front. */
		struct job **p = &s->jobs, **at = &s->jobs;
		while (*at != NULL && (*at)->sent)
			at = &(*at)->next;
		if (*at != j) {
			while (*p != j)
				p = &(*p)->next;
			*p = j->next;
			j->next = *at;
			*at = j;
		}
		send_job(s, j);
	}
}

void intake_complete(struct store *s, const struct msg_object *o)
{
	struct job *j;

	if (o->sender >= s->conf.peers || o->length == 0)
		log_die(EXIT_INTERNAL, "link completed an object of peer %u and %llu bytes", o->sender, (unsigned long long)o->length);
	if (early_complete(s, o))
		return;
	if ((j = calloc(1, sizeof(*j))) == NULL)
		log_die(EXIT_SYSTEM, "no memory for an object to open");
	memcpy(j->id, o->id, 16);
	j->slot = o->slot;
	j->sender = o->sender;
	j->length = o->length;
	job_append(s, j);
}

static struct job *find(struct store *s, enum receiver_lane lane, uint32_t slot)
{
	struct job *j = lane == LANE_EARLY ? s->early : s->jobs;

	while (j != NULL && (!j->sent || j->slot != slot))
		j = j->next;
	if (j == NULL)
		log_die(EXIT_INTERNAL, "open answered for a job that it was not given");
	return j;
}

void intake_opened(struct store *s, enum receiver_lane lane, const struct msg_opened *o)
{
	struct job *j = find(s, lane, o->job);

	j->inner = *o;
	j->opened = true;
}

void intake_unsealed(struct store *s, enum receiver_lane lane, const struct msg_unsealed *u)
{
	struct job *j = find(s, lane, u->job);

	j->result = u->result;
	j->unsealed = true;
}
