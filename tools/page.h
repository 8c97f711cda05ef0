/* page.h - a self-contained page for printing: A4, no script, nothing fetched from anywhere. */
#ifndef KM_PAGE_H
#define KM_PAGE_H

#include <stdint.h>
#include <stdio.h>

/* Landscape where there are many columns.  title is escaped here. */
void page_begin(FILE *out, const char *lang, const char *title, int landscape);
void page_end(FILE *out);
/* Text of any kind, so that it stays text. */
void page_text(FILE *out, const char *s);
/* <TAG>text</TAG>; class may be NULL. */
void page_element(FILE *out, const char *tag, const char *class, const char *text);
/* A number with its thousands apart. */
const char *page_number(char out[static 32], int64_t v);

/* Bars beside each other, one for each value, with the first, some, and the last of the labels below; a line a quarter of the
 * largest.  As wide as the page. */
struct page_bar {
	char label[16];
	int64_t value;
};
void page_bars(FILE *out, const char *title, const struct page_bar *bar, unsigned n);

#endif
