/* proc_link.c - the link process: schedule > encode > pace > transmit.
 *
 * It has the UDP socket, the tag key of the session and sealed objects as
 * read-only descriptors: no path, no plaintext, no key that opens or signs.
 * One loop, one helper thread (encode.h).  Everything that leaves is charged
 * to the pacer, HELLO and BEAT included. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "codec/crypto.h"
#include "core/pacer.h"
#include "host/clock.h"
#include "host/exits.h"
#include "host/ipc_recv.h"
#include "host/log.h"
#include "host/proc.h"
#include "host/sandbox.h"
#include "sender/link_session.h"
#include "sender/pacing.h"
#include "sender/round.h"
#include "sender/schedule.h"
#include "sender/sender_conf.h"
#include "sender/sender_proc.h"
#include "sender/transmit.h"

enum { IN_FLIGHT = 64 }; /* as many as the spool hands out (dispatch.h) */
#define STATUS_NS 1000000000ull

struct flight {
	struct round round;
	int64_t row;           /* 0: being made, and not numbered yet */
	uint64_t stream;       /* 0: it was complete when it came */
	bool ended;            /* DONE is still to be said */
	bool failed;
	uint64_t datagrams;
};

struct link {
	int spool, stop;
	struct sender_conf conf;
	struct link_session now, next;
	struct transmit out;
	struct pacer_pair pacer;
	struct pacing pacing;
	bool idle;             /* until this turn: what was not sent is not owed */
	struct encoder *encoder;
	struct schedule schedule;
	struct schedule_item item[IN_FLIGHT];
	struct flight flight[IN_FLIGHT];
	uint8_t once[TRANSMIT_SLOTS * 64];
	uint64_t status_ns, retry_ns;
	struct ipc_msg msg;
};

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
		round_free(&l->flight[i].round, l->encoder);
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

static void take_messages(struct link *l)
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

static void say_done(struct link *l)
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

static void say_status(struct link *l, uint64_t now)
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

/* --- what leaves --- */

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
			l->out.filled++;
		if (due < *wake)
			*wake = due;
	}
}

static void end_flight(struct link *l, unsigned i, bool failed)
{
	round_free(&l->flight[i].round, l->encoder);
	l->flight[i].ended = true;
	l->flight[i].failed = failed;
	l->item[i].blocked = true; /* used until DONE is said, but not to be picked */
}

/* One symbol of flight i into the next slot; false if it has none now. */
static bool fill_slot(struct link *l, unsigned i, uint64_t now)
{
	struct flight *f = &l->flight[i];
	uint8_t *d = transmit_slot(&l->out, l->out.filled);
	struct frame_head h = { .kind = FRAME_SYMBOL, .len = (uint16_t)l->conf.n, .lane = l->now.lane, .epoch = l->now.epoch };
	struct frame_symbol s;

	switch (round_next(&f->round, l->encoder, &s, &h.mlog, d + FRAME_SYMBOL_HEAD_LEN)) {
	case ROUND_GOT:
		break;
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
		log_error("row %lld: its sealed object could not be read: %s", (long long)f->row, strerror(errno));
		end_flight(l, i, true);
		return false;
	}
	h.pn = ++l->now.pn;
	frame_put_symbol(d, &h, &s);
	f->datagrams++;
	l->item[i].left -= l->item[i].left < l->conf.n ? l->item[i].left : l->conf.n;
	l->out.filled++;
	return true;
}

/* Tags for the symbols in slots first .. filled-1: their packet numbers are consecutive. */
static void tag_slots(struct link *l, unsigned first)
{
	unsigned count = l->out.filled - first;

	tag_keys(l->once, l->now.tag_key, l->now.pn - count + 1, count);
	for (unsigned i = 0; i < count; i++) {
		uint8_t *d = transmit_slot(&l->out, first + i);
		tag_make(d + l->conf.n - FRAME_TAG_LEN, l->once + 64 * (size_t)i, d, l->conf.n);
	}
}

/* Symbols into what is left of the batch, as far as there are any. */
static void fill_batch(struct link *l, uint64_t now, uint64_t *wake)
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

static bool nothing_to_send(const struct link *l)
{
	for (unsigned i = 0; i < IN_FLIGHT; i++)
		/* What is still being made, and has gone as far as it is made, is not late. */
		if (l->item[i].used && !l->flight[i].ended && (l->flight[i].row != 0 || !l->item[i].blocked))
			return false;
	return true;
}

