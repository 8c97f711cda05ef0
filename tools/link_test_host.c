/* link_test_host.c - see link_test_host.h */
#include "tools/link_test_host.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DEVICES = 64, LINE = 2048, FIELDS = 32 };

/* The interface that has the address. */
static void find_device(char *name, size_t size, const struct in_addr *a)
{
	static struct ifreq list[DEVICES];
	struct ifconf c = { .ifc_len = sizeof(list), .ifc_req = list };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	name[0] = '\0';
	if (fd < 0)
		return;
	if (ioctl(fd, SIOCGIFCONF, &c) == 0)
		for (size_t i = 0; i < (size_t)c.ifc_len / sizeof(list[0]); i++) {
			struct sockaddr_in sa;
			memcpy(&sa, &list[i].ifr_addr, sizeof(sa));
			if (sa.sin_family == AF_INET && sa.sin_addr.s_addr == a->s_addr)
				(void)snprintf(name, size, "%.15s", list[i].ifr_name);
		}
	(void)close(fd);
}

/* As ethtool -g shows it. */
static void read_ring(struct link_test_host *h)
{
	struct ethtool_ringparam ring = { .cmd = ETHTOOL_GRINGPARAM };
	struct ifreq r = { .ifr_data = (char *)&ring };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	(void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", h->dev);
	if (ioctl(fd, SIOCETHTOOL, &r) == 0) {
		h->ring = ring.rx_pending;
		h->ring_max = ring.rx_max_pending;
	}
	(void)close(fd);
}

/* /proc/net/dev: "name: bytes packets errs drop fifo frame ..." */
static void read_device(struct link_test_host *h, FILE *f)
{
	char line[LINE];

	while (fgets(line, sizeof(line), f) != NULL) {
		char *colon = strchr(line, ':'), *at = line + strspn(line, " ");
		unsigned long long v[5];
		if (colon == NULL)
			continue;
		*colon = '\0';
		if (strcmp(at, h->dev) != 0)
			continue;
		at = colon + 1;
		for (unsigned i = 0; i < 5; i++)
			v[i] = strtoull(at, &at, 10);
		h->errors = v[2];
		h->dropped = v[3];
		h->fifo = v[4];
	}
}

/* /proc/net/snmp: a line "Udp: NAME NAME ...", then "Udp: NUMBER NUMBER ...". */
static void read_udp(struct link_test_host *h, FILE *f)
{
	char names[LINE] = "", line[LINE], *name, *value, *a = NULL, *b = NULL;

	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "Udp:", 4) != 0)
			continue;
		if (names[0] == '\0') {
			memcpy(names, line, sizeof(names));
			continue;
		}
		name = strtok_r(names, " \n", &a);
		value = strtok_r(line, " \n", &b);
		for (; name != NULL && value != NULL; name = strtok_r(NULL, " \n", &a), value = strtok_r(NULL, " \n", &b)) {
			if (strcmp(name, "InCsumErrors") == 0)
				h->checksums = strtoull(value, NULL, 10);
			if (strcmp(name, "RcvbufErrors") == 0)
				h->no_room = strtoull(value, NULL, 10);
		}
		return;
	}
}

void link_test_host_read(struct link_test_host *h, const struct in_addr *listen)
{
	FILE *f;

	memset(h, 0, sizeof(*h));
	find_device(h->dev, sizeof(h->dev), listen);
	if (h->dev[0] != '\0' && (f = fopen("/proc/net/dev", "re")) != NULL) {
		read_device(h, f);
		(void)fclose(f);
	}
	if (h->dev[0] != '\0')
		read_ring(h);
	if ((f = fopen("/proc/net/snmp", "re")) != NULL) {
		read_udp(h, f);
		(void)fclose(f);
	}
}

void link_test_host_since(struct link_test_host *h, const struct link_test_host *before)
{
	h->errors -= before->errors;
	h->dropped -= before->dropped;
	h->fifo -= before->fifo;
	h->checksums -= before->checksums;
	h->no_room -= before->no_room;
}
