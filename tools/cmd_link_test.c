/* cmd_link_test.c - katamichi link-test: what a real one-way link can do,
 * before it goes into service. */
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/exits.h"
#include "host/units.h"
#include "sender/sender_conf.h"
#include "tools/cmd.h"
#include "tools/link_test_receive.h"
#include "tools/link_test_send.h"
#include "tools/usage.h"

#define BUFFER_MAX (1ull << 30)

static const char help[] =
    "usage: katamichi link-test receive --listen ADDR:PORT --out DIR [--seconds N] [--buffer SIZE]\n"
    "       katamichi link-test send --to ADDR:PORT [--mtu BYTES] [--seconds N]\n"
    "                                [--max RATE | --rates RATE,RATE,...]\n"
    "\n"
    "Measures a one-way link: numbered datagrams with a known pattern at rising rates.  Start the\n"
    "receiver, then the sender; the other order and a broken-off sender are understood, too.  The\n"
    "receiver never sends.  It prints what arrived of each step, tells losses of the link from losses\n"
    "of its own host, proposes rate, loss, burst and buffer, and saves the evidence.\n"
    "\n"
    "receive\n"
    "  --listen ADDR:PORT  the link's address here; the daemon must not be running\n"
    "  --out DIR           for report.json, report.txt and plot.svg; made if missing, nothing is replaced\n"
    "  --seconds N         end after N seconds, whatever has come (until the test is over, or Ctrl-C)\n"
    "  --buffer SIZE       of the socket                           (64M)\n"
    "send\n"
    "  --to ADDR:PORT      the receiver\n"
    "  --mtu BYTES         of the link, 576 to 65535               (1500)\n"
    "  --rates LIST        up to 16, rising: 100M,300M,1G; bit/s on the wire, with preamble and gap\n"
    "  --max RATE          ten steps up to RATE                    (1G)\n"
    "  --seconds N         for each step, 0.1 to 3600              (5)\n"
    "\n"
    "The datagrams are not those of the daemon and are not authenticated: use a link where nobody else\n"
    "sends.  A diode box that lets only the daemon's datagrams through drops them; its filter has to be\n"
    "open for the test.  The longer a step, the better small losses are known.\n"
    "Exit codes: 0 done, 1 nothing can be proposed (receive) or broken off (send), 2 usage, 5 system.\n";

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

enum { OPT_TO = 1, OPT_MTU, OPT_RATES, OPT_MAX, OPT_SECONDS, OPT_LISTEN, OPT_OUT, OPT_BUFFER, OPT_HELP };

static int send_half(int argc, char **argv)
{
	static const struct option options[] = { { "to", 1, NULL, OPT_TO }, { "mtu", 1, NULL, OPT_MTU }, { "rates", 1, NULL, OPT_RATES },
		{ "max", 1, NULL, OPT_MAX }, { "seconds", 1, NULL, OPT_SECONDS }, { "help", 0, NULL, OPT_HELP }, { NULL, 0, NULL, 0 } };
	struct link_test_plan plan = { .step_ms = 5000 };
	struct sockaddr_in to = { .sin_family = 0 };
	uint64_t mtu = 1500, max = 0, ns;

	for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
		if (c == 'h' || c == OPT_HELP)
			return fputs(help, stdout) >= 0 ? EXIT_OK : EXIT_SYSTEM;
		if (c == '?')
			return usage_bad_option(argc, argv);
		if (c == OPT_TO && parse_address(&to, optarg) != 0)
			return usage_error("link-test", "--to: an IPv4 address and a port, as in 10.77.0.2:5150");
		if (c == OPT_MTU && (units_size(optarg, &mtu) != 0 || mtu < SENDER_MTU_MIN || mtu > 65535))
			return usage_error("link-test", "--mtu: 576 to 65535");
		if (c == OPT_RATES && parse_rates(&plan, optarg) != 0)
			return usage_error("link-test", "--rates: up to 16 rising rates from 10k to 1T, as in 100M,300M,1G");
		if (c == OPT_MAX && (units_rate(optarg, &max) != 0 || max < 10 * (uint64_t)LINK_TEST_RATE_MIN || max > LINK_TEST_RATE_MAX))
			return usage_error("link-test", "--max: a rate from 100k to 1T, as in 1G");
		if (c == OPT_SECONDS) {
			if (parse_seconds(&ns, optarg) != 0 || ns < 100000000 || ns / 1000000 > LINK_TEST_STEP_MS_MAX)
				return usage_error("link-test", "--seconds: 0.1 to 3600");
			plan.step_ms = (uint32_t)(ns / 1000000);
		}
	}
	if (optind != argc)
		return usage_error("link-test", "an argument too much");
	if (to.sin_family == 0)
		return usage_error("link-test", "send: --to is missing");
	if (max != 0 && plan.steps > 0)
		return usage_error("link-test", "--max or --rates, not both");
	if (plan.steps == 0)
		set_ladder(&plan, max != 0 ? max : 1000000000);
	return link_test_send(&to, mtu, &plan);
}

static int receive_half(int argc, char **argv)
{
	static const struct option options[] = { { "listen", 1, NULL, OPT_LISTEN }, { "out", 1, NULL, OPT_OUT },
		{ "seconds", 1, NULL, OPT_SECONDS }, { "buffer", 1, NULL, OPT_BUFFER }, { "help", 0, NULL, OPT_HELP }, { NULL, 0, NULL, 0 } };
	struct link_test_listen l = { .buffer = 64 << 20 };

	for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
		if (c == 'h' || c == OPT_HELP)
			return fputs(help, stdout) >= 0 ? EXIT_OK : EXIT_SYSTEM;
		if (c == '?')
			return usage_bad_option(argc, argv);
		if (c == OPT_LISTEN && parse_address(&l.at, optarg) != 0)
			return usage_error("link-test", "--listen: an IPv4 address and a port, as in 10.77.0.2:5150");
		if (c == OPT_SECONDS && parse_seconds(&l.limit_ns, optarg) != 0)
			return usage_error("link-test", "--seconds: how long to listen, as in 60");
		if (c == OPT_BUFFER && (units_size(optarg, &l.buffer) != 0 || l.buffer < 4096 || l.buffer > BUFFER_MAX))
			return usage_error("link-test", "--buffer: a size from 4K to 1G, as in 64M");
		if (c == OPT_OUT)
			l.out = optarg;
	}
	if (optind != argc)
		return usage_error("link-test", "an argument too much");
	if (l.at.sin_family == 0)
		return usage_error("link-test", "receive: --listen is missing");
	if (l.out == NULL || l.out[0] == '\0')
		return usage_error("link-test", "receive: --out DIR is missing, where the evidence is saved");
	return link_test_receive(&l);
}

int cmd_link_test(int argc, char **argv)
{
	int (*half)(int, char **) = NULL;

	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(help, stdout);
		return EXIT_OK;
	}
	if (argc >= 2 && strcmp(argv[1], "send") == 0)
		half = send_half;
	if (argc >= 2 && strcmp(argv[1], "receive") == 0)
		half = receive_half;
	if (half == NULL)
		return usage_error(argv[0], "wanted: send or receive");
	/* Messages name the command, not its half. */
	argv[1] = argv[0];
	optind = 1;
	opterr = 0;
	return half(argc - 1, argv + 1);
}
