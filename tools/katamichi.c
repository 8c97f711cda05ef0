/* katamichi - the operator's tool: a table of subcommands. */
#include <stdio.h>
#include <string.h>

#include "codec/crypto.h"
#include "host/exits.h"
#include "host/log.h"
#include "tools/cmd.h"

#ifndef KM_VERSION
#define KM_VERSION "0"
#endif

static const struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *text;
} table[] = {
	{"keygen", cmd_keygen, "make the keys of a sender or a receiver"},
	{"key", cmd_key, "show the fingerprint and the public halves of a key file"},
	{"config", cmd_config, "check a configuration file"},
	{"plan", cmd_plan, "compute the redundancy that a guarantee needs"},
	{"link-test", cmd_link_test, "measure a real link before it goes into service"},
	{"status", cmd_status, "what a sender or a receiver is doing"},
	{"gaps", cmd_gaps, "transfers that have not arrived, by channel and number"},
	{"resend", cmd_resend, "carry out a resend slip on the sender"},
	{"close", cmd_close, "have the sender write down what it has numbered"},
	{"closings", cmd_closings, "what senders said they had numbered, and whether it is here"},
	{"restore", cmd_restore, "begin a new generation, after a sender's outbox was restored"},
	{"verify", cmd_verify, "check a delivered transfer: signature and every file"},
	{"ledger", cmd_ledger, "check the receiver's record of deliveries"},
	{"firmware-config", cmd_firmware_config, "what the diode box and both hosts agree by, from one file"},
};

static void usage(FILE *out)
{
	fputs("usage: katamichi COMMAND [ARGUMENTS]\n\n", out);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		fprintf(out, "  %-15s %s\n", table[i].name, table[i].text);
	fputs("\n`katamichi COMMAND --help' tells more.  --version prints the version.\n"
	      "Exit codes: 0 yes or done, 1 no (not verified, gaps exist), 2 usage, 3 configuration, 4 keys,\n"
	      "5 system, 6 own data damaged, 70 internal.\n", out);
}

int main(int argc, char **argv)
{
	log_init_tool("katamichi");
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		usage(stdout);
		return EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("katamichi %s\n", KM_VERSION);
		return EXIT_OK;
	}
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(argv[1], table[i].name) == 0) {
			if (crypto_init() != 0)
				log_die(EXIT_SYSTEM, "the cryptographic library does not start (is /dev/urandom there?)");
			return table[i].run(argc - 1, argv + 1);
		}
	fprintf(stderr, "katamichi: unknown command \"%s\"; see katamichi --help\n", argv[1]);
	return EXIT_USAGE;
}
