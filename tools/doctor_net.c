/* doctor_net.c - R1, R7 and R11: what this host can reach, and how (doctor.h). */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "tools/doctor.h"

/* --- routes --- */
struct route {
	char device[IF_NAMESIZE];
	struct in_addr net, mask;
	unsigned gateway;
};

/* Calls each for every IPv4 route; -1: the table cannot be read. */
static int each_route(struct doctor *d, void (*each)(struct doctor *d, const struct route *r))
{
	char *text = doctor_read(d, "/proc/net/route"), *save = NULL;
	struct route r;

	if (text == NULL)
		return -1;
	for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, "%15s %x %x %*x %*d %*d %*d %x", r.device, &r.net.s_addr, &r.gateway, &r.mask.s_addr) == 4)
			each(d, &r);
	free(text);
	return 0;
}

static void default_route(struct doctor *d, const struct route *r)
{
	if (r->mask.s_addr == 0)
		doctor_wrong(d, _("default route over %s (/proc/net/route)"), r->device);
}

/* The kernel has a rejecting default route on lo of its own. */
static int default_route_6(struct doctor *d)
{
	char *text = doctor_read(d, "/proc/net/ipv6_route"), *save = NULL, net[40], device[IF_NAMESIZE];
	unsigned len;
	int found = 0;

	if (text == NULL)
		return 0;
	for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, "%32s %x %*s %*x %*s %*x %*x %*x %*x %15s", net, &len, device) == 3 && len == 0 &&
		    strspn(net, "0") == strlen(net) && strcmp(device, "lo") != 0) {
			doctor_wrong(d, _("IPv6 default route over %s (/proc/net/ipv6_route)"), device);
			found = 1;
		}
	free(text);
	return found;
}

static void no_default_route(struct doctor *d)
{
	enum doctor_verdict before = d->verdict;

	if (each_route(d, default_route) != 0) {
		doctor_unclear(d, _("/proc/net/route cannot be read"));
		return;
	}
	if (!default_route_6(d) && d->verdict == before)
		doctor_fact(d, _("no default route, neither IPv4 nor IPv6"));
}

/* --- R1 --- */
static void resolver(struct doctor *d, const char *path, char *line)
{
	char *address;

	if (strncmp(line, "nameserver", 10) != 0 || strchr(" \t", line[10]) == NULL)
		return;
	address = line + 10 + strspn(line + 10, " \t");
	if (strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 || doctor_has(d->said.resolvers, address))
		doctor_fact(d, _("%s: nameserver %s, this host or declared"), path, address);
	else
		doctor_wrong(d, _("%s: nameserver %s is not declared (resolvers)"), path, address);
}

static void time_server(struct doctor *d, const char *path, const char *name)
{
	if (strncmp(name, "127.", 4) == 0 || doctor_has(d->said.time_servers, name))
		doctor_fact(d, _("%s: time server %s, this host or declared"), path, name);
	else
		doctor_wrong(d, _("%s: time server %s is not declared (time_servers)"), path, name);
}

/* systemd-timesyncd: NTP= and FallbackNTP= name several. */
static void timesyncd(struct doctor *d, const char *path, char *line)
{
	char *save = NULL, *equals = strchr(line, '=');

	if (equals == NULL || (strncmp(line, "NTP=", 4) != 0 && strncmp(line, "FallbackNTP=", 12) != 0))
		return;
	for (char *w = strtok_r(equals + 1, " \t", &save); w != NULL; w = strtok_r(NULL, " \t", &save))
		time_server(d, path, w);
}

static void ntp(struct doctor *d, const char *path, char *line)
{
	char *save = NULL, *word = strtok_r(line, " \t", &save), *name = strtok_r(NULL, " \t", &save);

	if (name != NULL && (strcmp(word, "server") == 0 || strcmp(word, "pool") == 0 || strcmp(word, "peer") == 0))
		time_server(d, path, name);
}

static void interface(struct doctor *d, const char *dir, const char *name)
{
	(void)dir;
	if (strcmp(name, "lo") == 0 || strcmp(name, d->device) == 0 || strcmp(name, "bonding_masters") == 0)
		return;
	if (doctor_has(d->said.interfaces, name))
		doctor_fact(d, _("interface %s, declared"), name);
	else
		doctor_wrong(d, _("interface %s is neither the link nor declared (interfaces)"), name);
}

