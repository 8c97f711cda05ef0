/* proc_store.c - the receiver's store process: messages, one loop.
 * Its start is in store_start.c, what becomes of complete objects in intake.c. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/beat.h"
#include "codec/hex.h"
#include "host/big.h"
#include "host/clock.h"
#include "host/erase.h"
#include "host/exits.h"
#include "host/ipc_recv.h"
#include "host/log.h"
#include "host/metrics.h"
#include "host/proc.h"
#include "host/sandbox.h"
#include "receiver/peer_gone.h"
#include "receiver/peers_ask.h"
#include "receiver/receiver_proc.h"
#include "receiver/settle.h"
#include "receiver/slips.h"
#include "receiver/store.h"
#include "receiver/validity.h"

enum {
	FRAMES = 256,           /* before the other descriptors are looked at */
	MESSAGES = 256,         /* likewise: what a sender says without end, others need not wait for */
	/* The same of a large object, and bytes, one buffer of outfile.h: small ones are not to wait for its disk.  It may
	 * itself be many small files, three frames each. */
	FRAMES_EARLY = 64,
	BYTES_EARLY = OUTFILE_BUFFER,
};
#define SECOND 1000000000ull

void store_to_link(struct store *s, uint32_t type, const void *body, size_t n)
{
	if (ipc_write(STORE_FD_LINK, type, body, n) != 1)
		peer_gone(s->stop_fd, "link");
}

void store_flush_done(struct store *s)
{
	if (s->done.count == 0)
		return;
	store_to_link(s, MSG_DONE, &s->done, sizeof(s->done));
	s->done.count = 0;
}

int store_peer(const struct store *s, const char *fingerprint)
{
	for (unsigned i = 0; i < s->conf.peers; i++)
		if (strcmp(s->fingerprint[i], fingerprint) == 0)
			return (int)i;
	return -1;
}

/* --- from open --- */
/* What a sender says of itself: a line when it begins, a line when it ends. */
static void note_flags(struct store *s, const struct msg_seen *m)
{
	struct peer_state *p = &s->peer[m->sender];

	if ((m->flags & BEAT_DISK) != 0 && (p->flags & BEAT_DISK) == 0)
		log_warn("ALARM: peer %s says that its disk takes nothing now: what is put in there waits", s->conf.peer[m->sender].name);
	else if ((m->flags & BEAT_DISK) == 0 && (p->flags & BEAT_DISK) != 0)
		log_info("peer %s says that its disk is in order again", s->conf.peer[m->sender].name);
	p->flags = m->flags;
}

static void seen(struct store *s, const struct msg_seen *m)
{
	struct ledger_stream t;

	if (m->sender >= s->conf.peers || memchr(m->channel, '\0', sizeof(m->channel)) == NULL)
		log_die(EXIT_INTERNAL, "open told of a beat of peer %u", m->sender);
	note_flags(s, m);
	if (!validity_now(s, m->sender)) /* what a key says out of its time is no evidence; its beat comes again every second */
		return;
	/* A channel that is not configured here is not ours to miss. */
	if (receiver_conf_channel(&s->conf, m->channel) == NULL)
		return;
	strcpy(t.sender, s->fingerprint[m->sender]);
	strcpy(t.channel, m->channel);
	hex_put(t.generation, m->generation, 16);
	ledger_seen(&s->ledger, &t, m->newest, m->oldest, clock_wall_ms() / 1000);
}

static void session_seen(struct store *s, const struct msg_session_seen *m)
{
	struct peer_state *p;

	if (m->sender >= s->conf.peers)
		return;
	p = &s->peer[m->sender];
	if (m->event == SESSION_NEW) {
		p->lane = m->lane;
		p->epoch = m->epoch;
		p->session_ms = clock_wall_ms();
		(void)validity_now(s, m->sender); /* says it, before anything comes */
	} else if (m->event == SESSION_OLD_EPOCH) {
		p->old_epochs++;
	} else {
		p->refused++;
	}
}

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

void store_from_open(struct store *s, enum receiver_lane lane, bool wait)
{
	static struct ipc_msg m;

	/* What else comes while the ledger is not open yet waits in the socket. */
	for (int i = 0; i < MESSAGES && (wait || (s->started && readable(s->lane[lane].open))); i++) {
		wait = false;
		if (ipc_recv(s->lane[lane].open, &m) != IPC_GOT)
			peer_gone(s->stop_fd, "open");
		switch (m.type) {
		case MSG_SELF:
			s->self = *(const struct msg_self *)ipc_body(&m, sizeof(struct msg_self));
			if (s->self.count == 0 || s->self.count > 1 + RECEIVER_RETIRED_MAX)
				log_die(EXIT_INTERNAL, "open said that we are %u", s->self.count);
			s->self_known = true;
			break;
		case MSG_OPENED:
			intake_opened(s, lane, ipc_body(&m, sizeof(struct msg_opened)));
			break;
		case MSG_UNSEALED:
			intake_unsealed(s, lane, ipc_body(&m, sizeof(struct msg_unsealed)));
			break;
		case MSG_WANT:
			early_want(s, ipc_body(&m, sizeof(struct msg_want)));
			break;
		case MSG_SEEN:
			seen(s, ipc_body(&m, sizeof(struct msg_seen)));
			break;
		case MSG_SESSION_SEEN:
			session_seen(s, ipc_body(&m, sizeof(struct msg_session_seen)));
			break;
		default:
			log_die(EXIT_INTERNAL, "open sent a message of unknown type %u", m.type);
		}
	}
}

