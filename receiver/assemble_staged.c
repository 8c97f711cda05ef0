/* assemble_staged.c - large objects of assemble.h between memory and the store:
 * what was written, how far they have come, and that they are complete. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "receiver/assemble_private.h"

struct msg_object assemble_message(const struct object *o)
{
	struct msg_object m = { .length = o->geo.len, .sender = o->sender, .slot = o->slot };

	memcpy(m.id, o->id, 16);
	return m;
}

/* The last piece of a large one was written in whole pages; and a file of before may be longer. */
bool assemble_fits(struct assemble *a, struct object *o)
{
	struct stat st;

	if (o->shut || (fstat(o->data_fd, &st) == 0 && ((uint64_t)st.st_size == o->geo.len || ftruncate(o->data_fd, (off_t)o->geo.len) == 0)))
		return true;
	assemble_disk_trouble(a, errno);
	return false;
}

void assemble_tell(struct assemble *a, struct object *o, uint64_t now_ns)
{
	struct msg_object m = assemble_message(o);

	if (o->chunks > 0 || !assemble_fits(a, o)) /* chunks: the last of them tells */
		return;
	if (!a->sink->complete(a->ctx, &m))
		return;
	a->counter[LC_COMPLETED]++;
	o->state = OBJECT_TOLD;
	o->flushed_ns = now_ns; /* usually it is delivered before the map is worth writing */
	delivered_add(a->delivered, o->sender, o->id);
	assemble_unlist(a, o);
}

/* A piece of a large object was written, or could not be: then its symbols
 * count as lost, and a later round brings them again. */
static void written(void *ctx, struct object *o, uint64_t first, uint64_t last, int error)
{
	struct assemble *a = ctx;

	if (error == 0) {
		object_dirty(o, first, last);
		if (o->state == OBJECT_WHOLE)
			assemble_tell(a, o, a->now_ns);
		return;
	}
	assemble_disk_trouble(a, error);
	for (uint64_t i = first; i <= last; i++)
		if (object_has(o, i)) {
			object_unset(o, i);
			a->counter[LC_DISK]++;
		}
	if (o->state == OBJECT_WHOLE)
		o->state = OBJECT_GATHERING;
}

void assemble_staged(struct assemble *a, bool wait)
{
	stage_take_back(a->stage, wait, written, a);
}

/* What is there of large objects can be opened while the rest arrives. */
void assemble_progress(struct assemble *a)
{
	for (struct object *o = a->all; o != NULL; o = o->next_all) {
		if (!o->staged || o->state != OBJECT_GATHERING)
			continue;
		o->lead = stage_lead(a->stage, o, o->lead);
		struct msg_progress p = { assemble_message(o), o->lead * STAGE_CHUNK };
		if (o->lead > o->lead_told && a->sink->progress(a->ctx, &p))
			o->lead_told = o->lead;
	}
}
