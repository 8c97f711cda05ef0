/* raw_link.c - the ceiling of a link: datagrams with no work on them.
 *
 *   raw_link send    ADDRESS:PORT --size N --bytes N [--segments N] [--rate BIT/S]
 *   raw_link receive ADDRESS:PORT [--buffer N] [--gro | --uring] [--nap US]
 *
 * The sender hands the same memory to the kernel again and again (sendmmsg,
 * UDP_SEGMENT when --segments is over 1).  The receiver drains without
 * waiting (recvmmsg, or with --uring one multishot operation), then naps; it ends
 * half a second after the last datagram.  Both close with one line of JSON.  --size is the datagram's UDP payload; --rate
 * counts the same bytes, and 0 is as fast as it goes. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "host/clock.h"
#include "tools/bench/drops.h"
#include "tools/bench/raw_uring.h"

enum { CALL = 16 /* messages in a system call */, SEND_ROOM = 65507, RECEIVE_ROOM = 65536, RECEIVE_CALL = 64 };
#define NS 1000000000ull
#define QUIET_NS (NS / 2)       /* after the last datagram */
#define PATIENCE_NS (10 * NS)   /* for the first one */

struct options {
	uint64_t size, bytes, segments, rate, buffer, nap_ns;
	bool gro, uring;
};

static void die(const char *what)
{
	fprintf(stderr, "raw_link: %s: %s\n", what, strerror(errno));
	exit(5);
}

static void sleep_until(uint64_t ns)
{
	const struct timespec t = { (time_t)(ns / NS), (long)(ns % NS) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int open_socket(const char *where, struct sockaddr_in *a)
{
	char host[INET_ADDRSTRLEN];
	const char *colon = strchr(where, ':');
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	memset(a, 0, sizeof(*a));
	a->sin_family = AF_INET;
	if (colon == NULL || (size_t)(colon - where) >= sizeof(host)) {
		errno = EINVAL;
		die(where);
	}
	memcpy(host, where, (size_t)(colon - where));
	host[colon - where] = '\0';
	a->sin_port = htons((uint16_t)atoi(colon + 1));
	if (fd < 0 || inet_pton(AF_INET, host, &a->sin_addr) != 1)
		die(where);
	return fd;
}

static void send_all(const char *to, const struct options *o)
{
	struct sockaddr_in a;
	int fd = open_socket(to, &a), segment = (int)o->size, room = 4 << 20;
	uint64_t whole = o->size * o->segments, datagrams = 0, want = (o->bytes + o->size - 1) / o->size, start, blocked = 0;
	uint8_t *memory = malloc(whole);
	struct iovec v = { memory, whole };
	struct mmsghdr m[CALL];

	if (memory == NULL || whole > SEND_ROOM || connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0)
		die(to);
	memset(memory, 0xA5, whole);
	if (o->segments > 1 && setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)) != 0)
		die("UDP_SEGMENT");
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) != 0)
		die("SO_SNDBUF");
	memset(m, 0, sizeof(m));
	for (int i = 0; i < CALL; i++)
		m[i].msg_hdr = (struct msghdr){ .msg_iov = &v, .msg_iovlen = 1 };
	start = clock_mono_ns();
	while (datagrams < want) {
		int n = sendmmsg(fd, m, o->rate > 0 ? 1 : CALL, 0);
		if (n < 0 && errno != ENOBUFS && errno != ECONNREFUSED && errno != EINTR)
			die("sendmmsg");
		if (n < 0)
			blocked++;
		else
			datagrams += (uint64_t)n * o->segments;
		if (o->rate > 0)
			sleep_until(start + (uint64_t)((double)(datagrams * o->size) * 8e9 / (double)o->rate));
	}
	double seconds = (double)(clock_mono_ns() - start) / 1e9;
	printf("{\"datagrams\": %llu, \"bytes\": %llu, \"seconds\": %.6f, \"cpu\": %.3f, \"blocked\": %llu}\n",
	    (unsigned long long)datagrams, (unsigned long long)(datagrams * o->size), seconds, cpu_seconds(),
	    (unsigned long long)blocked);
	free(memory);
}

/* How many datagrams one message holds: several when the kernel joined them (UDP_GRO). */
static uint64_t datagrams_of(const struct mmsghdr *m)
{
	struct msghdr h = m->msg_hdr;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c != NULL; c = CMSG_NXTHDR(&h, c))
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
			int one;
			memcpy(&one, CMSG_DATA(c), sizeof(one));
			return one > 0 ? ((uint64_t)m->msg_len + (uint64_t)one - 1) / (uint64_t)one : 1;
		}
	return 1;
}