/* --- from link --- */
/* Somebody speaks this protocol to us whom we do not know, or who means another: said at once, then each minute that it
 * goes on.  Once a peer's keys are wrong nothing else would tell why nothing arrives. */
static void strangers(struct store *s)
{
	uint64_t now = clock_mono_ns(), seen = s->stats.counter[LC_PEER];

	if (seen == s->strangers || (s->stranger_log_ns != 0 && now - s->stranger_log_ns < 60 * SECOND))
		return;
	log_about(.event = LOG_EVENT_STRANGER);
	log_warn("ALARM: %llu HELLO datagrams refused: from a sender that is not pinned here, or for another receiver or psk",
	    (unsigned long long)(seen - s->strangers));
	s->strangers = seen;
	s->stranger_log_ns = now;
}

static void from_link(struct store *s)
{
	static struct ipc_msg m;
	const struct msg_object *o;
	struct msg_need given;

	for (int i = 0; i < MESSAGES && readable(STORE_FD_LINK); i++) {
		if (ipc_recv(STORE_FD_LINK, &m) != IPC_GOT)
			peer_gone(s->stop_fd, "link");
		switch (m.type) {
		case MSG_NEED:
			given.count = store_give_slots(s, ((const struct msg_need *)ipc_body(&m, sizeof(struct msg_need)))->count);
			store_to_link(s, MSG_GIVEN, &given, sizeof(given));
			break;
		case MSG_COMPLETE:
			intake_complete(s, ipc_body(&m, sizeof(*o)));
			break;
		case MSG_PROGRESS:
			early_progress(s, ipc_body(&m, sizeof(struct msg_progress)));
			break;
		case MSG_EXPIRED:
			refused_expired(s, ipc_body(&m, sizeof(*o)));
			break;
		case MSG_DISCARD:
			o = ipc_body(&m, sizeof(*o));
			early_stop(s, o->slot);
			part_store_remove(&s->parts, o->slot);
			break;
		case MSG_STATS:
			if (!s->ready) {
				log_about(.event = LOG_EVENT_READY);
				log_info("ready: %u peers, %u channels, %lld ledger rows", s->conf.peers, s->conf.channels - 1,
				    (long long)s->ledger.rows);
			}
			s->ready = true;
			s->stats = *(const struct msg_stats *)ipc_body(&m, sizeof(struct msg_stats));
			strangers(s);
			break;
		default:
			log_die(EXIT_INTERNAL, "link sent a message of unknown type %u", m.type);
		}
	}
}

/* --- the loop --- */
/* True: there is more. */
static bool from_check(struct store *s, enum receiver_lane lane)
{
	const bool early = lane == LANE_EARLY;
	struct pipeframe f;
	size_t bytes = 0;

	for (int i = 0; i < (early ? FRAMES_EARLY : FRAMES) && (!early || bytes < BYTES_EARLY); i++) {
		switch (pipeframe_next(&s->lane[lane].events, &f, false)) {
		case PIPEFRAME_GOT:
			bytes += f.len;
			intake_frame(s, lane, &f);
			break;
		case PIPEFRAME_AGAIN:
			return false;
		case PIPEFRAME_CLOSED:
			if (!readable(s->stop_fd))
				poison_check_died(s);
			intake_commit(s);
			peer_gone(s->stop_fd, "check");
		}
	}
	return true;
}

/* Everything that is there of complete objects, and then a little of a large one; true: there is more. */
static bool turn(struct store *s)
{
	bool whole, early;

	from_link(s);
	store_from_open(s, LANE_WHOLE, false);
	store_from_open(s, LANE_EARLY, false);
	whole = from_check(s, LANE_WHOLE);
	if (!whole)
		intake_commit(s);
	intake_pump(s, clock_mono_ns());
	early = from_check(s, LANE_EARLY);
	return whole || early || s->batched > 0;
}

/* What open has signed. */
static void from_witness(struct store *s)
{
	static struct ipc_msg m;

	if (ipc_recv(STORE_FD_WITNESS, &m) != IPC_GOT)
		peer_gone(s->stop_fd, "open");
	if (m.type == MSG_RESET_EPOCH) {
		peers_answer(s, ipc_body(&m, sizeof(struct msg_about_peer)));
		return;
	}
	if (m.type != MSG_CHECKPOINT)
		log_die(EXIT_INTERNAL, "open sent a message of unknown type %u", m.type);
	checkpoints_signed(&s->checkpoints, ipc_body(&m, sizeof(struct msg_checkpoint)), clock_mono_ns());
}

