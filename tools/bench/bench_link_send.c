/* bench_link_send.c - the sender's link process alone, memory to memory.
 *
 *   bench_link_send SENDER-CONF PROGRAM BYTES REPAIR-PER-MILLE FOLDER
 *
 * Plays the spool: starts the link role of the real katamichi-sender
 * (PROGRAM), hands it a session and one object that lies in memory, and waits until
 * it says that the round is done.  Nothing is sealed or compressed; erasure code,
 * tags and pacing are all there.  The receiving half is bench_link_receive.c;
 * tests/BENCH.md says how the two make one figure.
 *
 * The object is shown in a window (host/window.h) that runs before the link process, as the spool shows it a large file
 * while it seals it: the window's random bytes again and again, so that to show more of it costs nothing here.  It is a
 * file, too (FOLDER, huge_files.h), for what the link process should not find there.
 *
 * One line of JSON; times are CLOCK_MONOTONIC, which both halves share. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec/crypto.h"
#include "codec/hex.h"
#include "core/bytes.h"
#include "host/clock.h"
#include "host/ipc_send.h"
#include "host/log.h"
#include "host/exits.h"
#include "host/proc.h"
#include "host/window.h"
#include "sender/messages.h"
#include "sender/sender_conf.h"
#include "sender/sender_proc.h"
#include "tools/bench/huge_files.h"
#include "tools/bench/link_end.h"

/* As many pieces as the spool's (sender/main.c). */
enum { PIECES = 80, SHOW_MS = 5 /* in which the fastest link takes a tenth of them */ };
#define PERIOD ((uint64_t)PIECES * WINDOW_PIECE) /* in which the object's bytes come again */
static const uint8_t object_id[FRAME_ID_LEN] = { 1, 2, 3 };

static struct sender_conf conf;

/* What of the object is shown. */
struct showing {
	struct window w;
	uint64_t first, next, end; /* pieces [first, next) of `end` */
};

static int udp_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), probe = IP_PMTUDISC_PROBE, size = 4 << 20;

	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof(probe)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) != 0 ||
	    connect(fd, (const struct sockaddr *)&conf.destination, sizeof(conf.destination)) != 0)
		log_die(EXIT_SYSTEM, "the socket: %s", strerror(errno));
	return fd;
}

static struct showing show_begin(int memfd, int object, uint64_t bytes)
{
	struct showing s = { .end = bytes / WINDOW_PIECE };

	if (memfd < 0 || window_open(&s.w, memfd, true) != 0)
		log_die(EXIT_SYSTEM, "memory: %s", strerror(errno));
	for (unsigned i = 0; i < PIECES && i < s.end; i++)
		if (pread(object, window_piece(&s.w, i), WINDOW_PIECE, (off_t)i * WINDOW_PIECE) != WINDOW_PIECE)
			log_die(EXIT_SYSTEM, "memory: %s", strerror(errno));
	return s;
}

/* Show more of it, in place of what the link process has taken and let go: it takes piece after piece. */
static void show_more(struct showing *s)
{
	uint64_t taken = 0;

	for (uint64_t i = s->first; i < s->next; i++)
		if (atomic_load(&s->w.kept[i % PIECES]) > 0)
			taken = i;
	while (s->first < taken && window_take_back(&s->w, (unsigned)(s->first % PIECES)))
		s->first++;
	for (; s->next < s->end && s->next < s->first + PIECES; s->next++)
		window_show(&s->w, (unsigned)(s->next % PIECES), get64(object_id), s->next);
}

/* Random bytes that come again, from `had` on. */
static void fill(uint8_t *m, uint64_t had, uint64_t bytes)
{
	uint64_t fresh = bytes < PERIOD ? bytes : PERIOD;

	if (had < fresh)
		crypto_random(m + had, fresh - had);
	for (uint64_t at = had > fresh ? had : fresh, n; at < bytes; at += n) {
		n = bytes - at < WINDOW_PIECE ? bytes - at : WINDOW_PIECE;
		memcpy(m + at, m + at - PERIOD, n);
	}
}

/* The file, made where it is not there from a run before, and the hash of as many of its bytes as are asked for. */
static int object_fd(const char *path, uint64_t bytes, char hash[static 2 * HASH_LEN + 1])
{
	int folder = huge_folder(path), fd = huge_file(folder, "object");
	off_t had = lseek(fd, 0, SEEK_END);
	uint8_t *m, digest[HASH_LEN];

	close(folder);
	if (had < 0 || ((uint64_t)had < bytes && ftruncate(fd, (off_t)bytes) != 0))
		log_die(EXIT_SYSTEM, "memory: %s", strerror(errno));
	m = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (m == MAP_FAILED)
		log_die(EXIT_SYSTEM, "memory: %s", strerror(errno));
	fill(m, (uint64_t)had, bytes);
	crypto_sha256(digest, m, bytes);
	hex_put(hash, digest, HASH_LEN);
	munmap(m, bytes);
	return fd;
}

