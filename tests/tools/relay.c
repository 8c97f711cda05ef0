/* relay.c - a bad link between two good daemons, the same bad link each time.
 *
 *   relay --listen ADDR:PORT --to ADDR:PORT [faults] [--record FILE]
 *   relay --replay FILE --to ADDR:PORT [--rate BITS]
 *
 * Faults (probabilities 0 .. 1; drawn from --seed in the order of arrival, a
 * fixed number of draws a datagram, so that a run can be had again):
 *   --loss P        drop                     --duplicate P   send twice
 *   --corrupt P     flip 1 to 8 bits         --reorder P     hold back for 1 to 64 datagrams, 20 ms at most
 *   --hole AT:MS    drop all for MS, beginning AT ms after the first datagram; several may be given
 *   --burst MS:EVERY  drop all for MS, once at random in each EVERY ms
 * SIGUSR1 cuts the link (everything is dropped), SIGUSR2 joins it again.
 *
 * --record keeps what was sent on: u32 length, then the bytes, again and again.
 * At SIGTERM it prints what it did as one line of JSON.  "overflow" is what its own
 * socket lost and must be 0 for a test to mean anything. */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	BATCH = 64,             /* datagrams a call */
	SLOT = 65536,           /* bytes */
	HELD_MAX = 256,         /* datagrams held back at once */
	HOLES_MAX = 64,
	HOLD_NS = 20 * 1000000, /* longest time a datagram is held back */
	BUFFER = 256 << 20,     /* socket buffer, bytes */
};

static struct {
	double loss, duplicate, corrupt, reorder;
	uint64_t hole_at[HOLES_MAX], hole_len[HOLES_MAX]; /* ns */
	unsigned holes;
	uint64_t burst_len, burst_every; /* ns */
	uint64_t seed;
} opt = { .seed = 1 };

static struct {
	uint64_t in, out, lost, hole, cut, duplicated, corrupted, reordered, bytes, refused;
	uint32_t overflow;
} stat;

struct held {
	uint8_t *data;
	size_t len;
	unsigned wait;  /* datagrams still to pass */
	uint64_t until; /* ns */
};
static struct held held[HELD_MAX];
static unsigned n_held;

static volatile sig_atomic_t stopped, cut;
static uint64_t first_ns; /* the first datagram's arrival */
static FILE *record;

static struct mmsghdr out_msg[BATCH * 4];
static struct iovec out_iov[BATCH * 4];
static unsigned n_out;
static int out_fd;

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		cut = 1;
	else if (sig == SIGUSR2)
		cut = 0;
	else
		stopped = 1;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* splitmix64 */
