/* early.c - a large object is opened while it still arrives (store.h).
 *
 * Link says how much of its beginning is in the part file; open reads so far,
 * then asks (MSG_WANT) and is answered when there is more, so that neither ever
 * waits to send.  One object at a time, on a lane of its own.  It is an attempt:
 * whatever fails before the object is complete is forgotten, and the object is
 * opened again from its beginning, with all consequences, once it is. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/exits.h"
#include "host/ipc_send.h"
#include "host/log.h"
#include "receiver/peer_gone.h"
#include "receiver/store.h"
#include "receiver/validity.h"

enum { EARLY_MIN = 8 << 20 /* bytes; below, opening it early gains nothing */ };
#define EARLY_IDLE_NS 2000000000ull /* without progress: another may have the lane */

static struct msg_progress message(const struct job *j)
{
	struct msg_progress m = { { .length = j->length, .sender = j->sender, .slot = j->slot }, j->stopped ? 0 : j->ready };

	memcpy(m.object.id, j->id, sizeof(m.object.id));
	return m;
}

/* Open waits, and there is something to say. */
static void answer(struct store *s)
{
	struct job *j = s->early;

	if (!j->asked || (!j->stopped && j->ready == j->told_ready && j->length == j->told_length))
		return;
	struct msg_progress m = message(j);
	if (ipc_write(s->lane[LANE_EARLY].open, MSG_READY, &m, sizeof(m)) != 1)
		peer_gone(s->stop_fd, "open");
	j->asked = false;
	j->told_ready = j->ready;
	j->told_length = j->length;
}

static void start(struct store *s, const struct msg_progress *p)
{
	const struct msg_object *o = &p->object;
	struct job *j;
	int fd;

	if ((o->length != 0 && o->length < EARLY_MIN) || o->slot == s->early_gone || o->sender >= s->conf.peers ||
	    poison_suspect(s, o->slot) || !validity_now(s, o->sender) || (fd = intake_file(s, o->slot, o->length)) < 0)
		return;
	if ((j = calloc(1, sizeof(*j))) == NULL) {
		close(fd);
		return;
	}
	memcpy(j->id, o->id, sizeof(j->id));
	j->lane = LANE_EARLY;
	j->slot = o->slot;
	j->sender = o->sender;
	j->length = j->told_length = o->length;
	j->ready = j->told_ready = p->ready;
	j->progress_ns = clock_mono_ns();
	j->sent = true;
	s->early = j;
	struct msg_progress m = message(j);
	if (ipc_send_fds(s->lane[LANE_EARLY].open, MSG_UNSEAL, &m, sizeof(m), &fd, 1) != 1)
		peer_gone(s->stop_fd, "open");
	close(fd);
}

void early_progress(struct store *s, const struct msg_progress *p)
{
	struct job *j = s->early;

	if (j == NULL) {
		start(s, p);
	} else if (j->slot == p->object.slot) {
		j->length = p->object.length;
		j->ready = p->ready;
		j->progress_ns = clock_mono_ns();
		answer(s);
	} else if (!j->whole && clock_mono_ns() - j->progress_ns > EARLY_IDLE_NS) {
		early_stop(s, j->slot);
	}
}

bool early_complete(struct store *s, const struct msg_object *o)
{
	struct job *j = s->early;

	if (j == NULL || j->slot != o->slot || j->stopped)
		return false;
	j->length = j->ready = o->length;
	j->whole = true;
	answer(s);
	return true;
}

void early_stop(struct store *s, uint32_t slot)
{
	struct job *j = s->early;

	if (j == NULL || j->slot != slot || j->whole)
		return;
	j->stopped = true;
	answer(s);
}

void early_want(struct store *s, const struct msg_want *m)
{
	struct job *j = s->early;

	if (j == NULL || j->slot != m->job || j->asked)
		log_die(EXIT_INTERNAL, "open asks for more of a job that it was not given");
	j->asked = true;
	answer(s);
}

void early_failed(struct store *s, struct job *j)
{
	if (j->begun)
		transfer_remove(&j->transfer);
	s->early_gone = j->slot;
	if (!j->whole) {
		free(j);
		return;
	}
	j->lane = LANE_WHOLE;
	j->sent = j->opened = j->unsealed = j->begun = false;
	job_append(s, j);
}
