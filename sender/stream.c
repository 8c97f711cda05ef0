/* stream.c - a large object is sent while it is being sealed (spool.h).
 *
 * The link gets the unfinished file and hears how far it goes; what it sends of
 * it says length 0 (PROTOCOL.md, section 3.3).  Number, manifest and the last
 * segment exist only when the batch is committed, and only then does the link
 * hear of the end: nothing that could be opened leaves before its row is
 * durable.  If sealing fails, or the machine dies, no number was used; what the
 * receiver got of the object is never completed, and it throws it away in time.
 *
 * One at a time: there is one sealer for large files. */
#include <string.h>
#include <unistd.h>

#include "host/ipc_send.h"
#include "host/log.h"
#include "sender/spool.h"

bool stream_is_open(const struct spool *s)
{
	return s->stream.state != STREAM_NONE;
}

static bool sends(const struct spool *s, const struct batch *b)
{
	return s->stream.state == STREAM_OPEN && s->stream.serial == b->serial;
}

/* 1 sent, 0 no room now. */
static int say(struct spool *s, uint32_t type, const void *body, size_t n)
{
	return ipc_write(s->link, type, body, n) > 0;
}

static void begin(struct spool *s, const struct batch *b)
{
	struct stream *t = &s->stream;
	struct msg_stream m = { .stream = t->number + 1, .most = spool_object_most(b->claim.bytes), .channel = b->feed,
		.priority = (uint32_t)s->feed[b->feed].conf->priority };
	uint64_t block = b->job.outrun ? LAYOUT_BLOCK_SOON : LAYOUT_BLOCK_MAX;
	int fd, sent;

	/* Like any other new object: when there is a session, and room. */
	if (s->rekey->to_say || !dispatch_new_room(s))
		return;
	if (layout_stream(&m.layout, &s->conf, m.most, block) != 0 &&
	    layout_stream(&m.layout, &s->conf, m.most, block = LAYOUT_BLOCK_MAX) != 0)
		return;
	memcpy(m.id, b->job.id, sizeof(m.id));
	fd = sealer_reader(s->sealer[b->track], &b->job);
	if (fd < 0)
		return; /* then it is sent when it is complete */
	sent = ipc_send_fds(s->link, MSG_STREAM, &m, sizeof(m), &fd, 1);
	close(fd);
	if (sent <= 0)
		return;
	t->state = STREAM_OPEN;
	t->number = m.stream;
	t->serial = b->serial;
	t->most = m.most;
	t->block = block;
	t->told = 0;
	t->layout = m.layout;
}

void stream_grow(struct spool *s, const struct batch *b)
{
	struct stream *t = &s->stream;
	uint64_t there = sealer_there(s->sealer[b->track]);

	if (there == 0)
		return;
	if (t->state == STREAM_NONE)
		begin(s, b);
	if (!sends(s, b) || there == t->told)
		return;
	const struct msg_grown m = { .stream = t->number, .there = there };
	if (say(s, MSG_GROWN, &m, sizeof(m)) > 0)
		t->told = there;
}

int stream_layout(struct spool *s, const struct batch *b, struct layout *l)
{
	if (!sends(s, b))
		return layout_of(l, &s->conf, b->job.length);
	*l = s->stream.layout;
	return layout_stream_end(l, &s->conf, s->stream.most, s->stream.block, b->job.length);
}

void stream_numbered(struct spool *s, const struct batch *b, const struct outbox_new *n, int64_t row)
{
	struct outbox_object o = { .row = row, .number = n->number, .length = n->length };

	if (!sends(s, b))
		return;
	/* At the link already: dispatch is not to give it once more. */
	strcpy(o.channel, n->channel);
	dispatch_note(s, &o);
	s->stream.end = (struct msg_numbered){ .stream = s->stream.number, .row = row, .length = n->length, .layout = n->layout };
	s->stream.state = STREAM_NUMBERED;
	stream_say(s);
}

void stream_abandon(struct spool *s, const struct batch *b)
{
	if (!sends(s, b))
		return;
	s->stream.state = STREAM_ABANDONED;
	stream_say(s);
}

void stream_say(struct spool *s)
{
	struct stream *t = &s->stream;
	const struct msg_abandon a = { .stream = t->number };
	int sent = 0;

	if (t->state == STREAM_NUMBERED)
		sent = say(s, MSG_NUMBERED, &t->end, sizeof(t->end));
	else if (t->state == STREAM_ABANDONED)
		sent = say(s, MSG_ABANDON, &a, sizeof(a));
	if (sent > 0)
		t->state = STREAM_NONE;
}
