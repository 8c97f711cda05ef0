/* fingerprint.c - see fingerprint.h */
#include "tools/fingerprint.h"

#include <stdio.h>
#include <string.h>

#include "codec/hex.h"
#include "host/i18n.h"
#include "tools/out.h"
#include "tools/wide.h"
#include "tools/words.h"

enum { LABEL = 13 /* columns */ };

void fingerprint_label(const char *label)
{
	wide_pad(stdout, label, LABEL, 0);
}

void fingerprint_print(const char *label, const uint8_t fingerprint[static HASH_LEN])
{
	char hex[2 * HASH_LEN + 1];
	unsigned where = LABEL;

	hex_put(hex, fingerprint, HASH_LEN);
	fingerprint_label(label);
	for (unsigned i = 0; i < 2 * HASH_LEN; i += 4) {
		char four[5];
		snprintf(four, sizeof(four), "%.4s", hex + i);
		out_item(four, &where, LABEL);
	}
	putchar('\n');
}

static json_t *words_json(const char *const list[256], const uint8_t fingerprint[static HASH_LEN])
{
	char text[WORDS_BYTES * 32] = "";

	for (unsigned i = 0; i < WORDS_BYTES; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i > 0 ? " " : "", list[fingerprint[i]]);
	return json_string(text);
}

json_t *fingerprint_json(const struct party *p)
{
	char fingerprint[2 * HASH_LEN + 1], id[2 * KEY_ID_LEN + 1];

	hex_put(fingerprint, p->fingerprint, HASH_LEN);
	hex_put(id, p->id, KEY_ID_LEN);
	return json_pack("{s:s, s:s, s:s, s:{s:o, s:o}}", "role", p->role == PARTY_SENDER ? "sender" : "receiver", "fingerprint", fingerprint,
	    "id", id, "words", "ja", words_json(words_ja, p->fingerprint), "en", words_json(words_en, p->fingerprint));
}

void fingerprint_made(const struct party *p, const char *dir, const char *name)
{
	fingerprint_label(_("secret key"));
	printf(_("%s/%s.key (stays here)\n"), dir, name);
	fingerprint_label(_("public key"));
	printf(_("%s/%s.pub (for the other side)\n"), dir, name);
	fingerprint_print(_("fingerprint"), p->fingerprint);
	fingerprint_print_words(p->fingerprint);
}

json_t *fingerprint_made_json(const struct party *p, const char *dir, const char *name)
{
	json_t *o = fingerprint_json(p);

	json_object_set_new(o, "secret", json_sprintf("%s/%s.key", dir, name));
	json_object_set_new(o, "public", json_sprintf("%s/%s.pub", dir, name));
	return o;
}

static void words_print(const char *label, const char *const list[256], const uint8_t fingerprint[static HASH_LEN])
{
	unsigned where = LABEL;

	fingerprint_label(label);
	for (unsigned i = 0; i < WORDS_BYTES; i++)
		out_item(list[fingerprint[i]], &where, LABEL);
	putchar('\n');
}

void fingerprint_print_words(const uint8_t fingerprint[static HASH_LEN])
{
	words_print(_("words"), words_ja, fingerprint);
	words_print(_("in English"), words_en, fingerprint);
}
