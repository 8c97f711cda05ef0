/* dispatch.c - numbered objects go to the link, come again when due, and are
 * erased when their retention has passed (spool.h).
 *
 * The link holds IN_FLIGHT_MAX objects at most, IN_FLIGHT_REPEATS of them
 * repeats.  New ones are taken by turns: the oldest, the smallest.  Where
 * channels have different priorities, those of the higher ones come before, and
 * the highest has places of its own.  What the link does with them in time is
 * schedule.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/exits.h"
#include "host/i18n.h"
#include "host/ipc_send.h"
#include "host/log.h"
#include "host/reason.h"
#include "sender/disk.h"
#include "sender/schedule.h"
#include "sender/spool.h"

#define MS_PER_NS 1000000u
enum { EXPIRE_AT_ONCE = 64 }; /* a second: each is a commit */

static bool in_flight(const void *ctx, int64_t row)
{
	const struct spool *s = ctx;

	for (unsigned i = 0; i < IN_FLIGHT_MAX; i++)
		if (s->flight[i].row == row)
			return true;
	return false;
}

static void lose(struct spool *s, const struct outbox_object *o, const char *why)
{
	log_error("%s %" PRIu64 ": its sealed object is lost (%s): it cannot be sent again; put its files in anew if the "
	    "receiver lacks them", o->channel, o->number, reason_show(why));
	outbox_lost(&s->outbox, o->row);
	s->closer.lost = true;
}

/* The disk does not give it now: it is kept, and tried again.  Only what is not there, or is something else, is lost. */
static void not_now(struct spool *s, int64_t row, const char *channel, uint64_t number, uint32_t rounds, int error, uint64_t now_ns)
{
	uint64_t again_ns = schedule_due(s->conf.repeat_ns, s->conf.repeats, 1, 0);

	if (s->unread_until_ns <= now_ns) /* the first of them; all are tried again together */
		log_error("%s %" PRIu64 ": its sealed object cannot be read now: %s; it is kept and tried again", channel, number, strerror(error));
	snprintf(s->disk_why, sizeof(s->disk_why), "%s %" PRIu64 ": %s", channel, number, reason_errno(error));
	s->unread_until_ns = now_ns + again_ns + SPOOL_RETRY_NS;
	outbox_round(&s->outbox, row, rounds, outbox_service_ms(&s->outbox, now_ns) + again_ns / MS_PER_NS);
}

/* An object whose layout is for other datagrams (the MTU was changed) is cut anew. */
static bool fit_layout(struct spool *s, struct outbox_object *o)
{
	if (o->layout_ok && o->layout.slen == s->conf.n - FRAME_SYMBOL_OVERHEAD)
		return true;
	if (layout_of(&o->layout, &s->conf, o->length) != 0)
		return false;
	log_info("%s %" PRIu64 ": cut anew for datagrams of %" PRIu32 " bytes", o->channel, o->number, s->conf.n);
	outbox_relayout(&s->outbox, o->row, &o->layout);
	return true;
}

/* 1 given, 0 the link's socket is full, -1 the object is lost, or cannot be read now. */
static int give(struct spool *s, struct outbox_object *o, uint64_t now_ns)
{
	struct msg_object m = { .row = o->row, .length = o->length, .round = o->rounds, .asked = o->asked };
	int fd = outbox_object_fd(&s->outbox, o->id), sent;

	if (fd < 0) {
		if (errno == ENOENT || errno == ELOOP) /* removed; replaced by a link */
			lose(s, o, strerror(errno));
		else
			not_now(s, o->row, o->channel, o->number, o->rounds, errno, now_ns);
		return -1;
	}
	if (lseek(fd, 0, SEEK_END) != (off_t)o->length || !fit_layout(s, o)) {
		close(fd);
		lose(s, o, N_("it is not as long as it was"));
		return -1;
	}
	if (o->length >= DISK_PIECE) /* written past the page cache, read past it */
		(void)disk_direct(fd, true);
	m.layout = o->layout;
	m.channel = sender_conf_channel(&s->conf, o->channel); /* configured once, and no more: what was numbered is still sent */
	m.priority = m.channel < s->conf.channels ? (uint32_t)s->conf.channel[m.channel].priority : SENDER_PRIORITY;
	memcpy(m.id, o->id, sizeof(m.id));
	sent = ipc_send_fds(s->link, MSG_OBJECT, &m, sizeof(m), &fd, 1);
	close(fd);
	return sent > 0;
}

void dispatch_note(struct spool *s, const struct outbox_object *o)
{
	unsigned i = 0;

	while (s->flight[i].row != 0)
		i++;
	s->flight[i].row = o->row;
	s->flight[i].rounds = o->rounds;
	s->flight[i].number = o->number;
	strcpy(s->flight[i].channel, o->channel);
	s->flights++;
	s->flights_again += o->rounds > 0;
}

