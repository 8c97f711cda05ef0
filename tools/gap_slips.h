/* gap_slips.h - resend slips for what the receiver lacks and its sender keeps (PROTOCOL.md, section 11). */
#ifndef KM_GAP_SLIPS_H
#define KM_GAP_SLIPS_H

#include "receiver/receiver_conf.h"
#include "tools/out_file.h"

struct gap_slips_how {
	const char *channel;  /* only of this one; NULL: all */
	const char *png;      /* file to write the QR code to (NAME-2.png for the second); NULL: none */
	const char *page;     /* HTML file; NULL: none */
	const struct out_own *own; /* what neither may be */
	int json;
};
/* Make them, record them in the ledger's database, print them.  Exit code: EXIT_OK if there was anything to ask for,
 * EXIT_NO if not. */
int gap_slips(const struct receiver_conf *c, const struct gap_slips_how *how);

#endif
