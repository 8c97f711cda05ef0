/* proc_link.c - the receiver's link process (proc_link.h): one loop.
 *
 * Draining the socket comes first.  What open and store say is read between
 * batches; what they cannot take at once is kept and offered again, and
 * nothing here ever waits for them. */
#include "receiver/proc_link.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/crypto.h"
#include "core/bytes.h"
#include "host/clock.h"
#include "host/exits.h"
#include "host/ipc_recv.h"
#include "host/log.h"
#include "host/proc.h"
#include "host/sandbox.h"
#include "receiver/assemble.h"
#include "receiver/authenticate.h"
#include "receiver/peer_gone.h"
#include "receiver/receive.h"

enum {
	PARITY_BYTES = 96 << 20,
	META_BYTES = 48 << 20,
	CHUNKS = 80, /* of 1 MiB: the largest block three times */
	OBJECTS = 1024,
	DELIVERED = 1 << 18,
	SLOTS_WANTED = 192,
	SLOTS_LOW = 96,
	MESSAGES = 16,       /* of store, before the socket is looked at again */
	BATCHES = 64,        /* before the other descriptors are looked at */
	NAP_NS = 500000,     /* while datagrams come: being woken for each is dearer */
	HOLD_NS = 1000000,   /* so long symbols wait for their neighbours */
	WAIT_MS = 100,
};
#define STALE_NS (15ull * 24 * 3600 * 1000000000) /* beyond any retention */
#define START_NS 10000000000ull /* so long what arrives waits in the socket for a store that is starting */
#define STATS_NS 1000000000ull

static int stop_fd;
static const char *gone; /* a process that closed its end: keep what was gathered, then end */

struct link {
	struct receive *receive;
	struct authenticate *auth;
	struct assemble *assemble;
	struct msg_stats stats;
	uint64_t stats_at_ns, asked_at_ns, kept_since_ns;
	uint32_t asked; /* part files asked for and not here yet */
	bool ready;
	uint64_t start_until_ns; /* see starting(); 0: no session yet */
	bool started;
	struct ipc_msg msg;
	uint8_t out[sizeof(struct msg_datagram) + FRAME_MAX_LEN];
};

static int
to_store(uint32_t type, const struct msg_object *o)
{
	int r = ipc_write(LINK_FD_STORE, type, o, sizeof(*o));

	if (r < 0)
		gone = "store";
	return r == 1;
}

static int
complete(void *ctx, const struct msg_object *o)
{
	(void)ctx;
	return to_store(MSG_COMPLETE, o);
}

static int
discard(void *ctx, const struct msg_object *o)
{
	(void)ctx;
	return to_store(MSG_DISCARD, o);
}

static int
expired(void *ctx, const struct msg_object *o)
{
	(void)ctx;
	return to_store(MSG_EXPIRED, o);
}

static int
progress(void *ctx, const struct msg_progress *p)
{
	int r = ipc_write(LINK_FD_STORE, MSG_PROGRESS, p, sizeof(*p));

	(void)ctx;
	if (r < 0)
		gone = "store";
	return r == 1;
}

static const struct assemble_sink sink = { complete, discard, progress, expired };

/* HELLO and BEAT go to open whole.  If it cannot take one now, the next copy does. */
static enum link_counter
hand_on(struct link *l, enum link_counter c, const struct frame_head *h, uint32_t sender, const uint8_t *d, size_t n)
{
	struct msg_datagram m = { .sender = sender, .epoch = h->epoch, .lane = h->lane, .n = (uint32_t)n };

	if (sizeof(m) + n > IPC_MAX)
		return LC_SIZE;
	memcpy(l->out, &m, sizeof(m));
	memcpy(l->out + sizeof(m), d, n);
	switch (ipc_write(LINK_FD_OPEN, c == LC_HELLO ? MSG_HELLO : MSG_BEAT, l->out, sizeof(m) + n)) {
	case 1:
		return c;
	case 0:
		return LC_REPEAT;
	default:
		gone = "open";
		return LC_REPEAT;
	}
}

static enum link_counter
datagram(struct link *l, const uint8_t *d, size_t n, uint64_t now_ns)
{
	struct frame_head h;
	struct frame_symbol s;
	uint32_t sender;
	enum link_counter c = authenticate(l->auth, d, n, now_ns, &h, &sender);
	enum frame_err e;

	if (c == LC_HELLO || c == LC_BEAT || c == LC_TAKEN) {
		l->stats.last_ms = 1; /* the time is put in once a second */
		l->stats.sender = sender;
		l->stats.lane = h.lane;
		l->stats.epoch = h.epoch;
	}
	if (c == LC_HELLO || c == LC_BEAT)
		return hand_on(l, c, &h, sender, d, n);
	if (c != LC_TAKEN)
		return c;
	if ((e = frame_symbol(&s, &h, d)) != FRAME_OK)
		return authenticate_count(e);
	return assemble_symbol(l->assemble, sender, &s, d + FRAME_SYMBOL_HEAD_LEN, now_ns);
}

