/* doctor_link.c - R2, R3 and R8: the link's device and its packet filter (doctor.h).
 *
 * The filter that counts is a base chain of family netdev on the link's device: nothing passes it by.  Receiver: ingress lets
 * in the link alone, egress nothing (katamichi-receiver --harden-print).  Sender: egress lets out the link alone, ingress
 * nothing.  What a chain of another kind does cannot be judged here: "cannot tell", with its name. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/doctor.h"

enum { IFF_NOARP_BIT = 0x80, ATF_PERMANENT = 4 };

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

/* --- nftables' JSON --- */
/* dev is a name, or a list of names. */
static int on_device(const json_t *dev, const char *device)
{
	const json_t *one;
	size_t i;

	if (json_is_string(dev))
		return strcmp(json_string_value(dev), device) == 0;
	json_array_foreach(dev, i, one)
		if (json_is_string(one) && strcmp(json_string_value(one), device) == 0)
			return 1;
	return 0;
}

/* Of several the one that drops what no rule mentions: the others cannot let through what it stops. */
static const json_t *find_chain(const struct doctor *d, const char *hook)
{
	const json_t *list = json_object_get(d->rules, "nftables"), *o, *c, *found = NULL;
	size_t i;

	json_array_foreach(list, i, o) {
		c = json_object_get(o, "chain");
		if (c != NULL && strcmp(text(c, "family"), "netdev") == 0 && strcmp(text(c, "hook"), hook) == 0 &&
		    on_device(json_object_get(c, "dev"), d->device) && (found == NULL || strcmp(text(c, "policy"), "drop") == 0))
			found = c;
	}
	return found;
}

static int of_chain(const json_t *rule, const json_t *chain)
{
	return rule != NULL && strcmp(text(rule, "family"), text(chain, "family")) == 0 && strcmp(text(rule, "table"), text(chain, "table")) == 0 &&
	    strcmp(text(rule, "chain"), text(chain, "name")) == 0;
}

static int accepts(const json_t *rule)
{
	const json_t *e;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, e)
		if (json_object_get(e, "accept") != NULL || json_object_get(e, "jump") != NULL || json_object_get(e, "goto") != NULL)
			return 1;
	return 0;
}

/* What the rule demands of this field ("ether", "saddr"); NULL: nothing, or not just one value. */
static const json_t *demands(const json_t *rule, const char *protocol, const char *field)
{
	const json_t *e, *m, *p;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, e) {
		m = json_object_get(e, "match");
		p = json_object_get(json_object_get(m, "left"), "payload");
		if (strcmp(text(p, "protocol"), protocol) == 0 && strcmp(text(p, "field"), field) == 0 && strcmp(text(m, "op"), "==") == 0) {
			const json_t *right = json_object_get(m, "right");
			return json_is_string(right) || json_is_integer(right) ? right : NULL;
		}
	}
	return NULL;
}

static int has(const json_t *rule, const char *what)
{
	const json_t *e;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, e)
		if (json_object_get(e, what) != NULL)
			return 1;
	return 0;
}

/* Packets that the counters of the dropping rules have seen; -1: no rule counts whatever comes that far. */
static json_int_t dropped(const struct doctor *d, const json_t *chain)
{
	const json_t *o, *e;
	json_int_t sum = 0;
	int counted = 0;
	size_t i, j;

	json_array_foreach(json_object_get(d->rules, "nftables"), i, o) {
		const json_t *rule = json_object_get(o, "rule");
		if (!of_chain(rule, chain) || accepts(rule))
			continue;
		counted |= !has(rule, "match") && has(rule, "counter");
		json_array_foreach(json_object_get(rule, "expr"), j, e)
			sum += json_integer_value(json_object_get(json_object_get(e, "counter"), "packets"));
	}
	return counted ? sum : -1;
}

/* --- R2, R3: the direction that carries the link --- */
static const char *way_in(const struct doctor *d)
{
	return d->role == DOCTOR_SENDER ? "egress" : "ingress";
}

/* The chain, or NULL after a fact. */
static const json_t *link_chain(struct doctor *d, const char *hook)
{
	const json_t *chain;

	if (d->device[0] == '\0') {
		doctor_unclear(d, _("no interface has the link's address; name it in [link] interface"));
		return NULL;
	}
	if (d->rules == NULL) {
		doctor_unclear(d, _("the packet filter's rules cannot be read (nft -j list ruleset, as root)"));
		return NULL;
	}
	if ((chain = find_chain(d, hook)) == NULL)
		doctor_wrong(d, _("no nftables chain (netdev, %s) on %s"), hook, d->device);
	return chain;
}

static void each_accept(struct doctor *d, const json_t *chain, void (*each)(struct doctor *d, const json_t *rule))
{
	const json_t *o;
	size_t i;

	json_array_foreach(json_object_get(d->rules, "nftables"), i, o) {
		const json_t *rule = json_object_get(o, "rule");
		if (of_chain(rule, chain) && accepts(rule))
			each(d, rule);
	}
}

static void address_rule(struct doctor *d, const json_t *rule)
{
	const char *end = d->role == DOCTOR_SENDER ? "daddr" : "saddr";
	const char *ether = json_string_value(demands(rule, "ether", end)), *ip = json_string_value(demands(rule, "ip", end));
	char want[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, d->role == DOCTOR_SENDER ? &d->sender.destination.sin_addr : &d->receiver.sender, want, sizeof(want));
	if (ether == NULL)
		doctor_wrong(d, _("a rule of the filter accepts without one Ethernet address of the other end (ether %s)"), end);
	else if (ip == NULL || (strcmp(want, "0.0.0.0") != 0 && strcmp(ip, want) != 0))
		doctor_wrong(d, _("a rule of the filter accepts without the IP address of the other end (ip %s)"), end);
	else
		doctor_fact(d, _("the filter accepts only ether %s %s, ip %s %s"), end, ether, end, ip);
}

