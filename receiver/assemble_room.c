/* assemble_room.c - may a sender begin another object of assemble.h? */
#include "host/log.h"
#include "receiver/assemble_private.h"

/* Half of the files, and no less than all unfinished objects have, is in equal shares, so that none can keep another from its own.
 * The rest is for whoever needs more for a moment: a round of thousands of small ones, after an outage, comes faster than the store
 * publishes, and what found no room was missing until its repeat. */
static bool files_left(const struct assemble *a, uint32_t sender)
{
	const uint32_t half = a->limits.files / 2, shared = half > a->limits.objects ? half : a->limits.objects;
	const uint32_t each = shared / a->senders > 0 ? shared / a->senders : 1;
	uint64_t lent = 0;

	if (a->budget[sender].files < each)
		return true;
	for (uint32_t i = 0; i < a->senders; i++)
		lent += a->budget[i].files > each ? a->budget[i].files - each : 0;
	return shared + lent < a->limits.files;
}

bool assemble_has_room(struct assemble *a, uint32_t sender, uint64_t now_ns)
{
	uint32_t open = 0, share = a->limits.objects / a->senders;
	struct object *oldest = NULL;

	if (!files_left(a, sender)) {
		a->flush_at_ns = 0; /* now: those that are complete are made durable, and closed then */
		return false;
	}
	for (struct object *o = a->all; o != NULL; o = o->next_all) {
		if (o->sender != sender || o->state != OBJECT_GATHERING)
			continue;
		open++;
		if (oldest == NULL || object_alone_ns(o, now_ns) > object_alone_ns(oldest, now_ns))
			oldest = o;
	}
	if (oldest == NULL || open < (share > 0 ? share : 1))
		return true;
	if (now_ns - a->room_log_ns >= 60000000000ull || a->room_log_ns == 0) {
		a->room_log_ns = now_ns;
		log_warn("sender %u of the configuration has begun %u objects and finished none of them: the one that was "
		    "left alone longest makes room for each new one", sender + 1, open);
	}
	if (object_alone_ns(oldest, now_ns) < ASSEMBLE_IDLE_NS)
		return false;
	assemble_write(a);
	return oldest->state == OBJECT_GATHERING && assemble_discard(a, oldest);
}