/* Write what has come, in long runs: blocks are sent interleaved, so that
 * neighbours in the file are some datagrams apart on the wire. */
static void
write_out(struct link *l)
{
	assemble_write(l->assemble);
	receive_release(l->receive);
}

/* Take what the socket has; how many datagrams. */
static unsigned
drain(struct link *l)
{
	unsigned total = 0, got;
	uint64_t now = clock_mono_ns();

	for (int i = 0; i < BATCHES && (got = receive_batch(l->receive)) > 0; i++) {
		now = clock_mono_ns();
		if (receive_kept(l->receive) == got)
			l->kept_since_ns = now;
		const uint8_t *d;
		size_t n;
		while ((d = receive_next(l->receive, &n)) != NULL) {
			l->stats.counter[LC_DATAGRAMS]++;
			l->stats.counter[LC_BYTES] += n;
			l->stats.counter[datagram(l, d, n, now)]++;
		}
		total += got;
		/* The same memory at once again: it is still in the cache.  An object that is complete waits for no neighbours. */
		if (receive_kept(l->receive) == RECEIVE_KEPT || !assemble_holds(l->assemble) || assemble_has_whole(l->assemble))
			write_out(l);
	}
	if (receive_kept(l->receive) > 0 && now - l->kept_since_ns >= HOLD_NS)
		write_out(l);
	return total;
}

static void
begin(struct link *l)
{
	const struct assemble_limits limits = { .object = 0, .objects = OBJECTS, .parity = PARITY_BYTES,
		.meta = META_BYTES, .chunks = CHUNKS, .delivered = DELIVERED, .stale_ns = STALE_NS / clock_test_speed() };

	l->assemble = assemble_new(&limits, authenticate_ids(l->auth), authenticate_peers(l->auth), &sink, l,
	    l->stats.counter);
	if (l->assemble == NULL)
		log_die(EXIT_SYSTEM, "no memory or thread to gather objects with");
	l->ready = true;
}

static void
from_open(struct link *l)
{
	const struct msg_session *s;
	enum ipc_result r;

	while ((r = ipc_recv(LINK_FD_OPEN, &l->msg)) == IPC_GOT) {
		switch (l->msg.type) {
		case MSG_PEER:
			authenticate_peer(l->auth, ipc_body(&l->msg, sizeof(struct msg_peer)));
			break;
		case MSG_PEERS_END:
			begin(l);
			return; /* then the store's messages can be understood */
		case MSG_SESSION:
			s = ipc_body(&l->msg, sizeof(*s));
			authenticate_session(l->auth, s);
			l->stats.counter[LC_SESSIONS]++;
			break;
		case MSG_REVOKED:
			authenticate_end(l->auth, ((const struct msg_about_peer *)ipc_body(&l->msg, sizeof(struct msg_about_peer)))->sender);
			break;
		default:
			log_die(EXIT_INTERNAL, "open sent a message of unknown type %u", l->msg.type);
		}
		crypto_wipe(l->msg.body, l->msg.len);
	}
	if (r == IPC_CLOSED)
		gone = "open";
}

static void
done(struct link *l, const struct msg_done *d)
{
	if (d->count > MSG_DONE_MAX)
		log_die(EXIT_INTERNAL, "store sent %u objects in one message", d->count);
	for (uint32_t i = 0; i < d->count; i++)
		assemble_done(l->assemble, d->key[i].sender, d->key[i].id);
}

static void
from_store(struct link *l, uint64_t now_ns)
{
	const struct msg_object *o;
	enum ipc_result r = IPC_AGAIN;

	for (int i = 0; i < MESSAGES && (r = ipc_recv(LINK_FD_STORE, &l->msg)) == IPC_GOT; i++) {
		switch (l->msg.type) {
		case MSG_LIMITS:
			assemble_set_object_max(l->assemble,
			    ((const struct msg_limits *)ipc_body(&l->msg, sizeof(struct msg_limits)))->object);
			break;
		case MSG_SLOT:
			l->asked -= l->asked > 0;
			assemble_slot(l->assemble, ((const struct msg_slot *)ipc_body(&l->msg, sizeof(struct msg_slot)))->slot,
			    l->msg.fd[0], l->msg.fd[1], l->msg.fd[2], now_ns);
			break;
		case MSG_DONE:
			done(l, ipc_body(&l->msg, sizeof(struct msg_done)));
			break;
		case MSG_FORGET:
			o = ipc_body(&l->msg, sizeof(*o));
			assemble_forget(l->assemble, o->sender, o->id);
			break;
		default:
			log_die(EXIT_INTERNAL, "store sent a message of unknown type %u", l->msg.type);
		}
	}
	if (r == IPC_CLOSED)
		gone = "store";
}

