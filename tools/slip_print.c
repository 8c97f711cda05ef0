/* slip_print.c - a resend slip for people (slip_print.h). */
#include "tools/slip_print.h"

#include <errno.h>
#include <inttypes.h>
#include <png.h>
#include <qrencode.h>
#include <stdlib.h>
#include <string.h>

#include "host/i18n.h"
#include "host/log.h"

enum {
	QUIET = 4,      /* modules of white around a QR code, as its standard demands */
	PNG_SCALE = 8,  /* pixels a module */
};

static QRcode *encode(const struct slip_sheet *s)
{
	/* M: 15 % of it may be stained.  Capitals, digits and hyphens take 5.5 bits each. */
	QRcode *q = QRcode_encodeString(s->code, 0, QR_ECLEVEL_M, QR_MODE_8, 1);

	if (q == NULL)
		log_error("no QR code can be made: %s", strerror(errno));
	return q;
}

/* Is this module black?  x and y may lie in the white around. */
static int black(const QRcode *q, int x, int y)
{
	return x >= 0 && y >= 0 && x < q->width && y < q->width && (q->data[y * q->width + x] & 1);
}

/* Two modules a character.  What is printed is the white, as on a dark screen. */
static void print_qr(FILE *out, const QRcode *q, int colours)
{
	for (int y = -QUIET; y < q->width + QUIET; y += 2) {
		fputs(colours ? "  \033[97;40m" : "  ", out);
		for (int x = -QUIET; x < q->width + QUIET; x++) {
			int above = !black(q, x, y), below = y + 1 < q->width + QUIET && !black(q, x, y + 1);
			fputs(above && below ? "\u2588" : above ? "\u2580" : below ? "\u2584" : " ", out);
		}
		fputs(colours ? "\033[0m\n" : "\n", out);
	}
}

int slip_print_text(FILE *out, const struct slip_sheet *s, int colours)
{
	char numbers[SLIP_NUMBERS_MAX];
	QRcode *q = encode(s);

	if (q == NULL)
		return -1;
	fprintf(out, ngettext("RESEND SLIP  %.10s\n  channel %s, from %s: %" PRIu64 " transfer, number %s\n",
	    "RESEND SLIP  %.10s\n  channel %s, from %s: %" PRIu64 " transfers, numbers %s\n", (unsigned long)slip_count(&s->slip)), s->at,
	    s->channel, s->peer, slip_count(&s->slip), slip_numbers(numbers, &s->slip));
	fprintf(out, "\n    %s\n\n", s->code);
	print_qr(out, q, colours);
	fprintf(out, _("\n  On the sending host: katamichi resend -c sender.conf %s\n\n"), s->code);
	QRcode_free(q);
	return 0;
}

int slip_print_png(FILE *out, const struct slip_sheet *s)
{
	png_image image = { .version = PNG_IMAGE_VERSION, .format = PNG_FORMAT_GRAY };
	QRcode *q = encode(s);
	uint8_t *pixel;
	int side, r = -1;

	if (q == NULL)
		return -1;
	side = (q->width + 2 * QUIET) * PNG_SCALE;
	pixel = malloc((size_t)side * (size_t)side);
	if (pixel == NULL) {
		log_error("out of memory");
		goto free_code;
	}
	for (int y = 0; y < side; y++)
		for (int x = 0; x < side; x++)
			pixel[y * side + x] = black(q, x / PNG_SCALE - QUIET, y / PNG_SCALE - QUIET) ? 0 : 255;
	image.width = image.height = (png_uint_32)side;
	if (png_image_write_to_stdio(&image, out, 0, pixel, side, NULL))
		r = 0;
	else
		log_error("no picture can be made of a QR code: %s", image.message);
	free(pixel);
free_code:
	QRcode_free(q);
	return r;
}