static uint64_t mix(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static int chance(uint64_t draw, double p)
{
	return (double)(draw >> 11) * 0x1p-53 < p;
}

static int in_hole(uint64_t at)
{
	for (unsigned i = 0; i < opt.holes; i++)
		if (at >= opt.hole_at[i] && at - opt.hole_at[i] < opt.hole_len[i])
			return 1;
	if (opt.burst_every > 0) {
		/* The place of the burst in this period follows from the seed alone. */
		uint64_t s = opt.seed ^ (at / opt.burst_every * 0x2545f4914f6cdd1du);
		/* In the middle half of the period, so that two bursts never make one long one. */
		uint64_t start = opt.burst_every / 4 + mix(&s) % (opt.burst_every / 2 - opt.burst_len);
		uint64_t t = at % opt.burst_every;
		return t >= start && t - start < opt.burst_len;
	}
	return 0;
}

static void flush_out(void)
{
	unsigned done = 0;

	while (done < n_out) {
		int n = sendmmsg(out_fd, out_msg + done, n_out - done, 0);
		if (n > 0) {
			done += (unsigned)n;
		} else if (errno == ENOBUFS || errno == EAGAIN) {
			struct pollfd p = { .fd = out_fd, .events = POLLOUT };
			poll(&p, 1, 1);
		} else if (errno != EINTR) {
			/* ECONNREFUSED: nobody listens (yet); a light guide would not tell either. */
			stat.refused++;
			done++;
		}
	}
	n_out = 0;
}

static void send_on(uint8_t *data, size_t len)
{
	if (record != NULL) {
		uint32_t n = (uint32_t)len;
		if (fwrite(&n, sizeof n, 1, record) != 1 || fwrite(data, 1, len, record) != len)
			err(1, "record");
	}
	out_iov[n_out] = (struct iovec){ .iov_base = data, .iov_len = len };
	out_msg[n_out].msg_hdr.msg_iov = &out_iov[n_out];
	out_msg[n_out].msg_hdr.msg_iovlen = 1;
	stat.out++;
	stat.bytes += len;
	n_out++;
}

/* Let go what has waited long enough.  The bytes must outlive the send, so each is sent at once. */
static void release(uint64_t now, unsigned passed)
{
	for (unsigned i = 0; i < n_held;) {
		held[i].wait = held[i].wait > passed ? held[i].wait - passed : 0;
		if (held[i].wait > 0 && held[i].until > now) {
			i++;
			continue;
		}
		send_on(held[i].data, held[i].len);
		flush_out();
		free(held[i].data);
		held[i] = held[--n_held];
	}
}

static void hold(const uint8_t *data, size_t len, uint64_t draw, uint64_t now)
{
	struct held *h = &held[n_held++];

	h->data = malloc(len);
	if (h->data == NULL)
		err(1, "malloc");
	memcpy(h->data, data, len);
	h->len = len;
	h->wait = 1 + (unsigned)(draw % 64);
	h->until = now + HOLD_NS;
	stat.reordered++;
}

/* One datagram: six draws, whatever happens to it. */
static void pass(uint8_t *data, size_t len, uint64_t at, uint64_t *rng)
{
	uint64_t draw[6];

	for (unsigned i = 0; i < 6; i++)
		draw[i] = mix(rng);
	stat.in++;
	if (cut) {
		stat.cut++;
		return;
	}
	if (in_hole(at - first_ns)) {
		stat.hole++;
		return;
	}
	if (chance(draw[0], opt.loss)) {
		stat.lost++;
		return;
	}
	if (len > 0 && chance(draw[1], opt.corrupt)) {
		uint64_t s = draw[2];
		for (unsigned flips = 1 + (unsigned)(s & 7); flips > 0; flips--) {
			uint64_t place = mix(&s);
			data[place % len] = (uint8_t)(data[place % len] ^ (1u << (place >> 61)));
		}
		stat.corrupted++;
	}
	if (n_held < HELD_MAX && chance(draw[3], opt.reorder)) {
		hold(data, len, draw[4], now_ns());
		return;
	}
	send_on(data, len);
	if (chance(draw[5], opt.duplicate)) {
		send_on(data, len);
		stat.duplicated++;
	}
}

static int parse_addr(const char *s, struct sockaddr_in *sa)
{
	char host[64];
	const char *colon = strrchr(s, ':');

	if (colon == NULL || (size_t)(colon - s) >= sizeof host)
		return -1;
	memcpy(host, s, (size_t)(colon - s));
	host[colon - s] = '\0';
	*sa = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1)) };
	return inet_pton(AF_INET, host, &sa->sin_addr) == 1 ? 0 : -1;
}

static int open_socket(const char *addr, int listen_on)
{
	struct sockaddr_in sa;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1, size = BUFFER;
	int what = listen_on ? SO_RCVBUFFORCE : SO_SNDBUFFORCE;

	if (fd < 0)
		err(1, "socket");
	if (parse_addr(addr, &sa) != 0)
		errx(2, "%s: not ADDR:PORT", addr);
	if (setsockopt(fd, SOL_SOCKET, what, &size, sizeof size) != 0)
		(void)setsockopt(fd, SOL_SOCKET, listen_on ? SO_RCVBUF : SO_SNDBUF, &size, sizeof size);
	(void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof one);
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
	if ((listen_on ? bind : connect)(fd, (struct sockaddr *)&sa, sizeof sa) != 0)
		err(1, "%s", addr);
	return fd;
}

static void note_overflow(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
			memcpy(&stat.overflow, CMSG_DATA(c), sizeof stat.overflow);
}

/* When the kernel had it: a relay that had to wait for the processor would else drop all that waited meanwhile in one burst. */
static uint64_t arrived_ns(struct msghdr *m, uint64_t now)
{
	struct timespec wall, at;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&at, CMSG_DATA(c), sizeof at);
		clock_gettime(CLOCK_REALTIME, &wall);
		int64_t age = (wall.tv_sec - at.tv_sec) * 1000000000 + wall.tv_nsec - at.tv_nsec;
		return age > 0 && (uint64_t)age < now ? now - (uint64_t)age : now;
	}
	return now;
}

static void run(int in_fd)
{
	static struct mmsghdr msg[BATCH];
	static struct iovec iov[BATCH];
	static uint8_t control[BATCH][64];
	uint8_t *slots = malloc((size_t)BATCH * SLOT);
	uint64_t rng = opt.seed;

	if (slots == NULL)
		err(1, "malloc");
	while (!stopped) {
		struct pollfd p = { .fd = in_fd, .events = POLLIN };
		int got = 0;
		for (unsigned i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){ .iov_base = slots + (size_t)i * SLOT, .iov_len = SLOT };
			msg[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1,
				.msg_control = control[i], .msg_controllen = sizeof control[i] };
		}
		if (poll(&p, 1, n_held > 0 ? 5 : 200) > 0)
			got = recvmmsg(in_fd, msg, BATCH, MSG_DONTWAIT, NULL);
		uint64_t now = now_ns();
		for (int i = 0; i < got; i++) {
			uint64_t at = arrived_ns(&msg[i].msg_hdr, now);
			if (first_ns == 0 || at < first_ns)
				first_ns = at;
			note_overflow(&msg[i].msg_hdr);
			pass(slots + (size_t)i * SLOT, msg[i].msg_len, at, &rng);
		}
		flush_out();
		release(now, got > 0 ? (unsigned)got : 0);
	}
	release(UINT64_MAX, 0);
	free(slots);
}

