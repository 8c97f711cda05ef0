/* proc_link.c - the receiver's link process (proc_link.h): one loop.
 *
 * Draining the socket comes first.  What open and store say is read between
 * batches; what they cannot take at once is kept and offered again.  For two things
 * only it waits, while the socket has room: part files that store owes, and, for a
 * moment, open's word on a HELLO whose symbols are here already. */
#include "receiver/proc_link.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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
#include "receiver/link_store.h"
#include "receiver/peer_gone.h"
#include "receiver/receive.h"

enum {
	PARITY_BYTES = 96 << 20,
	META_BYTES = 48 << 20,
	FILES_EACH = 3,      /* of an object: assemble_slot() */
	FILES_MAX = 8192,    /* however many more are allowed */
	FILES_OTHER = 256,   /* times three, for part files that are ready and for all else */
	OBJECTS = 1024,
	DELIVERED = 1 << 18,
	BATCHES = 64,        /* before the other descriptors are looked at */
	NAP_NS = 500000,     /* while datagrams come: being woken for each is dearer */
	HOLD_NS = 1000000,   /* so long symbols wait for their neighbours */
	WAIT_MS = 100,
	LOOK_MS = 10,        /* the socket fills meanwhile */
};
#define STALE_NS (15ull * 24 * 3600 * 1000000000) /* beyond any retention */
#define STATS_NS 1000000000ull
#define HELLO_NS 200000000ull /* so long symbols wait for their session, ... */
#define HELLO_APART_NS 1000000000ull /* ... not more often: whoever recorded HELLOs must not hold up what comes */

static int stop_fd;
static const char *gone; /* a process that closed its end: keep what was gathered, then end */

struct link {
	struct receive *receive;
	struct authenticate *auth;
	struct assemble *assemble;
	struct window window; /* open reads it */
	struct msg_stats stats;
	struct link_store store;
	uint64_t stats_at_ns, kept_since_ns;
	bool ready;
	struct frame_head hello; /* the last that open was given, */
	bool hello_open;         /* and not yet waited for */
	uint64_t waited_ns;      /* when last for one */
	struct ipc_msg msg;
	uint8_t out[sizeof(struct msg_datagram) + FRAME_MAX_LEN];
};

/* Objects that may have their files open: main has seen to it that there is room for all that are being gathered. */
static uint32_t files_max(void)
{
	struct rlimit r;
	uint64_t n = getrlimit(RLIMIT_NOFILE, &r) == 0 ? r.rlim_cur / FILES_EACH : 0;

	return n > OBJECTS + FILES_OTHER ? (uint32_t)(n < FILES_MAX ? n : FILES_MAX) - FILES_OTHER : OBJECTS;
}

static void begin(struct link *l)
{
	const struct assemble_limits limits = { .object = 0, .objects = OBJECTS, .files = files_max(), .parity = PARITY_BYTES,
		.meta = META_BYTES, .chunks = LINK_CHUNKS, .window = &l->window, .delivered = DELIVERED, .stale_ns = STALE_NS / clock_test_speed() };

	l->assemble = assemble_new(&limits, authenticate_ids(l->auth), authenticate_peers(l->auth), &link_store_sink, &l->store,
	    l->stats.counter);
	if (l->assemble == NULL)
		log_die(EXIT_SYSTEM, "no memory or thread to gather objects with");
	l->store.assemble = l->assemble;
	l->ready = true;
}

static void from_open(struct link *l)
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

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* HELLO and BEAT go to open whole.  If it cannot take one now, the next copy does. */
static enum link_counter hand_on(struct link *l, enum link_counter c, const struct frame_head *h, uint32_t sender, const uint8_t *d, size_t n)
{
	struct msg_datagram m = { .sender = sender, .epoch = h->epoch, .lane = h->lane, .n = (uint32_t)n };

	if (sizeof(m) + n > IPC_MAX)
		return LC_SIZE;
	memcpy(l->out, &m, sizeof(m));
	memcpy(l->out + sizeof(m), d, n);
	switch (ipc_write(LINK_FD_OPEN, c == LC_HELLO ? MSG_HELLO : MSG_BEAT, l->out, sizeof(m) + n)) {
	case 1:
		if (c == LC_HELLO) {
			l->hello = *h;
			l->hello_open = true;
		}
		return c;
	case 0:
		return LC_REPEAT;
	default:
		gone = "open";
		return LC_REPEAT;
	}
}

/* Has the socket room for what comes while this process waits? */
static bool socket_waits(void)
{
	uint64_t dropped, room = 0, used = 0;

	receive_kernel(LINK_FD_SOCKET, &dropped, &room, &used);
	return used <= room / 2;
}

/* A HELLO and the symbols of its session lay in the socket together: refused before open has looked at the HELLO, they would be
 * missing until their repeat.  True: it has answered. */
