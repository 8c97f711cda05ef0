/* pdf.c - see pdf.h. */
#include "content/pdf.h"

#include <string.h>

void pdf_begin(struct pdf *f)
{
	f->head_have = 0;
	f->tail_have = 0;
}

static int head_ok(const struct pdf *f)
{
	return f->head_have == PDF_HEAD && (memcmp(f->head, "%PDF-1.", PDF_HEAD) == 0 || memcmp(f->head, "%PDF-2.", PDF_HEAD) == 0);
}

int pdf_bytes(struct pdf *f, const uint8_t *p, size_t n, struct content_why *why)
{
	size_t part = PDF_HEAD - f->head_have < n ? PDF_HEAD - f->head_have : n, keep;

	if (part > 0) {
		memcpy(f->head + f->head_have, p, part);
		f->head_have += part;
		if (f->head_have == PDF_HEAD && !head_ok(f))
			return content_say(why, "it does not begin like a PDF");
	}
	if (n >= PDF_TAIL) {
		memcpy(f->tail, p + n - PDF_TAIL, PDF_TAIL);
		f->tail_have = PDF_TAIL;
		return 0;
	}
	keep = f->tail_have < PDF_TAIL - n ? f->tail_have : PDF_TAIL - n;
	memmove(f->tail, f->tail + f->tail_have - keep, keep);
	memcpy(f->tail + keep, p, n);
	f->tail_have = keep + n;
	return 0;
}

static int is_space(uint8_t b)
{
	return b == ' ' || b == '\t' || b == '\r' || b == '\n' || b == '\f' || b == 0;
}

int pdf_end(struct pdf *f, struct content_why *why)
{
	static const char mark[] = "%%EOF", start[] = "startxref";
	size_t n = f->tail_have, digits = 0;

	if (!head_ok(f))
		return content_say(why, "it does not begin like a PDF");
	while (n > 0 && is_space(f->tail[n - 1]))
		n--;
	if (n < sizeof(mark) - 1 || memcmp(f->tail + n - (sizeof(mark) - 1), mark, sizeof(mark) - 1) != 0)
		return content_say(why, "it does not end like a PDF: cut short, or something stands behind its end");
	n -= sizeof(mark) - 1;
	while (n > 0 && is_space(f->tail[n - 1]))
		n--;
	for (; n > 0 && f->tail[n - 1] >= '0' && f->tail[n - 1] <= '9'; digits++)
		n--;
	while (n > 0 && is_space(f->tail[n - 1]))
		n--;
	if (digits == 0 || n < sizeof(start) - 1 || memcmp(f->tail + n - (sizeof(start) - 1), start, sizeof(start) - 1) != 0)
		return content_say(why, "it has no startxref at its end, as a PDF has");
	return 0;
}
