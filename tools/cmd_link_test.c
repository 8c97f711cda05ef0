/* cmd_link_test.c - katamichi link-test: what a real one-way link can do,
 * before it goes into service. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/exits.h"
#include "host/units.h"
#include "sender/sender_conf.h"
#include "tools/cmd.h"
#include "tools/link_test_receive.h"
#include "tools/link_test_send.h"

#define BUFFER_MAX (1ull << 30)

/* IPv4:port; 0 or -1. */
static int parse_address(struct sockaddr_in *sa, const char *s)
{
	char host[INET_ADDRSTRLEN], *end;
	const char *colon = strchr(s, ':');
	unsigned long port;

	if (colon == NULL || (size_t)(colon - s) >= sizeof(host) || colon[1] < '0' || colon[1] > '9')
		return -1;
	memcpy(host, s, (size_t)(colon - s));
	host[colon - s] = '\0';
	port = strtoul(colon + 1, &end, 10);
	if (*end != '\0' || port == 0 || port > 65535)
		return -1;
	*sa = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	return inet_pton(AF_INET, host, &sa->sin_addr) == 1 ? 0 : -1;
}

/* "5", "0.5", or a time with a unit. */
static int parse_seconds(uint64_t *ns, const char *s)
{
	char text[32];

	if (units_time(s, ns) == 0)
		return *ns > 0 ? 0 : -1;
	if (strlen(s) >= sizeof(text) - 1)
		return -1;
	(void)snprintf(text, sizeof(text), "%ss", s);
	return units_time(text, ns) == 0 && *ns > 0 ? 0 : -1;
}

/* "100M,300M,1G": rising, at most LINK_TEST_STEPS. */
static int parse_rates(struct link_test_plan *p, const char *s)
{
	char text[32];

	for (p->steps = 0; p->steps < LINK_TEST_STEPS;) {
		size_t n = strcspn(s, ",");
		uint64_t *rate = &p->rate[p->steps];
		if (n >= sizeof(text))
			return -1;
		memcpy(text, s, n);
		text[n] = '\0';
		if (units_rate(text, rate) != 0 || *rate < LINK_TEST_RATE_MIN || *rate > LINK_TEST_RATE_MAX)
			return -1;
		if (p->steps > 0 && *rate <= rate[-1])
			return -1;
		p->steps++;
		if (s[n] == '\0')
			return 0;
		s += n + 1;
	}
	return -1;
}

static void set_ladder(struct link_test_plan *p, uint64_t max)
{
	p->steps = 10;
	for (unsigned i = 0; i < 10; i++)
		p->rate[i] = max / 10 * (i + 1);
}

static int run_send(const struct cmd_line *l)
{
	struct link_test_plan plan = { .step_ms = 5000 };
	const char *to_text = cmd_value(l, "to"), *mtu_text = cmd_value(l, "mtu"), *rates = cmd_value(l, "rates");
	const char *max_text = cmd_value(l, "max"), *seconds = cmd_value(l, "seconds");
	struct sockaddr_in to;
	uint64_t mtu = 1500, max = 1000000000, ns;

	if (parse_address(&to, to_text) != 0)
		return cmd_usage(l->cmd, _("--to: an IPv4 address and a port, as in 10.77.0.2:5150"));
	if (mtu_text != NULL && (units_size(mtu_text, &mtu) != 0 || mtu < SENDER_MTU_MIN || mtu > SENDER_MTU_MAX))
		return cmd_usage(l->cmd, _("--mtu: 576 to 65535"));
	if (rates != NULL && parse_rates(&plan, rates) != 0)
		return cmd_usage(l->cmd, _("--rates: up to 16 rising rates from 10k to 1T, as in 100M,300M,1G"));
	if (max_text != NULL && (units_rate(max_text, &max) != 0 || max < 10 * (uint64_t)LINK_TEST_RATE_MIN || max > LINK_TEST_RATE_MAX))
		return cmd_usage(l->cmd, _("--max: a rate from 100k to 1T, as in 1G"));
	if (seconds != NULL) {
		if (parse_seconds(&ns, seconds) != 0 || ns < 100000000 || ns / 1000000 > LINK_TEST_STEP_MS_MAX)
			return cmd_usage(l->cmd, _("--seconds: 0.1 to 3600"));
		plan.step_ms = (uint32_t)(ns / 1000000);
	}
	if (max_text != NULL && rates != NULL)
		return cmd_usage(l->cmd, _("--max or --rates, not both"));
	if (plan.steps == 0)
		set_ladder(&plan, max);
	return link_test_send(&to, mtu, &plan);
}

