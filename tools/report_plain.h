/* report_plain.h - the rows that a long ledger is made of, read without a tree (report.h).
 *
 * A delivery's entry is one object of short keys with texts, whole numbers and lists of texts, written without blanks and,
 * but for odd names, in ASCII without escapes.  Such a one is read in place here, at a quarter of the cost of a JSON
 * library's tree; whatever is not exactly of this shape is left to the library, so nothing is told in another way. */
#ifndef KM_REPORT_PLAIN_H
#define KM_REPORT_PLAIN_H

#include <stddef.h>

#include "tools/report.h"

enum { REPORT_PLAIN_MAX = 2048, REPORT_PLAIN_FIELDS = 32 };

struct report_plain {
	char text[REPORT_PLAIN_MAX]; /* the entry, with a NUL behind each key and text */
	struct report_plain_field {
		const char *key;
		const char *text;    /* NULL: a number, or a list, whose value nobody asks for */
		int64_t number;      /* 0 where it is none */
	} field[REPORT_PLAIN_FIELDS];
	unsigned fields;
};

/* Is entry[0..n-1] a delivery of this shape?  Then *row is as the library would give it, but for seq, and json, which is
 * NULL; its texts lie in p, but for entry. */
int report_plain_read(struct report_plain *p, struct report_row *row, const char *entry, size_t n) __attribute__((warn_unused_result));

#endif
