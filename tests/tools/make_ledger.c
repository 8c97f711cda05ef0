/* make_ledger - a receiver's ledger of many deliveries with a chain that holds, to measure what reads it.
 *
 *   make_ledger FILE.db ROWS FIRST_DAY DAYS
 *
 * ROWS deliveries of two channels, spread over DAYS days from FIRST_DAY (YYYY-MM-DD, UTC).  Of each thousand one is
 * quarantined, one in two thousand refused, and every ten thousandth number is missing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "codec/crypto.h"
#include "codec/hex.h"
#include "host/clock.h"
#include "receiver/ledger.h"

enum { BATCH = 20000 };

static const char sender[] = "5e9de75e9de75e9de75e9de75e9de75e9de75e9de75e9de75e9de75e9de75e9d";
static const char generation[] = "00112233445566778899aabbccddeeff";

static void one(struct ledger *l, long i, const char *at)
{
	const char *channel = i % 3 != 0 ? "eltax" : "pittari";
	char entry[1024], manifest[2 * HASH_LEN + 1];
	uint8_t hash[HASH_LEN];
	long number = i / 3 + 1;
	int n;

	crypto_sha256(hash, &i, sizeof(i));
	hex_put(manifest, hash, HASH_LEN);
	if (i % 2000 == 1000) {
		n = snprintf(entry, sizeof(entry), "{\"at\":\"%s\",\"channel\":\"%s\",\"event\":\"refused\",\"object\":\"%.32s\","
		    "\"reason\":\"larger than max_transfer of its channel\",\"sender\":\"%s\"}", at, channel, manifest, sender);
	} else {
		const char *reason = i % 1000 == 500 ? ",\"reason\":\"=cmd|' /C calc'!A0 is not well-formed\"" : "";
		n = snprintf(entry, sizeof(entry), "{\"at\":\"%s\",\"bytes\":%ld,\"channel\":\"%s\",\"checks\":[\"sha256\",\"xml\"],"
		    "\"dir\":\"%s/%08ld\",\"event\":\"%s\",\"files\":%ld,\"generation\":\"%s\",\"manifest\":\"%s\",\"number\":%ld,"
		    "\"object\":\"%.32s\"%s,\"sender\":\"%s\"}", at, 1000 + i % 100000, channel, channel, number,
		    reason[0] != '\0' ? "quarantined" : "delivered", 1 + i % 7, generation, manifest, number, manifest, reason, sender);
	}
	ledger_append(l, entry, (size_t)n);
	if (i % 10000 == 9999)
		db_run(&l->db, "INSERT INTO gap(sender, channel, generation, first, last, since) VALUES(?, ?, ?, ?, ?, ?)", "tttiii",
		    sender, channel, generation, (int64_t)(10000000 + i), (int64_t)(10000000 + i + 2), (int64_t)1700000000);
}

int main(int argc, char **argv)
{
	struct ledger l;
	struct tm day = { 0 };
	long rows, days;

	if (argc != 5 || (rows = atol(argv[2])) < 1 || strptime(argv[3], "%Y-%m-%d", &day) == NULL || (days = atol(argv[4])) < 1 ||
	    crypto_init() != 0) {
		fputs("usage: make_ledger FILE.db ROWS FIRST_DAY DAYS\n", stderr);
		return 2;
	}
	ledger_open(&l, argv[1]);
	db_exec(&l.db, "PRAGMA synchronous=OFF");
	for (long i = 0; i < rows; i++) {
		char at[21];
		if (i % BATCH == 0)
			db_exec(&l.db, "BEGIN");
		clock_iso(at, (uint64_t)timegm(&day) + (uint64_t)((double)i / (double)rows * (double)days * 86400));
		one(&l, i, at);
		if (i % BATCH == BATCH - 1 || i == rows - 1)
			db_exec(&l.db, "COMMIT");
	}
	ledger_close(&l);
	return 0;
}
