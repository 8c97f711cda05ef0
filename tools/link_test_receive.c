/* link_test_receive.c - see link_test_receive.h */
#include "tools/link_test_receive.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/exits.h"
#include "host/i18n.h"
#include "host/log.h"
#include "receiver/receive.h"
#include "tools/link_test_report.h"
#include "tools/out.h"
#include "tools/progress.h"

#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull
#define SILENT_NS (2 * NS_PER_S)

enum {
	BATCH = 64,
	ROOM = 65536,     /* bytes for each datagram: none is longer */
	BUSY = 16,        /* datagrams in a batch: then nap instead of waiting to be woken */
	NAP_NS = 300000,
	WAIT_MS = 100,
	RETRY_MS = 1500,  /* for a port that an instance before us has not left yet */
	RETRY_STEP_MS = 50,
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

struct receiving {
	int sock;
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	union {
		uint8_t room[CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(sizeof(uint32_t))];
		struct cmsghdr align;
	} control[BATCH];
	uint32_t dropped;           /* the kernel's counter, as last told */
	uint64_t bound_ns, read_ns; /* monotonic: since when we listen; when we last read */
	struct link_test_runs runs;
	struct link_test_report report;
	uint8_t data[BATCH][ROOM];
};

/* --- socket --- */
/* The kernel doubles what it is asked for and reports the double. */
static void size_buffer(struct receiving *r, uint64_t want)
{
	int ask = (int)want, have = 0;
	socklen_t n = sizeof(have);

	if (setsockopt(r->sock, SOL_SOCKET, SO_RCVBUFFORCE, &ask, sizeof(ask)) != 0)
		(void)setsockopt(r->sock, SOL_SOCKET, SO_RCVBUF, &ask, sizeof(ask));
	if (getsockopt(r->sock, SOL_SOCKET, SO_RCVBUF, &have, &n) != 0)
		have = 0;
	r->report.buffer_asked = want;
	r->report.buffer = (uint64_t)have / 2;
	if (r->report.buffer < want)
		log_warn("link-test: the kernel gives a socket buffer of %llu bytes, not %llu; losses of this host are to be "
		    "expected (`sysctl -w net.core.rmem_max=%llu` allows more)", (unsigned long long)r->report.buffer,
		    (unsigned long long)want, (unsigned long long)want);
}

static int open_socket(struct receiving *r, const struct link_test_listen *l)
{
	const int on = 1;

	r->sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->sock < 0) {
		log_error("link-test: no UDP socket: %s", strerror(errno));
		return -1;
	}
	size_buffer(r, l->buffer); /* before the first datagram can come */
	if (setsockopt(r->sock, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) != 0 ||
	    setsockopt(r->sock, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on)) != 0) {
		log_error("link-test: the kernel gives no times of arrival or no count of drops: %s", strerror(errno));
		return -1;
	}
	for (int ms = 0; bind(r->sock, (const struct sockaddr *)&l->at, sizeof(l->at)) != 0; ms += RETRY_STEP_MS) {
		if (errno != EADDRINUSE || ms >= RETRY_MS) {
			log_error("link-test: listen %s: %s; %s", r->report.listen, strerror(errno), errno == EADDRINUSE ?
			    _("stop the katamichi-receiver for the test, its port is needed") :
			    _("is this address on an interface of this host?"));
			return -1;
		}
		clock_sleep_ns(RETRY_STEP_MS * NS_PER_MS);
	}
	/* Linux answers ENOTCONN and shuts the sending half all the same: whatever happens below, nothing can leave. */
	(void)shutdown(r->sock, SHUT_WR);
	r->bound_ns = r->read_ns = clock_mono_ns();
	return 0;
}

static void prepare(struct receiving *r)
{
	for (unsigned i = 0; i < BATCH; i++) {
		r->iov[i] = (struct iovec){ .iov_base = r->data[i], .iov_len = ROOM };
		r->msg[i].msg_hdr = (struct msghdr){ .msg_iov = &r->iov[i], .msg_iovlen = 1, .msg_control = r->control[i].room,
			.msg_controllen = sizeof(r->control[i].room) };
	}
}

/* --- datagrams --- */
/* Time of arrival, and what the kernel dropped since the datagram before (its counter is 32 bits wide). */
static uint64_t read_control(struct receiving *r, struct msghdr *m, uint64_t *drops)
{
	uint64_t rx_ns = 0;

	*drops = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		struct timespec ts;
		uint32_t count;
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SO_TIMESTAMPNS && c->cmsg_len >= CMSG_LEN(sizeof(ts))) {
			memcpy(&ts, CMSG_DATA(c), sizeof(ts));
			rx_ns = (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
		} else if (c->cmsg_type == SO_RXQ_OVFL && c->cmsg_len >= CMSG_LEN(sizeof(count))) {
			memcpy(&count, CMSG_DATA(c), sizeof(count));
			*drops = count - r->dropped;
			r->dropped = count;
		}
	}
	return rx_ns;
}

static void note_pause(struct receiving *r, uint64_t now)
{
	if (now - r->read_ns > r->report.pause_ns)
		r->report.pause_ns = now - r->read_ns;
	r->read_ns = now;
}

