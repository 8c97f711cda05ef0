/* proc_open.c - the receiver's open process: it alone has the secret keys.
 *
 * Its first thread answers link: HELLO and BEAT, so that a session is never
 * late.  One more for each lane unseals: job after job from store, plaintext to
 * check.  They share what is constant; the first shares a socket to store with
 * the lane of complete objects, on which each message is one write. */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/big.h"
#include "host/clock.h"
#include "host/exits.h"
#include "host/ipc_recv.h"
#include "host/keyfile.h"
#include "host/log.h"
#include "host/proc.h"
#include "host/sandbox.h"
#include "receiver/accept.h"
#include "receiver/peer_gone.h"
#include "receiver/pipeframe.h"
#include "receiver/receiver_proc.h"
#include "receiver/unseal.h"
#include "receiver/witness.h"

static struct receiver_conf conf;
static struct party_secret *receiver;
static const struct party_secret *retired[RECEIVER_RETIRED_MAX]; /* keys of ours that were replaced */
static unsigned retireds;
static struct msg_self self;   /* every fingerprint that was ours */
static uint8_t *psk; /* or NULL */
static struct accept *accepting;
static int stop_fd;
static struct window window; /* what link wrote last; no word of it is believed before it was copied */
static pthread_mutex_t before_sealed = PTHREAD_MUTEX_INITIALIZER; /* the threads wait for it */

static struct lane { /* of the unsealing threads, one each */
	int store; /* socket */
	struct pipeframe_out check;
	uint8_t *buf;
	struct ipc_msg m;
} lanes[LANES];

static void to_link(uint32_t type, const void *body, size_t n)
{
	if (ipc_write(OPEN_FD_LINK, type, body, n) != 1)
		peer_gone(stop_fd, "link");
}

static void to_store(const struct lane *l, uint32_t type, const void *body, size_t n)
{
	if (ipc_write(l->store, type, body, n) != 1)
		peer_gone(stop_fd, "store");
}

/* --- link's side --- */
static void greet_peer(unsigned i, const struct party_secret *me)
{
	struct msg_peer m;

	memcpy(m.id, conf.peer[i].party.id, sizeof(m.id));
	if (session_hello_key(m.hello_key, me, &conf.peer[i].party, psk) != 0)
		log_die(EXIT_KEYS, "%s: no key agreement with this key", conf.peer[i].key);
	to_link(MSG_PEER, &m, sizeof(m));
	crypto_wipe(&m, sizeof(m));
}

static void greet(void)
{
	to_store(&lanes[LANE_WHOLE], MSG_SELF, &self, sizeof(self));
	for (unsigned i = 0; i < conf.peers; i++)
		greet_peer(i, receiver);
	/* After all the others: the first of each gives its number. */
	for (unsigned i = 0; i < conf.peers; i++)
		for (unsigned k = 0; k < retireds; k++)
			greet_peer(i, retired[k]);
	to_link(MSG_PEERS_END, "", 0);
}

/* At most one line each ten seconds: whoever replays old sessions must not fill the log. */
static int may_log(void)
{
	static uint64_t last;
	uint64_t now = clock_mono_ns();

	if (last != 0 && now - last < 10000000000ull)
		return 0;
	last = now;
	return 1;
}

