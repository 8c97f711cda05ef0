/* fingerprint.c - see fingerprint.h */
#include "tools/fingerprint.h"

#include <stdio.h>

#include "codec/hex.h"
#include "host/i18n.h"
#include "tools/wide.h"
#include "tools/words.h"

void fingerprint_label(const char *label)
{
	wide_pad(stdout, label, 13, 0);
}

void fingerprint_print(const char *label, const uint8_t fingerprint[static HASH_LEN])
{
	char hex[2 * HASH_LEN + 1];

	hex_put(hex, fingerprint, HASH_LEN);
	fingerprint_label(label);
	for (unsigned i = 0; i < 2 * HASH_LEN; i += 4)
		printf("%s%.4s", i > 0 ? " " : "", hex + i);
	putchar('\n');
}

static void words_print(const char *label, const char *const list[256], const uint8_t fingerprint[static HASH_LEN])
{
	fingerprint_label(label);
	for (unsigned i = 0; i < WORDS_BYTES; i++)
		printf("%s%s", i > 0 ? " " : "", list[fingerprint[i]]);
	putchar('\n');
}

void fingerprint_print_words(const uint8_t fingerprint[static HASH_LEN])
{
	words_print(_("words"), words_ja, fingerprint);
	words_print(_("in English"), words_en, fingerprint);
}
