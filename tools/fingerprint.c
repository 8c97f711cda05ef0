/* fingerprint.c - see fingerprint.h */
#include "tools/fingerprint.h"

#include <stdio.h>

#include "codec/hex.h"
#include "tools/words.h"

void fingerprint_print(const char *label, const uint8_t fingerprint[static HASH_LEN])
{
	char hex[2 * HASH_LEN + 1];

	hex_put(hex, fingerprint, HASH_LEN);
	fputs(label, stdout);
	for (unsigned i = 0; i < 2 * HASH_LEN; i += 4)
		printf(" %.4s", hex + i);
	putchar('\n');
}

static void words_print(const char *label, const char *const list[256], const uint8_t fingerprint[static HASH_LEN])
{
	fputs(label, stdout);
	for (unsigned i = 0; i < WORDS_BYTES; i++)
		printf(" %s", list[fingerprint[i]]);
	putchar('\n');
}

void fingerprint_print_words(const uint8_t fingerprint[static HASH_LEN])
{
	words_print("words       ", words_ja, fingerprint);
	words_print("in English  ", words_en, fingerprint);
}
