/* link_batch.c - what leaves next (link_private.h): control datagrams, then symbols of
 * the objects that are due, with their tags. */
#include <string.h>

#include "codec/crypto.h"
#include "codec/tag.h"
#include "sender/link_private.h"

/* HELLO and BEAT of both sessions, as far as due.  They are complete with
 * their tags. */
static void send_control(struct link *l, uint64_t now, uint64_t *wake)
{
	struct link_session *both[2] = { &l->now, &l->next };
	uint64_t due = UINT64_MAX;

	for (unsigned i = 0; i < 2; i++) {
		if (!both[i]->used)
			continue;
		while (l->out.filled < l->pacing.batch &&
		    link_session_control(both[i], transmit_slot(&l->out, l->out.filled), now, &due))
			transmit_push(&l->out, NULL);
		if (due < *wake)
			*wake = due;
	}
}

void link_drop_round(struct link *l, unsigned i)
{
	transmit_own(&l->out); /* some of it may not have left */
	round_free(&l->flight[i].round, l->encoder);
}

static void end_flight(struct link *l, unsigned i, bool failed)
{
	link_drop_round(l, i);
	l->flight[i].ended = true;
	l->flight[i].failed = failed;
	l->item[i].blocked = true; /* used until DONE is said, but not to be picked */
}

/* A symbol of flight i into the next slot; false if it has none now. */
static bool fill_slot(struct link *l, unsigned i, uint64_t now)
{
	struct flight *f = &l->flight[i];
	uint8_t *d = transmit_slot(&l->out, l->out.filled);
	struct frame_head h = { .kind = FRAME_SYMBOL, .len = (uint16_t)l->conf.n, .lane = l->now.lane, .epoch = l->now.epoch };
	uint8_t *room = d + FRAME_SYMBOL_HEAD_LEN;
	const uint8_t *symbol;
	struct frame_symbol s;

	switch (round_next(&f->round, l->encoder, &s, &h.mlog, room, &symbol)) {
	case ROUND_GOT:
		break;
	case ROUND_OVER:
		transmit_own(&l->out);
		return true; /* nothing yet, but there may be more */
	case ROUND_WAIT:
		l->item[i].blocked = true;
		return false;
	case ROUND_PAUSE:
		l->item[i].ready_ns = now + f->round.l.spacing_ns;
		return false;
	case ROUND_END:
		end_flight(l, i, false);
		return false;
	case ROUND_FAILED:
		end_flight(l, i, true);
		return false;
	}
	h.pn = ++l->now.pn;
	frame_put_symbol(d, &h, &s);
	f->datagrams++;
	l->item[i].left -= l->item[i].left < l->conf.n ? l->item[i].left : l->conf.n;
	transmit_push(&l->out, symbol == room ? NULL : symbol);
	return true;
}

/* Tags for the symbols in slots first .. filled-1: their packet numbers are consecutive. */
static void tag_slots(struct link *l, unsigned first)
{
	unsigned count = l->out.filled - first;

	tag_keys(l->once, l->now.tag_key, l->now.pn - count + 1, count);
	for (unsigned i = 0; i < count; i++) {
		uint8_t *d = transmit_slot(&l->out, first + i);
		crypto_onetime_tag(l->tagger, d + l->conf.n - FRAME_TAG_LEN, l->once + TAG_ONCE_STRIDE * (size_t)i,
		    d, FRAME_SYMBOL_HEAD_LEN, transmit_symbol(&l->out, first + i), l->conf.n - FRAME_SYMBOL_OVERHEAD);
	}
}

/* Symbols into what is left of the batch, as far as there are any. */
static void fill_symbols(struct link *l, uint64_t now, uint64_t *wake)
{
	unsigned first = l->out.filled;
	uint64_t ready;

	for (unsigned i = 0; i < IN_FLIGHT; i++)
		if (l->item[i].used && !l->flight[i].ended)
			l->item[i].blocked = round_blocked(&l->flight[i].round, l->encoder);
	while (l->out.filled < l->pacing.batch) {
		int i = schedule_pick(&l->schedule, l->item, IN_FLIGHT, now, &ready);
		unsigned before = l->out.filled;
		if (i < 0) {
			*wake = ready < *wake ? ready : *wake;
			break;
		}
		/* A turn: all that the batch still takes of this object. */
		while (l->out.filled < l->pacing.batch && fill_slot(l, (unsigned)i, now))
			;
		schedule_sent(&l->schedule, &l->item[i], (uint64_t)(l->out.filled - before) * l->conf.n);
	}
	if (l->out.filled > first)
		tag_slots(l, first);
}

void link_fill_batch(struct link *l, uint64_t now, uint64_t *wake)
{
	send_control(l, now, wake);
	if (l->now.used && l->now.from_ns <= now)
		fill_symbols(l, now, wake);
	else if (l->now.used)
		*wake = l->now.from_ns < *wake ? l->now.from_ns : *wake;
}

bool link_idle(const struct link *l)
{
	for (unsigned i = 0; i < IN_FLIGHT; i++)
		/* What is still being made, and has gone as far as it is made, is not late. */
		if (l->item[i].used && !l->flight[i].ended && (l->flight[i].row != 0 || !l->item[i].blocked))
			return false;
	return true;
}
