/* csv.h - is this a CSV file that every reader reads alike?
 *
 * RFC 4180, and what it leaves open decided: all rows have as many columns as
 * the first; lines end in CR LF or LF; a field that begins with a quotation
 * mark ends with one; no quotation mark inside a field that does not; no NUL
 * and no other control character outside quotation marks but TAB (0x1A as
 * the last byte, as old systems write it, may stand).  Empty lines only at the
 * end.  No "sep=" at its beginning, by which Excel takes another separator.  The
 * encoding is one of those the channel declares; behind a byte order mark, UTF-8.  An empty file
 * passes: a report that there was nothing is one. */
#ifndef KM_CSV_H
#define KM_CSV_H

#include "content/text.h"
#include "content/why.h"

struct csv {
	struct text text;
	uint64_t row;      /* of the present one, from 1 */
	uint64_t columns;  /* of the first row; 0: not known yet */
	uint64_t fields;   /* of the present row, finished ones */
	uint64_t blank;    /* empty lines that nothing has followed yet */
	uint8_t state;
	uint8_t bom;       /* bytes of a byte order mark seen */
	uint8_t row_used;  /* the present row has a byte */
	uint8_t ended;     /* by 0x1A */
	uint8_t head[5], head_have; /* its beginning, letters made small */
};

void csv_begin(struct csv *c, uint32_t encodings);
int csv_bytes(struct csv *c, const uint8_t *p, size_t n, struct content_why *why) __attribute__((warn_unused_result));
int csv_end(struct csv *c, struct content_why *why) __attribute__((warn_unused_result));

#endif
