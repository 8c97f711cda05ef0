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
#include "tools/out.h"

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
	printf(_("OK: %s to %s, UDP port %" PRIu64 ", datagrams of %" PRIu32 " bytes, at most %" PRIu64 " bit/s; identity %08" PRIx32
	    "\n"), ip(&c->sender).s, ip(&c->receiver).s, c->port, sender_datagram_len(c->mtu), c->rate, identity(c));
}

static json_t *end_json(const struct diode_end *e, int host)
{
	json_t *o = json_pack("{s:s}", "mac", mac(e).s);

	if (host) {
		json_object_set_new(o, "ip", json_string(ip(e).s));
		json_object_set_new(o, "device", json_string(e->device));
	}
	return o;
}

static void facts(const struct diode_conf *c)
{
	out_json_free(json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:o}", "sender", end_json(&c->sender, 1), "receiver",
	    end_json(&c->receiver, 1), "ingress", end_json(&c->ingress, 0), "egress", end_json(&c->egress, 0), "port", (json_int_t)c->port,
	    "mtu", (json_int_t)c->mtu, "datagram_bytes", (json_int_t)sender_datagram_len(c->mtu), "rate", (json_int_t)c->rate, "burst_ns",
	    (json_int_t)c->burst, "identity", json_sprintf("%08" PRIx32, identity(c))));
}

static int run(const struct cmd_line *l)
{
	static const struct {
		const char *option;
		void (*print)(const struct diode_conf *);
	} outputs[] = { { "header", header }, { "neighbours", neighbours }, { "nft", nft }, { "json", facts } };
	void (*print)(const struct diode_conf *) = summary;
	struct diode_conf c;

	if (l->givens > 1)
		return cmd_usage(l->cmd, _("at most one option"));
	for (size_t o = 0; o < sizeof outputs / sizeof outputs[0]; o++)
		if (cmd_value(l, outputs[o].option) != NULL)
			print = outputs[o].print;
	int code = diode_conf_read(&c, l->operand[0]);
	if (code != 0)
		return code;
	print(&c);
	return EXIT_OK;
}

const struct cmd cmd_firmware_config = {
	.name = "firmware-config",
	.text = N_("what the diode box and both hosts agree by, from one file"),
	.usage = N_("FILE [--header|--neighbours|--nft|--json]"),
	.help = N_("Checks the file by which the diode box and both hosts agree (an example: tests/data/diode.ini).\n"
	    "Without an option: one line that says what the file describes.\n"),
	.exits = N_("0 done, 2 usage, 3 a fault in the file (FILE:LINE), 5 it cannot be read"),
	.options = { { "header", 0, CMD_FLAG, NULL, N_("the firmware's configuration header (make firmware DIODE=FILE does this)"), 0 },
	    { "neighbours", 0, CMD_FLAG, NULL, N_("the hosts' static neighbour entries: behind the box nobody answers ARP"), 0 },
	    { "nft", 0, CMD_FLAG, NULL, N_("the hosts' packet filters, for nft -f: only the link passes its device"), 0 }, CMD_JSON },
	.operands_min = 1, .operands_max = 1, .operand = CMD_FILE,
	.run = run,
};