static bool wait_for_session(struct link *l, const struct frame_head *h)
{
	struct pollfd p[] = { { .fd = stop_fd, .events = POLLIN }, { .fd = LINK_FD_OPEN, .events = POLLIN } };
	const uint64_t before = l->stats.counter[LC_SESSIONS], now = clock_mono_ns();

	if (!l->hello_open || h->epoch != l->hello.epoch || h->lane != l->hello.lane ||
	    (l->waited_ns != 0 && now - l->waited_ns < HELLO_APART_NS))
		return false;
	l->waited_ns = now;
	l->hello_open = false;
	while (gone == NULL && clock_mono_ns() - now < HELLO_NS && socket_waits() && !readable(stop_fd)) {
		if (poll(p, sizeof(p) / sizeof(p[0]), LOOK_MS) < 0)
			break; /* a signal */
		from_open(l);
		if (l->stats.counter[LC_SESSIONS] != before)
			break;
	}
	return l->stats.counter[LC_SESSIONS] != before;
}

static enum link_counter datagram(struct link *l, const uint8_t *d, size_t n, uint64_t now_ns)
{
	struct frame_head h;
	struct frame_symbol s;
	uint32_t sender;
	enum link_counter c = authenticate(l->auth, d, n, now_ns, &h, &sender);
	enum frame_err e;

	if (c == LC_EPOCH && wait_for_session(l, &h))
		c = authenticate(l->auth, d, n, now_ns, &h, &sender);
	if (c == LC_BEAT || c == LC_TAKEN) /* not a HELLO: nothing tells one of a moment ago from its recording */
		l->stats.last_ms = 1; /* the time is put in once a second */
	if (c == LC_HELLO || c == LC_BEAT || c == LC_TAKEN) {
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
static void write_out(struct link *l)
{
	assemble_write(l->assemble);
	receive_release(l->receive);
}

/* No part file is left, and store brings more: it is starting, or is busy.  The symbols of a new object could only be thrown
 * away, and would be missing until their repeat: what comes waits in the socket, as long as that is not half full. */
static void wait_for_store(struct link *l)
{
	struct pollfd p[] = { { .fd = stop_fd, .events = POLLIN }, { .fd = LINK_FD_STORE, .events = POLLIN } };

	link_store_want(&l->store, clock_mono_ns());
	while (link_store_owes(&l->store) && !readable(stop_fd)) {
		link_store_read(&l->store, clock_mono_ns());
		if (!link_store_owes(&l->store) || !socket_waits())
			return;
		if (poll(p, sizeof(p) / sizeof(p[0]), LOOK_MS) < 0)
			return; /* a signal */
	}
}

/* Take what the socket has; how many datagrams. */
static unsigned drain(struct link *l)
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
			/* Without a session nothing is gathered, and HELLO is to come through. */
			if (assemble_slots_free(l->assemble) == 0 && l->stats.counter[LC_SESSIONS] > 0)
				wait_for_store(l);
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

static void report(struct link *l, uint64_t now_ns)
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
		l->store.gone = true;
	l->stats.last_ms = 0;
}

static void nonblocking(int fd)
{
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
		log_die(EXIT_INTERNAL, "descriptor %d cannot be made non-blocking", fd);
}

static void wait_for_something(const struct link *l)
{
	struct pollfd p[] = {
		{ .fd = LINK_FD_SOCKET, .events = POLLIN }, { .fd = LINK_FD_OPEN, .events = POLLIN },
		{ .fd = LINK_FD_STORE, .events = POLLIN }, { .fd = stop_fd, .events = POLLIN },
		{ .fd = assemble_fd(l->assemble, 0), .events = POLLIN },
		{ .fd = assemble_fd(l->assemble, 1), .events = POLLIN },
		{ .fd = assemble_fd(l->assemble, 2), .events = POLLIN },
	};

	if (poll(p, sizeof(p) / sizeof(p[0]), WAIT_MS) < 0)
		return; /* a signal: the loop looks at everything anyway */
}

/* Everything is made: from here on it reads what strangers write. */
static void seal(const struct link *l)
{
	const int fd[] = { LINK_FD_OPEN, LINK_FD_STORE, assemble_fd(l->assemble, 0), assemble_fd(l->assemble, 1),
		assemble_fd(l->assemble, 2) };

	sandbox_seal(SANDBOX_RECEIVER_LINK, fd, sizeof(fd) / sizeof(fd[0]));
}

int receiver_link_run(void)
{
	static struct link l;

	stop_fd = proc_stop_fd();

	l.receive = receive_new(LINK_FD_SOCKET);
	l.auth = authenticate_new();
	if (l.receive == NULL || l.auth == NULL || window_open(&l.window, LINK_FD_WINDOW, true) != 0)
		log_die(EXIT_SYSTEM, "no memory for the link process");
	close(LINK_FD_WINDOW);
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
		unsigned got = drain(&l);
		uint64_t now = clock_mono_ns();
		from_open(&l);
		link_store_read(&l.store, now);
		assemble_tick(l.assemble, now);
		link_store_want(&l.store, now);
		report(&l, now);
		if (l.store.gone)
			gone = "store";
		if (got > 0 || receive_kept(l.receive) > 0)
			clock_sleep_ns(NAP_NS);
		else
			wait_for_something(&l);
	}
	write_out(&l);
	assemble_free(l.assemble); /* makes every map durable */
	if (gone != NULL)
		peer_gone(stop_fd, gone);
	authenticate_free(l.auth);
	receive_free(l.receive);
	return EXIT_OK;
}
