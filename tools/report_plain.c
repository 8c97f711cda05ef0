/* report_plain.c - see report_plain.h.  Every reader takes the place it begins at and returns the one behind it, or NULL
 * where the library has to look; text ends with a NUL, which is of no shape. */
#include "tools/report_plain.h"

#include <string.h>

enum { DIGITS_MAX = 18 }; /* fewer than INT64_MAX has */

/* A text in quotes; the closing one becomes a NUL. */
static char *text(char *p, const char **value)
{
	if (*p++ != '"')
		return NULL;
	*value = p;
	while (*p != '"') {
		if (*p < 0x20 || *p > 0x7e || *p == '\\') /* char may be signed: what is not ASCII is below or above */
			return NULL;
		p++;
	}
	*p = '\0';
	return p + 1;
}

static char *number(char *p, int64_t *value)
{
	const char *first = p;

	*value = 0;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (p - first == DIGITS_MAX)
			return NULL;
		*value = *value * 10 + (*p - '0');
	}
	return p == first || (*first == '0' && p - first > 1) ? NULL : p;
}

static char *list_of_texts(char *p)
{
	const char *passed;

	if (*++p == ']')
		return p + 1;
	for (;; p++) {
		p = text(p, &passed);
		if (p == NULL || *p == ']')
			return p == NULL ? NULL : p + 1;
		if (*p != ',')
			return NULL;
	}
}

static char *field(char *p, struct report_plain_field *f)
{
	f->text = NULL;
	f->number = 0;
	p = text(p, &f->key);
	if (p == NULL || *p++ != ':')
		return NULL;
	if (*p == '"')
		return text(p, &f->text);
	return *p == '[' ? list_of_texts(p) : number(p, &f->number);
}

static int object(struct report_plain *p, size_t n)
{
	char *at = p->text;

	if (*at++ != '{')
		return 0;
	for (p->fields = 0; p->fields < REPORT_PLAIN_FIELDS; at++) {
		at = field(at, &p->field[p->fields++]);
		if (at == NULL)
			return 0;
		if (*at == '}')
			return at + 1 == p->text + n;
		if (*at != ',')
			return 0;
	}
	return 0;
}

/* A key that comes twice: the last, as the library has it. */
static const struct report_plain_field *find(const struct report_plain *p, const char *key)
{
	static const struct report_plain_field none;

	for (unsigned i = p->fields; i > 0; i--)
		if (strcmp(p->field[i - 1].key, key) == 0)
			return &p->field[i - 1];
	return &none;
}

static const char *word(const struct report_plain *p, const char *key)
{
	const char *s = find(p, key)->text;

	return s != NULL ? s : "";
}

int report_plain_read(struct report_plain *p, struct report_row *row, const char *entry, size_t n)
{
	if (n >= sizeof(p->text))
		return 0;
	memcpy(p->text, entry, n);
	p->text[n] = '\0';
	/* Of who decided the library's reader knows more. */
	if (!object(p, n) || strcmp(word(p, "event"), "delivered") != 0 || find(p, "operator")->key != NULL || find(p, "operators")->key != NULL)
		return 0;
	*row = (struct report_row){ .kind = REPORT_DELIVERED, .event = word(p, "event"), .at = word(p, "at"), .channel = word(p, "channel"),
		.sender = word(p, "sender"), .generation = word(p, "generation"), .object = word(p, "object"), .manifest = word(p, "manifest"),
		.dir = word(p, "dir"), .reason = word(p, "reason"), .by = "", .file = word(p, "file"), .number = find(p, "number")->number, .last = find(p, "number")->number,
		.files = find(p, "files")->number, .bytes = find(p, "bytes")->number, .entry = entry };
	return 1;
}
