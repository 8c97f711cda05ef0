/* link_store.c - see link_store.h. */
#include "receiver/link_store.h"

#include "host/exits.h"
#include "host/log.h"
#include "receiver/proc_link.h"

enum {
	SLOTS_WANTED = 192,
	SLOTS_LOW = 96,
	MESSAGES = 16, /* of store, before the socket is looked at again */
};
#define REFUSED_NS 1000000000ull /* so long a store that had no room is not asked again */

static int say(struct link_store *s, uint32_t type, const void *body, size_t n)
{
	int r = ipc_write(LINK_FD_STORE, type, body, n);

	if (r < 0)
		s->gone = true;
	return r == 1;
}

static int complete(void *ctx, const struct msg_object *o)
{
	return say(ctx, MSG_COMPLETE, o, sizeof(*o));
}

static int discard(void *ctx, const struct msg_object *o)
{
	return say(ctx, MSG_DISCARD, o, sizeof(*o));
}

static int expired(void *ctx, const struct msg_object *o)
{
	return say(ctx, MSG_EXPIRED, o, sizeof(*o));
}

static int progress(void *ctx, const struct msg_progress *p)
{
	return say(ctx, MSG_PROGRESS, p, sizeof(*p));
}

const struct assemble_sink link_store_sink = { complete, discard, progress, expired };

static void done(struct link_store *s, const struct msg_done *d)
{
	if (d->count > MSG_DONE_MAX)
		log_die(EXIT_INTERNAL, "store sent %u objects in one message", d->count);
	for (uint32_t i = 0; i < d->count; i++)
		assemble_done(s->assemble, d->key[i].sender, d->key[i].id);
}

static void take(struct link_store *s, uint64_t now_ns)
{
	const struct msg_object *o;

	switch (s->msg.type) {
	case MSG_LIMITS:
		assemble_set_object_max(s->assemble,
		    ((const struct msg_limits *)ipc_body(&s->msg, sizeof(struct msg_limits)))->object);
		break;
	case MSG_SLOT:
		assemble_slot(s->assemble, ((const struct msg_slot *)ipc_body(&s->msg, sizeof(struct msg_slot)))->slot,
		    s->msg.fd[0], s->msg.fd[1], s->msg.fd[2], now_ns);
		break;
	case MSG_GIVEN:
		s->refused = ((const struct msg_need *)ipc_body(&s->msg, sizeof(struct msg_need)))->count < s->asked;
		s->asked = 0;
		break;
	case MSG_DONE:
		done(s, ipc_body(&s->msg, sizeof(struct msg_done)));
		break;
	case MSG_FORGET:
		o = ipc_body(&s->msg, sizeof(*o));
		assemble_forget(s->assemble, o->sender, o->id);
		break;
	default:
		log_die(EXIT_INTERNAL, "store sent a message of unknown type %u", s->msg.type);
	}
}

void link_store_read(struct link_store *s, uint64_t now_ns)
{
	enum ipc_result r = IPC_AGAIN;

	for (int i = 0; i < MESSAGES && (r = ipc_recv(LINK_FD_STORE, &s->msg)) == IPC_GOT; i++)
		take(s, now_ns);
	if (r == IPC_CLOSED)
		s->gone = true;
}

void link_store_want(struct link_store *s, uint64_t now_ns)
{
	uint32_t have = assemble_slots_free(s->assemble);
	struct msg_need m = { .count = SLOTS_WANTED - have };

	if (have >= SLOTS_LOW || s->asked > 0 || (s->refused && now_ns - s->asked_at_ns < REFUSED_NS) ||
	    !say(s, MSG_NEED, &m, sizeof(m)))
		return;
	s->asked_at_ns = now_ns;
	s->asked = m.count;
}

bool link_store_owes(const struct link_store *s)
{
	return assemble_slots_free(s->assemble) == 0 && s->asked > 0 && !s->gone;
}