static void
want_slots(struct link *l, uint64_t now_ns)
{
	uint32_t have = assemble_slots_free(l->assemble);
	struct msg_need m = { .count = SLOTS_WANTED - have };

	if (now_ns - l->asked_at_ns > STATS_NS)
		l->asked = 0; /* refused, for want of disk: ask again */
	if (have + l->asked >= SLOTS_LOW || ipc_write(LINK_FD_STORE, MSG_NEED, &m, sizeof(m)) != 1)
		return;
	l->asked_at_ns = now_ns;
	l->asked += m.count;
}

static void
report(struct link *l, uint64_t now_ns)
{
	static uint64_t last_ms;

	/* The first one tells store that objects can be gathered. */
	if (now_ns - l->stats_at_ns < STATS_NS || (l->stats_at_ns == 0 && assemble_slots_free(l->assemble) == 0))
		return;
	l->stats_at_ns = now_ns;
	if (l->stats.last_ms != 0)
		last_ms = clock_wall_ms();
	l->stats.last_ms = last_ms;
	receive_kernel(LINK_FD_SOCKET, &l->stats.counter[LC_KERNEL], &l->stats.buffer_bytes, &l->stats.buffer_used);
	assemble_stats(l->assemble, &l->stats);
	if (ipc_write(LINK_FD_STORE, MSG_STATS, &l->stats, sizeof(l->stats)) < 0)
		gone = "store";
	l->stats.last_ms = 0;
}

/* A session is there, and store is still opening its ledger: without part files symbols could only be thrown away, and would
 * be missing until their repeat.  They wait in the socket's buffer, as far as it goes. */
static bool
starting(struct link *l, uint64_t now_ns)
{
	if (l->started || l->stats.counter[LC_SESSIONS] == 0)
		return false;
	if (l->start_until_ns == 0)
		l->start_until_ns = now_ns + START_NS;
	l->started = assemble_slots_free(l->assemble) > 0 || now_ns >= l->start_until_ns;
	return !l->started;
}

static void
nonblocking(int fd)
{
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
		log_die(EXIT_INTERNAL, "descriptor %d cannot be made non-blocking", fd);
}

static void
wait_for_something(const struct link *l, bool held)
{
	struct pollfd p[] = {
		{ .fd = held ? -1 : LINK_FD_SOCKET, .events = POLLIN }, { .fd = LINK_FD_OPEN, .events = POLLIN },
		{ .fd = LINK_FD_STORE, .events = POLLIN }, { .fd = stop_fd, .events = POLLIN },
		{ .fd = assemble_fd(l->assemble, 0), .events = POLLIN },
		{ .fd = assemble_fd(l->assemble, 1), .events = POLLIN },
		{ .fd = assemble_fd(l->assemble, 2), .events = POLLIN },
	};

	if (poll(p, sizeof(p) / sizeof(p[0]), WAIT_MS) < 0)
		return; /* a signal: the loop looks at everything anyway */
}

static bool
readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* Everything is made: from here on it reads what strangers write. */
static void
seal(const struct link *l)
{
	const int fd[] = { LINK_FD_OPEN, LINK_FD_STORE, assemble_fd(l->assemble, 0), assemble_fd(l->assemble, 1),
		assemble_fd(l->assemble, 2) };

	sandbox_seal(SANDBOX_RECEIVER_LINK, fd, sizeof(fd) / sizeof(fd[0]));
}

int
receiver_link_run(void)
{
	static struct link l;

	stop_fd = proc_stop_fd();

	l.receive = receive_new(LINK_FD_SOCKET);
	l.auth = authenticate_new();
	if (l.receive == NULL || l.auth == NULL)
		log_die(EXIT_SYSTEM, "no memory for the link process");
	while (!l.ready) { /* open is reading its keys; this socket still waits */
		if (readable(stop_fd))
			return EXIT_OK;
		from_open(&l);
		if (gone != NULL)
			peer_gone(stop_fd, gone);
	}
	nonblocking(LINK_FD_OPEN);
	nonblocking(LINK_FD_STORE);
	seal(&l);
	while (gone == NULL && !readable(stop_fd)) {
		bool held = starting(&l, clock_mono_ns());
		unsigned got = held ? 0 : drain(&l);
		uint64_t now = clock_mono_ns();
		from_open(&l);
		from_store(&l, now);
		assemble_tick(l.assemble, now);
		want_slots(&l, now);
		report(&l, now);
		if (got > 0 || receive_kept(l.receive) > 0)
			clock_sleep_ns(NAP_NS);
		else
			wait_for_something(&l, held);
	}
	write_out(&l);
	assemble_free(l.assemble); /* makes every map durable */
	if (gone != NULL)
		peer_gone(stop_fd, gone);
	authenticate_free(l.auth);
	receive_free(l.receive);
	return EXIT_OK;
}
