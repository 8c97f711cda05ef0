/* out.c - see out.h */
#include "tools/out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "host/exits.h"
#include "host/i18n.h"
#include "host/log.h"
#include "host/reason.h"
#include "receiver/receiver_conf.h"
#include "tools/wide.h"

enum { CELL_MAX = 4096 /* bytes of a cell as it is shown */, COLUMNS_MAX = 24, LAST_MIN = 24 /* columns left to the last one */,
	TEXT_COLUMNS = 120 };

static struct {
	enum out_mode mode;
	int colours;
	unsigned columns;
} out;

static unsigned terminal_columns(void)
{
	const char *env = getenv("COLUMNS");
	struct winsize w;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
		return w.ws_col;
	return env != NULL && atoi(env) > 0 ? (unsigned)atoi(env) : 80;
}

void out_init(enum out_mode mode)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	out.mode = mode;
	out.columns = terminal_columns();
	out.colours = out.columns > 0 && (no == NULL || no[0] == '\0') && term != NULL && strcmp(term, "dumb") != 0;
}

void out_to(FILE *f)
{
	stdout = f;
	out.columns = 0;
	out.colours = 0;
}

enum out_mode out_mode(void)
{
	return out.mode;
}

const char *out_style(enum out_style s)
{
	static const char *const code[] = { [OUT_PLAIN] = "\033[0m", [OUT_STRONG] = "\033[1m", [OUT_DIM] = "\033[2m",
		[OUT_GOOD] = "\033[32m", [OUT_WARN] = "\033[33m", [OUT_BAD] = "\033[1;31m" };

	return out.colours ? code[s] : "";
}

unsigned out_columns(void)
{
	/* Asked again: a window changes. */
	if (out.columns > 0)
		out.columns = terminal_columns();
	return out.columns;
}

json_t *out_made(json_t *o)
{
	if (o == NULL)
		log_die(EXIT_DATA, "a text in the database is no UTF-8, so what it is of cannot be shown: the database is damaged, or was changed (the"
		    " guide to incidents says more)");
	return o;
}

void out_json(const json_t *o)
{
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
}

void out_json_free(json_t *o)
{
	out_json(o);
	json_decref(o);
}

const char *out_bytes(char text[static 32], double bytes)
{
	static const char *const unit[] = { "B", "kB", "MB", "GB", "TB" };
	unsigned u = 0;

	while (bytes >= 999.5 && u < 4) {
		bytes /= 1000;
		u++;
	}
	snprintf(text, 32, u == 0 || bytes >= 100 ? "%.0f %s" : "%.1f %s", bytes, unit[u]);
	return text;
}

