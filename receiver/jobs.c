/* jobs.c - the list of complete objects on their way (store.h), and the three
 * ways in which one leaves it: done, to be gathered afresh, to be tried later. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/hex.h"
#include "host/clock.h"
#include "host/log.h"
#include "receiver/store.h"

#define RETRY_NS 5000000000ull
#define RETRY_FULL_NS 10000000000ull /* a channel that has to leave room: it has to be opened and built to be tried */

const char *job_show(char out[static 33], const uint8_t *id)
{
	hex_put(out, id, 16);
	return out;
}

void job_unlink(struct store *s, struct job *j)
{
	struct job **p = &s->jobs;

	while (*p != j)
		p = &(*p)->next;
	*p = j->next;
	if (j->sent)
		s->sent--;
	s->waiting--;
}

/* Behind all that were sent, so that the order stays that of the pipe, and behind this sender's own; but a heap of another's is
 * not to be waited for: of it as many go before as this sender has there itself. */
void job_append(struct store *s, struct job *j)
{
	uint64_t *last = &s->turn_of[j->sender];
	struct job **p = &s->jobs;

	j->turn = *last = *last < s->turn ? s->turn : *last + 1;
	while (*p != NULL && (*p)->turn <= j->turn)
		p = &(*p)->next;
	j->next = *p;
	*p = j;
	s->waiting++;
}

/* The part files go, and link never gathers the object again. */
void job_done(struct store *s, struct job *j)
{
	struct msg_key *k;

	part_store_remove(&s->parts, j->slot);
	if (s->done.count == MSG_DONE_MAX)
		store_flush_done(s);
	k = &s->done.key[s->done.count++];
	memcpy(k->id, j->id, 16);
	k->sender = j->sender;
	free(j);
}

/* The part files go, and link gathers the object anew. */
void job_forget(struct store *s, struct job *j)
{
	struct msg_object m = { .sender = j->sender, .slot = j->slot, .length = j->length };

	memcpy(m.id, j->id, 16);
	part_store_remove(&s->parts, j->slot);
	store_to_link(s, MSG_FORGET, &m, sizeof(m));
	free(j);
}

/* The disk's fault, not the object's: it stays, and is tried again. */
void job_later(struct store *s, struct job *j, int error)
{
	uint64_t now = clock_mono_ns();
	char id[33];

	if (s->disk_log_ns == 0 || now - s->disk_log_ns > 10000000000ull) {
		s->disk_log_ns = now;
		log_about(.event = LOG_EVENT_DISK);
		if (error == EDQUOT)
			log_error("%s: object %s is not delivered now, since less than keep_free of this channel would stay free; it is kept "
			    "and tried again every ten seconds", j->inner.channel, job_show(id, j->id));
		else
			log_error("object %s cannot be delivered now: %s; it is kept and tried again every few seconds", job_show(id, j->id),
			    strerror(error));
	}
	j->lane = LANE_WHOLE;
	j->sent = j->opened = j->unsealed = j->begun = false;
	j->held = error == EDQUOT ? JOB_HELD_ROOM : JOB_HELD_DISK;
	j->not_before_ns = now + (error == EDQUOT ? RETRY_FULL_NS : RETRY_NS);
	job_append(s, j);
}
