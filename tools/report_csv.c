/* report_csv.c - a report as a table for Excel: UTF-8 with a byte order mark, CRLF, one kind of row (report.h).
 *
 * A reason, a channel or a directory comes from outside: a cell that a spreadsheet would take for a formula gets an
 * apostrophe in front.  Hexadecimal digits get their kind in front, since 12e45678 would be shown as a number. */
#include <inttypes.h>
#include <string.h>
#include <utf8proc.h>

#include "tools/report.h"

enum { COLUMNS = 16 };
#define RANGE ".." /* not 3-5, which Excel takes for a day in March */

/* Shows nothing and may be skipped by who reads: blanks of every width, tabs, line ends, what is invisible. */
static int is_blank(utf8proc_int32_t c)
{
	utf8proc_category_t k = utf8proc_category(c);

	return k >= UTF8PROC_CATEGORY_ZS && k <= UTF8PROC_CATEGORY_CF;
}

/* Does a spreadsheet take this for a formula?  Behind blanks, too, and in the forms that are compatible with the ASCII signs (full-width,
 * small, raised), which a Japanese one takes as well. */
static int begins_formula(const char *s)
{
	utf8proc_int32_t c, plain[4];
	utf8proc_ssize_t n;
	int boundary = 0;

	while ((n = utf8proc_iterate((const utf8proc_uint8_t *)s, -1, &c)) > 0 && c != 0 && is_blank(c))
		s += n;
	if (n <= 0) /* not UTF-8: whoever reads it may see anything */
		return s[0] != '\0';
	if (c == 0x2212 || utf8proc_decompose_char(c, plain, 4, UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE, &boundary) < 1) /* U+2212: the minus sign */
		return c == 0x2212;
	return plain[0] != 0 && plain[0] < 0x80 && strchr("=+-@|%", (int)plain[0]) != NULL;
}

static void cell(FILE *out, const char *s, int last)
{
	int formula = begins_formula(s), quoted = formula || strpbrk(s, ",\"\r\n") != NULL || s[0] == ' ';

	if (quoted)
		putc_unlocked('"', out);
	if (formula)
		putc_unlocked('\'', out);
	if (!quoted)
		fputs_unlocked(s, out);
	for (; quoted && *s != '\0'; s++) {
		if (*s == '"')
			putc_unlocked('"', out);
		putc_unlocked(*s, out);
	}
	if (quoted)
		putc_unlocked('"', out);
	fputs_unlocked(last ? "\r\n" : ",", out);
}

static void row_out(FILE *out, const char *const c[COLUMNS])
{
	for (int i = 0; i < COLUMNS; i++)
		cell(out, c[i], i == COLUMNS - 1);
}

static void head(FILE *out)
{
	const char *const c[COLUMNS] = { _("time"), _("event"), _("channel"), _("number"), _("files"), _("bytes"), _("file"), _("reason"), _("by"),
		_("directory"), _("sender"), _("generation"), _("object"), _("manifest"), _("fingerprint of the sender"), _("row of the ledger") };

	fputs("\xef\xbb\xbf", out);
	row_out(out, c);
}

/* "kind:" and hexadecimal digits, or nothing. */
static const char *hex(char out[static 96], const char *kind, const char *digits)
{
	(void)snprintf(out, 96, "%s%.80s", digits[0] != '\0' ? kind : "", digits);
	return out;
}

static const char *number(char out[static 24], int64_t v)
{
	(void)snprintf(out, 24, "%" PRId64, v);
	return out;
}

struct csv {
	struct report *r;
	FILE *out;
};

static void told(void *arg, const struct report_row *w)
{
	struct csv *t = arg;
	char at[24], seq[24], n[48], files[24], bytes[24], generation[96], object[96], manifest[96], sender[96];
	int counted = w->kind != REPORT_REFUSED && w->kind != REPORT_SETTLED && w->kind != REPORT_CLOSING && w->kind != REPORT_OTHER;

	const char *const c[COLUMNS] = { report_period_local(at, w->at), report_event_name(w->kind, w->event),
		w->channel, report_numbers(n, w->number, w->last, RANGE), counted ? number(files, w->files) : "",
		counted ? number(bytes, w->bytes) : "", w->file, report_reason(w->event, w->reason), w->by, w->dir, report_peer(t->r, w->sender),
		hex(generation, "generation:", w->generation), hex(object, "object:", w->object), hex(manifest, "sha256:", w->manifest),
		hex(sender, "sha256:", w->sender), number(seq, w->seq) };

	row_out(t->out, c);
}

static void told_missing(void *arg, const struct report_missing *m)
{
	struct csv *t = arg;
	char since[24], range[48], generation[96], sender[96];

	const char *const c[COLUMNS] = { report_period_local(since, m->since), _("missing"), m->channel,
		report_numbers(range, m->first, m->last, RANGE), "", "", "", "", "", "",
		report_peer(t->r, m->sender), hex(generation, "generation:", m->generation), "", "", hex(sender, "sha256:", m->sender), "" };

	row_out(t->out, c);
}

int report_csv(struct report *r, struct db *db, FILE *out)
{
	struct csv t = { .r = r, .out = out };
	char state[640];

	head(out);
	if (report_collect(r, db, told, &t) != 0)
		return -1;
	report_each_missing(db, &r->period, told_missing, &t);
	const char *const end[COLUMNS] = { r->period.label, _("chain"), "", "", "", "", "", report_chain_state(r, state, sizeof(state)), "", "",
		"", "", "", "", "", "" };
	row_out(out, end);
	return 0;
}