const char *out_time(char text[static 32], const char *iso)
{
	struct tm tm = { 0 };
	const char *end = strptime(iso, "%Y-%m-%dT%H:%M:%SZ", &tm);
	time_t t;

	if (end == NULL || *end != '\0') {
		snprintf(text, 32, "%.31s", iso);
		return text;
	}
	t = timegm(&tm);
	if (localtime_r(&t, &tm) == NULL || strftime(text, 32, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		text[0] = '\0';
	return text;
}

const char *out_peer(const char *name)
{
	return strcmp(name, RECEIVER_NOT_PINNED) == 0 ? _("(no longer pinned)") : name;
}

static void cell_text(char *to, const struct out_column *c, const json_t *v)
{
	char small[32];
	const char *s = json_string_value(v);

	if (json_is_integer(v) && c->kind == OUT_BYTES)
		snprintf(to, CELL_MAX, "%s", out_bytes(small, (double)json_integer_value(v)));
	else if (json_is_boolean(v))
		snprintf(to, CELL_MAX, "%s", json_is_true(v) ? _("yes") : _("no"));
	else if (s != NULL && c->kind == OUT_TIME)
		snprintf(to, CELL_MAX, "%s", out_time(small, s));
	else if (s != NULL && s[0] != '\0' && c->kind == OUT_WORD) {
		s = reason_show(s);
		log_show(to, CELL_MAX, s, strlen(s));
	} else if (s != NULL && c->kind == OUT_PEER) {
		s = out_peer(s);
		log_show(to, CELL_MAX, s, strlen(s));
	} else if (s != NULL)
		log_show(to, CELL_MAX, s, json_string_length(v));
}

static void cell(char to[static CELL_MAX], const struct out_column *c, const json_t *row)
{
	const json_t *v = json_object_get(row, c->key);
	const char *s = json_string_value(v);

	to[0] = '\0';
	if (json_is_array(v)) /* of words */
		for (size_t i = 0; i < json_array_size(v); i++)
			snprintf(to + strlen(to), CELL_MAX - strlen(to), "%s%s", i > 0 ? " " : "", json_string_value(json_array_get(v, i)));
	else if (json_is_integer(v) && (c->kind != OUT_BYTES || out.mode == OUT_TSV))
		snprintf(to, CELL_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_real(v))
		snprintf(to, CELL_MAX, "%.6g", json_real_value(v));
	else if (out.mode != OUT_TSV)
		cell_text(to, c, v);
	else if (json_is_boolean(v))
		snprintf(to, CELL_MAX, "%s", json_is_true(v) ? "true" : "false");
	else if (s != NULL)
		log_show(to, CELL_MAX, s, json_string_length(v)); /* a tab or line feed in it becomes \x09, \x0a */
}

static void tsv(const json_t *rows, const struct out_column *c, unsigned columns)
{
	static char text[CELL_MAX];
	const json_t *row;
	size_t i;

	for (unsigned k = 0; k < columns; k++)
		printf("%s%c", c[k].key, k + 1 < columns ? '\t' : '\n');
	json_array_foreach(rows, i, row)
		for (unsigned k = 0; k < columns; k++) {
			cell(text, &c[k], row);
			printf("%s%c", text, k + 1 < columns ? '\t' : '\n');
		}
}

void out_wrapped(const char *text, unsigned where, unsigned indent)
{
	unsigned width = out_columns();

	if (width > TEXT_COLUMNS)
		width = TEXT_COLUMNS; /* longer lines are hard to read */
	while (*text != '\0') {
		size_t n = strlen(text);
		if (width > where + 8)
			n = wide_fit(text, width - where, 1);
		printf("%.*s", (int)n, text);
		text += n;
		while (*text == ' ')
			text++;
		if (*text != '\0')
			printf("\n%*s", (int)indent, "");
		where = indent;
	}
}

void out_item(const char *text, unsigned *where, unsigned indent)
{
	unsigned columns = out_columns(), width = wide_width(text);

	if (columns > 0 && *where > indent && *where + 1 + width > columns) {
		printf("\n%*s", (int)indent, "");
		*where = indent;
	} else if (*where > indent) {
		putchar(' ');
		++*where;
	}
	fputs(text, stdout);
	*where += width;
}

static int to_the_right(const struct out_column *c)
{
	return c->kind == OUT_NUMBER || c->kind == OUT_BYTES;
}

static void pad(unsigned n)
{
	printf("%*s", (int)n, "");
}

static void print_cell(const struct out_column *c, const char *text, unsigned width, int last, unsigned where)
{
	unsigned gap = width > wide_width(text) ? width - wide_width(text) : 0;

	if (to_the_right(c))
		pad(gap);
	if (last && !to_the_right(c) && out_columns() > 0 && out_columns() < where + (width < LAST_MIN ? width : LAST_MIN)) {
		printf("\n    "); /* no room beside the others: a line of its own */
		out_wrapped(text, 4, 4);
	} else if (last)
		out_wrapped(text, where, where);
	else
		fputs(text, stdout);
	if (!to_the_right(c) && !last)
		pad(gap);
	fputs(last ? "\n" : "  ", stdout);
}

static void print_row(const struct out_column *c, unsigned columns, const json_t *row, const unsigned *width)
{
	static char text[CELL_MAX];
	unsigned where = 0;

	for (unsigned k = 0; k < columns; k++) {
		if (row != NULL)
			cell(text, &c[k], row);
		else
			snprintf(text, sizeof(text), "%s", _(c[k].head));
		if (k + 1 < columns && out_columns() > 0 && where > 4 && where + width[k] > out_columns()) {
			printf("\n    "); /* the row goes on below, indented */
			where = 4;
		}
		print_cell(&c[k], text, width[k], k + 1 == columns, where);
		where += width[k] + 2;
	}
}

void out_table(const json_t *rows, const struct out_column *c, unsigned columns, enum out_style (*style)(const json_t *row))
{
	static char text[CELL_MAX];
	unsigned width[COLUMNS_MAX] = { 0 };
	const json_t *row;
	size_t i;

	if (out.mode == OUT_TSV) {
		tsv(rows, c, columns);
		return;
	}
	for (unsigned k = 0; k < columns && k < COLUMNS_MAX; k++) {
		width[k] = wide_width(_(c[k].head));
		json_array_foreach(rows, i, row) {
			cell(text, &c[k], row);
			if (wide_width(text) > width[k])
				width[k] = wide_width(text);
		}
	}
	fputs(out_style(OUT_STRONG), stdout);
	print_row(c, columns, NULL, width);
	fputs(out_style(OUT_PLAIN), stdout);
	json_array_foreach(rows, i, row) {
		enum out_style s = style != NULL ? style(row) : OUT_PLAIN;
		if (s != OUT_PLAIN)
			fputs(out_style(s), stdout);
		print_row(c, columns, row, width);
		if (s != OUT_PLAIN)
			fputs(out_style(OUT_PLAIN), stdout);
	}
}

void out_facts(const json_t *o, const struct out_column *f, unsigned facts, unsigned indent)
{
	static char text[CELL_MAX];
	unsigned width = 0;

	for (unsigned k = 0; k < facts; k++)
		if (wide_width(_(f[k].head)) > width)
			width = wide_width(_(f[k].head));
	for (unsigned k = 0; k < facts; k++) {
		cell(text, &f[k], o);
		if (text[0] == '\0')
			continue;
		pad(indent);
		wide_pad(stdout, _(f[k].head), width + 2, 0);
		out_wrapped(text, indent + width + 2, indent + width + 2);
		putchar('\n');
	}
}
