/* proc_spool.c - the spool process: files, keys, database; no network.
 *
 * One loop that never waits for a disk longer than a commit takes: what reads
 * and writes much is in the sealers' threads. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/big.h"
#include "host/clock.h"
#include "host/erase.h"
#include "host/exits.h"
#include "host/ipc_recv.h"
#include "host/keyfile.h"
#include "host/log.h"
#include "host/metrics.h"
#include "host/proc.h"
#include "host/sandbox.h"
#include "sender/identity.h"
#include "sender/receipts.h"
#include "sender/sender_proc.h"
#include "sender/spool.h"
#include "sender/unfinished.h"

#define TICK_NS 1000000000ull
#define EARLIER_TICKS 600u /* seconds between looks at what earlier generations still keep */
#define SLOW_TICKS 10u /* seconds between counts of refused/, and of the service time being stored */
#define GONE_PATIENCE_MS 1000

/* --- start --- */

static void load_keys(struct spool *s)
{
	s->me = crypto_secret_alloc(sizeof(*s->me));
	s->rekey = crypto_secret_alloc(sizeof(*s->rekey));
	if (s->me == NULL || s->rekey == NULL)
		log_die(EXIT_SYSTEM, "out of lockable memory");
	if (keyfile_read_secret(s->me, s->conf.keys, PARTY_SENDER) != 0 ||
	    keyfile_read_public(&s->receiver, s->conf.receiver, PARTY_RECEIVER) != 0)
		exit(EXIT_KEYS);
	s->keys.sender = s->me;
	s->keys.recipient[s->keys.recipients++] = &s->receiver;
	if (s->conf.recovery[0] != '\0') {
		if (keyfile_read_public(&s->recovery, s->conf.recovery, PARTY_RECEIVER) != 0)
			exit(EXIT_KEYS);
		s->keys.recipient[s->keys.recipients++] = &s->recovery;
	}
	if (s->conf.psk[0] != '\0') {
		s->psk = crypto_secret_alloc(KEY_LEN);
		if (s->psk == NULL)
			log_die(EXIT_SYSTEM, "out of lockable memory");
		if (keyfile_read_psk(s->psk, s->conf.psk) != 0)
			exit(EXIT_KEYS);
	}
	s->keys.psk = s->psk;
}

/* Before any thread is there: paths are a matter of each. */
static void confine(const struct spool *s)
{
	char metrics[SENDER_PATH_MAX];
	struct sandbox_path path[SENDER_CHANNELS_MAX + 5] = {
		{ s->conf.state, SANDBOX_TREE }, { metrics, SANDBOX_TREE },
		{ "/dev/urandom", SANDBOX_READ },                                      /* SQLite */
		{ "/etc/localtime", SANDBOX_READ }, { "/usr/share/zoneinfo", SANDBOX_READ }, /* the day of a closing */
	};

	for (unsigned i = 0; i < s->conf.channels; i++)
		path[5 + i] = (struct sandbox_path){ s->conf.channel[i].folder, SANDBOX_FOLDER };
	metrics_dir(metrics, sizeof(metrics), s->conf.metrics);
	sandbox_begin(SANDBOX_SENDER_SPOOL, path, 5 + s->conf.channels);
}

