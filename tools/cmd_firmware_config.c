/* cmd_firmware_config.c - katamichi firmware-config: what must agree between the
 * diode box and both hosts, from one file (tools/diode_conf.h). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "firmware/link_frame.h"
#include "host/exits.h"
#include "sender/sender_conf.h"
#include "tools/cmd.h"
#include "tools/diode_conf.h"
#include "tools/usage.h"

static const char help[] =
    "usage: katamichi firmware-config FILE [--header|--neighbours|--nft]\n"
    "\n"
    "Checks the file by which the diode box and both hosts agree (an example: tests/data/diode.ini).\n"
    "  --header      the configuration header of the firmware (make firmware DIODE=FILE does this)\n"
    "  --neighbours  the hosts' static neighbour entries: behind the box nobody can answer an ARP request\n"
    "  --nft         the hosts' packet filters, for nft -f: nothing but the link leaves or enters its device\n"
    "Without an option: one line that says what the file describes.\n"
    "Exit codes: 0 done, 2 usage, 3 a fault in the file (FILE:LINE), 5 it cannot be read.\n";

struct text { char s[24]; };

static struct text mac(const struct diode_end *e)
{
	struct text t;

	(void)snprintf(t.s, sizeof t.s, "%02x:%02x:%02x:%02x:%02x:%02x", e->mac[0], e->mac[1], e->mac[2], e->mac[3],
	    e->mac[4], e->mac[5]);
	return t;
}

static struct text ip(const struct diode_end *e)
{
	struct text t;

	(void)snprintf(t.s, sizeof t.s, "%u.%u.%u.%u", e->ip >> 24, e->ip >> 16 & 255, e->ip >> 8 & 255, e->ip & 255);
	return t;
}

/* Both nodes print it at start: two that differ were built from different files. */
static uint32_t identity(const struct diode_conf *c)
{
	uint8_t b[4 * 6 + 2 * 4 + 4 * 8], *p = b;
	const struct diode_end *const end[] = { &c->sender, &c->receiver, &c->ingress, &c->egress };

	for (unsigned i = 0; i < 4; i++, p += 6)
		memcpy(p, end[i]->mac, 6);
	put32(p, c->sender.ip);
	put32(p + 4, c->receiver.ip);
	put64(p + 8, c->port);
	put64(p + 16, c->rate);
	put64(p + 24, c->mtu);
	put64(p + 32, c->burst);
	return link_crc32(b, sizeof b);
}

static void define_mac(const char *name, const struct diode_end *e)
{
	printf("#define CONFIG_%s_MAC { 0x%02x, 0x%02x, 0x%02x, 0x%02x, 0x%02x, 0x%02x }\n", name, e->mac[0], e->mac[1],
	    e->mac[2], e->mac[3], e->mac[4], e->mac[5]);
}

static void header(const struct diode_conf *c)
{
	puts("/* config.h - made by katamichi firmware-config; change the INI file instead. */");
	puts("#ifndef KM_FIRMWARE_CONFIG_H\n#define KM_FIRMWARE_CONFIG_H\n");
	printf("#define CONFIG_IDENTITY 0x%08" PRIx32 "u\n", identity(c));
	define_mac("SENDER", &c->sender);
	define_mac("INGRESS", &c->ingress);
	define_mac("EGRESS", &c->egress);
	define_mac("RECEIVER", &c->receiver);
	printf("#define CONFIG_SENDER_IP 0x%08" PRIx32 "u /* %s */\n", c->sender.ip, ip(&c->sender).s);
	printf("#define CONFIG_RECEIVER_IP 0x%08" PRIx32 "u /* %s */\n", c->receiver.ip, ip(&c->receiver).s);
	printf("#define CONFIG_PORT %" PRIu64 "u\n", c->port);
	printf("#define CONFIG_DATAGRAM_LEN %" PRIu32 "u /* bytes; MTU %" PRIu64 " */\n", sender_datagram_len(c->mtu), c->mtu);
	printf("#define CONFIG_RATE %" PRIu64 "u /* bit/s on the wire */\n", c->rate);
	printf("#define CONFIG_BURST %" PRIu64 "u /* ns */\n", c->burst);
	puts("\n#endif");
}

