/* content.h - is a file what its channel may carry?  Run by the check process
 * of both sides, which has no path, no key and no network.
 *
 * A file is fed in pieces of any size, in order, and never kept: every check
 * is an automaton with bounded memory (zip: 24 bytes and a name's hash for each
 * entry; everything else a few KB beside the parser's), so the zone checks a
 * stream as it is unsealed and the sender an open file, by the same code.
 *
 * What is checked follows from the channel's policy and the file's name:
 *   - the extension must be one of the policy's types (letter case aside);
 *   - the bytes must be of that type: xml.h, csv.h, zip.h, pdf.h, jpeg.h, png.h;
 *   - no file may begin like a program (magic.h), unless the policy says so.
 * Bytes are never changed, and nothing is claimed to be disarmed: a PDF that
 * has the structure of one may still hold a script.
 *
 * Policies that ship: `eltax` (xml csv pdf), `pittari` (zip xml csv pdf jpeg
 * png), `update` (anything, programs too: signed updates are programs), `any`
 * (anything but programs).  A channel takes the one of its own name, otherwise
 * `any`; content = NAME, types = ..., csv = ... in its section say otherwise. */
#ifndef KM_CONTENT_H
#define KM_CONTENT_H

#include <stddef.h>
#include <stdint.h>

enum content_check { /* bits: types of a policy, and the checks that were made */
	CONTENT_XML = 1u << 0,
	CONTENT_CSV = 1u << 1,
	CONTENT_ZIP = 1u << 2,
	CONTENT_PDF = 1u << 3,
	CONTENT_JPEG = 1u << 4,
	CONTENT_PNG = 1u << 5,
	CONTENT_TYPES = (1u << 6) - 1,
	CONTENT_TYPE = 1u << 6,    /* the extension is one of the policy's */
	CONTENT_PROGRAM = 1u << 7, /* it does not begin like a program */
	CONTENT_CHECKS = 8,
};
enum content_encoding { CONTENT_UTF8 = 1u << 0, CONTENT_CP932 = 1u << 1 };

struct content_policy {
	uint32_t types;     /* CONTENT_XML...; 0: any */
	uint32_t csv;       /* encodings, CONTENT_UTF8... */
	uint32_t programs;  /* 1: may pass */
};
/* The one that a channel of this name has before it says otherwise. */
void content_policy_of_channel(struct content_policy *p, const char *channel);
/* The values of the keys content, types, csv.  0, or -1 with *why a static sentence part. */
int content_policy_named(struct content_policy *p, const char *value, const char **why) __attribute__((warn_unused_result));
int content_policy_types(struct content_policy *p, const char *value, const char **why) __attribute__((warn_unused_result));
int content_policy_csv(struct content_policy *p, const char *value, const char **why) __attribute__((warn_unused_result));
/* How many bytes from the beginning of a file of n bytes may be looked at under this policy, whatever it is called. */
size_t content_policy_looks_at(const struct content_policy *p, size_t n);
/* The names of the checks in `made`, for manifest and ledger, together with others that the
 * caller made: sorted.  Returns how many (at most max). */
unsigned content_check_names(uint32_t made, const char *const *others, unsigned n, const char **out, unsigned max);

enum { CONTENT_WHY_MAX = 160 };

struct content; /* one file at a time; about 100 KB, used again for the next */
struct content *content_new(void); /* NULL: no memory */
void content_free(struct content *c);
/* name: any bytes.  The policy must live until content_end(). */
void content_begin(struct content *c, const struct content_policy *p, const uint8_t *name, size_t n);
/* Whether a file is looked at beyond its first MAGIC_LEN bytes (after begin). */
int content_needs_all(const struct content *c);
/* Nothing that still comes of this file would be looked at: content_bytes() need not be called any more. */
int content_has_seen(const struct content *c);
/* 0, or -1: refused, and stays so until the next begin. */
int content_bytes(struct content *c, const uint8_t *data, size_t n) __attribute__((warn_unused_result));
int content_end(struct content *c) __attribute__((warn_unused_result));
const char *content_why(const struct content *c); /* after -1: a sentence part, ASCII and the file's own entry names made safe */
uint32_t content_made(const struct content *c);   /* after content_end(): the bits of the checks made, one of which refused it if that gave -1 */

#endif