static void start(struct spool *s, const char *name)
{
	uint64_t now_ns = clock_mono_ns();

	if (sender_conf_read(&s->conf, name, PROC_FD_FIRST + SPOOL_FD_CONF) != 0)
		exit(EXIT_CONFIG);
	close(PROC_FD_FIRST + SPOOL_FD_CONF);
	if (window_open(&s->window, PROC_FD_FIRST + SPOOL_FD_WINDOW, true) != 0)
		log_die(EXIT_SYSTEM, "setting up: %s", strerror(errno));
	close(PROC_FD_FIRST + SPOOL_FD_WINDOW);
	s->check = PROC_FD_FIRST + SPOOL_FD_CHECK;
	s->link = PROC_FD_FIRST + SPOOL_FD_LINK;
	if (fcntl(s->check, F_SETFL, O_NONBLOCK) != 0 || fcntl(s->link, F_SETFL, O_NONBLOCK) != 0)
		log_die(EXIT_SYSTEM, "setting up: %s", strerror(errno));
	load_keys(s);
	outbox_open(&s->outbox, s->conf.state, now_ns);
	identity_check(&s->outbox, IDENTITY_MACHINE, s->conf.witness, unfinished_claims(&s->outbox, &s->conf), now_ns);
	identity_key(&s->outbox, s->me->pub.fingerprint);
	outbox_sweep(&s->outbox);
	confine(s);
	memcpy(s->keys.generation, s->outbox.generation, sizeof(s->keys.generation));
	if (rekey_init(s->rekey, s->me, &s->receiver, s->psk, (unsigned)s->conf.lane, s->conf.n) != 0)
		log_die(EXIT_SYSTEM, "out of memory");
	if (s->conf.rate >= BIG_EARLY_RATE)
		kept_make(&s->kept);
	s->watch = watch_new();
	if (s->watch == NULL)
		log_die(EXIT_SYSTEM, "inotify: %s", strerror(errno));
	for (unsigned t = 0; t < TRACKS; t++)
		s->sealer[t] = sealer_start(&s->keys, s->outbox.objects, s->conf.rate, t == TRACK_BULK,
		    t == TRACK_BULK ? &s->window : NULL);
	s->syncs = syncs_start();
	if (s->syncs == NULL)
		log_die(EXIT_SYSTEM, "cannot start a thread");
	erase_start();
	s->eraser = eraser_start();
	sandbox_seal(SANDBOX_SENDER_SPOOL, NULL, 0);
	closer_open(s, now_ns);
	for (unsigned i = 0; i < s->conf.channels; i++) {
		feed_open(s, i);
		feed_recover(s, i);
	}
	unfinished_note(&s->outbox, &s->conf);
}

static void stop(struct spool *s)
{
	uint64_t now_ns = clock_mono_ns();

	for (unsigned t = 0; t < TRACKS; t++)
		sealer_stop(s->sealer[t]);
	eraser_stop(s->eraser);
	erase_stop();
	syncs_stop(s->syncs);
	outbox_tick(&s->outbox, now_ns);
	identity_tell(&s->outbox, true, now_ns);
	outbox_close(&s->outbox);
	watch_free(s->watch);
	rekey_free(s->rekey);
	crypto_secret_free(s->rekey);
	crypto_secret_free(s->psk);
	crypto_secret_free(s->me);
	/* What is claimed stays in .taken: the next start goes on with it. */
	exit(EXIT_OK);
}

/* Check or link closed its end.  Where all are being stopped, chance decides whose end comes first; and where one of them died, the
 * main process stops the others.  So wait a moment for that, and end as ever: what was sent is not to lie about till the next start.
 * Whoever has something for it meanwhile takes it for full: the end of its socket is seen next. */
static void peer_gone(struct spool *s)
{
	struct pollfd p = { .fd = s->stop, .events = POLLIN };

	if (poll(&p, 1, GONE_PATIENCE_MS) == 1)
		stop(s);
	exit(EXIT_INTERNAL); /* the main process says what happened */
}

/* --- messages --- */

static void from_check(struct spool *s)
{
	enum ipc_result r;

	while ((r = ipc_recv(s->check, &s->msg)) == IPC_GOT) {
		if (s->msg.type != MSG_VERDICT)
			log_die(EXIT_INTERNAL, "unknown message %u", s->msg.type);
		if (s->msg.len == 0 || s->msg.len % sizeof(struct msg_verdict) != 0)
			log_die(EXIT_INTERNAL, "the check process answers in %zu bytes", s->msg.len);
		for (size_t at = 0; at < s->msg.len; at += sizeof(struct msg_verdict))
			batch_verdict(s, (const struct msg_verdict *)(const void *)(s->msg.body + at));
	}
	if (r == IPC_CLOSED)
		peer_gone(s);
}

static void from_link(struct spool *s, uint64_t now_ns)
{
	enum ipc_result r;

	while ((r = ipc_recv(s->link, &s->msg)) == IPC_GOT) {
		switch (s->msg.type) {
		case MSG_DONE:
			dispatch_done(s, ipc_body(&s->msg, sizeof(struct msg_done)), now_ns);
			break;
		case MSG_LINK:
			memcpy(&s->last, ipc_body(&s->msg, sizeof(s->last)), sizeof(s->last));
			break;
		default:
			log_die(EXIT_INTERNAL, "unknown message %u", s->msg.type);
		}
	}
	if (r == IPC_CLOSED)
		peer_gone(s);
}

/* --- once a second --- */

