/* page.c - see page.h. */
#include "tools/page.h"

#include <inttypes.h>
#include <string.h>

static const char style[] =
    "body{font:10pt/1.45 \"Noto Sans CJK JP\",\"Noto Sans JP\",\"IPAexGothic\",\"Yu Gothic\",sans-serif;color:#000;background:#fff;"
    "margin:0 auto;max-width:180mm;padding:8mm}\n"
    "h1{font-size:17pt;margin:0 0 1mm}h2{font-size:12pt;margin:7mm 0 2mm;border-bottom:.4mm solid #000;break-after:avoid}\n"
    "p{margin:1mm 0 2mm}.sub{color:#333}\n"
    "table{border-collapse:collapse;width:100%;font-size:8.5pt}thead{display:table-header-group}tr{break-inside:avoid}\n"
    "th,td{border:.2mm solid #777;padding:1mm 1.6mm;text-align:left;vertical-align:top;overflow-wrap:anywhere}\n"
    "th{background:#eee;font-weight:bold}td.n,th.n{text-align:right;white-space:nowrap;overflow-wrap:normal;font-variant-numeric:tabular-nums}\n"
    "td.w{white-space:nowrap;overflow-wrap:normal}tr.sum td{font-weight:bold;border-top:.5mm solid #000}\n"
    ".bad{font-weight:bold;border:.6mm solid #b00;padding:2mm 3mm;break-inside:avoid}.good{border:.3mm solid #070;padding:2mm 3mm;break-inside:avoid}\n"
    "th{overflow-wrap:normal}td.bad{border:.2mm solid #777;color:#b00;padding:1mm 1.6mm}tbody.i{break-inside:avoid}\n"
    "code{font:8pt monospace;overflow-wrap:anywhere}figure{margin:2mm 0 4mm;break-inside:avoid}figcaption{font-size:9pt;font-weight:bold}\n"
    "svg{width:100%;height:auto;display:block}svg text{font:9px sans-serif;fill:#000}\n"
    ".sign{margin-top:10mm;display:flex;gap:6mm;justify-content:flex-end;break-inside:avoid}"
    ".sign div{border:.3mm solid #000;width:26mm;height:26mm;font-size:8pt;text-align:center}\n"
    "@media print{body{padding:0;max-width:none}th{-webkit-print-color-adjust:exact;print-color-adjust:exact}}\n";

void page_text(FILE *out, const char *s)
{
	for (; *s != '\0'; s++)
		if (*s == '<' || *s == '>' || *s == '&' || *s == '"' || *s == '\'')
			fprintf(out, "&#%d;", *s);
		else
			putc(*s, out);
}

void page_element(FILE *out, const char *tag, const char *class, const char *text)
{
	if (class != NULL)
		fprintf(out, "<%s class=\"%s\">", tag, class);
	else
		fprintf(out, "<%s>", tag);
	page_text(out, text);
	fprintf(out, "</%s>\n", tag);
}

void page_begin(FILE *out, const char *lang, const char *title, int landscape)
{
	/* Even if something slipped through page_text(), a browser is told to run and to fetch nothing. */
	fprintf(out, "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>", lang);
	page_text(out, title);
	fprintf(out, "</title><style>\n@page{size:A4%s;margin:14mm}\n%s%s</style></head><body>\n", landscape ? " landscape" : "", style,
	    landscape ? "body{max-width:267mm}\n" : "");
}

void page_end(FILE *out)
{
	fputs("</body></html>\n", out);
}

const char *page_number(char out[static 32], int64_t v)
{
	char digits[24];
	size_t n, at = 0;

	(void)snprintf(digits, sizeof(digits), "%" PRId64, v);
	n = strlen(digits);
	for (size_t i = 0; i < n; i++) {
		out[at++] = digits[i];
		if ((n - i) % 3 == 1 && i + 1 < n && digits[i] != '-')
			out[at++] = ',';
	}
	out[at] = '\0';
	return out;
}

/* --- bars --- */
enum { WIDE = 720, HIGH = 150, LEFT = 70, BELOW = 18, ABOVE = 8, LINES = 4 };

/* The least 1, 2 or 5 times a power of ten that is LINES times itself not below v: lines stand at round numbers. */
static int64_t step_of(int64_t v)
{
	static const int times[] = { 1, 2, 5 };

	for (int64_t ten = 1; ten < INT64_MAX / 50; ten *= 10)
		for (int i = 0; i < 3; i++)
			if (ten * times[i] >= (v + LINES - 1) / LINES)
				return ten * times[i];
	return INT64_MAX / LINES;
}

static void grid(FILE *out, int64_t step)
{
	for (int i = 0; i <= LINES; i++) {
		int y = ABOVE + HIGH - HIGH * i / LINES;
		char shown[32];
		fprintf(out, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"%s\" stroke-width=\".6\"/>"
		    "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", LEFT, y, WIDE, y, i == 0 ? "#000" : "#ccc", LEFT - 5, y + 3,
		    page_number(shown, step * i));
	}
}

void page_bars(FILE *out, const char *title, const struct page_bar *bar, unsigned n)
{
	int64_t most = 1, step;

	for (unsigned i = 0; i < n; i++)
		most = bar[i].value > most ? bar[i].value : most;
	step = step_of(most);
	fputs("<figure><figcaption>", out);
	page_text(out, title);
	fprintf(out, "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\">\n", WIDE, ABOVE + HIGH + BELOW);
	grid(out, step);
	for (unsigned i = 0; i < n; i++) {
		double each = (double)(WIDE - LEFT) / n, x = LEFT + each * i;
		double high = HIGH * ((double)bar[i].value / (double)step / LINES);
		if (bar[i].value > 0 && high < 1)
			high = 1; /* one among a million is still to be seen */
		fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#36c\"><title>", x + each * .12,
		    ABOVE + HIGH - high, each * .76, high);
		page_text(out, bar[i].label);
		fprintf(out, ": %" PRId64 "</title></rect>\n<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", bar[i].value, x + each / 2,
		    ABOVE + HIGH + 12);
		page_text(out, bar[i].label);
		fputs("</text>\n", out);
	}
	fputs("</svg></figure>\n", out);
}