static void neighbour(struct doctor *d)
{
	char *arp = doctor_read(d, "/proc/net/arp"), *save = NULL, ip[64], mac[32], device[32], want[INET_ADDRSTRLEN];
	unsigned flags;

	inet_ntop(AF_INET, &d->sender.destination.sin_addr, want, sizeof(want));
	for (char *line = arp != NULL ? strtok_r(arp, "\n", &save) : NULL; line != NULL; line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, "%63s %*x %x %31s %*s %31s", ip, &flags, mac, device) == 4 && strcmp(ip, want) == 0 &&
		    (flags & ATF_PERMANENT) != 0) {
			doctor_fact(d, _("neighbour %s is %s, permanently (/proc/net/arp)"), ip, mac);
			free(arp);
			return;
		}
	free(arp);
	doctor_wrong(d, _("no permanent neighbour entry for %s: its address is asked for by ARP, or not known"), want);
}

static void quiet_device(struct doctor *d)
{
	char path[128];
	long v;

	(void)snprintf(path, sizeof(path), "/sys/class/net/%s/flags", d->device);
	v = doctor_number(d, path, -1);
	if (v < 0)
		doctor_unclear(d, _("%s cannot be read"), path);
	else if ((v & IFF_NOARP_BIT) == 0)
		doctor_wrong(d, _("ARP is on on %s"), d->device);
	else
		doctor_fact(d, _("ARP is off on %s"), d->device);
	(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", d->device);
	v = doctor_number(d, path, -1);
	if (v == 0)
		doctor_wrong(d, _("IPv6, and with it neighbour discovery, is on on %s"), d->device);
	else
		doctor_fact(d, v > 0 ? _("IPv6 is off on %s") : _("there is no IPv6 on %s"), d->device);
}

static void counts_rest(struct doctor *d, const json_t *chain)
{
	json_int_t n = dropped(d, chain);

	if (n < 0)
		doctor_wrong(d, _("chain %s of table %s does not count what it drops (a last rule: counter drop)"), text(chain, "name"),
		    text(chain, "table"));
	else
		doctor_fact(d, _("chain %s of table %s has dropped and counted %lld packets"), text(chain, "name"), text(chain, "table"), (long long)n);
}

void doctor_addresses(struct doctor *d)
{
	const json_t *chain = link_chain(d, way_in(d));

	if (d->device[0] == '\0')
		return;
	quiet_device(d);
	if (d->role == DOCTOR_SENDER)
		neighbour(d);
	if (chain == NULL)
		return;
	each_accept(d, chain, address_rule);
	counts_rest(d, chain);
}

static void port_rule(struct doctor *d, const json_t *rule)
{
	const struct sockaddr_in *a = d->role == DOCTOR_SENDER ? &d->sender.destination : &d->receiver.listen;
	const json_t *port = demands(rule, "udp", "dport");

	if (json_integer_value(port) != ntohs(a->sin_port))
		doctor_wrong(d, _("a rule of the filter accepts more than UDP port %u"), (unsigned)ntohs(a->sin_port));
	else
		doctor_fact(d, _("the filter accepts UDP port %u"), (unsigned)ntohs(a->sin_port));
}

/* Whatever is not accepted is dropped. */
static void drops_rest(struct doctor *d, const json_t *chain)
{
	if (strcmp(text(chain, "policy"), "drop") != 0)
		doctor_wrong(d, _("chain %s of table %s lets through what no rule mentions (policy accept)"), text(chain, "name"), text(chain, "table"));
	else
		doctor_fact(d, _("chain %s of table %s drops everything else"), text(chain, "name"), text(chain, "table"));
}

void doctor_port(struct doctor *d)
{
	const json_t *chain = link_chain(d, way_in(d));

	if (chain == NULL)
		return;
	each_accept(d, chain, port_rule);
	drops_rest(d, chain);
}

/* --- R8 --- */
static void never(struct doctor *d, const json_t *rule)
{
	(void)rule;
	doctor_wrong(d, _("a rule of the filter lets something out on %s"), d->device);
}

void doctor_one_way(struct doctor *d)
{
	const struct timespec second = { .tv_sec = 1 };
	const json_t *chain = link_chain(d, "egress");
	char path[128];
	long before, after;

	if (d->device[0] == '\0')
		return;
	if (chain != NULL) {
		each_accept(d, chain, never);
		drops_rest(d, chain);
	}
	(void)snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/tx_packets", d->device);
	before = doctor_number(d, path, -1);
	if (d->said.diode[0] != '\0')
		doctor_fact(d, _("the diode's self-test, as declared (diode): %s"), d->said.diode);
	else
		doctor_fact(d, _("no diode's self-test is declared (diode): what stands here is this host's part alone"));
	if (before < 0) {
		doctor_unclear(d, _("%s cannot be read"), path);
		return;
	}
	if (d->root[0] == '\0')
		(void)nanosleep(&second, NULL);
	after = doctor_number(d, path, -1);
	if (after != before)
		doctor_wrong(d, _("%s has sent %ld frames within a second"), d->device, after - before);
	else
		doctor_fact(d, _("%s has sent %ld frames since it is up, and none within a second"), d->device, after);
}
