/* harden.c - see harden.h. */
#include "receiver/harden.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <string.h>

#include "host/exits.h"
#include "host/log.h"

/* The device that has the address; only one may. */
static int find_device(char device[IF_NAMESIZE], const struct in_addr *address)
{
	struct ifaddrs *all, *i;
	int found = 0;

	if (getifaddrs(&all) != 0)
		return -1;
	for (i = all; i != NULL; i = i->ifa_next) {
		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET ||
		    ((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr.s_addr != address->s_addr)
			continue;
		snprintf(device, IF_NAMESIZE, "%s", i->ifa_name);
		found++;
	}
	freeifaddrs(all);
	return found == 1 ? 0 : -1;
}

/* It goes into a script that root runs. */
static int device_ok(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-@";

	return s[0] != '\0' && s[0] != '-' && s[strspn(s, letters)] == '\0' && strcmp(s, "all") != 0 &&
	    strcmp(s, "default") != 0 && strcmp(s, "lo") != 0;
}

static void print_kernel(FILE *out, const char *dev)
{
	fprintf(out,
	    "# 1. What the kernel would say by itself: nothing on this device, and nothing is forwarded.\n"
	    "quiet() { if [ -e \"/proc/sys/net/$1\" ]; then echo \"$2\" >\"/proc/sys/net/$1\"; fi; }\n"
	    "quiet \"ipv6/conf/%s/disable_ipv6\" 1\n"
	    "quiet \"ipv4/conf/%s/arp_ignore\" 8\n"
	    "quiet \"ipv4/conf/%s/arp_announce\" 2\n"
	    "quiet \"ipv4/conf/%s/arp_notify\" 0\n"
	    "quiet \"ipv4/conf/%s/accept_redirects\" 0\n"
	    "quiet \"ipv4/conf/%s/send_redirects\" 0\n"
	    "quiet \"ipv4/conf/%s/forwarding\" 0\n"
	    "ip link set dev \"%s\" arp off multicast off\n\n", dev, dev, dev, dev, dev, dev, dev, dev);
}

static void print_in(FILE *out, const struct receiver_conf *c)
{
	char here[INET_ADDRSTRLEN], sender[INET_ADDRSTRLEN];
	const uint8_t *m = c->sender_mac;

	inet_ntop(AF_INET, &c->listen.sin_addr, here, sizeof(here));
	fputs("\t\t", out);
	if (c->has_sender_mac)
		fprintf(out, "ether saddr %02x:%02x:%02x:%02x:%02x:%02x ", m[0], m[1], m[2], m[3], m[4], m[5]);
	if (c->sender.s_addr != 0)
		fprintf(out, "ip saddr %s ", inet_ntop(AF_INET, &c->sender, sender, sizeof(sender)));
	fprintf(out, "ip daddr %s udp dport %u counter accept comment \"the link\"\n", here, ntohs(c->listen.sin_port));
	fputs("\t\tcounter drop comment \"not the link\"\n", out);
}

static void print_filter(FILE *out, const struct receiver_conf *c, const char *dev)
{
	fprintf(out,
	    "# 2. Nothing leaves on it, whoever sends; only the link enters.  Look: nft list table netdev katamichi\n"
	    "nft -f - <<'RULES'\n"
	    "table netdev katamichi\n"
	    "delete table netdev katamichi\n"
	    "table netdev katamichi {\n"
	    "\tchain out {\n"
	    "\t\ttype filter hook egress device \"%s\" priority 500; policy drop;\n"
	    "\t\tcounter drop comment \"tried to leave\"\n"
	    "\t}\n"
	    "\tchain in {\n"
	    "\t\ttype filter hook ingress device \"%s\" priority -500; policy drop;\n", dev, dev);
	print_in(out, c);
	fprintf(out,
	    "\t}\n"
	    "}\n"
	    "table inet katamichi\n"
	    "delete table inet katamichi\n"
	    "table inet katamichi {\n"
	    "\tchain forward {\n"
	    "\t\ttype filter hook forward priority -500; policy accept;\n"
	    "\t\tiifname \"%s\" counter drop\n"
	    "\t\toifname \"%s\" counter drop\n"
	    "\t}\n"
	    "}\n"
	    "RULES\n", dev, dev);
}

int harden_print(const struct receiver_conf *c, FILE *out)
{
	char dev[IF_NAMESIZE], here[INET_ADDRSTRLEN];

	snprintf(dev, sizeof(dev), "%s", c->interface);
	inet_ntop(AF_INET, &c->listen.sin_addr, here, sizeof(here));
	if (dev[0] == '\0' && find_device(dev, &c->listen.sin_addr) != 0) {
		log_error("no device has the address %s (or several have); say which: [link] interface", here);
		return EXIT_SYSTEM;
	}
	if (!device_ok(dev)) {
		log_error("device %s is none that rules can be made for; name the link's in [link] interface", dev);
		return EXIT_CONFIG;
	}
	fprintf(out, "#!/bin/sh\n# katamichi-receiver --harden-print: device %s, %s port %u.  To be run by root, before the device\n"
	    "# is set up and again whenever the configuration changes.\nset -eu\n\n", dev, here, ntohs(c->listen.sin_port));
	if (c->sender.s_addr == 0 || !c->has_sender_mac)
		fputs("# The configuration does not name the sender's addresses (sender, sender_mac in [link]), so these\n"
		    "# rules let anyone on the link reach the port.\n\n", out);
	print_kernel(out, dev);
	print_filter(out, c, dev);
	return fflush(out) == 0 ? EXIT_OK : EXIT_SYSTEM;
}