/* Once a second. */
static void look_around(struct store *s, uint64_t now)
{
	struct msg_checkpoint c;

	jumps_look(s, now);
	slips_note(&s->ledger);
	quarantine_run(&s->decisions);
	peers_ask(s);
	settle_ask(s);
	closings_run(&s->closings);
	audit_look(&s->audit, &s->ledger, now);
	if (checkpoints_due(&s->checkpoints, &c, now) && ipc_write(STORE_FD_WITNESS, MSG_CHECKPOINT, &c, sizeof(c)) != 1)
		peer_gone(s->stop_fd, "open");
	receiver_status_write(s);
	if (s->jobs == NULL)
		db_idle(&s->ledger.db);
}

static void loop(struct store *s)
{
	uint64_t now, status_at = 0;
	bool more = false;

	for (;;) {
		struct pollfd p[4 + 2 * LANES] = { { .fd = s->stop_fd, .events = POLLIN }, { .fd = STORE_FD_LINK, .events = POLLIN } };
		p[2 + 2 * LANES] = (struct pollfd){ .fd = STORE_FD_WITNESS, .events = POLLIN };
		p[3 + 2 * LANES] = (struct pollfd){ .fd = s->scan.wanted ? STORE_FD_SCAN : -1, .events = POLLIN };
		for (int i = 0; i < LANES; i++) {
			p[2 + 2 * i] = (struct pollfd){ .fd = s->lane[i].open, .events = POLLIN };
			p[3 + 2 * i] = (struct pollfd){ .fd = s->lane[i].wake, .events = POLLIN };
		}
		if (poll(p, 4 + 2 * LANES, more ? 0 : 1000) < 0 && errno != EINTR)
			log_die(EXIT_SYSTEM, "poll: %s", strerror(errno));
		if (p[0].revents != 0)
			break;
		if (p[2 + 2 * LANES].revents != 0)
			from_witness(s);
		if (p[3 + 2 * LANES].revents != 0)
			scan_read(s);
		more = turn(s);
		now = clock_mono_ns();
		if (now >= status_at) {
			look_around(s, now);
			status_at = now + SECOND;
		}
	}
	intake_commit(s);
	erase_stop();
}

static void open_lanes(struct store *s)
{
	if ((s->syncs = syncs_start()) == NULL)
		log_die(EXIT_SYSTEM, "no thread for the store process");
	erase_start();
	for (int i = 0; i < LANES; i++) {
		int first = STORE_FD_LANES + i * STORE_LANE_FDS;
		struct store_lane *l = &s->lane[i];
		l->open = first + STORE_LANE_OPEN;
		l->wake = first + STORE_LANE_CHECK;
		if (pipeframe_reader(&l->events, first + STORE_LANE_RING, l->wake) != 0 ||
		    pipeframe_view(&l->events, first + STORE_LANE_OPEN_RING) != 0 || (l->out = outfile_new()) == NULL)
			log_die(EXIT_SYSTEM, "no memory for the store process: %m");
		if (s->conf.rate >= BIG_EARLY_RATE)
			outfile_make(l->out);
		close(first + STORE_LANE_RING);
		close(first + STORE_LANE_OPEN_RING);
	}
}

static void confine(const struct store *s)
{
	char metrics[RECEIVER_PATH_MAX], work[RECEIVER_PATH_MAX + 8];
	const struct sandbox_path path[] = {
		{ work, SANDBOX_TREE }, /* said apart, for Landlock goes up from each file that is made to the nearest that is named */
		{ s->conf.state, SANDBOX_TREE }, { s->conf.inbox, SANDBOX_TREE }, { metrics, SANDBOX_TREE },
		{ "/dev/urandom", SANDBOX_READ },                                      /* SQLite */
		{ "/etc/localtime", SANDBOX_READ }, { "/usr/share/zoneinfo", SANDBOX_READ }, /* the day of a closing */
	};

	(void)snprintf(work, sizeof(work), "%s/work", s->conf.state);
	metrics_dir(metrics, sizeof(metrics), s->conf.metrics);
	sandbox_begin(SANDBOX_RECEIVER_STORE, path, sizeof(path) / sizeof(path[0]));
}

int receiver_store_run(const char *config)
{
	static struct store s;
	int code;

	if ((code = receiver_conf_read(&s.conf, config, STORE_FD_CONFIG)) != 0 || (code = receiver_conf_peers(&s.conf)) != 0)
		return code;
	close(STORE_FD_CONFIG);
	store_directories(&s);
	confine(&s);
	s.stop_fd = proc_stop_fd();
	s.started_ms = clock_wall_ms();
	open_lanes(&s);
	sandbox_seal(SANDBOX_RECEIVER_STORE, NULL, 0);
	store_from_open(&s, LANE_WHOLE, true);
	if (!s.self_known)
		log_die(EXIT_INTERNAL, "open did not say who we are");
	store_start(&s);
	jumps_since_last(&s);
	s.started = true;
	receiver_status_write(&s);
	loop(&s);
	ledger_close(&s.ledger);
	return EXIT_OK;
}
