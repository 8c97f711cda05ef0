/* iface.c - see iface.h */
#include "host/iface.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/log.h"

enum { PATH_ROOM = 512 };

int iface_of_address(char name[static IF_NAMESIZE], struct in_addr address)
{
	struct ifaddrs *all, *a;
	int found = -1;

	if (getifaddrs(&all) != 0)
		return -1;
	for (a = all; a != NULL && found != 0; a = a->ifa_next) {
		struct sockaddr_in in;

		if (a->ifa_addr == NULL || a->ifa_addr->sa_family != AF_INET)
			continue;
		memcpy(&in, a->ifa_addr, sizeof(in));
		if (in.sin_addr.s_addr != address.s_addr)
			continue;
		snprintf(name, IF_NAMESIZE, "%s", a->ifa_name);
		found = 0;
	}
	freeifaddrs(all);
	return found;
}

uint64_t iface_speed(const char *sys, const char *name)
{
	char path[PATH_ROOM];
	long mbit = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/device", sys, name);
	if (access(path, F_OK) != 0)
		return 0;
	snprintf(path, sizeof(path), "%s/%s/speed", sys, name);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	/* Without a carrier, and where the driver does not know, it is -1 or cannot be read. */
	if (fscanf(f, "%ld", &mbit) != 1 || mbit < 0)
		mbit = 0;
	fclose(f);
	return (uint64_t)mbit * 1000000u;
}

int iface_bind(int fd, const char *name)
{
	char now[IF_NAMESIZE] = "";
	socklen_t n = sizeof(now);

	/* The socket is asked, not the process: a service may have been given one of a network that it does not see itself.
	 * Once bound it may not be bound again without privileges: a socket that outlived another process of ours. */
	if (name[0] != '\0' && getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, now, &n) == 0 && strncmp(now, name, sizeof(now)) == 0)
		return 0;
	errno = ENODEV; /* an empty name would take the binding off */
	if (name[0] != '\0' && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) == 0)
		return 0;
	if (errno == ENODEV)
		log_error("interface %s: there is none of this name on this host (ip link)", name);
	else
		log_error("interface %s: %s", name, strerror(errno));
	return -1;
}
