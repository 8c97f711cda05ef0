/* name.h - which names of channels and files are carried (PROTOCOL.md, sections 2.4, 2.5).
 * Freestanding and pure.  Names are bytes: never normalised, never transcoded. */
#ifndef KM_NAME_H
#define KM_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NAME_MAX_LEN = 255, NAME_CHANNEL_MAX = 32, NAME_TYPE_MAX = 8 };

enum name_err {
	NAME_OK = 0,
	NAME_EEMPTY = -1,   /* no bytes */
	NAME_ELONG = -2,    /* over 255 bytes */
	NAME_EHIDDEN = -3,  /* begins with a dot (so also "." and "..") */
	NAME_ESLASH = -4,   /* has '/', or '\' as a character of its own */
	NAME_ECONTROL = -5, /* control character or NUL */
	NAME_EBIDI = -6,    /* bidirectional control, line separator or byte order mark */
	NAME_ECODING = -7,  /* neither UTF-8 nor CP932 */
};

enum name_err name_check(const uint8_t *name, size_t n) __attribute__((warn_unused_result));
bool name_is_utf8(const uint8_t *name, size_t n); /* valid UTF-8, whatever the characters */
bool name_channel_ok(const char *s, size_t n);
/* The manifest's `type` of section 7.4, NUL-terminated; empty if none. */
void name_type(char out[NAME_TYPE_MAX + 1], const uint8_t *name, size_t n);
/* Order of names in a transfer: by bytes, a prefix first.  <0, 0, >0. */
int name_order(const uint8_t *a, size_t an, const uint8_t *b, size_t bn);
const char *name_strerror(enum name_err e); /* a sentence part: "the name has a control character" */

#endif
