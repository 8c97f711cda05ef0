/* slip_print.h - a resend slip for people: as text with a QR code, as a PNG, as a page to print. */
#ifndef KM_SLIP_PRINT_H
#define KM_SLIP_PRINT_H

#include <stdio.h>

#include "codec/slip.h"
#include "core/name.h"

struct slip_sheet { /* one slip, and what stands around its code */
	struct slip slip;
	char code[SLIP_TEXT_MAX];
	char channel[NAME_CHANNEL_MAX + 1];
	const char *peer;            /* the sender's name in receiver.conf */
	char sender[2 * HASH_LEN + 1], receiver[2 * HASH_LEN + 1]; /* fingerprints */
	char generation[2 * 16 + 1];
	char at[21];                 /* when it was made */
};

/* 0, or -1 after a logged line. */
int slip_print_text(FILE *out, const struct slip_sheet *s, int colours) __attribute__((warn_unused_result));
int slip_print_png(FILE *out, const struct slip_sheet *s) __attribute__((warn_unused_result));
/* One HTML file, a sheet each; needs nothing from elsewhere. */
int slip_print_page(FILE *out, const struct slip_sheet *s, unsigned n) __attribute__((warn_unused_result));

#endif