/* Streams by number: the channels, then those that nothing is put into any more. */
static void beat_about(struct spool *s, unsigned stream, struct beat_entry *e)
{
	if (stream < s->conf.channels) {
		strcpy(e->channel, s->conf.channel[stream].name);
		memcpy(e->generation, s->outbox.generation, sizeof(e->generation));
		outbox_bounds(&s->outbox, e->channel, &e->newest, &e->oldest);
	} else {
		const struct outbox_stream *old = &s->earlier[stream - s->conf.channels];
		strcpy(e->channel, old->channel);
		memcpy(e->generation, old->generation, sizeof(e->generation));
		e->newest = old->newest;
		e->oldest = old->oldest;
	}
}

/* A line when it is over, too: the lines about the trouble were batch.c's. */
static void watch_disk(struct spool *s, uint64_t now_ns)
{
	bool now = batch_waits_for_disk(s) || s->unread_until_ns > now_ns || s->closer.not_before_ns > now_ns;

	for (unsigned i = 0; i < s->conf.channels; i++)
		now |= s->feed[i].not_before_ns > now_ns;
	if (s->disk_trouble && !now)
		log_info("the disk takes what is put in again");
	s->disk_trouble = now;
}

static void beat(struct spool *s, uint64_t now_ns)
{
	struct beat b = { .counter = outbox_counter(&s->outbox), .time_ms = clock_wall_ms() };
	uint32_t room = beat_capacity(s->conf.n), streams = s->conf.channels + s->earliers, from = 0;

	if (room > BEAT_ENTRIES_MAX)
		room = BEAT_ENTRIES_MAX;
	if (streams > room) /* take turns */
		from = (uint32_t)(b.counter * room % streams);
	for (; b.count < room && b.count < streams; b.count++)
		beat_about(s, (from + b.count) % streams, &b.entry[b.count]);
	b.flags = s->disk_trouble ? BEAT_DISK : 0;
	rekey_beat(s->rekey, s->link, &b, now_ns);
}

static void watch_clock(struct spool *s, uint64_t now_ns)
{
	int64_t jump = clock_watch_look(&s->clock, clock_wall_ms(), now_ns);

	if (jump == 0)
		return;
	s->clock_jumps++;
	log_about(.event = LOG_EVENT_CLOCK);
	log_warn("the clock of this machine jumped by %lld s; nothing that is sent or kept depends on it, but manifests and logs "
	    "say the time", (long long)(jump / 1000));
}

/* Of earlier generations, and of channels that are no longer configured: their last numbers may be missing, too. */
static void find_earlier(struct spool *s)
{
	char name[NAME_CHANNEL_MAX + 1] = "";

	s->earliers = outbox_earlier(&s->outbox, s->earlier, EARLIER_MAX);
	while (s->earliers < EARLIER_MAX && outbox_next_channel(&s->outbox, name)) {
		struct outbox_stream *e = &s->earlier[s->earliers];
		if (sender_conf_channel(&s->conf, name) != SENDER_CHANNELS_MAX)
			continue;
		memcpy(e->generation, s->outbox.generation, sizeof(e->generation));
		strcpy(e->channel, name);
		outbox_bounds(&s->outbox, name, &e->newest, &e->oldest);
		s->earliers++;
	}
}

static void tick(struct spool *s, unsigned ticks, uint64_t now_ns)
{
	watch_clock(s, clock_mono_ns());
	if (ticks % EARLIER_TICKS == 0)
		find_earlier(s);
	for (unsigned i = 0; i + 1 < s->conf.channels; i++) /* the last is our own, in the state directory */
		feed_look_at_place(s, i, now_ns);
	watch_disk(s, now_ns);
	beat(s, now_ns);
	dispatch_expire(s, now_ns);
	closer_run(s, now_ns);
	report_write(s, now_ns);
	sender_metrics_write(s, now_ns);
	if (s->batches == NULL)
		db_idle(&s->outbox.db);
	if (ticks % SLOW_TICKS != 0)
		return;
	outbox_tick(&s->outbox, now_ns);
	identity_tell(&s->outbox, true, now_ns);
	receipts_run(&s->outbox, outbox_service_ms(&s->outbox, now_ns), s->conf.receipts_ns / 1000000u, clock_wall_ms());
	for (unsigned i = 0; i < s->conf.channels; i++)
		feed_count_refused(s, i);
}

