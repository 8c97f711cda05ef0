/* closing.h - the text of a closing (PROTOCOL.md, section 12): what the sender has numbered, by channel, number after
 * number, with the hash of each manifest and the id of each object.  Pure.
 *
 * It is one file of a transfer of the reserved channel, so the manifest of that transfer signs it. */
#ifndef KM_CLOSING_H
#define KM_CLOSING_H

#include <stddef.h>
#include <stdint.h>

#include "codec/crypto.h"
#include "core/name.h"

#define CLOSING_CHANNEL "katamichi" /* the reserved channel */

enum {
	CLOSING_ENTRIES_MAX = 32768,   /* of one file; what is left goes into the next */
	CLOSING_CHANNELS_MAX = 256,    /* sections: channels, and generations of them */
	CLOSING_GONE_MAX = 4096,       /* ranges; what is over that is not said */
	CLOSING_TEXT_MAX = 8 << 20,    /* bytes: CLOSING_ENTRIES_MAX lines of 118, and as much again */
	CLOSING_LINE_MAX = 192,
};

enum closing_kind {
	CLOSING_LISTED, /* now and then, so that the receiver knows which object has which number */
	CLOSING_DAILY,
	CLOSING_ASKED,  /* katamichi close */
	CLOSING_KINDS
};
const char *closing_kind_name(enum closing_kind k); /* "listed", "daily", "asked" */

struct closing_head {
	enum closing_kind kind;
	uint8_t sender[HASH_LEN], receiver[HASH_LEN]; /* fingerprints */
	char at[21];                    /* "2026-11-21T15:00:00Z", the sender's clock */
};
struct closing_channel {
	char channel[NAME_CHANNEL_MAX + 1];
	uint8_t generation[16];
	uint64_t first, last;           /* listed below: first to last; none if last is first - 1 */
	uint64_t newest;                /* number at that time; not below last */
};
struct closing_entry {
	uint64_t number;
	uint8_t manifest[HASH_LEN];
	uint8_t object[16];
};
struct closing_gone { /* numbers that the sender does not keep any more, though it keeps older ones */
	uint64_t first, last;
};

/* Lines, newline included, into out[CLOSING_LINE_MAX]; the length.  A head is two lines and a bit: CLOSING_HEAD_MAX. */
enum { CLOSING_HEAD_MAX = 256 };
size_t closing_put_head(char out[static CLOSING_HEAD_MAX], const struct closing_head *h);
size_t closing_put_channel(char out[static CLOSING_LINE_MAX], const struct closing_channel *c);
size_t closing_put_entry(char out[static CLOSING_LINE_MAX], const struct closing_entry *e);
size_t closing_put_gone(char out[static CLOSING_LINE_MAX], const struct closing_gone *g);
size_t closing_put_end(char out[static CLOSING_LINE_MAX]);

struct closing { /* a reader */
	struct closing_head head;
	struct closing_channel channel; /* of the last CLOSING_SECTION */
	struct closing_entry entry;     /* of the last CLOSING_ENTRY */
	struct closing_gone range;      /* of the last CLOSING_GONE */
	const char *at, *end;
	uint64_t next;                  /* number that the next entry has to have */
	unsigned sections, entries, ranges;
};
enum closing_got { CLOSING_SECTION = 1, CLOSING_ENTRY, CLOSING_GONE, CLOSING_END, CLOSING_BAD };

/* Begin with its head; text has to outlive *c.  -1: it is none. */
int closing_open(struct closing *c, const char *text, size_t n) __attribute__((warn_unused_result));
enum closing_got closing_next(struct closing *c);
/* Is all of it as it should be?  Read it through before anything is believed. */
int closing_check(const char *text, size_t n) __attribute__((warn_unused_result)); /* 0 or -1 */

#endif
