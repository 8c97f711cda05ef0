/* chain.c - the hash chain of the ledger (chain.h; PROTOCOL.md, section 9.1). */
#include "codec/chain.h"

#include <stdlib.h>

#include "codec/crypto.h"
#include "codec/hex.h"

const char chain_first[CHAIN_HEX_LEN + 1] = "0000000000000000000000000000000000000000000000000000000000000000";

void chain_next(char out[static CHAIN_HEX_LEN + 1], const char prev[static CHAIN_HEX_LEN], const char *entry, size_t n)
{
	struct crypto_hasher *h = crypto_hasher_new();
	uint8_t hash[HASH_LEN];

	if (h == NULL)
		abort(); /* a few hundred bytes: nothing else would work either */
	crypto_hasher_add(h, prev, CHAIN_HEX_LEN);
	crypto_hasher_add(h, "\n", 1);
	crypto_hasher_add(h, entry, n);
	crypto_hasher_add(h, "\n", 1);
	crypto_hasher_end(h, hash);
	crypto_hasher_free(h);
	hex_put(out, hash, HASH_LEN);
}
