/* link_test_send.c - see link_test_send.h */
#include "tools/link_test_send.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "codec/crypto.h"
#include "host/clock.h"
#include "host/exits.h"
#include "host/i18n.h"
#include "host/log.h"
#include "sender/sender_conf.h"
#include "sender/pacing.h"
#include "sender/transmit.h"
#include "tools/out.h"
#include "tools/progress.h"
#include "tools/wide.h"

#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull

enum {
	BURST_NS = 300000,     /* longest burst of our own, as of the daemon (pacing_burst) */
	SEND_BUFFER = 4 << 20, /* bytes */
	MARKS = 10,            /* end markers of a step, spread over the pause after it */
	MARKS_LAST = 20,       /* of the last step: nothing after it would tell its count */
	STOPPED_TRIES = 10,
	SLOW_PERCENT = 100,     /* a step may take so much longer than planned, then it ends short */
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

struct sending {
	struct link_test_head head;
	struct transmit out;
	uint64_t begun_ns;                   /* monotonic, of the run */
	uint64_t took_ns[LINK_TEST_STEPS];   /* from first to last datagram */
};

static int open_socket(const struct sockaddr_in *to, uint64_t mtu)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), probe = IP_PMTUDISC_PROBE, size = SEND_BUFFER, have = 0;
	char host[INET_ADDRSTRLEN];
	socklen_t len = sizeof(have);

	(void)inet_ntop(AF_INET, &to->sin_addr, host, sizeof(host));
	/* Never fragmented: a fragment lost would be a datagram lost. */
	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof(probe)) != 0) {
		log_error("link-test: no UDP socket: %s", strerror(errno));
		goto close_fd;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) != 0)
		log_warn("link-test: send buffer: %s", strerror(errno));
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) != 0) {
		log_error("link-test: %s: %s; is the link's interface up, with its address?", host, strerror(errno));
		goto close_fd;
	}
	if (getsockopt(fd, IPPROTO_IP, IP_MTU, &have, &len) == 0 && (uint64_t)have < mtu) {
		log_error("link-test: the way to %s has an MTU of %d, not %llu; give --mtu %d, or set the interface's", host,
		    have, (unsigned long long)mtu, have);
		goto close_fd;
	}
	return fd;

close_fd:
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static void put_one(struct sending *s, uint64_t now)
{
	s->head.age_ns = now - s->begun_ns;
	link_test_encode(transmit_slot(&s->out, s->out.filled++), &s->head);
}

/* Hand over what is filled; waits while the kernel has no room.  Who was stopped does not wait for ever: the rest
 * then counts as lost on the way. */
static void flush(struct sending *s)
{
	uint64_t wait;

	for (unsigned tries = 0; (wait = transmit_flush(&s->out, clock_mono_ns())) != 0; tries++) {
		if (stopped && tries >= STOPPED_TRIES) {
			s->out.filled = s->out.gone = 0;
			return;
		}
		clock_sleep_ns(wait);
	}
}

/* Of the whole test: its steps take the same time. */
static void progress(const struct sending *s, uint64_t planned)
{
	const struct link_test_plan *p = &s->head.plan;

	progress_show(s->head.step * 1000 + s->head.seq * 1000 / planned, p->steps * 1000, _("step %u of %u, %g Mbit/s"), s->head.step + 1,
	    p->steps, (double)p->rate[s->head.step] / 1e6);
}

static void send_step(struct sending *s)
{
	const struct link_test_plan *p = &s->head.plan;
	const uint64_t planned = link_test_planned(p, s->head.step), start = clock_mono_ns();
	const uint64_t limit = start + p->step_ms * NS_PER_MS * (100 + SLOW_PERCENT) / 100;
	/* Sleep until a batch may leave at once, as the daemon does, where a burst has room for more than one. */
	const uint64_t gather = link_test_spacing(p, s->head.step) < BURST_NS / 2 ? BURST_NS / 2 : 0;
	struct pacer_pair pacer;
	uint64_t now = start;

	pacer_pair_init(&pacer, p->rate[s->head.step], BURST_NS, PACING_DEBT_NS, start);
	s->head.kind = LINK_TEST_DATA;
	s->head.seq = 0;
	while (s->head.seq < planned && !stopped && (now = clock_mono_ns()) < limit) {
		uint64_t wait = pacer_pair_wait(&pacer, now);
		if (wait > 0) {
			clock_sleep_ns(wait + gather);
			continue;
		}
		while (s->out.filled < TRANSMIT_SLOTS && s->head.seq < planned && pacer_pair_wait(&pacer, now) == 0) {
			put_one(s, now);
			pacer_pair_sent(&pacer, p->len + LINK_TEST_EXTRA, now);
			s->head.seq++;
		}
		flush(s);
		progress(s, planned);
	}
	s->head.sent[s->head.step] = s->head.seq;
	s->took_ns[s->head.step] = now - start;
}

