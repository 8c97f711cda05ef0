/* closing.c - the text of a closing (closing.h; PROTOCOL.md, section 12). */
#include "codec/closing.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/hex.h"

#define TITLE "katamichi-closing-1 "
#define NUMBER_MAX ((UINT64_C(1) << 62) - 1)

const char *closing_kind_name(enum closing_kind k)
{
	static const char *const name[CLOSING_KINDS] = { "listed", "daily", "asked" };

	return k < CLOSING_KINDS ? name[k] : "?";
}

/* --- writing --- */
size_t closing_put_head(char out[static CLOSING_HEAD_MAX], const struct closing_head *h)
{
	char sender[2 * HASH_LEN + 1], receiver[2 * HASH_LEN + 1];

	hex_put(sender, h->sender, HASH_LEN);
	hex_put(receiver, h->receiver, HASH_LEN);
	return (size_t)snprintf(out, CLOSING_HEAD_MAX, TITLE "%s\nat %s\nsender %s\nreceiver %s\n", closing_kind_name(h->kind), h->at,
	    sender, receiver);
}

size_t closing_put_channel(char out[static CLOSING_LINE_MAX], const struct closing_channel *c)
{
	char generation[33];

	hex_put(generation, c->generation, 16);
	return (size_t)snprintf(out, CLOSING_LINE_MAX, "channel %s %s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", c->channel, generation,
	    c->first, c->last, c->newest);
}

size_t closing_put_entry(char out[static CLOSING_LINE_MAX], const struct closing_entry *e)
{
	char manifest[2 * HASH_LEN + 1], object[33];

	hex_put(manifest, e->manifest, HASH_LEN);
	hex_put(object, e->object, 16);
	return (size_t)snprintf(out, CLOSING_LINE_MAX, "%" PRIu64 " %s %s\n", e->number, manifest, object);
}

size_t closing_put_gone(char out[static CLOSING_LINE_MAX], const struct closing_gone *g)
{
	return (size_t)snprintf(out, CLOSING_LINE_MAX, "gone %" PRIu64 " %" PRIu64 "\n", g->first, g->last);
}

size_t closing_put_end(char out[static CLOSING_LINE_MAX])
{
	strcpy(out, "end\n");
	return 4;
}

/* --- reading: a cursor over the only bytes that can stand there --- */
static int literal(struct closing *c, const char *s)
{
	size_t n = strlen(s);

	if ((size_t)(c->end - c->at) < n || memcmp(c->at, s, n) != 0)
		return -1;
	c->at += n;
	return 0;
}

static int hex_word(struct closing *c, uint8_t *out, size_t n)
{
	if ((size_t)(c->end - c->at) < 2 * n || hex_get(out, n, c->at, 2 * n) != 0)
		return -1;
	c->at += 2 * n;
	return 0;
}

static int number(struct closing *c, uint64_t *v)
{
	const char *start = c->at;
	uint64_t x = 0;

	while (c->at < c->end && *c->at >= '0' && *c->at <= '9' && c->at - start < 19)
		x = x * 10 + (uint64_t)(*c->at++ - '0');
	if (c->at == start || (*start == '0' && c->at - start > 1) || x > NUMBER_MAX)
		return -1;
	*v = x;
	return 0;
}

/* "2026-11-21T15:00:00Z": digits where digits stand; the values are for people. */
static int moment(struct closing *c, char out[static 21])
{
	static const char form[] = "dddd-dd-ddTdd:dd:ddZ";

	if ((size_t)(c->end - c->at) < sizeof(form) - 1)
		return -1;
	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == 'd' ? c->at[i] < '0' || c->at[i] > '9' : c->at[i] != form[i])
			return -1;
	memcpy(out, c->at, sizeof(form) - 1);
	out[sizeof(form) - 1] = '\0';
	c->at += sizeof(form) - 1;
	return 0;
}

