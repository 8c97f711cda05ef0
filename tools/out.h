/* out.h - how commands say what they found: for people, for scripts, for programs.
 *
 * A command gathers its facts as JSON (jansson) once, and shows them thrice:
 *	--json   the facts: out_json(o); nothing translated, times UTC
 *	--tsv    rows: tabs between, the first line names the columns by their JSON keys; for scripts
 *	else     text, in the reader's language, aligned also for full-width characters, times local;
 *	         cut into lines where standard output is a terminal
 * That text is for people is not changed by a pipe: `katamichi gaps | less' shows what it shows on the screen,
 * and scripts say --tsv.  Colours are used on a terminal only, and not if NO_COLOR is set. */
#ifndef KM_OUT_H
#define KM_OUT_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

enum out_mode { OUT_TEXT, OUT_TSV, OUT_JSON };

void out_init(enum out_mode mode); /* cmd_run() does it */
enum out_mode out_mode(void);

/* From now on all that is shown goes there, which is no terminal: no colours, and nothing is cut (out_file.h). */
void out_to(FILE *f);

enum out_style { OUT_PLAIN, OUT_STRONG, OUT_DIM, OUT_GOOD, OUT_WARN, OUT_BAD };
/* What to print before a text in this style, and after it OUT_PLAIN's; "" where no colours are wanted. */
const char *out_style(enum out_style s);
/* Columns of the terminal; 0: standard output is none, do not cut. */
unsigned out_columns(void);

/* What was made of texts from a database: jansson makes nothing of one that is no UTF-8, and what is made of nothing is left out
 * without a word.  Fatal then (EXIT_DATA), with one line; else the same. */
json_t *out_made(json_t *o);
/* One object or array, one line.  o is not released; by the second it is. */
void out_json(const json_t *o);
void out_json_free(json_t *o);

enum out_kind {
	OUT_STRING, /* as it is, made printable */
	OUT_WORD,   /* a fixed English word, or a reason (host/reason.h): translated for people */
	OUT_NUMBER,
	OUT_BYTES,  /* "1.2 MB" for people */
	OUT_TIME,   /* ISO, UTC, in the facts; local time for people */
	OUT_YES,    /* true or false */
	OUT_PEER,   /* a sender's name, or the words in its place, which alone are translated */
};
struct out_column {
	const char *key;  /* in the row's object; missing or null is empty */
	const char *head; /* N_("...") */
	enum out_kind kind;
};
/* Rows (an array of objects) as text or, where out_mode() is OUT_TSV, tab-separated.  On a terminal the last
 * column is wrapped within itself.  style: of a whole row, or NULL. */
void out_table(const json_t *rows, const struct out_column *column, unsigned columns, enum out_style (*style)(const json_t *row));

/* One object, a line each: the head, then the value; what is missing or empty is left out.  indent: blanks in front. */
void out_facts(const json_t *o, const struct out_column *fact, unsigned facts, unsigned indent);

/* A text, wrapped on a terminal, each further line indented by so many columns; where is the column it begins in. */
void out_wrapped(const char *text, unsigned where, unsigned indent);
/* One of a list of words, none of which is torn: a blank before it, or a new line where the terminal ends, indented.  *where: the
 * column, at first that of the list's beginning, which is indent or more. */
void out_item(const char *text, unsigned *where, unsigned indent);
/* A sender's name for people: OUT_PEER. */
const char *out_peer(const char *name);
/* "1.2 MB", "2026-11-20 18:00:05" (local; iso is "2026-11-20T09:00:05Z"). */
const char *out_bytes(char out[static 32], double bytes);
const char *out_time(char out[static 32], const char *iso);

#endif