/* Do what can be done now; the moment to come back unless something happens before. */
static uint64_t step(struct link *l, uint64_t now)
{
	uint64_t wake = now + STATUS_NS, wait;

	if (l->idle)
		pacer_pair_idle(&l->pacer, now);
	if (now < l->retry_ns)
		return l->retry_ns;
	if (l->next.used && l->next.from_ns <= now) {
		link_session_end(&l->now);
		l->now = l->next;
		memset(&l->next, 0, sizeof(l->next));
		log_info("epoch %u", l->now.epoch);
	}
	if (l->out.filled == 0) {
		send_control(l, now, &wake);
		if (l->now.used && l->now.from_ns <= now)
			fill_batch(l, now, &wake);
		else if (l->now.used)
			wake = l->now.from_ns < wake ? l->now.from_ns : wake;
	}
	l->idle = l->out.filled == 0 && nothing_to_send(l);
	if (l->out.filled == 0)
		return wake;
	/* The batch is made before it is due, so that reading and tagging it delays nothing. */
	now = clock_mono_ns();
	wait = pacer_pair_wait(&l->pacer, now);
	if (wait != 0) /* the last of it awake, where sleeps are too coarse */
		return wait > l->pacing.early_ns ? now + wait - l->pacing.early_ns : now;
	uint64_t before = l->out.datagrams;
	wait = transmit_flush(&l->out, now);
	/* Charged when they have left: a batch that was held up arrives late, and the next one must not come close. */
	now = clock_mono_ns();
	if (l->out.datagrams > before)
		pacer_pair_sent(&l->pacer, (uint32_t)(l->out.datagrams - before) * (l->conf.n + SENDER_WIRE_OVERHEAD), now);
	if (wait != 0)
		return l->retry_ns = now + wait;
	return now; /* the next batch, at once */
}

static void wait_until(struct link *l, uint64_t wake)
{
	struct pollfd p[3] = {
		{ .fd = l->stop, .events = POLLIN }, { .fd = l->spool, .events = POLLIN },
		{ .fd = encoder_fd(l->encoder), .events = POLLIN },
	};
	uint64_t now = clock_mono_ns(), ns = wake > now ? wake - now : 0;
	const struct timespec ts = { (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };

	int n = ppoll(p, 3, &ts, NULL);

	if (n < 0 && errno != EINTR)
		log_die(EXIT_INTERNAL, "poll: %s", strerror(errno));
	if (n == 0 && ns > 0)
		pacing_overslept(&l->pacing, clock_mono_ns() - wake);
	if (p[0].revents != 0)
		exit(EXIT_OK);
	if (p[1].revents != 0)
		take_messages(l);
	if (p[2].revents != 0)
		encoder_clear(l->encoder);
}

static void start(struct link *l, const char *name)
{
	if (sender_conf_read(&l->conf, name, PROC_FD_FIRST + LINK_FD_CONF) != 0)
		exit(EXIT_CONFIG);
	close(PROC_FD_FIRST + LINK_FD_CONF);
	l->spool = PROC_FD_FIRST + LINK_FD_SPOOL;
	if (fcntl(l->spool, F_SETFL, O_NONBLOCK) != 0 || prctl(PR_SET_TIMERSLACK, 1) != 0)
		log_die(EXIT_SYSTEM, "setting up: %s", strerror(errno));
	transmit_init(&l->out, PROC_FD_FIRST + LINK_FD_UDP, l->conf.n);
	l->pacing = pacing_of(l->conf.rate, l->conf.pacing_ns, l->conf.n + SENDER_WIRE_OVERHEAD, l->out.segments, TRANSMIT_SLOTS);
	pacer_pair_init(&l->pacer, l->conf.rate, l->pacing.catch_ns, PACING_DEBT_NS, clock_mono_ns());
}

int sender_link_main(const char *name)
{
	struct link *l;

	proc_child_init("link", LINK_FDS);
	if (crypto_init() != 0)
		log_die(EXIT_SYSTEM, "the cryptographic libraries do not start");
	l = crypto_secret_alloc(sizeof(*l)); /* it holds tag keys; locked as a whole */
	if (l == NULL)
		log_die(EXIT_SYSTEM, "out of lockable memory");
	l->stop = proc_stop_fd();
	start(l, name);
	sandbox_begin(SANDBOX_SENDER_LINK, NULL, 0);
	l->encoder = encoder_start();
	const int fd[] = { l->spool, encoder_fd(l->encoder) };
	sandbox_seal(SANDBOX_SENDER_LINK, fd, 2);
	for (;;) {
		uint64_t now = clock_mono_ns();
		uint64_t wake = step(l, now);
		if (l->out.filled == 0) /* the last symbols of a round may still wait */
			say_done(l);
		say_status(l, now);
		wait_until(l, wake);
	}
}