/* The end of a step, said again and again in the pause after it. */
static void send_marks(struct sending *s)
{
	const unsigned marks = s->head.step + 1 == s->head.plan.steps || stopped ? MARKS_LAST : MARKS;

	s->head.kind = LINK_TEST_END;
	s->head.seq = 0;
	for (unsigned i = 0; i < marks; i++) {
		clock_sleep_ns(LINK_TEST_PAUSE_MS * NS_PER_MS / MARKS);
		put_one(s, clock_mono_ns());
		flush(s);
	}
}

/* bit/s of a step, as it left. */
static double kept(const struct sending *s, unsigned step)
{
	return s->took_ns[step] > 0 ? (double)s->head.sent[step] * (s->head.plan.len + LINK_TEST_EXTRA) * 8e9 / (double)s->took_ns[step] : 0;
}

static void show(const struct sending *s, unsigned steps)
{
	const struct link_test_plan *p = &s->head.plan;

	printf(_("run %016llx, datagrams of %u bytes\n"), (unsigned long long)p->run, p->len);
	wide_pad(stdout, _("rate Mbit/s"), 14, 1);
	wide_pad(stdout, _("kept Mbit/s"), 15, 1);
	wide_pad(stdout, _("planned"), 13, 1);
	wide_pad(stdout, _("sent"), 13, 1);
	putchar('\n');
	for (unsigned i = 0; i < steps; i++)
		printf("%14.6g %14.6g %12llu %12llu%s\n", (double)p->rate[i] / 1e6,
		    kept(s, i) / 1e6,
		    (unsigned long long)link_test_planned(p, i), (unsigned long long)s->head.sent[i],
		    s->head.sent[i] < link_test_planned(p, i) && !stopped ? _("  this host does not keep the rate") : "");
	if (s->out.refused > 0)
		printf(_("%llu datagrams were refused here (ICMP or a packet filter of this host) and count as sent\n"),
		    (unsigned long long)s->out.refused);
	puts(stopped ? _("broken off; the result stands on the receiver") : _("all sent; the result stands on the receiver"));
}

static void show_json(const struct sending *s, unsigned steps)
{
	const struct link_test_plan *p = &s->head.plan;
	json_t *list = json_array();

	for (unsigned i = 0; i < steps; i++)
		json_array_append_new(list, json_pack("{s:I, s:f, s:I, s:I}", "rate", (json_int_t)p->rate[i], "kept_rate", kept(s, i), "planned",
		    (json_int_t)link_test_planned(p, i), "sent", (json_int_t)s->head.sent[i]));
	out_json_free(json_pack("{s:o, s:I, s:I, s:b, s:o}", "run", json_sprintf("%016llx", (unsigned long long)p->run), "datagram_bytes",
	    (json_int_t)p->len, "refused", (json_int_t)s->out.refused, "whole", !stopped, "steps", list));
}

int link_test_send(const struct sockaddr_in *to, uint64_t mtu, struct link_test_plan *plan)
{
	static struct sending s;
	const struct sigaction act = { .sa_handler = on_signal };
	unsigned steps = 0;
	int fd;

	plan->len = sender_datagram_len(mtu);
	plan->begin_ms = clock_wall_ms();
	crypto_random(&plan->run, sizeof(plan->run));
	for (unsigned i = 0; i < plan->steps; i++)
		if (link_test_planned(plan, i) < 10) {
			log_error("link-test: %g Mbit/s for %g s is less than 10 datagrams; give a higher rate or more --seconds",
			    (double)plan->rate[i] / 1e6, plan->step_ms / 1000.0);
			return EXIT_USAGE;
		}
	if ((fd = open_socket(to, mtu)) < 0)
		return EXIT_SYSTEM;
	(void)sigaction(SIGINT, &act, NULL);
	(void)sigaction(SIGTERM, &act, NULL);
	(void)prctl(PR_SET_TIMERSLACK, 1);
	transmit_init(&s.out, fd, plan->len);
	s.head.plan = *plan;
	s.begun_ns = clock_mono_ns();
	while (steps < plan->steps && !stopped) {
		s.head.step = steps++;
		send_step(&s);
		send_marks(&s);
	}
	progress_clear();
	if (out_mode() == OUT_JSON)
		show_json(&s, steps);
	else
		show(&s, steps);
	transmit_free(&s.out);
	(void)close(fd);
	return stopped ? EXIT_NO : EXIT_OK;
}
