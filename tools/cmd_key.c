/* cmd_key.c - katamichi key show: what a key file holds, without its secrets. */
#include <stdio.h>
#include <string.h>

#include "codec/hex.h"
#include "host/exits.h"
#include "host/keyfile.h"
#include "host/log.h"
#include "tools/cmd.h"
#include "tools/fingerprint.h"
#include "tools/out.h"

static int is_secret(const char *path)
{
	size_t n = strlen(path);

	return n >= 4 && strcmp(path + n - 4, ".key") == 0;
}

/* The public half of either kind of file; 0 or an exit code. */
static int read_party(struct party *p, const char *path)
{
	if (!is_secret(path))
		return keyfile_read_public(p, path, KEYFILE_ANY);
	struct party_secret *s = crypto_secret_alloc(sizeof(*s));

	if (s == NULL) {
		log_error("there is not enough memory for a secret key");
		return EXIT_SYSTEM;
	}
	int r = keyfile_read_secret(s, path, KEYFILE_ANY);

	*p = s->pub;
	crypto_secret_free(s);
	return r;
}

static void print_json(const struct party *p)
{
	char sign[128], dh[128];
	json_t *o = fingerprint_json(p);

	keyfile_pem(sign, p->sign, 0);
	keyfile_pem(dh, p->dh, 1);
	json_object_set_new(o, "ed25519", json_string(sign));
	json_object_set_new(o, "x25519", json_string(dh));
	out_json_free(o);
}

static int run(const struct cmd_line *l)
{
	const char *path = l->operand[0];
	char id[2 * KEY_ID_LEN + 1], pem[128];
	struct party p;
	int r = read_party(&p, path);

	if (r != 0)
		return r;
	hex_put(id, p.id, KEY_ID_LEN);
	if (out_mode() == OUT_JSON) {
		print_json(&p);
		return EXIT_OK;
	}
	fingerprint_label(_("role"));
	puts(p.role == PARTY_SENDER ? _("sender") : _("receiver"));
	fingerprint_print(_("fingerprint"), p.fingerprint);
	fingerprint_print_words(p.fingerprint);
	fingerprint_label(_("key id"));
	puts(id);
	keyfile_pem(pem, p.sign, 0);
	printf("Ed25519 (%s)\n%s", p.role == PARTY_SENDER ? _("signs manifests") : _("signs the ledger"), pem);
	keyfile_pem(pem, p.dh, 1);
	printf("X25519 (%s)\n%s", p.role == PARTY_SENDER ? _("authenticates the link") : _("opens objects"), pem);
	return EXIT_OK;
}

const struct cmd cmd_key_show = {
	.name = "key show",
	.text = N_("show the fingerprint and the public halves of a key file"),
	.usage = N_("FILE.pub|FILE.key [--json]"),
	.help = N_("Prints role, fingerprint (in digits, and in words to be read out over the telephone) and key id,\n"
	    "and the public halves as PEM.  A secret key is never printed.\n"),
	.exits = N_("0 printed, 2 usage, 4 it is no key file, or has the wrong owner or mode"),
	.options = { CMD_JSON },
	.operands_min = 1, .operands_max = 1, .operand = CMD_FILE,
	.run = run,
};