/* --- the page --- */
static const char page_head[] =
    "<!DOCTYPE html>\n<html lang=\"ja\"><head><meta charset=\"utf-8\"><title>再送票 Resend slip</title><style>\n"
    "body{font-family:\"Noto Sans CJK JP\",\"IPAexGothic\",sans-serif;margin:0;color:#000;background:#fff}\n"
    "section{padding:14mm 20mm;page-break-after:always;break-after:page}\nsection:last-child{page-break-after:auto;break-after:auto}\n"
    "h1{font-size:22pt;margin:0 0 6mm}h1 small{font-size:12pt;font-weight:normal}\n"
    "table{border-collapse:collapse;width:100%}th,td{border:1px solid #000;padding:1mm 3mm;text-align:left;vertical-align:top}\n"
    "th{width:38mm;font-weight:normal}td.n{word-break:break-word}\n"
    ".code{font:bold 17pt/1.7 monospace;border:2px solid #000;padding:3mm 5mm;margin:5mm 0;overflow-wrap:anywhere}\n"
    ".code span{display:inline-block;margin-right:5mm}svg{width:48mm;height:48mm}\n"
    "kbd{font:10pt monospace;overflow-wrap:anywhere}@page{size:A4;margin:0}\n</style></head><body>\n";

static void escaped(FILE *out, const char *s)
{
	for (; *s != '\0'; s++)
		if (*s == '<' || *s == '>' || *s == '&' || *s == '"')
			fprintf(out, "&#%d;", *s);
		else
			fputc(*s, out);
}

static void svg(FILE *out, const QRcode *q)
{
	int side = q->width + 2 * QUIET;

	fprintf(out, "<svg viewBox=\"0 0 %d %d\" shape-rendering=\"crispEdges\" role=\"img\" aria-label=\"QR\"><path d=\"", side, side);
	for (int y = 0; y < q->width; y++)
		for (int x = 0; x < q->width; x++)
			if (black(q, x, y))
				fprintf(out, "M%d %dh1v1h-1z", x + QUIET, y + QUIET);
	fputs("\"/></svg>", out);
}

static void row(FILE *out, const char *title, const char *text)
{
	fprintf(out, "<tr><th>%s</th><td class=\"n\">", title);
	escaped(out, text);
	fputs("</td></tr>\n", out);
}

static void groups(FILE *out, const char *code)
{
	fputs("<div class=\"code\">", out);
	for (const char *p = code; *p != '\0';) {
		size_t n = strcspn(p, "-");
		fprintf(out, "<span>%.*s%s</span>", (int)n, p, p[n] != '\0' ? "-" : "");
		p += n + (p[n] != '\0');
	}
	fputs("</div>\n", out);
}

static int sheet(FILE *out, const struct slip_sheet *s)
{
	char numbers[SLIP_NUMBERS_MAX], who[200];
	QRcode *q = encode(s);

	if (q == NULL)
		return -1;
	fputs("<section><h1>再送票 <small>Resend slip</small></h1>\n<table>\n", out);
	row(out, "作成日時 (UTC)<br>made", s->at);
	row(out, "チャネル<br>channel", s->channel);
	row(out, "番号<br>numbers", slip_numbers(numbers, &s->slip));
	snprintf(numbers, sizeof(numbers), "%" PRIu64, slip_count(&s->slip));
	row(out, "件数<br>transfers", numbers);
	snprintf(who, sizeof(who), "%.64s  %.16s…", s->peer, s->sender);
	row(out, "送信側<br>sender", who);
	snprintf(who, sizeof(who), "%.16s…", s->receiver);
	row(out, "受信側<br>receiver", who);
	snprintf(who, sizeof(who), "%.8s…", s->generation);
	row(out, "世代<br>generation", who);
	fputs("</table>\n", out);
	groups(out, s->code);
	svg(out, q);
	fputs("<p>送信側の端末で次のとおり入力してください。打ち間違いは検出されます（英字のO・I・Lは数字の0・1として読みます）。<br>"
	    "On the sending host, type:</p><p><kbd>katamichi resend -c sender.conf ", out);
	escaped(out, s->code);
	fputs("</kbd></p>\n<table><tr><th>依頼者<br>asked by</th><td></td></tr><tr><th>実施者・日時<br>done by, when</th><td></td></tr>"
	    "</table></section>\n", out);
	QRcode_free(q);
	return 0;
}

int slip_print_page(FILE *out, const struct slip_sheet *s, unsigned n)
{
	fputs(page_head, out);
	for (unsigned i = 0; i < n; i++)
		if (sheet(out, &s[i]) != 0)
			return -1;
	fputs("</body></html>\n", out);
	return 0;
}
