/* link_socket.c - see link_socket.h. */
#include "sender/link_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/iface.h"
#include "host/log.h"

enum { SEND_BUFFER = 4 << 20 };

static int make(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), probe = IP_PMTUDISC_PROBE, size = SEND_BUFFER;

	/* Never fragmented: a fragment lost would be a datagram lost. */
	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof(probe)) != 0) {
		log_error("no UDP socket: %s", strerror(errno));
		return -1;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) != 0)
		log_warn("send buffer: %s", strerror(errno));
	return fd;
}

bool link_socket_to_self(const struct sender_conf *c)
{
	char name[IF_NAMESIZE];

	return ntohl(c->destination.sin_addr.s_addr) >> 24 != 127 && iface_of_address(name, c->destination.sin_addr) == 0;
}

static int reach(int fd, const struct sender_conf *c)
{
	char to[INET_ADDRSTRLEN], from[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &c->destination.sin_addr, to, sizeof(to));
	inet_ntop(AF_INET, &c->source.sin_addr, from, sizeof(from));
	if (link_socket_to_self(c)) {
		log_error("destination %s: is an address of this host; the receiver's belongs there", to);
		return -1;
	}
	if (c->interface[0] != '\0' && iface_bind(fd, c->interface) != 0)
		return -1;
	if (c->source.sin_family == AF_INET && bind(fd, (const struct sockaddr *)&c->source, sizeof(c->source)) != 0) {
		log_error("source %s: %s; is this address on an interface of this host?", from, strerror(errno));
		return -1;
	}
	if (connect(fd, (const struct sockaddr *)&c->destination, sizeof(c->destination)) != 0) {
		log_error("destination %s: %s; is the link's interface up, with its address?", to, strerror(errno));
		return -1;
	}
	return 0;
}

static int fits(int fd, const struct sender_conf *c)
{
	char to[INET_ADDRSTRLEN], name[IF_NAMESIZE];
	struct sockaddr_in mine = { 0 };
	socklen_t len = sizeof(mine), mtu_len;
	uint64_t speed;
	int mtu = 0;

	mtu_len = sizeof(mtu);
	inet_ntop(AF_INET, &c->destination.sin_addr, to, sizeof(to));
	if (getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &mtu_len) == 0 && (uint64_t)mtu < c->mtu) {
		log_error("the way to %s has an MTU of %d, the configuration says mtu = %llu; raise the interface's (ip link set "
		    "DEV mtu %llu), or lower this", to, mtu, (unsigned long long)c->mtu, (unsigned long long)c->mtu);
		return -1;
	}
	if (getsockname(fd, (struct sockaddr *)&mine, &len) != 0 || iface_of_address(name, mine.sin_addr) != 0)
		return 0;
	speed = iface_speed(IFACE_SYS, name);
	if (speed != 0 && c->rate > speed) {
		log_error("rate = %llu bit/s is more than interface %s can do, %llu bit/s (preambles and gaps count); lower it",
		    (unsigned long long)c->rate, name, (unsigned long long)speed);
		return -1;
	}
	return 0;
}

int link_socket(const struct sender_conf *c)
{
	int fd = make();

	if (fd >= 0 && (reach(fd, c) != 0 || fits(fd, c) != 0)) {
		close(fd);
		return -1;
	}
	return fd;
}