struct batch {
	struct mmsghdr msg[RECEIVE_CALL];
	struct iovec iov[RECEIVE_CALL];
	union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(int))]; } control[RECEIVE_CALL];
	uint8_t memory[RECEIVE_CALL][RECEIVE_ROOM];
};

static struct batch *batch_new(void)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (b == NULL)
		die("memory");
	return b;
}

/* What is there, without waiting: how many datagrams; *bytes grows by theirs. */
static uint64_t receive_some(int fd, struct batch *b, uint64_t *bytes)
{
	uint64_t datagrams = 0;
	int n;

	for (int i = 0; i < RECEIVE_CALL; i++) {
		b->iov[i] = (struct iovec){ b->memory[i], RECEIVE_ROOM };
		b->msg[i].msg_hdr = (struct msghdr){ .msg_iov = &b->iov[i], .msg_iovlen = 1,
			.msg_control = &b->control[i], .msg_controllen = sizeof(b->control[i]) };
	}
	n = recvmmsg(fd, b->msg, RECEIVE_CALL, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		datagrams += datagrams_of(&b->msg[i]);
		*bytes += b->msg[i].msg_len;
	}
	return datagrams;
}

static void receive_all(const char *at, const struct options *o)
{
	struct sockaddr_in a;
	int fd = open_socket(at, &a), one = 1, room = (int)o->buffer;
	struct batch *b = o->uring ? NULL : batch_new();
	struct raw_uring *u = o->uring ? raw_uring_start(fd) : NULL;
	uint64_t datagrams = 0, bytes = 0, first = 0, last = 0, began = clock_mono_ns();

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) != 0 ||
	    (o->gro && setsockopt(fd, SOL_UDP, UDP_GRO, &one, sizeof(one)) != 0) ||
	    bind(fd, (const struct sockaddr *)&a, sizeof(a)) != 0)
		die(at);
	puts("ready");
	fflush(stdout);
	for (;;) {
		uint64_t n = o->uring ? raw_uring_take(u, &bytes) : receive_some(fd, b, &bytes), now = clock_mono_ns();
		datagrams += n;
		if (n > 0) {
			first = first == 0 ? now : first;
			last = now;
		}
		if (n > 0 && (o->uring || n >= RECEIVE_CALL)) /* one turn of the kernel's is 32 datagrams, however many wait */
			continue;
		if (first != 0 ? now - last > QUIET_NS : now - began > PATIENCE_NS)
			break;
		sleep_until(now + o->nap_ns);
	}
	printf("{\"datagrams\": %llu, \"bytes\": %llu, \"seconds\": %.6f, \"cpu\": %.3f, \"kernel_drops\": %u}\n",
	    (unsigned long long)datagrams, (unsigned long long)bytes, (double)(last - first) / 1e9, cpu_seconds(), drops_of(fd));
	free(b);
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "size", 1, NULL, 's' }, { "bytes", 1, NULL, 'b' }, { "segments", 1, NULL, 'g' }, { "rate", 1, NULL, 'r' },
		{ "buffer", 1, NULL, 'B' }, { "nap", 1, NULL, 'n' }, { "gro", 0, NULL, 'G' }, { "uring", 0, NULL, 'U' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = { .size = 1472, .bytes = 1 << 30, .segments = 1, .buffer = 64 << 20, .nap_ns = 500000 };
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
		switch (c) {
		case 's': o.size = strtoull(optarg, NULL, 10); break;
		case 'b': o.bytes = strtoull(optarg, NULL, 10); break;
		case 'g': o.segments = strtoull(optarg, NULL, 10); break;
		case 'r': o.rate = strtoull(optarg, NULL, 10); break;
		case 'B': o.buffer = strtoull(optarg, NULL, 10); break;
		case 'n': o.nap_ns = strtoull(optarg, NULL, 10) * 1000; break;
		case 'G': o.gro = true; break;
		case 'U': o.uring = true; break;
		default: return 2;
		}
	if (argc - optind != 2 || o.size == 0 || o.segments == 0) {
		fputs("usage: raw_link send|receive ADDRESS:PORT ... (the head of raw_link.c)\n", stderr);
		return 2;
	}
	prctl(PR_SET_TIMERSLACK, 1);
	if (strcmp(argv[optind], "send") == 0)
		send_all(argv[optind + 1], &o);
	else
		receive_all(argv[optind + 1], &o);
	return 0;
}
