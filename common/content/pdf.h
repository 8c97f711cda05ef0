/* pdf.h - has a file the outer structure of a PDF?  Header "%PDF-1." or
 * "%PDF-2." at its first byte, and within its last 1024 bytes "startxref", a
 * number and "%%EOF", behind which only line ends and blanks stand.  What is
 * inside (scripts, attachments) is not looked at. */
#ifndef KM_PDF_H
#define KM_PDF_H

#include "content/why.h"

enum { PDF_HEAD = 7, PDF_TAIL = 1024 };

struct pdf {
	uint8_t head[PDF_HEAD];
	uint8_t tail[PDF_TAIL]; /* the last bytes so far */
	size_t head_have, tail_have;
};

void pdf_begin(struct pdf *f);
int pdf_bytes(struct pdf *f, const uint8_t *p, size_t n, struct content_why *why) __attribute__((warn_unused_result));
int pdf_end(struct pdf *f, struct content_why *why) __attribute__((warn_unused_result));

#endif