static int run_receive(const struct cmd_line *l)
{
	struct link_test_listen listen = { .buffer = 64 << 20, .out = cmd_value(l, "out") };
	const char *seconds = cmd_value(l, "seconds"), *buffer = cmd_value(l, "buffer");

	if (parse_address(&listen.at, cmd_value(l, "listen")) != 0)
		return cmd_usage(l->cmd, _("--listen: an IPv4 address and a port, as in 10.77.0.2:5150"));
	if (seconds != NULL && parse_seconds(&listen.limit_ns, seconds) != 0)
		return cmd_usage(l->cmd, _("--seconds: how long to listen, as in 60"));
	if (buffer != NULL && (units_size(buffer, &listen.buffer) != 0 || listen.buffer < 4096 || listen.buffer > BUFFER_MAX))
		return cmd_usage(l->cmd, _("--buffer: a size from 4K to 1G, as in 64M"));
	if (listen.out[0] == '\0')
		return cmd_usage(l->cmd, _("--out: a directory, where the evidence is saved"));
	return link_test_receive(&listen);
}

const struct cmd cmd_link_test_receive = {
	.name = "link-test receive",
	.text = N_("measure a real link before it goes into service: the receiving half"),
	.usage = N_("--listen ADDR:PORT --out DIR [--seconds N] [--buffer SIZE] [--json]"),
	.help = N_("Measures a one-way link: numbered datagrams with a known pattern at rising rates.  Start the\n"
	    "receiver, then the sender; the other order and a broken-off sender are understood, too.  The\n"
	    "receiver never sends.  It prints what arrived of each step, tells losses of the link from losses\n"
	    "of its own host, proposes rate, loss, burst and buffer, and saves the evidence: report.json (all\n"
	    "that is said, for programs), report.txt and plot.svg.\n"
	    "The datagrams are not those of the daemon and are not authenticated: use a link where nobody else\n"
	    "sends.  A diode box that lets only the daemon's datagrams through drops them; its filter has to be\n"
	    "open for the test.\n"),
	.exits = N_("0 done, 1 nothing can be proposed, 2 usage, 5 system"),
	.options = { { "listen", 0, CMD_TEXT, N_("ADDR:PORT"), N_("the link's address here; the daemon must not be running"), 1 },
	    { "out", 0, CMD_DIR, N_("DIR"), N_("for the evidence; made if missing, nothing is replaced"), 1 },
	    { "seconds", 0, CMD_TEXT, N_("N"), N_("end after N seconds, whatever has come (until the test is over, or Ctrl-C)"), 0 },
	    { "buffer", 0, CMD_TEXT, N_("SIZE"), N_("of the socket (64M)"), 0 }, CMD_JSON },
	.run = run_receive,
};

const struct cmd cmd_link_test_send = {
	.name = "link-test send",
	.text = N_("measure a real link before it goes into service: the sending half"),
	.usage = N_("--to ADDR:PORT [--mtu BYTES] [--seconds N]\n[--max RATE | --rates RATE,RATE,...] [--json]"),
	.help = N_("Sends numbered datagrams with a known pattern at rising rates to `katamichi link-test receive'.\n"
	    "The longer a step, the better small losses are known.\n"),
	.exits = N_("0 done, 1 broken off, 2 usage, 5 system"),
	.options = { { "to", 0, CMD_TEXT, N_("ADDR:PORT"), N_("the receiver"), 1 },
	    { "mtu", 0, CMD_TEXT, N_("BYTES"), N_("of the link, 576 to 65535 (1500)"), 0 },
	    { "rates", 0, CMD_TEXT, N_("LIST"), N_("up to 16, rising: 100M,300M,1G; bit/s on the wire, with preamble and gap"), 0 },
	    { "max", 0, CMD_TEXT, N_("RATE"), N_("ten steps up to RATE (1G)"), 0 },
	    { "seconds", 0, CMD_TEXT, N_("N"), N_("for each step, 0.1 to 3600 (5)"), 0 }, CMD_JSON },
	.run = run_send,
};
