/* fingerprint.h - fingerprints for people: digits in groups of four (PROTOCOL.md, section 2.2), and words. */
#ifndef KM_FINGERPRINT_H
#define KM_FINGERPRINT_H

#include <jansson.h>

#include "codec/party.h"

/* The label of a line, filled up to where all such lines go on. */
void fingerprint_label(const char *label);
/* A line: label, the groups. */
void fingerprint_print(const char *label, const uint8_t fingerprint[static HASH_LEN]);
/* The facts of a party, for JSON: role, fingerprint, id, words {ja, en}. */
json_t *fingerprint_json(const struct party *p);
/* A pair of keys that was just made, DIR/NAME.key and its like: where both halves are, and the fingerprint. */
void fingerprint_made(const struct party *p, const char *dir, const char *name);
json_t *fingerprint_made_json(const struct party *p, const char *dir, const char *name);
/* Two lines: the words of tools/words.h in Japanese and in English, for the telephone. */
void fingerprint_print_words(const uint8_t fingerprint[static HASH_LEN]);

#endif