static int kind(struct closing *c, enum closing_kind *k)
{
	for (unsigned i = 0; i < CLOSING_KINDS; i++)
		if (literal(c, closing_kind_name((enum closing_kind)i)) == 0) {
			*k = (enum closing_kind)i;
			return 0;
		}
	return -1;
}

int closing_open(struct closing *c, const char *text, size_t n)
{
	memset(c, 0, sizeof(*c));
	c->at = text;
	c->end = text + n;
	c->next = 1;
	if (n > CLOSING_TEXT_MAX || literal(c, TITLE) != 0 || kind(c, &c->head.kind) != 0 || literal(c, "\nat ") != 0 ||
	    moment(c, c->head.at) != 0 || literal(c, "\nsender ") != 0 || hex_word(c, c->head.sender, HASH_LEN) != 0 ||
	    literal(c, "\nreceiver ") != 0 || hex_word(c, c->head.receiver, HASH_LEN) != 0)
		return -1;
	return literal(c, "\n");
}

static int section(struct closing *c)
{
	struct closing_channel *s = &c->channel;
	const char *name = c->at;
	size_t n = 0;

	while (name + n < c->end && name[n] != ' ' && n <= NAME_CHANNEL_MAX)
		n++;
	if (++c->sections > CLOSING_CHANNELS_MAX || !name_channel_ok(name, n))
		return -1;
	memset(s, 0, sizeof(*s));
	memcpy(s->channel, name, n);
	c->at += n;
	if (literal(c, " ") != 0 || hex_word(c, s->generation, 16) != 0 || literal(c, " ") != 0 || number(c, &s->first) != 0 ||
	    literal(c, " ") != 0 || number(c, &s->last) != 0 || literal(c, " ") != 0 || number(c, &s->newest) != 0 ||
	    literal(c, "\n") != 0)
		return -1;
	c->next = s->first;
	c->range.last = 0;
	return s->first >= 1 && s->last >= s->first - 1 && s->newest >= s->last ? 0 : -1;
}

static int entry(struct closing *c)
{
	struct closing_entry *e = &c->entry;

	if (++c->entries > CLOSING_ENTRIES_MAX || number(c, &e->number) != 0 || e->number != c->next || literal(c, " ") != 0 ||
	    hex_word(c, e->manifest, HASH_LEN) != 0 || literal(c, " ") != 0 || hex_word(c, e->object, 16) != 0 || literal(c, "\n") != 0)
		return -1;
	c->next++;
	return 0;
}

/* Ascending, and apart: what touches is one range. */
static int gone(struct closing *c)
{
	struct closing_gone *g = &c->range;
	uint64_t before = g->last;

	if (c->sections == 0 || ++c->ranges > CLOSING_GONE_MAX || number(c, &g->first) != 0 || literal(c, " ") != 0 ||
	    number(c, &g->last) != 0 || literal(c, "\n") != 0)
		return -1;
	return g->first > before + (before != 0) && g->last >= g->first && g->last <= c->channel.newest ? 0 : -1;
}

enum closing_got closing_next(struct closing *c)
{
	if (c->sections > 0 && c->next <= c->channel.last)
		return entry(c) == 0 ? CLOSING_ENTRY : CLOSING_BAD;
	if (literal(c, "gone ") == 0)
		return gone(c) == 0 ? CLOSING_GONE : CLOSING_BAD;
	if (literal(c, "channel ") == 0)
		return section(c) == 0 ? CLOSING_SECTION : CLOSING_BAD;
	return literal(c, "end\n") == 0 && c->at == c->end ? CLOSING_END : CLOSING_BAD;
}

int closing_check(const char *text, size_t n)
{
	struct closing c;
	enum closing_got g;

	if (closing_open(&c, text, n) != 0)
		return -1;
	do
		g = closing_next(&c);
	while (g != CLOSING_END && g != CLOSING_BAD);
	return g == CLOSING_END ? 0 : -1;
}