static void forwarding(struct doctor *d, const char *path)
{
	long v = doctor_number(d, path, -1);

	if (v == 0)
		doctor_fact(d, _("%s is 0: nothing is forwarded"), path);
	else if (v > 0)
		doctor_wrong(d, _("%s is %ld: this host forwards between its networks"), path, v);
	else if (strstr(path, "ipv6") == NULL)
		doctor_unclear(d, _("%s cannot be read"), path);
}

void doctor_separated(struct doctor *d)
{
	no_default_route(d);
	if (doctor_lines(d, "/etc/resolv.conf", resolver) <= 0)
		doctor_fact(d, _("no nameserver in /etc/resolv.conf"));
	(void)doctor_lines(d, "/etc/systemd/timesyncd.conf", timesyncd);
	(void)doctor_lines(d, "/etc/chrony/chrony.conf", ntp);
	(void)doctor_lines(d, "/etc/ntp.conf", ntp);
	(void)doctor_lines(d, "/etc/ntpsec/ntp.conf", ntp);
	if (d->device[0] == '\0')
		doctor_unclear(d, _("no interface has the link's address; name it in [link] interface"));
	(void)doctor_each(d, "/sys/class/net", interface);
	forwarding(d, "/proc/sys/net/ipv4/ip_forward");
	forwarding(d, "/proc/sys/net/ipv6/conf/all/forwarding");
}

/* --- R7 --- */
/* Is net/mask within one of the declared "ADDRESS/BITS", or the link itself? */
static int declared_network(const struct doctor *d, const struct route *r)
{
	char copy[DOCTOR_TEXT_MAX], *save = NULL;

	(void)snprintf(copy, sizeof(copy), "%s", d->said.endpoints);
	for (char *w = strtok_r(copy, " ,", &save); w != NULL; w = strtok_r(NULL, " ,", &save)) {
		char *slash = strchr(w, '/');
		struct in_addr a;
		int bits = 32;
		if (slash != NULL) {
			*slash = '\0';
			bits = atoi(slash + 1);
		}
		if (bits < 1 || bits > 32 || inet_pton(AF_INET, w, &a) != 1)
			continue;
		uint32_t mask = htonl(0xffffffffu << (32 - bits));
		if (ntohl(r->mask.s_addr) >= ntohl(mask) && (r->net.s_addr & mask) == (a.s_addr & mask))
			return 1;
	}
	return 0;
}

static void destination(struct doctor *d, const struct route *r)
{
	char net[INET_ADDRSTRLEN];
	int bits = __builtin_popcount(r->mask.s_addr);

	inet_ntop(AF_INET, &r->net, net, sizeof(net));
	if (r->mask.s_addr == 0)
		return; /* said already */
	if (strcmp(r->device, d->device) == 0 && r->gateway == 0)
		doctor_fact(d, _("route to %s/%d: the link"), net, bits);
	else if (declared_network(d, r))
		doctor_fact(d, _("route to %s/%d over %s: declared"), net, bits, r->device);
	else
		doctor_wrong(d, _("route to %s/%d over %s is not declared (endpoints)"), net, bits, r->device);
}

void doctor_no_internet(struct doctor *d)
{
	no_default_route(d);
	(void)each_route(d, destination);
	if (d->said.exception[0] != '\0')
		doctor_fact(d, _("exception on record: %s"), d->said.exception);
}

/* --- R11 --- */
static void wireless_of(struct doctor *d, const char *dir, const char *name)
{
	char a[256], b[256];

	(void)snprintf(a, sizeof(a), "%s/%s/wireless", dir, name);
	(void)snprintf(b, sizeof(b), "%s/%s/phy80211", dir, name);
	if (!doctor_there(d, a) && !doctor_there(d, b))
		return;
	if (d->said.wireless[0] != '\0')
		doctor_word(d, "wireless", d->said.wireless);
	else
		doctor_wrong(d, _("%s is a wireless interface"), name);
}

static void radio(struct doctor *d, const char *dir, const char *name)
{
	if (d->said.wireless[0] != '\0')
		doctor_word(d, "wireless", d->said.wireless);
	else
		doctor_wrong(d, _("%s/%s: a radio"), dir, name);
}

void doctor_wireless(struct doctor *d)
{
	int found;

	if (!doctor_there(d, "/sys/class/net")) {
		doctor_unclear(d, _("/sys/class/net cannot be read"));
		return;
	}
	(void)doctor_each(d, "/sys/class/net", wireless_of);
	found = doctor_each(d, "/sys/class/ieee80211", radio) + doctor_each(d, "/sys/class/bluetooth", radio);
	if (found == 0 && d->verdict == DOCTOR_MET)
		doctor_fact(d, _("no wireless interface, no radio of 802.11 or Bluetooth"));
}