/* --- the loop --- */

/* Everything that can go on now: what is ready goes to its next stage before more is taken in, which may last. */
static void step(struct spool *s, uint64_t now_ns)
{
	if (rekey_due(s->rekey, now_ns))
		rekey_begin(s->rekey, outbox_epoch(&s->outbox, (unsigned)s->conf.lane, clock_wall_ms() / 1000), now_ns,
		    clock_wall_ms());
	rekey_say(s->rekey, s->link);
	stream_say(s);
	batch_ask(s, now_ns);
	batch_seal(s, now_ns);
	dispatch_run(s, now_ns);
	watch_scan(s->watch, now_ns);
	for (unsigned i = 0; i < s->conf.channels; i++)
		feed_run(s, i, now_ns);
	batch_ask(s, now_ns);
	batch_seal(s, now_ns);
}

static uint64_t next_ns(const struct spool *s, uint64_t tick_ns, uint64_t now_ns)
{
	uint64_t next = tick_ns, b = batch_next(s);

	next = b < next ? b : next;
	for (unsigned i = 0; i < s->conf.channels && next > now_ns; i++) {
		const struct feed *f = &s->feed[i];
		if (!feed_takes_any(f))
			continue; /* it can take nothing; what ends a batch wakes us */
		uint64_t at = watch_next(s->watch, i, now_ns);
		at = at < f->not_before_ns ? f->not_before_ns : at;
		next = at < next ? at : next;
	}
	return next;
}

enum { EV_STOP, EV_CHECK, EV_LINK, EV_WATCH, EV_SEALER, EVENTS = EV_SEALER + TRACKS };

static void wait_for(struct spool *s, uint64_t until_ns)
{
	struct pollfd p[EVENTS] = {
		[EV_STOP] = { .fd = s->stop, .events = POLLIN }, [EV_CHECK] = { .fd = s->check, .events = POLLIN },
		[EV_LINK] = { .fd = s->link, .events = POLLIN }, [EV_WATCH] = { .fd = watch_fd(s->watch), .events = POLLIN },
	};
	uint64_t now_ns = clock_mono_ns();
	int ms = until_ns <= now_ns ? 0 : (int)((until_ns - now_ns) / 1000000u) + 1;

	for (unsigned t = 0; t < TRACKS; t++)
		p[EV_SEALER + t] = (struct pollfd){ .fd = sealer_fd(s->sealer[t]), .events = POLLIN };
	if (poll(p, EVENTS, ms) < 0 && errno != EINTR)
		log_die(EXIT_INTERNAL, "poll: %s", strerror(errno));
	now_ns = clock_mono_ns();
	if (p[EV_STOP].revents != 0)
		stop(s);
	if (p[EV_CHECK].revents != 0)
		from_check(s);
	if (p[EV_LINK].revents != 0)
		from_link(s, now_ns);
	if (p[EV_WATCH].revents != 0)
		watch_read(s->watch, now_ns);
	for (unsigned t = 0; t < TRACKS; t++)
		if (p[EV_SEALER + t].revents != 0)
			batch_sealed(s, (enum track)t, now_ns);
}

int sender_spool_main(const char *name)
{
	static struct spool s;
	uint64_t tick_ns;
	unsigned ticks = 0;

	proc_child_init("spool", SPOOL_FDS);
	(void)signal(SIGIO, SIG_IGN); /* somebody wants to write what we have a lease on (claim.h), and will in a moment */
	if (crypto_init() != 0)
		log_die(EXIT_SYSTEM, "the cryptographic libraries do not start");
	s.stop = proc_stop_fd(); /* before any thread: they inherit the signal mask */
	start(&s, name);
	tick_ns = clock_mono_ns();
	for (;;) {
		uint64_t now_ns = clock_mono_ns();
		step(&s, now_ns);
		if (now_ns >= tick_ns) {
			tick(&s, ticks, now_ns);
			if (ticks++ == 0) {
				log_about(.event = LOG_EVENT_READY);
				log_info("ready: %u channel%s, epoch %u, datagrams of %u bytes", s.conf.channels - 1,
				    s.conf.channels == 2 ? "" : "s", s.rekey->session[0].epoch, s.conf.n);
			}
			tick_ns = now_ns + TICK_NS;
		}
		wait_for(&s, next_ns(&s, tick_ns, now_ns));
	}
}
