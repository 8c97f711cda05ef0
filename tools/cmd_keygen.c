/* cmd_keygen.c - katamichi keygen: the keys of a party. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/exits.h"
#include "host/keyfile.h"
#include "host/log.h"
#include "tools/cmd.h"
#include "tools/fingerprint.h"
#include "tools/usage.h"

static const char help[] =
    "usage: katamichi keygen sender|receiver DIR [--name NAME]\n"
    "\n"
    "Makes a new pair of keys in DIR (made, mode 0700, if it is not there):\n"
    "  NAME.key          secret, mode 0600: stays on this machine\n"
    "  NAME.pub          public: carry it to the other side and compare the fingerprint\n"
    "  NAME-ed25519.pem  public, for openssl (signatures)\n"
    "  NAME-x25519.pem   public, for openssl (key agreement)\n"
    "NAME is the role unless --name says otherwise.  Nothing is ever overwritten.\n";

static int generate(enum party_role role, const char *dir, const char *name)
{
	struct party_secret *s = crypto_secret_alloc(sizeof(*s));
	int r;

	if (s == NULL) {
		log_error("there is not enough memory for a secret key");
		return EXIT_SYSTEM;
	}
	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		log_error("%s: cannot make the directory: %m", dir);
		r = EXIT_SYSTEM;
		goto free_secret;
	}
	party_generate(s, role);
	r = keyfile_write(s, dir, name);
	if (r == 0) {
		printf("secret key   %s/%s.key (stays here)\n", dir, name);
		printf("public key   %s/%s.pub (for the other side)\n", dir, name);
		fingerprint_print("fingerprint ", s->pub.fingerprint);
	}
free_secret:
	crypto_secret_free(s);
	return r;
}

int cmd_keygen(int argc, char **argv)
{
	static const struct option options[] = {{"name", required_argument, NULL, 'n'}, {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0}};
	const char *name = NULL;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return EXIT_OK;
		}
		if (c != 'n')
			return usage_bad_option(argc, argv);
		name = optarg;
	}
	if (argc - optind != 2 || (strcmp(argv[optind], "sender") != 0 && strcmp(argv[optind], "receiver") != 0))
		return usage_error(argv[0], "wanted: sender or receiver, and a directory");
	enum party_role role = strcmp(argv[optind], "sender") == 0 ? PARTY_SENDER : PARTY_RECEIVER;

	return generate(role, argv[optind + 1], name != NULL ? name : argv[optind]);
}
