/* words.h - a fingerprint that can be read out over the telephone.
 *
 * One word stands for each of the first WORDS_BYTES bytes: 128 bits, which nobody can hit with a key of their own.  Words are
 * taken from everyday life, and any two of a list differ in two letters at least, so that a slip of the tongue is noticed.
 * The lists never change: both ends may have different versions. */
#ifndef KM_WORDS_H
#define KM_WORDS_H

enum { WORDS_BYTES = 16 };

extern const char *const words_ja[256]; /* UTF-8, hiragana */
extern const char *const words_en[256]; /* ASCII */

#endif