static void neighbours(const struct diode_conf *c)
{
	puts("# On the sender: the receiver's address lies behind the ingress node.");
	printf("ip neigh replace %s lladdr %s dev %s nud permanent\n", ip(&c->receiver).s, mac(&c->ingress).s, c->sender.device);
	puts("# On the receiver: so that not even an ARP request is made.");
	printf("ip neigh replace %s lladdr %s dev %s nud permanent\n", ip(&c->sender).s, mac(&c->egress).s, c->receiver.device);
}

static void nft(const struct diode_conf *c)
{
	puts("# On the sender: out of the device goes the link and nothing else; into it comes nothing.");
	puts("table netdev katamichi_sender {\n\tchain out {");
	printf("\t\ttype filter hook egress device \"%s\" priority 0; policy drop;\n", c->sender.device);
	printf("\t\tether daddr %s ip saddr %s ip daddr %s udp dport %" PRIu64 " counter accept\n\t\tcounter drop\n\t}\n",
	    mac(&c->ingress).s, ip(&c->sender).s, ip(&c->receiver).s, c->port);
	printf("\tchain in {\n\t\ttype filter hook ingress device \"%s\" priority 0; policy drop;\n\t\tcounter drop\n\t}\n}\n",
	    c->sender.device);
	puts("# On the receiver: into the device comes the link and nothing else; out of it goes nothing.");
	puts("table netdev katamichi_receiver {\n\tchain in {");
	printf("\t\ttype filter hook ingress device \"%s\" priority 0; policy drop;\n", c->receiver.device);
	printf("\t\tether saddr %s ether daddr %s ip saddr %s ip daddr %s udp dport %" PRIu64
	    " counter accept\n\t\tcounter drop\n\t}\n", mac(&c->egress).s, mac(&c->receiver).s, ip(&c->sender).s,
	    ip(&c->receiver).s, c->port);
	printf("\tchain out {\n\t\ttype filter hook egress device \"%s\" priority 0; policy drop;\n\t\tcounter drop\n\t}\n}\n",
	    c->receiver.device);
}

static void summary(const struct diode_conf *c)
{
	printf("OK: %s to %s, UDP port %" PRIu64 ", datagrams of %" PRIu32 " bytes, at most %" PRIu64 " bit/s; identity %08" PRIx32
	    "\n", ip(&c->sender).s, ip(&c->receiver).s, c->port, sender_datagram_len(c->mtu), c->rate, identity(c));
}

int cmd_firmware_config(int argc, char **argv)
{
	static const struct {
		const char *option;
		void (*print)(const struct diode_conf *);
	} outputs[] = { { "--header", header }, { "--neighbours", neighbours }, { "--nft", nft } };
	void (*print)(const struct diode_conf *) = NULL;
	const char *file = NULL;
	struct diode_conf c;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(help, stdout);
			return EXIT_OK;
		}
		void (*found)(const struct diode_conf *) = NULL;
		for (size_t o = 0; o < sizeof outputs / sizeof outputs[0]; o++)
			if (strcmp(argv[i], outputs[o].option) == 0)
				found = outputs[o].print;
		if (argv[i][0] == '-' && found == NULL)
			return usage_error(argv[0], "unknown option");
		if ((found != NULL && print != NULL) || (found == NULL && file != NULL))
			return usage_error(argv[0], "one file and at most one option");
		if (found != NULL)
			print = found;
		else
			file = argv[i];
	}
	if (file == NULL)
		return usage_error(argv[0], "which file?");
	int code = diode_conf_read(&c, file);
	if (code != 0)
		return code;
	(print != NULL ? print : summary)(&c);
	return EXIT_OK;
}
