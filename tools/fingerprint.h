/* fingerprint.h - fingerprints for people: digits in groups of four (PROTOCOL.md, section 2.2), and words. */
#ifndef KM_FINGERPRINT_H
#define KM_FINGERPRINT_H

#include "codec/crypto.h"

/* The label of a line, filled up to where all such lines go on. */
void fingerprint_label(const char *label);
/* A line: label, the groups. */
void fingerprint_print(const char *label, const uint8_t fingerprint[static HASH_LEN]);
/* Two lines: the words of tools/words.h in Japanese and in English, for the telephone. */
void fingerprint_print_words(const uint8_t fingerprint[static HASH_LEN]);

#endif
