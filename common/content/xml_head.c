/* xml_head.c - see xml_head.h. */
#include "content/xml_head.h"

#include <string.h>
#include <strings.h>

struct span {
	const uint8_t *at, *end;
};

static int space(struct span *s)
{
	const uint8_t *from = s->at;

	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r' || *s->at == '\n'))
		s->at++;
	return s->at > from;
}

static int word(struct span *s, const char *w)
{
	size_t n = strlen(w);

	if ((size_t)(s->end - s->at) < n || memcmp(s->at, w, n) != 0)
		return 0;
	s->at += n;
	return 1;
}

/* = "value" */
static int value(struct span *s, char *out, size_t size)
{
	uint8_t quote;
	size_t n = 0;

	(void)space(s);
	if (!word(s, "="))
		return 0;
	(void)space(s);
	if (s->at == s->end || (*s->at != '"' && *s->at != '\''))
		return 0;
	quote = *s->at++;
	while (s->at < s->end && *s->at != quote && n + 1 < size)
		out[n++] = (char)*s->at++;
	out[n] = '\0';
	return s->at < s->end && *s->at++ == quote;
}

static uint32_t by_name(const char *name, struct content_why *why)
{
	static const struct { const char *name; uint32_t encoding; } known[] = {
		{ "UTF-8", CONTENT_UTF8 }, { "US-ASCII", CONTENT_UTF8 }, { "Shift_JIS", CONTENT_CP932 },
		{ "Windows-31J", CONTENT_CP932 }, { "CP932", CONTENT_CP932 }, { "MS932", CONTENT_CP932 },
		{ "x-sjis", CONTENT_CP932 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcasecmp(name, known[i].name) == 0)
			return known[i].encoding;
	content_say(why, "it declares an encoding other than UTF-8 and Shift_JIS");
	return 0;
}

uint32_t xml_head_encoding(const uint8_t *p, size_t n, struct content_why *why)
{
	struct span s = { p, p + n };
	char text[32];
	uint32_t encoding = CONTENT_UTF8;
	int mark = word(&s, "\xEF\xBB\xBF");

	if (memchr(p, 0, n) != NULL || (n >= 2 && ((p[0] == 0xFE && p[1] == 0xFF) || (p[0] == 0xFF && p[1] == 0xFE)))) {
		content_say(why, "it is UTF-16 or UTF-32, or has zero bytes; only UTF-8 and Shift_JIS are accepted");
		return 0;
	}
	if (!word(&s, "<?xml") || (s.at < s.end && strchr(" \t\r\n", *s.at) == NULL))
		return CONTENT_UTF8; /* none, or another instruction (<?xml-stylesheet) */
	if (!space(&s) || !word(&s, "version") || !value(&s, text, sizeof(text)) || strcmp(text, "1.0") != 0)
		goto malformed;
	if (space(&s) && word(&s, "encoding")) {
		if (!value(&s, text, sizeof(text)))
			goto malformed;
		encoding = by_name(text, why);
		(void)space(&s);
	}
	if (word(&s, "standalone") && !value(&s, text, sizeof(text)))
		goto malformed;
	(void)space(&s);
	if (!word(&s, "?>"))
		goto malformed;
	if (mark && encoding == CONTENT_CP932) {
		content_say(why, "it declares Shift_JIS behind the byte order mark of UTF-8");
		return 0;
	}
	return encoding;

malformed:
	content_say(why, "its XML declaration is malformed, or of another version than 1.0");
	return 0;
}
