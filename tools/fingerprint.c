/* fingerprint.c - see fingerprint.h */
#include "tools/fingerprint.h"

#include <stdio.h>

#include "codec/hex.h"

void fingerprint_print(const char *label, const uint8_t fingerprint[static HASH_LEN])
{
	char hex[2 * HASH_LEN + 1];

	hex_put(hex, fingerprint, HASH_LEN);
	fputs(label, stdout);
	for (unsigned i = 0; i < 2 * HASH_LEN; i += 4)
		printf(" %.4s", hex + i);
	putchar('\n');
}
