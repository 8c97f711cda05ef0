/* diode_conf.c - see diode_conf.h */
#include "tools/diode_conf.h"

#include <arpa/inet.h>
#include <string.h>

#include "host/conf.h"
#include "host/i18n.h"

/* All sections fill the one object, so that a value can be compared with those before it and the fault has its line. */
static void *section(void *config, const char *kind, const char *name, const char **why)
{
	(void)kind, (void)name, (void)why;
	return config;
}

static int nibble(char c)
{
	const char *digits = "0123456789abcdef0123456789ABCDEF";
	const char *p = c != '\0' ? strchr(digits, c) : NULL;

	return p == NULL ? -1 : (int)((p - digits) % 16);
}

static int parse_mac(struct diode_conf *c, struct diode_end *end, const char *v, const char **why)
{
	const struct diode_end *const all[] = { &c->sender, &c->receiver, &c->ingress, &c->egress };
	uint8_t mac[6], any = 0;

	*why = "is not a MAC address, such as 02:00:00:00:01:01";
	for (unsigned i = 0; i < 6; i++, v += 3) {
		int high = nibble(v[0]), low = high < 0 ? -1 : nibble(v[1]);
		if (low < 0 || v[2] != (i < 5 ? ':' : '\0'))
			return -1;
		mac[i] = (uint8_t)(high << 4 | low);
		any |= mac[i];
	}
	*why = (mac[0] & 1) != 0 ? N_("is the address of a group") : any == 0 ? N_("is no device's address") : NULL;
	for (unsigned i = 0; *why == NULL && i < 4; i++)
		if (all[i]->has_mac && memcmp(all[i]->mac, mac, 6) == 0)
			*why = "is given to another end already";
	memcpy(end->mac, mac, 6);
	end->has_mac = 1;
	return *why == NULL ? 0 : -1;
}

static int parse_ip(struct diode_conf *c, struct diode_end *end, const char *v, const char **why)
{
	struct in_addr a;
	uint32_t ip;

	*why = "is not an IPv4 address, such as 10.77.0.1";
	if (inet_pton(AF_INET, v, &a) != 1)
		return -1;
	ip = ntohl(a.s_addr);
	if (ip >> 24 == 0 || ip >> 24 == 127 || ip >> 28 >= 14)
		*why = "is no host's address";
	else if (ip == c->sender.ip || ip == c->receiver.ip)
		*why = "is the other host's already";
	else
		*why = NULL;
	end->ip = ip;
	return *why == NULL ? 0 : -1;
}

/* It goes into commands for a shell. */
static int parse_device(struct diode_end *end, const char *v, const char **why)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t n = strlen(v);

	*why = "is not a network device's name, such as eth1";
	if (n >= sizeof end->device || v[0] == '-' || strspn(v, ok) != n)
		return -1;
	memcpy(end->device, v, n + 1);
	return 0;
}

#define MAC(end) \
	static int end##_mac(void *c, const char *v, const char **why) \
	{ \
		return parse_mac(c, &((struct diode_conf *)c)->end, v, why); \
	}
#define HOST(end) \
	MAC(end) \
	static int end##_ip(void *c, const char *v, const char **why) \
	{ \
		return parse_ip(c, &((struct diode_conf *)c)->end, v, why); \
	} \
	static int end##_device(void *c, const char *v, const char **why) \
	{ \
		return parse_device(&((struct diode_conf *)c)->end, v, why); \
	}
HOST(sender)
HOST(receiver)
MAC(ingress)
MAC(egress)

#define NUMBER(key, type, min, max, required) \
	{ "link", #key, type, offsetof(struct diode_conf, key), 0, min, max, required, NULL }
#define CUSTOM(end, key, required) { #end, #key, CONF_CUSTOM, 0, 0, 0, 0, required, end##_##key }
static const struct conf_key keys[] = {
	CUSTOM(sender, mac, 1), CUSTOM(sender, ip, 1), CUSTOM(sender, device, 0),
	CUSTOM(receiver, mac, 1), CUSTOM(receiver, ip, 1), CUSTOM(receiver, device, 0),
	CUSTOM(ingress, mac, 1), CUSTOM(egress, mac, 1),
	NUMBER(port, CONF_COUNT, 1, 65535, 1),
	NUMBER(rate, CONF_RATE, 1000000, 1000000000, 1),
	NUMBER(mtu, CONF_COUNT, 576, 1500, 0),
	NUMBER(burst, CONF_TIME, 1000000, 1000000000, 0),
};
static const char *const required[] = { "sender", "receiver", "ingress", "egress", "link", NULL };

int diode_conf_read(struct diode_conf *c, const char *file)
{
	const struct conf_schema schema = { keys, sizeof keys / sizeof keys[0], section, c, required };

	*c = (struct diode_conf){ .mtu = 1500, .burst = 20000000 };
	strcpy(c->sender.device, "eth0");
	strcpy(c->receiver.device, "eth0");
	return conf_read(&schema, file, -1);
}