static void hello(const struct msg_datagram *m, const uint8_t *d)
{
	struct msg_session s;
	struct msg_session_seen seen = { .sender = m->sender, .lane = m->lane, .epoch = m->epoch };
	const char *name = m->sender < conf.peers ? conf.peer[m->sender].name : "?";

	switch (accept_hello(accepting, m->sender, d, m->n, &s)) {
	case ACCEPT_NEW:
		log_about(.event = LOG_EVENT_SESSION, .peer = name);
		log_info("peer %s: session of epoch %u on lane %u, datagrams of %u bytes", name, s.epoch, s.lane, s.n);
		seen.event = SESSION_NEW;
		to_store(&lanes[LANE_WHOLE], MSG_SESSION_SEEN, &seen, sizeof(seen));
		to_link(MSG_SESSION, &s, sizeof(s));
		break;
	case ACCEPT_KNOWN:
	case ACCEPT_UNSAVED:
		break;
	case ACCEPT_OLD_EPOCH:
		if (may_log()) {
			log_about(.event = LOG_EVENT_REPLAY, .peer = name);
			log_warn("peer %s: ALARM: an authentic HELLO of epoch %u, but epoch %u was accepted before: a replay, "
			    "or a sender whose state was restored", name, m->epoch, accept_floor(accepting, m->sender, m->lane));
		}
		seen.event = SESSION_OLD_EPOCH;
		to_store(&lanes[LANE_WHOLE], MSG_SESSION_SEEN, &seen, sizeof(seen));
		break;
	case ACCEPT_REVOKED:
		if (may_log())
			log_warn("peer %s: ALARM: a HELLO under its key, which was revoked; refused", name);
		seen.event = SESSION_REFUSED;
		to_store(&lanes[LANE_WHOLE], MSG_SESSION_SEEN, &seen, sizeof(seen));
		break;
	case ACCEPT_REFUSED:
		if (may_log()) {
			log_about(.event = LOG_EVENT_STRANGER, .peer = name);
			log_warn("peer %s: a HELLO that is not authentic or not for this receiver and psk", name);
		}
		seen.event = SESSION_REFUSED;
		to_store(&lanes[LANE_WHOLE], MSG_SESSION_SEEN, &seen, sizeof(seen));
		break;
	}
	crypto_wipe(&s, sizeof(s));
}

static void beat(const struct msg_datagram *m, const uint8_t *d)
{
	static struct beat b;

	if (accept_beat(accepting, m, d, &b) != 0)
		return;
	for (uint32_t i = 0; i < b.count; i++) {
		const struct beat_entry *e = &b.entry[i];
		struct msg_seen s = { .sender = m->sender, .counter = b.counter, .time_ms = b.time_ms,
			.newest = e->newest, .oldest = e->oldest, .flags = b.flags };
		memcpy(s.generation, e->generation, sizeof(s.generation));
		memcpy(s.channel, e->channel, sizeof(s.channel));
		to_store(&lanes[LANE_WHOLE], MSG_SEEN, &s, sizeof(s));
	}
}

static void from_link(struct ipc_msg *m)
{
	const struct msg_datagram *d = (const struct msg_datagram *)(const void *)m->body;

	if (ipc_recv(OPEN_FD_LINK, m) != IPC_GOT)
		peer_gone(stop_fd, "link");
	if (m->len < sizeof(*d) || m->len != sizeof(*d) + d->n || (m->type != MSG_HELLO && m->type != MSG_BEAT))
		log_die(EXIT_INTERNAL, "link sent a message of type %u and %zu bytes", m->type, m->len);
	if (m->type == MSG_HELLO)
		hello(d, m->body + sizeof(*d));
	else
		beat(d, m->body + sizeof(*d));
}

/* What operators decided about a peer (peers_ask.h). */
static void about_peer(uint32_t type, const struct msg_about_peer *m)
{
	struct msg_about_peer r = *m;

	if (m->sender >= conf.peers)
		log_die(EXIT_INTERNAL, "store spoke of peer %u", m->sender);
	if (type == MSG_REVOKED) {
		accept_revoke(accepting, m->sender);
		to_link(MSG_REVOKED, m, sizeof(*m));
		return;
	}
	r.error = accept_reset(accepting, m->sender, m->lane, &r.was);
	if (ipc_write(OPEN_FD_WITNESS, MSG_RESET_EPOCH, &r, sizeof(r)) != 1)
		peer_gone(stop_fd, "store");
}

