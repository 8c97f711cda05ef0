/* cmd_key_rotate.c - katamichi key rotate: a new key of this end, and what has to be done with it, step by step. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "codec/hex.h"
#include "host/exits.h"
#include "host/keyfile.h"
#include "host/log.h"
#include "receiver/receiver_conf.h"
#include "sender/sender_conf.h"
#include "tools/cmd.h"
#include "tools/fingerprint.h"
#include "tools/out.h"
#include "tools/status.h"

struct place { /* of a key file: DIR/NAME.key */
	char dir[RECEIVER_PATH_MAX], old[256], name[300], today[11];
};

static int take_apart(struct place *p, const char *key)
{
	const char *slash = strrchr(key, '/'), *base = slash != NULL ? slash + 1 : key;
	size_t n = strlen(base);
	time_t now = time(NULL);
	struct tm tm;

	if (n < 5 || n - 4 >= sizeof(p->old) || strcmp(base + n - 4, ".key") != 0) {
		log_error("%s: the name of a secret key's file ends in .key", key);
		return EXIT_KEYS;
	}
	snprintf(p->dir, sizeof(p->dir), "%.*s", slash != NULL ? (int)(slash - key) : 1, slash != NULL ? key : ".");
	snprintf(p->old, sizeof(p->old), "%.*s", (int)(n - 4), base);
	gmtime_r(&now, &tm);
	strftime(p->today, sizeof(p->today), "%Y-%m-%d", &tm);
	/* sender-20251201 becomes sender-20261121 */
	char *dash = strrchr(p->old, '-');
	size_t stem = dash != NULL && strlen(dash + 1) == 8 && strspn(dash + 1, "0123456789") == 8 ? (size_t)(dash - p->old) : strlen(p->old);
	snprintf(p->name, sizeof(p->name), "%.*s-%.4s%.2s%.2s", (int)stem, p->old, p->today, p->today + 5, p->today + 8);
	return EXIT_OK;
}

/* A sentence between the line feeds around it, wrapped below its number. */
static void __attribute__((format(printf, 1, 2))) step(const char *fmt, ...)
{
	char line[RECEIVER_PATH_MAX + 1600], *text = line;
	int empty_line;
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (; *text == '\n'; text++)
		putchar('\n');
	n = strcspn(text, "\n");
	empty_line = text[n] == '\n' && text[n + 1] == '\n';
	text[n] = '\0';
	out_wrapped(text, 0, 3);
	fputs(empty_line ? "\n\n" : "\n", stdout);
}

static void steps_of_sender(const struct place *p)
{
	step(_("\n1. Carry %s/%s.pub to the receiving host, compare the fingerprint, and put it beside receiver.conf.\n"), p->dir, p->name);
	step(_("   In receiver.conf pin it beside the old one, and restart the receiver:\n\n"));
	printf("     [peer %s]\n     key = %s.pub\n\n", p->name, p->name);
	step(_("   The old [peer] stays: what is still repeated was signed by its key.\n"));
	step(_("2. In sender.conf write `keys = %s/%s.key', and restart the sender.  It begins a new generation.\n"), p->dir, p->name);
	step(_("3. When the sender's retention has passed since then, remove the old [peer] (or set its valid_until), and destroy %s/%s.key.\n"),
	    p->dir, p->old);
}

static void steps_of_receiver(const struct place *p)
{
	step(_("\n1. In receiver.conf write `keys = %s/%s.key', and keep the old key to open what was sealed to it:\n\n"), p->dir, p->name);
	printf("     [retired %s]\n     key = %s/%s.key\n     since = %s\n\n", p->old, p->dir, p->old, p->today);
	step(_("   Restart the receiver.  Senders that still seal to the old key are understood.\n"));
	step(_("2. Carry %s/%s.pub to each sending host, compare the fingerprint, and put it beside sender.conf.\n"), p->dir, p->name);
	step(_("   In sender.conf write `receiver = %s.pub', and restart the sender.\n"), p->name);
	step(_("3. Put the day of that after `since'.  `katamichi key retired -c receiver.conf' says from which day the old key may go.\n"));
}

static void say(const struct place *p, const struct party *party)
{
	json_t *o;

	if (out_mode() == OUT_JSON) {
		o = fingerprint_made_json(party, p->dir, p->name);
		json_object_set_new(o, "replaces", json_sprintf("%s/%s.key", p->dir, p->old));
		out_json_free(o);
		return;
	}
	fingerprint_made(party, p->dir, p->name);
	if (party->role == PARTY_SENDER)
		steps_of_sender(p);
	else
		steps_of_receiver(p);
}

static int make(const struct place *p, enum party_role role)
{
	struct party_secret *s = crypto_secret_alloc(sizeof(*s));
	int code;

	if (s == NULL) {
		log_error("there is not enough memory for a secret key");
		return EXIT_SYSTEM;
	}
	party_generate(s, role);
	if ((code = keyfile_write(s, p->dir, p->name)) == EXIT_OK)
		say(p, &s->pub);
	crypto_secret_free(s);
	return code;
}

static int run(const struct cmd_line *l)
{
	static struct sender_conf sender;
	static struct receiver_conf receiver;
	static struct place p;
	const char *conf = cmd_value(l, "config");
	int kind = conf_kind(conf), code;

	if (kind < 0)
		return -kind;
	if (kind == CONF_KIND_SENDER)
		code = sender_conf_read(&sender, conf, -1);
	else
		code = receiver_conf_read(&receiver, conf, -1);
	if (code != EXIT_OK || (code = take_apart(&p, kind == CONF_KIND_SENDER ? sender.keys : receiver.keys)) != EXIT_OK)
		return code;
	return make(&p, kind == CONF_KIND_SENDER ? PARTY_SENDER : PARTY_RECEIVER);
}

const struct cmd cmd_key_rotate = {
	.name = "key rotate",
	.text = N_("make a new key of this end, and say how the old one is replaced"),
	.usage = N_("-c sender.conf|receiver.conf [--json]"),
	.help = N_("The new key is made beside the old one; nothing is changed or overwritten.  What has to be done at both\n"
	    "ends is printed, step by step: for a while both keys are valid, so that nothing is lost.\n"),
	.exits = N_("0 made, 2 usage, 3 configuration, 4 keys, 5 the key cannot be written"),
	.options = { CMD_CONFIG, CMD_JSON },
	.run = run,
};
