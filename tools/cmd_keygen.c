/* cmd_keygen.c - katamichi keygen: the keys of a party. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/exits.h"
#include "host/keyfile.h"
#include "host/log.h"
#include "tools/cmd.h"
#include "tools/fingerprint.h"
#include "tools/out.h"

#define DEFAULT_DIR "/etc/katamichi"

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
		if (out_mode() == OUT_JSON)
			out_json_free(fingerprint_made_json(&s->pub, dir, name));
		else
			fingerprint_made(&s->pub, dir, name);
	}
free_secret:
	crypto_secret_free(s);
	return r;
}

static int run(const struct cmd_line *l)
{
	const char *role = l->operand[0], *name = cmd_value(l, "name");

	if (strcmp(role, "sender") != 0 && strcmp(role, "receiver") != 0)
		return cmd_usage(l->cmd, _("wanted: sender or receiver, and a directory unless it is /etc/katamichi"));
	return generate(strcmp(role, "sender") == 0 ? PARTY_SENDER : PARTY_RECEIVER, l->operands > 1 ? l->operand[1] : DEFAULT_DIR,
	    name != NULL ? name : role);
}

const struct cmd cmd_keygen = {
	.name = "keygen",
	.text = N_("make the keys of a sender or a receiver"),
	.usage = N_("sender|receiver [DIR] [--name NAME] [--json]"),
	.help = N_("Makes a new pair of keys in DIR, by default /etc/katamichi (made, mode 0700, if it is not there):\n"
	    "  NAME.key          secret, mode 0600: stays on this machine\n"
	    "  NAME.pub          public: carry it to the other side and compare the fingerprint\n"
	    "  NAME-ed25519.pem  public, for openssl (signatures)\n"
	    "  NAME-x25519.pem   public, for openssl (key agreement)\n"
	    "Nothing is ever overwritten.  Made by root, they belong to the owner of DIR, so that the service can read its own.\n"),
	.exits = N_("0 made, 2 usage, 4 there is such a key already, 5 it cannot be written"),
	.options = { { "name", 0, CMD_TEXT, N_("NAME"), N_("of the files (the role)"), 0 }, CMD_JSON },
	.operands_min = 1, .operands_max = 2, .operand = CMD_DIR, .choices = "sender receiver",
	.run = run,
};
