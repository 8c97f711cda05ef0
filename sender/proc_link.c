/* proc_link.c - the link process: schedule > encode > pace > transmit.
 *
 * It has the UDP socket, the tag key of the session and sealed objects as
 * read-only descriptors: no path, no plaintext, no key that opens or signs.
 * One loop, two helper threads (encode.h).  Everything that leaves is charged
 * to the pacer, HELLO and BEAT included. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "codec/crypto.h"
#include "core/pacer.h"
#include "host/big.h"
#include "host/clock.h"
#include "host/exits.h"
#include "host/log.h"
#include "host/proc.h"
#include "host/sandbox.h"
#include "sender/link_private.h"
#include "sender/sender_proc.h"

enum { MMAP_FROM = 1 << 20 };
#define LARGE (1ull << 34) /* bytes of an object for which memory is made at the start */

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
	if (l->out.filled == 0)
		link_fill_batch(l, now, &wake);
	l->idle = l->out.filled == 0 && link_idle(l);
	if (l->out.filled == 0)
		return wake;
	/* The batch is made before it is due, so that reading and tagging it delays nothing. */
	now = clock_mono_ns();
	wait = pacer_pair_wait(&l->pacer, now);
	if (wait != 0)
		return now + pacing_sleep(&l->pacing, wait);
	uint64_t before = l->out.datagrams, began = now;
	wait = transmit_flush(&l->out, now);
	now = clock_mono_ns();
	if (l->out.datagrams > before)
		pacer_pair_sent(&l->pacer, (uint32_t)(l->out.datagrams - before) * (l->conf.n + SENDER_WIRE_OVERHEAD),
		    pacing_left(&l->pacing, began, now));
	if (wait != 0)
		return l->retry_ns = now + wait;
	return now; /* the next batch, at once */
}

/* Sleep until something happens, or until then.  While batch follows batch, a look now and then at what happened is enough. */
static void wait_until(struct link *l, uint64_t wake)
{
	struct pollfd p[3] = {
		{ .fd = l->stop, .events = POLLIN }, { .fd = l->spool, .events = POLLIN },
		{ .fd = encoder_fd(l->encoder), .events = POLLIN },
	};
	uint64_t now = clock_mono_ns(), ns = wake > now ? wake - now : 0;
	const struct timespec ts = { (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };

	if (ns == 0 && now - l->looked_ns < LOOK_NS)
		return;
	int n = ppoll(p, 3, &ts, NULL);

	l->looked_ns = now;
	if (n < 0 && errno != EINTR)
		log_die(EXIT_INTERNAL, "poll: %s", strerror(errno));
	if (n == 0 && ns > 0)
		pacing_overslept(&l->pacing, clock_mono_ns() - wake);
	if (p[0].revents != 0)
		exit(EXIT_OK);
	if (p[1].revents != 0)
		link_take_messages(l);
	if (p[2].revents != 0)
		encoder_clear(l->encoder);
}

static void start(struct link *l, const char *name)
{
	if (sender_conf_read(&l->conf, name, PROC_FD_FIRST + LINK_FD_CONF) != 0)
		exit(EXIT_CONFIG);
	close(PROC_FD_FIRST + LINK_FD_CONF);
	if (window_open(&l->window, PROC_FD_FIRST + LINK_FD_WINDOW, false) != 0)
		log_die(EXIT_SYSTEM, "setting up: %s", strerror(errno));
	close(PROC_FD_FIRST + LINK_FD_WINDOW);
	l->spool = PROC_FD_FIRST + LINK_FD_SPOOL;
	if (fcntl(l->spool, F_SETFL, O_NONBLOCK) != 0 || prctl(PR_SET_TIMERSLACK, 1) != 0)
		log_die(EXIT_SYSTEM, "setting up: %s", strerror(errno));
	if ((l->tagger = crypto_onetime_new()) == NULL)
		log_die(EXIT_SYSTEM, "out of memory");
	transmit_init(&l->out, PROC_FD_FIRST + LINK_FD_UDP, l->conf.n);
	l->pacing = pacing_of(l->conf.rate, l->conf.pacing_ns, l->conf.n + SENDER_WIRE_OVERHEAD, l->out.segments, TRANSMIT_SLOTS);
	pacer_pair_init(&l->pacer, l->conf.rate, l->pacing.catch_ns, PACING_DEBT_NS, clock_mono_ns());
}

int sender_link_main(const char *name)
{
	struct layout large;
	struct link *l;

	proc_child_init("link", LINK_FDS);
	if (crypto_init() != 0)
		log_die(EXIT_SYSTEM, "the cryptographic libraries do not start");
	l = crypto_secret_alloc(sizeof(*l)); /* it holds tag keys; locked as a whole */
	if (l == NULL)
		log_die(EXIT_SYSTEM, "out of lockable memory");
	/* Blocks of an object go back to the system when they are freed; glibc would begin to keep them (up to 64 MB). */
	(void)mallopt(M_MMAP_THRESHOLD, MMAP_FROM);
	l->stop = proc_stop_fd();
	start(l, name);
	sandbox_begin(SANDBOX_SENDER_LINK, NULL, 0);
	l->encoder = encoder_start(&l->window);
	if (l->conf.rate >= BIG_EARLY_RATE && layout_stream(&large, &l->conf, LARGE, LAYOUT_BLOCK_MAX) == 0)
		encoder_make(l->encoder, &large);
	const int fd[] = { l->spool, encoder_fd(l->encoder) };
	sandbox_seal(SANDBOX_SENDER_LINK, fd, 2);
	for (;;) {
		uint64_t now = clock_mono_ns();
		uint64_t wake = step(l, now);
		if (l->out.filled == 0) /* the last symbols of a round may still wait */
			link_say_done(l);
		link_say_status(l, now);
		wait_until(l, wake);
	}
}