/* false: the link has no room. */
static bool give_this(struct spool *s, struct outbox_object *o, uint64_t now_ns)
{
	int given = give(s, o, now_ns);

	if (given > 0)
		dispatch_note(s, o);
	if (given == 0)
		s->full_ns = now_ns + 100 * MS_PER_NS;
	return given != 0;
}

/* Give one object of this order; false: there is none, or no room. */
static bool give_one(struct spool *s, enum outbox_order order, uint64_t now_ns)
{
	struct outbox_object o;

	return outbox_pick(&s->outbox, order, outbox_service_ms(&s->outbox, now_ns), in_flight, s, &o) && give_this(s, &o, now_ns);
}

/* Give one new object of a channel of this priority, channels by turns. */
static bool give_of(struct spool *s, uint64_t priority, uint64_t now_ns)
{
	struct outbox_object o;

	for (unsigned i = 0; i < s->conf.channels; i++) {
		const struct sender_channel *c = &s->conf.channel[++s->channel_turn % s->conf.channels];
		if (c->priority == priority &&
		    outbox_pick_of(&s->outbox, c->name, outbox_service_ms(&s->outbox, now_ns), in_flight, s, &o))
			return give_this(s, &o, now_ns);
	}
	return false;
}

static unsigned new_in_flight(const struct spool *s)
{
	return s->flights - s->flights_again + stream_is_open(s);
}

/* Before all others: the channels above the lowest priority. */
static void give_by_priority(struct spool *s, uint64_t now_ns)
{
	uint64_t highest = 0, lowest = UINT64_MAX;

	for (unsigned i = 0; i < s->conf.channels; i++) {
		uint64_t p = s->conf.channel[i].priority;
		highest = p > highest ? p : highest;
		lowest = p < lowest ? p : lowest;
	}
	for (uint64_t p = highest; p > lowest && s->full_ns <= now_ns; p--)
		while (new_in_flight(s) < IN_FLIGHT_MAX - IN_FLIGHT_REPEATS - (p < highest ? IN_FLIGHT_FIRST : 0u) &&
		    give_of(s, p, now_ns))
			;
	s->new_max = IN_FLIGHT_MAX - IN_FLIGHT_REPEATS - (highest > lowest ? IN_FLIGHT_FIRST : 0u);
}

bool dispatch_new_room(const struct spool *s)
{
	return new_in_flight(s) < IN_FLIGHT_MAX - IN_FLIGHT_REPEATS;
}

void dispatch_run(struct spool *s, uint64_t now_ns)
{
	if (s->rekey->to_say || s->full_ns > now_ns)
		return; /* no session yet, or no room in the socket */
	give_by_priority(s, now_ns);
	while (new_in_flight(s) < s->new_max && s->full_ns <= now_ns) {
		if (!give_one(s, s->oldest_turn ? OUTBOX_OLDEST : OUTBOX_SMALLEST, now_ns))
			break;
		s->oldest_turn = !s->oldest_turn;
	}
	while (s->flights_again < IN_FLIGHT_REPEATS && give_one(s, OUTBOX_DUE, now_ns))
		;
}

void dispatch_done(struct spool *s, const struct msg_done *d, uint64_t now_ns)
{
	uint64_t due_ns;
	struct in_flight *f = s->flight;

	while (f < s->flight + IN_FLIGHT_MAX && f->row != d->row)
		f++;
	if (d->row == 0 || f == s->flight + IN_FLIGHT_MAX || f->rounds != d->round)
		log_die(EXIT_INTERNAL, "the link ends a round that was not begun");
	if (d->failed) {
		not_now(s, d->row, f->channel, f->number, d->round, EIO, now_ns);
	} else {
		log_about(.event = LOG_EVENT_SENT, .channel = f->channel, .number = f->number);
		log_info("%s %" PRIu64 ": sent, round %" PRIu32 ", %" PRIu64 " datagrams", f->channel, f->number, d->round + 1,
		    d->datagrams);
		due_ns = schedule_due(s->conf.repeat_ns, s->conf.repeats, d->round + 1, 0);
		outbox_round(&s->outbox, d->row, d->round + 1, outbox_service_ms(&s->outbox, now_ns) + due_ns / MS_PER_NS);
	}
	s->flights--;
	s->flights_again -= d->round > 0;
	memset(f, 0, sizeof(*f));
}

void dispatch_expire(struct spool *s, uint64_t now_ns)
{
	for (unsigned i = 0; i < EXPIRE_AT_ONCE; i++)
		if (!outbox_expire(&s->outbox, outbox_service_ms(&s->outbox, now_ns), in_flight, s))
			break;
}