/* How far the ledger has come: the first thread signs it, too. */
static void checkpoint(struct ipc_msg *m)
{
	struct msg_checkpoint c;

	if (ipc_recv(OPEN_FD_WITNESS, m) != IPC_GOT)
		peer_gone(stop_fd, "store");
	if (m->type == MSG_REVOKED || m->type == MSG_RESET_EPOCH) {
		about_peer(m->type, ipc_body(m, sizeof(struct msg_about_peer)));
		return;
	}
	if (m->type != MSG_CHECKPOINT)
		log_die(EXIT_INTERNAL, "store sent a message of type %u", m->type);
	c = *(const struct msg_checkpoint *)ipc_body(m, sizeof(c));
	witness_answer(&c, receiver, OPEN_FD_CHECKPOINT);
	if (ipc_write(OPEN_FD_WITNESS, MSG_CHECKPOINT, &c, sizeof(c)) != 1)
		peer_gone(stop_fd, "store");
}

/* --- store's side, a thread for each lane --- */
static int opened(void *ctx, const struct msg_opened *o)
{
	to_store(ctx, MSG_OPENED, o, sizeof(*o));
	return 0;
}

static void from_store(struct lane *l, uint32_t type)
{
	if (ipc_recv(l->store, &l->m) != IPC_GOT)
		peer_gone(stop_fd, "store");
	if (l->m.type != type)
		log_die(EXIT_INTERNAL, "store sent a message of type %u", l->m.type);
}

/* What is ready only grows, and the length does not change. */
static int more(struct unseal_job *j)
{
	struct lane *l = j->ctx;
	const struct msg_want m = { j->job };
	const struct msg_progress *p;

	to_store(l, MSG_WANT, &m, sizeof(m));
	from_store(l, MSG_READY);
	p = ipc_body(&l->m, sizeof(*p));
	if (p->object.slot != j->job || (p->ready != 0 && p->ready < j->ready) ||
	    (j->length != 0 && p->object.length != j->length && p->ready != 0))
		log_die(EXIT_INTERNAL, "store spoke of another job than the present one");
	j->length = p->object.length;
	j->ready = p->ready;
	return p->ready == 0 ? -1 : 0;
}

static void job(struct lane *l, const struct msg_progress *p, int fd)
{
	const struct msg_object *o = &p->object;
	struct unseal_job j = { .conf = &conf, .receiver = receiver, .retired = retired, .retireds = retireds, .psk = psk, .job = o->slot, .fd = fd,
		.window = &window, .length = o->length, .ready = p->ready, .more = more, .buf = l->buf, .out = &l->check, .opened = opened, .ctx = l };
	struct msg_unsealed done = { .job = o->slot };
	struct pipe_end end;

	memcpy(j.id, o->id, sizeof(j.id));
	done.result = end.result = unseal_run(&j);
	to_store(l, MSG_UNSEALED, &done, sizeof(done)); /* before the end of the stream: store relies on it */
	if (pipeframe_write(&l->check, PIPE_END, done.job, &end, sizeof(end)) != 0)
		peer_gone(stop_fd, "check");
	pipeframe_tell(&l->check);
}

static void *unsealing(void *arg)
{
	struct lane *l = arg;

	pthread_mutex_lock(&before_sealed);
	pthread_mutex_unlock(&before_sealed);
	for (;;) {
		from_store(l, MSG_UNSEAL);
		struct msg_progress p = *(const struct msg_progress *)ipc_body(&l->m, sizeof(p));
		int fd = l->m.fd[0];
		job(l, &p, fd);
		close(fd);
	}
	return NULL;
}

static void open_lanes(void)
{
	for (int i = 0; i < LANES; i++) {
		int first = OPEN_FD_LANES + i * OPEN_LANE_FDS;
		struct lane *l = &lanes[i];
		l->store = first + OPEN_LANE_STORE;
		l->buf = big_alloc(UNSEAL_BUF);
		if (l->buf == NULL || pipeframe_writer(&l->check, first + OPEN_LANE_RING, first + OPEN_LANE_CHECK) != 0)
			log_die(EXIT_SYSTEM, "no memory for the open process: %m");
		if (conf.rate >= BIG_EARLY_RATE)
			big_make(l->buf, UNSEAL_BUF);
		close(first + OPEN_LANE_RING);
	}
}