/* The asked-for share of repair instead of the configured guarantee's, blocks not interleaved. */
static void repair(struct layout_block *b, uint32_t k, uint64_t per_mille)
{
	b->r = (uint32_t)((k * per_mille + 999) / 1000);
	b->r1 = b->r;
	while (b->mlog < FRAME_MLOG_MAX && 1u << b->mlog < 4 * b->r)
		b->mlog++;
}

static void begin_session(int link)
{
	struct msg_session s = { .epoch = LINK_END_EPOCH, .n = conf.n, .lane = (uint32_t)conf.lane, .at_once = 1 };

	memset(s.tag_key, LINK_END_KEY, sizeof(s.tag_key));
	if (ipc_write(link, MSG_SESSION, &s, sizeof(s)) != 1)
		log_die(EXIT_INTERNAL, "the link process takes no session");
}

static void give(int link, uint64_t bytes, uint64_t per_mille, int fd)
{
	struct msg_object o = { .row = 1, .length = bytes };

	memcpy(o.id, object_id, sizeof(o.id));
	if (layout_of(&o.layout, &conf, bytes) != 0)
		log_die(EXIT_CONFIG, "no layout for %llu bytes", (unsigned long long)bytes);
	if (per_mille > 0) {
		uint32_t k = o.layout.kfull;
		o.layout.full.mlog = o.layout.last.mlog = 0;
		repair(&o.layout.full, k, per_mille);
		repair(&o.layout.last, k, per_mille);
		o.layout.depth = 1;
		o.layout.spacing_ns = 0;
	}
	if (ipc_send_fds(link, MSG_OBJECT, &o, sizeof(o), &fd, 1) != 1)
		log_die(EXIT_INTERNAL, "the link process takes no object");
}

/* How many datagrams the round had. */
static uint64_t wait_for_end(int link, struct showing *s)
{
	static struct ipc_msg m;
	struct pollfd p = { .fd = link, .events = POLLIN };

	for (;;) {
		show_more(s);
		if (poll(&p, 1, SHOW_MS) == 0)
			continue;
		if (ipc_recv(link, &m) != IPC_GOT)
			log_die(EXIT_INTERNAL, "the link process ended");
		if (m.type != MSG_DONE)
			continue;
		const struct msg_done *d = ipc_body(&m, sizeof(*d));
		if (d->failed)
			log_die(EXIT_INTERNAL, "the object could not be read");
		return d->datagrams;
	}
}

int main(int argc, char **argv)
{
	char hash[2 * HASH_LEN + 1];
	int link[2], object, window = window_create(PIECES);
	uint64_t bytes, start, datagrams;

	log_init_tool("bench_link_send");
	if (argc != 6 || crypto_init() != 0 || sender_conf_read(&conf, argv[1], -1) != 0)
		log_die(EXIT_USAGE, "usage: bench_link_send SENDER-CONF PROGRAM BYTES REPAIR-PER-MILLE FOLDER");
	bytes = strtoull(argv[3], NULL, 10);
	object = object_fd(argv[5], bytes, hash);
	struct showing showing = show_begin(window, object, bytes);
	ipc_pair(link);
	struct proc_spec spec = { .role = "link", .path = argv[2], .config = argv[1], .fds = LINK_FDS,
		.fd = { [LINK_FD_CONF] = open(argv[1], O_RDONLY | O_CLOEXEC), [LINK_FD_SPOOL] = link[1], [LINK_FD_UDP] = udp_socket(),
			[LINK_FD_WINDOW] = window } };
	pid_t pid = proc_start(&spec);
	close(link[1]);
	begin_session(link[0]);
	clock_sleep_ns(1000000000); /* it starts up, and a new session keeps still for a moment */
	show_more(&showing);
	start = clock_mono_ns();
	give(link[0], bytes, strtoull(argv[4], NULL, 10), object);
	datagrams = wait_for_end(link[0], &showing);
	uint64_t end = clock_mono_ns();
	kill(pid, SIGTERM);
	struct link_end_cost c = link_end_cost(pid);
	printf("{\"start\": %.6f, \"end\": %.6f, \"datagrams\": %llu, \"n\": %u, \"user\": %.3f, \"system\": %.3f, \"peak\": %llu, "
	    "\"sha256\": \"%s\"}\n", (double)start / 1e9, (double)end / 1e9, (unsigned long long)datagrams, conf.n, c.user, c.system,
	    (unsigned long long)c.peak, hash);
	return 0;
}
