/* csv.c - see csv.h. */
#include "content/csv.h"

#include <string.h>

enum { FIELD, BARE, QUOTED, QUOTE /* the end, or half of a doubled one */, CR };

void csv_begin(struct csv *c, uint32_t encodings)
{
	memset(c, 0, sizeof(*c));
	text_begin(&c->text, encodings);
	c->row = 1;
}

static int row_end(struct csv *c, struct content_why *why)
{
	if (!c->row_used && c->columns != 1) {
		c->blank++;
	} else {
		c->fields++;
		if (c->columns == 0)
			c->columns = c->fields;
		if (c->fields != c->columns)
			return content_say(why, "row %llu has %llu columns, the first %llu", (unsigned long long)c->row,
			    (unsigned long long)c->fields, (unsigned long long)c->columns);
	}
	c->row++;
	c->fields = 0;
	c->row_used = 0;
	c->state = FIELD;
	return 0;
}

/* A byte that is outside quotation marks. */
static int outside(struct csv *c, uint8_t b, struct content_why *why)
{
	if (b == '\n')
		return row_end(c, why);
	if (b == '\r') {
		c->state = CR;
		return 0;
	}
	if (b == 0x1A) {
		c->ended = 1;
		return 0;
	}
	if ((b < 0x20 && b != '\t') || b == 0x7F)
		return content_say(why, "row %llu has a control character (%02x)", (unsigned long long)c->row, b);
	if (c->blank > 0)
		return content_say(why, "an empty line stands before row %llu", (unsigned long long)c->row);
	c->row_used = 1;
	if (b == ',') {
		c->fields++;
		c->state = FIELD;
		return 0;
	}
	if (c->state == QUOTE || (b == '"' && c->state == BARE))
		return content_say(why, "row %llu has a quotation mark in the middle of a field", (unsigned long long)c->row);
	c->state = b == '"' ? QUOTED : BARE;
	return 0;
}

/* Excel takes "sep=;" in the first line as an order, and cuts all others there. */
static int names_separator(struct csv *c, uint8_t b)
{
	size_t quoted;

	if (c->head_have < sizeof(c->head))
		c->head[c->head_have++] = b >= 'A' && b <= 'Z' ? (uint8_t)(b + 32) : b;
	quoted = c->head[0] == '"';
	return c->head_have == quoted + 4 && memcmp(c->head + quoted, "sep=", 4) == 0;
}

static int byte(struct csv *c, uint8_t b, struct content_why *why)
{
	if (names_separator(c, b))
		return content_say(why, "its first line (sep=) makes Excel take another separator than the comma");
	if (b == 0)
		return content_say(why, "row %llu has a zero byte", (unsigned long long)c->row);
	if (c->ended)
		return content_say(why, "row %llu goes on behind the end mark 1a", (unsigned long long)c->row);
	switch (c->state) {
	case QUOTED:
		c->state = b == '"' ? QUOTE : QUOTED;
		return 0;
	case QUOTE:
		if (b == '"') {
			c->state = QUOTED;
			return 0;
		}
		return outside(c, b, why);
	case CR:
		return b == '\n' ? row_end(c, why) :
		    content_say(why, "row %llu ends in CR without LF", (unsigned long long)c->row);
	default:
		return outside(c, b, why);
	}
}

static int encoding(const struct csv *c, struct content_why *why)
{
	return content_say(why, "row %llu or after it is not in the channel's encodings", (unsigned long long)c->row);
}

int csv_bytes(struct csv *c, const uint8_t *p, size_t n, struct content_why *why)
{
	static const uint8_t mark[3] = { 0xEF, 0xBB, 0xBF };

	if (text_bytes(&c->text, p, n) == 0)
		return encoding(c, why);
	for (size_t i = 0; i < n; i++) {
		if (c->bom < 3 && p[i] == mark[c->bom]) {
			/* Whoever sees the mark reads UTF-8, so CP932 is no choice any more. */
			if (++c->bom == 3 && (c->text.possible &= CONTENT_UTF8) == 0)
				return encoding(c, why);
			continue;
		}
		if (c->bom > 0 && c->bom < 3)
			c->row_used = 1, c->state = BARE; /* they were the first bytes of a field */
		c->bom = 4;
		if (byte(c, p[i], why) != 0)
			return -1;
	}
	return 0;
}

int csv_end(struct csv *c, struct content_why *why)
{
	if (text_end(&c->text) == 0)
		return content_say(why, "its last character is cut short");
	if (c->state == QUOTED)
		return content_say(why, "row %llu has a quotation mark that is not closed", (unsigned long long)c->row);
	if (c->state == CR)
		return content_say(why, "row %llu ends in CR without LF", (unsigned long long)c->row);
	return c->row_used ? row_end(c, why) : 0;
}