static void replay(const char *name, double rate)
{
	FILE *f = fopen(name, "rb");
	static uint8_t data[SLOT];
	uint32_t len;
	uint64_t start = now_ns();

	if (f == NULL)
		err(1, "%s", name);
	while (!stopped && fread(&len, sizeof len, 1, f) == 1 && len <= SLOT && fread(data, 1, len, f) == len) {
		uint64_t due = start + (uint64_t)((double)(stat.bytes + stat.out * 66) * 8e9 / rate);
		while (now_ns() < due)
			nanosleep(&(struct timespec){ .tv_nsec = 50000 }, NULL);
		send_on(data, len);
		flush_out();
	}
	fclose(f);
}

/* "A:B" in ms, to ns. */
static void parse_pair(const char *s, uint64_t *a, uint64_t *b)
{
	double x, y;

	if (sscanf(s, "%lf:%lf", &x, &y) != 2)
		errx(2, "%s: not MS:MS", s);
	*a = (uint64_t)(x * 1e6);
	*b = (uint64_t)(y * 1e6);
}

static void print_stats(void)
{
	printf("{\"seed\": %llu, \"in\": %llu, \"out\": %llu, \"bytes\": %llu, \"lost\": %llu, \"hole\": %llu, \"cut\": %llu, "
	       "\"duplicated\": %llu, \"corrupted\": %llu, \"reordered\": %llu, \"refused\": %llu, \"overflow\": %u}\n",
	    (unsigned long long)opt.seed, (unsigned long long)stat.in, (unsigned long long)stat.out,
	    (unsigned long long)stat.bytes, (unsigned long long)stat.lost, (unsigned long long)stat.hole,
	    (unsigned long long)stat.cut, (unsigned long long)stat.duplicated, (unsigned long long)stat.corrupted,
	    (unsigned long long)stat.reordered, (unsigned long long)stat.refused, stat.overflow);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = { { "listen", 1, 0, 'l' }, { "to", 1, 0, 't' }, { "loss", 1, 0, 'p' },
		{ "duplicate", 1, 0, 'd' }, { "corrupt", 1, 0, 'c' }, { "reorder", 1, 0, 'r' }, { "hole", 1, 0, 'h' },
		{ "burst", 1, 0, 'b' }, { "seed", 1, 0, 's' }, { "record", 1, 0, 'R' }, { "replay", 1, 0, 'P' },
		{ "rate", 1, 0, 'B' }, { 0, 0, 0, 0 } };
	const char *from = NULL, *to = NULL, *play = NULL;
	double rate = 5e8;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'l': from = optarg; break;
		case 't': to = optarg; break;
		case 'p': opt.loss = atof(optarg); break;
		case 'd': opt.duplicate = atof(optarg); break;
		case 'c': opt.corrupt = atof(optarg); break;
		case 'r': opt.reorder = atof(optarg); break;
		case 'h':
			if (opt.holes == HOLES_MAX)
				errx(2, "too many holes");
			parse_pair(optarg, &opt.hole_at[opt.holes], &opt.hole_len[opt.holes]);
			opt.holes++;
			break;
		case 'b':
			parse_pair(optarg, &opt.burst_len, &opt.burst_every);
			if (opt.burst_len >= opt.burst_every / 2)
				errx(2, "%s: the burst does not fit its period", optarg);
			break;
		case 's': opt.seed = strtoull(optarg, NULL, 0); break;
		case 'R':
			if ((record = fopen(optarg, "wb")) == NULL)
				err(1, "%s", optarg);
			break;
		case 'P': play = optarg; break;
		case 'B': rate = atof(optarg); break;
		default: return 2;
		}
	}
	if (to == NULL || (from == NULL) == (play == NULL))
		errx(2, "usage: relay --listen ADDR:PORT --to ADDR:PORT [faults] | --replay FILE --to ADDR:PORT");
	for (unsigned i = 0; i < 4; i++) {
		static const int sigs[] = { SIGTERM, SIGINT, SIGUSR1, SIGUSR2 };
		sigaction(sigs[i], &(struct sigaction){ .sa_handler = on_signal }, NULL);
	}
	out_fd = open_socket(to, 0);
	if (play != NULL) {
		replay(play, rate);
	} else {
		int in_fd = open_socket(from, 1);
		fprintf(stderr, "relay ready\n");
		run(in_fd);
	}
	if (record != NULL && fclose(record) != 0)
		err(1, "record");
	print_stats();
	return 0;
}
