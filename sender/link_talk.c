/* link_talk.c - what the link process and the spool say to each other (link_private.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/crypto.h"
#include "host/clock.h"
#include "host/exits.h"
#include "host/log.h"
#include "sender/link_private.h"
#include "sender/sender_proc.h"

/* --- messages from the spool --- */

/* A place for an object that came with message m. */
static unsigned new_flight(struct link *l, const struct ipc_msg *m, bool repeat, uint32_t channel, uint32_t priority)
{
	unsigned i = 0;

	while (i < IN_FLIGHT && l->item[i].used)
		i++;
	if (i == IN_FLIGHT || m->fd[0] < 0)
		log_die(EXIT_INTERNAL, "the spool gave more objects than agreed, or one without a file");
	memset(&l->flight[i], 0, sizeof(l->flight[i]));
	l->item[i] = (struct schedule_item){ .used = true, .repeat = repeat, .since_ns = clock_mono_ns(),
		.channel = channel < SCHEDULE_CHANNELS ? channel : SCHEDULE_CHANNELS - 1, .priority = priority };
	return i;
}

static void reject(struct link *l, unsigned i, int fd)
{
	if (fd >= 0)
		close(fd);
	l->flight[i].round.fd = -1;
	l->flight[i].ended = l->flight[i].failed = l->item[i].blocked = true;
}

static void take_object(struct link *l, struct ipc_msg *m)
{
	const struct msg_object *o = ipc_body(m, sizeof(*o));
	unsigned i = new_flight(l, m, o->round > 0 && !o->asked, o->channel, o->priority);
	struct flight *f = &l->flight[i];

	f->row = o->row;
	if (o->layout.slen != l->conf.n - FRAME_SYMBOL_OVERHEAD ||
	    round_init(&f->round, m->fd[0], o->id, o->length, &o->layout, o->round) != 0) {
		log_error("row %lld: its layout does not fit this link", (long long)o->row);
		reject(l, i, m->fd[0]);
		return;
	}
	l->item[i].left = f->round.left * l->conf.n;
}

/* --- an object that is being made --- */

static void take_stream(struct link *l, struct ipc_msg *m)
{
	const struct msg_stream *s = ipc_body(m, sizeof(*s));
	unsigned i = new_flight(l, m, false, s->channel, s->priority);

	l->flight[i].stream = s->stream;
	l->item[i].left = s->most;
	if (s->stream == 0 || s->layout.slen != l->conf.n - FRAME_SYMBOL_OVERHEAD ||
	    round_init_stream(&l->flight[i].round, m->fd[0], s->id, &s->layout) != 0)
		log_die(EXIT_INTERNAL, "the spool gave an object whose layout does not fit this link");
}

static unsigned find_stream(const struct link *l, uint64_t stream)
{
	for (unsigned i = 0; i < IN_FLIGHT; i++)
		if (l->item[i].used && l->flight[i].stream == stream && l->flight[i].row == 0)
			return i;
	log_die(EXIT_INTERNAL, "the spool speaks of an object that it did not give");
}

static void take_grown(struct link *l, const struct ipc_msg *m)
{
	const struct msg_grown *g = ipc_body(m, sizeof(*g));
	unsigned i = find_stream(l, g->stream);

	if (!l->flight[i].ended)
		round_grow(&l->flight[i].round, g->there);
}

static void take_numbered(struct link *l, const struct ipc_msg *m)
{
	const struct msg_numbered *n = ipc_body(m, sizeof(*n));
	unsigned i = find_stream(l, n->stream);
	struct flight *f = &l->flight[i];

	f->row = n->row;
	if (f->ended)
		return; /* it could not be read */
	if (round_finish(&f->round, n->length, &n->layout) != 0)
		log_die(EXIT_INTERNAL, "row %lld: its end does not fit its beginning", (long long)n->row);
	l->item[i].left = f->round.left * l->conf.n;
}

static void take_abandon(struct link *l, const struct ipc_msg *m)
{
	const struct msg_abandon *a = ipc_body(m, sizeof(*a));
	unsigned i = find_stream(l, a->stream);

	if (!l->flight[i].ended)
		link_drop_round(l, i);
	l->item[i].used = false;
}

static void take_session(struct link *l, const struct ipc_msg *m)
{
	const struct msg_session *s = ipc_body(m, sizeof(*s));
	uint64_t now = clock_mono_ns();

	if (s->n != l->conf.n)
		log_die(EXIT_INTERNAL, "a session of another datagram length");
	link_session_start(l->now.used ? &l->next : &l->now, s, now);
}

static void take_beat(struct link *l, const struct ipc_msg *m)
{
	struct msg_beat b;

	if (m->len < sizeof(b))
		log_die(EXIT_INTERNAL, "a beat of %zu bytes", m->len);
	memcpy(&b, m->body, sizeof(b));
	if (l->now.used && b.epoch == l->now.epoch)
		link_session_beat(&l->now, m);
	else if (l->next.used && b.epoch == l->next.epoch)
		link_session_beat(&l->next, m);
}

void link_take_messages(struct link *l)
{
	for (;;) {
		switch (ipc_recv(l->spool, &l->msg)) {
		case IPC_AGAIN:
			return;
		case IPC_CLOSED:
			exit(EXIT_INTERNAL); /* the main process says what happened */
		case IPC_GOT:
			break;
		}
		switch (l->msg.type) {
		case MSG_OBJECT:
			take_object(l, &l->msg);
			break;
		case MSG_STREAM:
			take_stream(l, &l->msg);
			break;
		case MSG_GROWN:
			take_grown(l, &l->msg);
			break;
		case MSG_NUMBERED:
			take_numbered(l, &l->msg);
			break;
		case MSG_ABANDON:
			take_abandon(l, &l->msg);
			break;
		case MSG_SESSION:
			take_session(l, &l->msg);
			break;
		case MSG_BEAT:
			take_beat(l, &l->msg);
			break;
		default:
			log_die(EXIT_INTERNAL, "unknown message %u", l->msg.type);
		}
		crypto_wipe(l->msg.body, l->msg.len); /* it may have been a tag key */
	}
}

/* --- messages to the spool --- */

void link_say_done(struct link *l)
{
	for (unsigned i = 0; i < IN_FLIGHT; i++) {
		struct flight *f = &l->flight[i];
		if (!l->item[i].used || !f->ended || f->row == 0)
			continue;
		const struct msg_done d = {
			.row = f->row, .round = f->round.number, .failed = f->failed, .datagrams = f->datagrams,
		};
		if (ipc_write(l->spool, MSG_DONE, &d, sizeof(d)) != 1)
			return; /* full: at the next turn */
		l->item[i].used = false;
	}
}

void link_say_status(struct link *l, uint64_t now)
{
	struct msg_link m = {
		.epoch = l->now.epoch, .datagrams = l->out.datagrams,
		.bytes = l->out.datagrams * (l->conf.n + SENDER_WIRE_OVERHEAD),
		.refused = l->out.refused, .blocked = l->out.blocked, .segments = l->out.segments,
		.segments_want = transmit_segments(l->conf.n),
	};

	if (now < l->status_ns)
		return;
	l->status_ns = now + STATUS_NS;
	for (unsigned i = 0; i < IN_FLIGHT; i++)
		m.in_flight += l->item[i].used;
	if (ipc_write(l->spool, MSG_LINK, &m, sizeof(m)) == 0)
		log_debug("the spool is busy");
}
