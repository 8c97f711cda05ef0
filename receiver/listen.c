/* listen.c - see listen.h. */
#include "receiver/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/exits.h"
#include "host/iface.h"
#include "host/log.h"

enum { PASSED_FIRST = 3 /* sd_listen_fds(3) */, FD_ABOVE = 10, RETRY_MS = 1500, RETRY_STEP_MS = 50 };

/* The kernel doubles what is asked for and reports the double (socket(7)). */
static uint64_t buffer_of(int sock)
{
	int have = 0;
	socklen_t n = sizeof(have);

	if (getsockopt(sock, SOL_SOCKET, SO_RCVBUF, &have, &n) != 0)
		log_die(EXIT_SYSTEM, "socket buffer: %s", strerror(errno));
	return (uint64_t)have / 2;
}

static void size_buffer(int sock, const struct receiver_conf *c, int degraded)
{
	int want = (int)c->buffer;
	uint64_t have = buffer_of(sock);

	if (have >= c->buffer) /* as passed in */
		return;
	if (setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &want, sizeof(want)) != 0 &&
	    setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &want, sizeof(want)) != 0)
		log_die(EXIT_SYSTEM, "socket buffer: %s", strerror(errno));
	if ((have = buffer_of(sock)) >= c->buffer)
		return;
	if (!degraded)
		log_die(EXIT_SYSTEM, "the kernel gives a socket buffer of %llu bytes, not %llu (buffer, or rate x stall); allow more "
		    "with `sysctl -w net.core.rmem_max=%llu` or ReceiveBuffer= in a systemd socket unit, or start with --degraded",
		    (unsigned long long)have, (unsigned long long)c->buffer, (unsigned long long)c->buffer);
	log_warn("degraded: the kernel gives a socket buffer of %llu bytes, not %llu; expect losses", (unsigned long long)have,
	    (unsigned long long)c->buffer);
}

static const char *name_of(char out[static INET_ADDRSTRLEN], const struct sockaddr_in *a)
{
	return inet_ntop(AF_INET, &a->sin_addr, out, INET_ADDRSTRLEN);
}

/* Retried for a moment: of an instance that was killed the port stays until
 * its last process has ended. */
static int make(const struct receiver_conf *c, int degraded)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char host[INET_ADDRSTRLEN];

	if (sock < 0)
		log_die(EXIT_SYSTEM, "socket: %s", strerror(errno));
	if (c->interface[0] != '\0' && iface_bind(sock, c->interface) != 0)
		exit(EXIT_SYSTEM);
	size_buffer(sock, c, degraded); /* before the first datagram can come */
	for (int ms = 0; bind(sock, (const struct sockaddr *)&c->listen, sizeof(c->listen)) != 0; ms += RETRY_STEP_MS) {
		if (errno != EADDRINUSE || ms >= RETRY_MS)
			log_die(EXIT_SYSTEM, "listen %s:%u: %s", name_of(host, &c->listen), ntohs(c->listen.sin_port), strerror(errno));
		clock_sleep_ns(RETRY_STEP_MS * 1000000ull);
	}
	return sock;
}

/* How many descriptors the service manager passed to this very process. */
static unsigned long passed(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	unsigned long n = 0;

	if (pid != NULL && fds != NULL && strtoul(pid, NULL, 10) == (unsigned long)getpid())
		n = strtoul(fds, NULL, 10);
	unsetenv("LISTEN_PID"); /* what is started from here is not meant */
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return n;
}

static int option(int sock, int name)
{
	int v = -1;
	socklen_t n = sizeof(v);

	return getsockopt(sock, SOL_SOCKET, name, &v, &n) == 0 ? v : -1;
}

static void check_passed(int sock, const struct receiver_conf *c)
{
	struct sockaddr_in a = { 0 }, peer;
	socklen_t n = sizeof(a), m = sizeof(peer);
	char here[INET_ADDRSTRLEN], wanted[INET_ADDRSTRLEN];

	if (option(sock, SO_DOMAIN) != AF_INET || option(sock, SO_TYPE) != SOCK_DGRAM || option(sock, SO_PROTOCOL) != IPPROTO_UDP)
		log_die(EXIT_SYSTEM, "systemd passed descriptor %d, which is no IPv4 UDP socket; write ListenDatagram=%s:%u in the "
		    "socket unit", PASSED_FIRST, name_of(wanted, &c->listen), ntohs(c->listen.sin_port));
	if (getpeername(sock, (struct sockaddr *)&peer, &m) == 0)
		log_die(EXIT_SYSTEM, "systemd passed a connected socket; use ListenDatagram= without Accept=");
	if (getsockname(sock, (struct sockaddr *)&a, &n) != 0)
		log_die(EXIT_SYSTEM, "the socket that systemd passed: %s", strerror(errno));
	if (a.sin_addr.s_addr != c->listen.sin_addr.s_addr || a.sin_port != c->listen.sin_port)
		log_die(EXIT_SYSTEM, "systemd passed a socket bound to %s:%u, the configuration says listen = %s:%u", name_of(here, &a),
		    ntohs(a.sin_port), name_of(wanted, &c->listen), ntohs(c->listen.sin_port));
}

static int take_passed(unsigned long count, const struct receiver_conf *c, int degraded)
{
	int sock;

	if (count != 1)
		log_die(EXIT_SYSTEM, "systemd passed %lu sockets, one is needed", count);
	check_passed(PASSED_FIRST, c);
	/* Out of the way of the numbers that children find their descriptors at. */
	sock = fcntl(PASSED_FIRST, F_DUPFD_CLOEXEC, FD_ABOVE);
	if (sock < 0 || fcntl(sock, F_SETFL, fcntl(sock, F_GETFL) | O_NONBLOCK) != 0)
		log_die(EXIT_SYSTEM, "the socket that systemd passed: %s", strerror(errno));
	close(PASSED_FIRST);
	if (c->interface[0] != '\0' && iface_bind(sock, c->interface) != 0)
		exit(EXIT_SYSTEM);
	size_buffer(sock, c, degraded);
	log_info("listening on the socket that systemd passed, with a buffer of %llu bytes", (unsigned long long)buffer_of(sock));
	return sock;
}

int listen_socket(const struct receiver_conf *c, int degraded)
{
	unsigned long count = passed();

	return count > 0 ? take_passed(count, c, degraded) : make(c, degraded);
}
