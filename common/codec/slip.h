/* slip.h - the resend slip (PROTOCOL.md, section 11): a short code that a person carries from the receiver to the
 * sender, on paper or by telephone, since nothing else goes that way.  Pure: no I/O, no clock.
 *
 * It names one stream (sender, receiver, generation, channel; by 25 bits of a hash, which the sender compares with
 * those of its own streams), the day it was made, and ranges of numbers.  Six check symbols find every error of up to
 * four characters, so every wrong one and every two neighbours swapped.  They are no signature: what a slip can do is to have
 * something sent again that was sent before. */
#ifndef KM_SLIP_H
#define KM_SLIP_H

#include <stddef.h>
#include <stdint.h>

#include "codec/crypto.h"

enum {
	SLIP_SYMBOLS_MAX = 89,     /* what the check symbols are proven for, themselves included */
	SLIP_RANGES_MAX = 37,      /* two symbols each, at least */
	SLIP_TEXT_MAX = SLIP_SYMBOLS_MAX + SLIP_SYMBOLS_MAX / 4 + 1, /* hyphens between groups of four, NUL */
	SLIP_REF_BITS = 25,
	SLIP_DAY_MAX = (1 << 15) - 1,
};
#define SLIP_NUMBER_MAX ((UINT64_C(1) << 62) - 1)
#define SLIP_EPOCH_S 1767225600u /* day 0: 2026-01-01 */

struct slip_range {
	uint64_t first, last;
};

struct slip {
	uint32_t ref;              /* of the stream: slip_ref() */
	uint32_t day;              /* since SLIP_EPOCH_S; 0 to SLIP_DAY_MAX */
	unsigned ranges;           /* 1 or more, in order, at least one number between two */
	struct slip_range range[SLIP_RANGES_MAX];
};

uint32_t slip_ref(const uint8_t sender[static HASH_LEN], const uint8_t receiver[static HASH_LEN],
    const uint8_t generation[static 16], const char *channel);
/* Days of a moment, kept within what a slip can say. */
uint32_t slip_day(uint64_t wall_s);
/* Append a range: behind the others, not touching the last.  -1: it does not fit any more (or is none); *s is as before. */
int slip_add(struct slip *s, uint64_t first, uint64_t last) __attribute__((warn_unused_result));
/* Capitals in groups of four, joined by hyphens.  *s has been made by slip_add() or slip_read(). */
void slip_write(char out[static SLIP_TEXT_MAX], const struct slip *s);

/* "2, 5-7", for people.  Returns out. */
enum { SLIP_NUMBERS_MAX = SLIP_RANGES_MAX * (19 + 1 + 19 + 2) + 1 };
const char *slip_numbers(char out[static SLIP_NUMBERS_MAX], const struct slip *s);
uint64_t slip_count(const struct slip *s); /* how many numbers; not above UINT64_MAX, since all ranges are apart */

enum slip_err {
	SLIP_OK = 0,
	SLIP_ECHAR = -1,    /* a character that no slip has; *at is its place in text */
	SLIP_ELENGTH = -2,  /* too short or too long */
	SLIP_ECHECK = -3,   /* mistyped somewhere */
	SLIP_EVERSION = -4, /* of another version of this program */
	SLIP_EFORM = -5,    /* the check holds, but what it says makes no sense */
};
/* Read what a person typed: small or capital letters, O for 0, I and L for 1, blanks and hyphens anywhere.
 * On error *s is untouched.  at may be NULL. */
enum slip_err slip_read(struct slip *s, const char *text, size_t *at) __attribute__((warn_unused_result));
const char *slip_strerror(enum slip_err e); /* a sentence part */

#endif
