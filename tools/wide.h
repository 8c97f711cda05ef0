/* wide.h - text in columns: a full-width character takes two, a combining one none.
 * Text is UTF-8; what cannot be printed counts as one column a byte. */
#ifndef KM_WIDE_H
#define KM_WIDE_H

#include <stddef.h>
#include <stdio.h>

/* Columns that s takes. */
unsigned wide_width(const char *s);
/* How many bytes of s fit into `columns`, and at most one line of it.  words: break after a blank, or between
 * characters that are full-width, where that is possible; else anywhere.  Never 0 for a text that is not empty. */
size_t wide_fit(const char *s, unsigned columns, int words);

/* s in a column of that width, filled up with blanks behind it, or before it. */
void wide_pad(FILE *out, const char *s, unsigned columns, int to_the_right);

#endif