static int read_retired(void)
{
	int code = 0;

	for (unsigned i = 0; code == 0 && i < conf.retireds; i++) {
		struct party_secret *s;
		struct party p;
		if (!receiver_retired_is_secret(&conf.retired[i])) {
			if ((code = keyfile_read_public(&p, conf.retired[i].key, PARTY_RECEIVER)) == 0)
				memcpy(self.fingerprint[self.count++], p.fingerprint, HASH_LEN);
			continue;
		}
		if ((s = crypto_secret_alloc(sizeof(*s))) == NULL)
			log_die(EXIT_SYSTEM, "no locked memory for the keys");
		if ((code = keyfile_read_secret(s, conf.retired[i].key, PARTY_RECEIVER)) != 0)
			return code;
		retired[retireds++] = s;
		memcpy(self.fingerprint[self.count++], s->pub.fingerprint, HASH_LEN);
	}
	return code;
}

static int read_keys(const char *config)
{
	int code;

	if ((code = receiver_conf_read(&conf, config, OPEN_FD_CONFIG)) != 0 || (code = receiver_conf_peers(&conf)) != 0)
		return code;
	if ((receiver = crypto_secret_alloc(sizeof(*receiver))) == NULL)
		log_die(EXIT_SYSTEM, "no locked memory for the keys");
	if ((code = keyfile_read_secret(receiver, conf.keys, PARTY_RECEIVER)) != 0)
		return code;
	memcpy(self.fingerprint[self.count++], receiver->pub.fingerprint, HASH_LEN);
	if ((code = read_retired()) != 0)
		return code;
	if (conf.psk[0] == '\0')
		return 0;
	if ((psk = crypto_secret_alloc(KEY_LEN)) == NULL)
		log_die(EXIT_SYSTEM, "no locked memory for the keys");
	return keyfile_read_psk(psk, conf.psk);
}

static void seal(void)
{
	int fd[2 + 2 * LANES] = { OPEN_FD_LINK };
	unsigned n = 1;

	for (int i = 0; i < LANES; i++) {
		fd[n++] = lanes[i].store;
		fd[n++] = lanes[i].check.ring.wake;
	}
	fd[n++] = OPEN_FD_WITNESS;
	sandbox_seal(SANDBOX_RECEIVER_OPEN, fd, n);
}

int receiver_open_run(const char *config)
{
	static struct ipc_msg m;
	struct pollfd p[3];
	pthread_t thread;
	int code = read_keys(config);

	if (code != 0)
		return code;
	close(OPEN_FD_CONFIG);
	sandbox_begin(SANDBOX_RECEIVER_OPEN, NULL, 0);
	open_lanes();
	if (window_open(&window, OPEN_FD_WINDOW, false) != 0)
		log_die(EXIT_SYSTEM, "no memory for the open process: %m");
	close(OPEN_FD_WINDOW);
	stop_fd = proc_stop_fd();
	accepting = accept_new(&conf, receiver, psk, OPEN_FD_FLOORS);
	if (accepting != NULL) {
		accept_retired(accepting, retired, retireds);
		greet();
	}
	pthread_mutex_lock(&before_sealed);
	for (int i = 0; i < LANES; i++)
		if (accepting == NULL || pthread_create(&thread, NULL, unsealing, &lanes[i]) != 0)
			log_die(EXIT_SYSTEM, "no memory or thread for the open process");
	seal();
	pthread_mutex_unlock(&before_sealed);
	p[0] = (struct pollfd){ .fd = OPEN_FD_LINK, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = stop_fd, .events = POLLIN };
	p[2] = (struct pollfd){ .fd = OPEN_FD_WITNESS, .events = POLLIN };
	for (;;) {
		if (poll(p, 3, -1) < 0)
			continue;
		if (p[1].revents != 0)
			break;
		if (p[0].revents != 0)
			from_link(&m);
		if (p[2].revents != 0)
			checkpoint(&m);
	}
	/* The other threads may be in the middle of a job: what they have not
	 * finished is unsealed again at the next start.  The keys go with it. */
	_exit(EXIT_OK);
}
