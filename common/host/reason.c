/* reason.c - see reason.h */
#include "host/reason.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/i18n.h"

enum { PARTS_MAX = 8, PART_MAX = 400, SHOWN_MAX = 1200, SHOWN = 4, DEPTH_MAX = 3 };

/* Sentences with directives, as xgettext found them in the sources (tools/po/messages.sh); empty where the build had no gettext. */
static const char *const sentence[] = {
#include "reasons.h"
	NULL
};

struct part { /* what stands in a directive's place */
	char text[PART_MAX];
};

/* Behind the directive at p: "%s", "%llu", "%04x", "%1$s", "%.200s".  letter: the last of it. */
static const char *skip_directive(const char *p, char *letter)
{
	p++;
	while (*p != '\0' && (isdigit((unsigned char)*p) || strchr("$.-+# hlzjtPRIu", *p) != NULL) && strchr("diuxXsc%", *p) == NULL)
		p++;
	*letter = *p;
	return *p != '\0' ? p + 1 : p;
}

static int fits(char letter, char c)
{
	return letter == 's' ? 1 : isxdigit((unsigned char)c) || c == '-';
}

/* Does text say what format would?  Then its parts, from part[at] on.  How many there are in all, or -1. */
static int match(const char *format, const char *text, struct part *part, int at)
{
	char letter;

	for (; *format != '\0' && (*format != '%' || format[1] == '%'); text++) {
		format += *format == '%';
		if (*format++ != *text)
			return -1;
	}
	if (*format == '\0')
		return *text == '\0' ? at : -1;
	format = skip_directive(format, &letter);
	for (size_t n = 1; at < PARTS_MAX && n < PART_MAX && text[n - 1] != '\0' && fits(letter, text[n - 1]); n++) {
		int parts = match(format, text + n, part, at + 1);
		if (parts < 0)
			continue;
		memcpy(part[at].text, text, n);
		part[at].text[n] = '\0';
		return parts;
	}
	return -1;
}

/* The translated format with the parts in their places. */
static void fill(char *to, size_t size, const char *format, const struct part *part, int parts)
{
	size_t at = 0;
	int next = 0;

	while (*format != '\0' && at + 1 < size) {
		char letter;
		if (*format != '%' || format[1] == '%') {
			format += *format == '%';
			to[at++] = *format++;
			continue;
		}
		int which = isdigit((unsigned char)format[1]) && format[2] == '$' ? format[1] - '1' : next;
		format = skip_directive(format, &letter);
		next++;
		if (which >= 0 && which < parts)
			at += (size_t)snprintf(to + at, size - at, "%s", part[which].text);
		if (at >= size)
			at = size - 1;
	}
	to[at] = '\0';
}

static void translate(char *to, size_t size, const char *english, int depth);

/* "NAME: a reason": the name stays. */
static void translate_behind_name(char *to, size_t size, const char *english, int depth)
{
	for (const char *p = strstr(english, ": "); p != NULL; p = strstr(p + 1, ": ")) {
		char reason[SHOWN_MAX];
		translate(reason, sizeof(reason), p + 2, depth + 1);
		if (strcmp(reason, p + 2) != 0) {
			snprintf(to, size, "%.*s: %s", (int)(p - english), english, reason);
			return;
		}
	}
}

static void translate(char *to, size_t size, const char *english, int depth)
{
	struct part part[PARTS_MAX];
	const char *known;

	to[0] = '\0';
	if (english[0] == '\0') /* of most rows of a long report; and gettext("") is the catalogue's head */
		return;
	known = gettext(english);
	if (known == english) /* an errno's text is in libc's own catalogue */
		known = dgettext("libc", english);
	snprintf(to, size, "%s", known);
	if (strcmp(known, english) != 0 || depth == DEPTH_MAX)
		return;
	for (const char *const *s = sentence; *s != NULL; s++) {
		int parts = strcmp(gettext(*s), *s) != 0 ? match(*s, english, part, 0) : 0;
		if (parts <= 0)
			continue;
		for (int i = 0; i < parts; i++) {
			char inner[PART_MAX];
			translate(inner, sizeof(inner), part[i].text, depth + 1);
			snprintf(part[i].text, sizeof(part[i].text), "%s", inner);
		}
		fill(to, size, gettext(*s), part, parts);
		return;
	}
	translate_behind_name(to, size, english, depth);
}

const char *reason_errno(int error)
{
	const char *english = strerrordesc_np(error);

	return english != NULL ? english : N_("an error without a name");
}

const char *reason_show(const char *english)
{
	static char shown[SHOWN][SHOWN_MAX];
	static unsigned turn;
	char *to = shown[turn++ % SHOWN];

	translate(to, SHOWN_MAX, english, 0);
	return to;
}

void reason_put(char *to, size_t room, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(to, room, fmt, ap);
	va_end(ap);
}
