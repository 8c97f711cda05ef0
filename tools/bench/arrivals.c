/* arrivals.c - when datagrams arrived: how exact the sender's rate is, and how long its bursts.
 *
 *   arrivals ADDRESS:PORT --rate BIT/S [--extra 66] [--buffer BYTES]
 *
 * Takes the kernel's time stamp of each datagram (SO_TIMESTAMPNS), from the
 * first SYMBOL (PROTOCOL.md, section 3) to the last one, and ends a second
 * after it.  What crosses is counted with --extra bytes for each datagram's
 * headers, preamble and gap.
 *
 * The burst at a datagram is what a queue would hold that drains at the rate
 * (and a sixteenth, at which a sender in debt may go: core/pacer.h): bytes that
 * came earlier than a perfectly even sender's.  One datagram is the least there is.
 *
 * One line of JSON; bursts in bytes on the wire. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include "core/bytes.h"
#include "core/frame.h"
#include "core/pacer.h"
#include "tools/bench/drops.h"

enum { CALL = 128, ROOM = 9216, MANY = 1 << 24, NAP_NS = 500000 };
#define NS 1000000000ull

struct arrival {
	uint64_t at;    /* ns, CLOCK_REALTIME */
	uint32_t bytes; /* on the wire */
	bool symbol;
};

static struct arrival *seen; /* MANY; pages are touched as they are needed */
static size_t count;

static void die(const char *what)
{
	fprintf(stderr, "arrivals: %s: %s\n", what, strerror(errno));
	exit(5);
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * NS + (uint64_t)t.tv_nsec;
}

static int open_socket(const char *where, int buffer)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	char host[INET_ADDRSTRLEN];
	const char *colon = strchr(where, ':');
	int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1;

	errno = EINVAL;
	if (colon == NULL || (size_t)(colon - where) >= sizeof(host))
		die(where);
	memcpy(host, where, (size_t)(colon - where));
	host[colon - where] = '\0';
	a.sin_port = htons((uint16_t)atoi(colon + 1));
	if (fd < 0 || inet_pton(AF_INET, host, &a.sin_addr) != 1 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)) != 0 ||
	    bind(fd, (const struct sockaddr *)&a, sizeof(a)) != 0)
		die(where);
	return fd;
}

static uint64_t stamp(struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec t;
			memcpy(&t, CMSG_DATA(c), sizeof(t));
			return (uint64_t)t.tv_sec * NS + (uint64_t)t.tv_nsec;
		}
	errno = ENODATA;
	die("no time stamp");
	return 0;
}

struct batch {
	struct mmsghdr msg[CALL];
	struct iovec iov[CALL];
	union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(struct timespec))]; } control[CALL];
	uint8_t memory[CALL][ROOM];
};

static int take(int fd, struct batch *b, uint32_t extra)
{
	for (int i = 0; i < CALL; i++) {
		b->iov[i] = (struct iovec){ b->memory[i], ROOM };
		b->msg[i].msg_hdr = (struct msghdr){ .msg_iov = &b->iov[i], .msg_iovlen = 1,
			.msg_control = &b->control[i], .msg_controllen = sizeof(b->control[i]) };
	}
	int n = recvmmsg(fd, b->msg, CALL, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n && count < MANY; i++) {
		const uint8_t *d = b->memory[i];
		seen[count++] = (struct arrival){ .at = stamp(&b->msg[i].msg_hdr), .bytes = b->msg[i].msg_len + extra,
			.symbol = b->msg[i].msg_len >= FRAME_MIN_LEN && get16(d) == FRAME_MAGIC && d[3] == FRAME_SYMBOL };
	}
	return n;
}

/* Until a second after the last SYMBOL, or for a minute if there is none: the sender makes its bytes first. */
static void follow(int fd, uint32_t extra)
{
	struct batch *b = calloc(1, sizeof(*b));
	uint64_t last = now_ns(CLOCK_MONOTONIC) + 59 * NS, now;
	size_t looked = 0;

	if (b == NULL)
		die("memory");
	while ((now = now_ns(CLOCK_MONOTONIC)) < last + NS) {
		int n = take(fd, b, extra);
		for (; looked < count; looked++)
			if (seen[looked].symbol)
				last = now;
		const struct timespec nap = { 0, NAP_NS };
		if (n < CALL)
			clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
	}
	free(b);
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The level of the queue at each arrival; what = name in the JSON. */
static void bursts(const char *what, const struct arrival *a, size_t n, double rate)
{
	double *level = malloc(n * sizeof(*level)), have = 0;

	if (level == NULL)
		die("memory");
	for (size_t i = 0; i < n; i++) {
		/* Stamps of two processors may be out of order by some ns. */
		double drained = i > 0 && a[i].at > a[i - 1].at ? (double)(a[i].at - a[i - 1].at) * rate / 8e9 : 0;
		have = (have > drained ? have - drained : 0) + a[i].bytes;
		level[i] = have;
	}
	qsort(level, n, sizeof(*level), by_size);
	printf(", \"%s\": {\"p50\": %.0f, \"p99\": %.0f, \"p99.9\": %.0f, \"most\": %.0f}", what, level[n / 2], level[n * 99 / 100],
	    level[(size_t)((double)n * 0.999)], level[n - 1]);
	free(level);
}

static void tell(int fd, double rate)
{
	size_t first = 0, end = count;
	uint64_t bytes = 0;

	while (first < end && !seen[first].symbol)
		first++;
	while (end > first && !seen[end - 1].symbol)
		end--;
	if (end - first < 2)
		die("hardly a SYMBOL came");
	/* The first datagram's bytes came before its time. */
	for (size_t i = first + 1; i < end; i++)
		bytes += seen[i].bytes;
	double seconds = (double)(seen[end - 1].at - seen[first].at) / 1e9;
	printf("{\"datagrams\": %zu, \"bytes\": %llu, \"seconds\": %.6f, \"bit/s\": %.0f, \"one\": %u, \"kernel_drops\": %u", end - first,
	    (unsigned long long)bytes, seconds, (double)bytes * 8 / seconds, seen[first].bytes, drops_of(fd));
	bursts("burst", seen + first, end - first, rate * (1 + 1.0 / PACER_FASTER));
	bursts("ahead", seen + first, end - first, rate);
	puts("}");
}

int main(int argc, char **argv)
{
	static const struct option known[] = { { "rate", 1, NULL, 'r' }, { "extra", 1, NULL, 'e' }, { "buffer", 1, NULL, 'b' },
		{ NULL, 0, NULL, 0 } };
	double rate = 0;
	uint32_t extra = 66;
	int c, fd, buffer = 256 << 20;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
		switch (c) {
		case 'r': rate = strtod(optarg, NULL); break;
		case 'e': extra = (uint32_t)strtoul(optarg, NULL, 10); break;
		case 'b': buffer = atoi(optarg); break;
		default: return 2;
		}
	if (argc - optind != 1 || !(rate > 0)) {
		fputs("usage: arrivals ADDRESS:PORT --rate BIT/S ... (the head of arrivals.c)\n", stderr);
		return 2;
	}
	seen = mmap(NULL, MANY * sizeof(*seen), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (seen == MAP_FAILED)
		die("memory");
	prctl(PR_SET_TIMERSLACK, 1);
	fd = open_socket(argv[optind], buffer);
	puts("ready");
	fflush(stdout);
	follow(fd, extra);
	tell(fd, rate);
	return 0;
}