/* One batch; how many, or -1 after a line. */
static int take_batch(struct receiving *r)
{
	prepare(r);
	int n = recvmmsg(r->sock, r->msg, BATCH, MSG_DONTWAIT, NULL);
	uint64_t now = clock_mono_ns(), drops;

	if (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM || errno == ENETDOWN))
		n = 0;
	if (n < 0)
		log_error("link-test: receiving: %s", strerror(errno));
	note_pause(r, now);
	for (int i = 0; i < n; i++) {
		uint64_t rx = read_control(r, &r->msg[i].msg_hdr, &drops);
		link_test_runs_take(&r->runs, r->data[i], r->msg[i].msg_len, rx != 0 ? rx : clock_wall_ms() * NS_PER_MS, now,
		    now - r->bound_ns, drops);
	}
	return n;
}

/* --- the whole --- */
static void progress(const struct receiving *r, uint64_t now)
{
	const struct link_test_run *run = link_test_runs_main(&r->runs);

	if (run == NULL) {
		progress_show(0, 0, _("waiting for `katamichi link-test send', %llu s (Ctrl-C ends)"),
		    (unsigned long long)((now - r->bound_ns) / NS_PER_S));
		return;
	}
	const struct link_test_step *s = &run->step[run->newest];

	if (!s->begun)
		return;
	uint64_t high = s->track.high - s->track.first, planned = link_test_planned(&run->plan, run->newest);

	if (now - run->last_mono_ns > SILENT_NS)
		progress_show(0, 0, _("nothing has come for %llu s (Ctrl-C ends)"), (unsigned long long)((now - run->last_mono_ns) / NS_PER_S));
	else
		progress_show(run->newest * 1000 + high * 1000 / (planned + 1), run->plan.steps * 1000, _("step %u of %u, %g Mbit/s, missing %llu"),
		    run->newest + 1, run->plan.steps, (double)run->plan.rate[run->newest] / 1e6, (unsigned long long)(high - s->track.received));
}

/* Until the test is over, the time has passed, or somebody stops us; 0 or -1. */
static int listen_all(struct receiving *r, uint64_t limit_ns)
{
	struct pollfd p = { .fd = r->sock, .events = POLLIN };

	while (!stopped) {
		int n = take_batch(r);
		uint64_t now = clock_mono_ns();
		if (n < 0)
			return -1;
		progress(r, now);
		if (limit_ns != 0 && now - r->bound_ns >= limit_ns)
			break;
		if (n == 0 && link_test_runs_over(&r->runs, now))
			break;
		if (n >= BUSY && n < BATCH) {
			clock_sleep_ns(NAP_NS);
		} else if (n < BUSY) {
			(void)poll(&p, 1, WAIT_MS);
			r->read_ns = clock_mono_ns(); /* waiting is no pause */
		}
	}
	progress_clear();
	return 0;
}

static int result(struct receiving *r, const struct link_test_listen *l, int dir)
{
	struct link_test_host before = r->report.host;
	uint64_t drops = r->dropped, room, used;

	receive_kernel(r->sock, &drops, &room, &used);
	link_test_runs_finish(&r->runs, (uint32_t)((uint32_t)drops - r->dropped));
	link_test_host_read(&r->report.host, &l->at.sin_addr);
	link_test_host_since(&r->report.host, &before);
	r->report.listened_ns = clock_mono_ns() - r->bound_ns;
	r->report.runs = &r->runs;
	link_test_report_make(&r->report);
	if (out_mode() == OUT_JSON)
		out_json_free(link_test_report_facts(&r->report));
	else
		link_test_report_text(&r->report, stdout);
	(void)fflush(stdout);
	if (link_test_report_save(&r->report, dir, l->out) != 0)
		return EXIT_SYSTEM;
	if (out_mode() != OUT_JSON)
		printf(_("saved: %s/report.json, report.txt, plot.svg\n"), l->out);
	return r->report.advice.good ? EXIT_OK : EXIT_NO;
}

int link_test_receive(const struct link_test_listen *l)
{
	const struct sigaction act = { .sa_handler = on_signal };
	struct receiving *r = calloc(1, sizeof(*r)); /* only the parts that are used are ever touched */
	char host[INET_ADDRSTRLEN];
	int dir, code = EXIT_SYSTEM;

	if (r == NULL) {
		log_error("link-test: there is not enough memory");
		return EXIT_SYSTEM;
	}
	if ((dir = link_test_report_open(l->out)) < 0)
		goto free_r;
	r->sock = -1;
	(void)inet_ntop(AF_INET, &l->at.sin_addr, host, sizeof(host));
	(void)snprintf(r->report.listen, sizeof(r->report.listen), "%s:%u", host, ntohs(l->at.sin_port));
	r->report.begin_ms = clock_wall_ms();
	(void)sigaction(SIGINT, &act, NULL);
	(void)sigaction(SIGTERM, &act, NULL);
	(void)prctl(PR_SET_TIMERSLACK, 1);
	link_test_host_read(&r->report.host, &l->at.sin_addr);
	if (open_socket(r, l) != 0)
		goto close_all;
	log_info("link-test: ready, listening on %s", r->report.listen);
	if (listen_all(r, l->limit_ns) == 0)
		code = result(r, l, dir);

close_all:
	if (r->sock >= 0)
		(void)close(r->sock);
	(void)close(dir);
free_r:
	free(r);
	return code;
}
