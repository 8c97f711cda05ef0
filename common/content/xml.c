/* xml.c - see xml.h. */
#include "content/xml.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <string.h>

#include "content/xml_head.h"

enum { PIECE = 4096 }; /* bytes mapped at a time */

static void on_subset(void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	struct xml *x = ctx;

	(void)name, (void)external, (void)system;
	content_say(x->why, "it has a DTD (DOCTYPE), where entities could be defined");
	xmlStopParser(x->parser);
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespaces,
    const xmlChar **ns, int attributes, int defaulted, const xmlChar **attribute)
{
	struct xml *x = ctx;

	(void)name, (void)prefix, (void)uri, (void)namespaces, (void)ns, (void)attributes, (void)defaulted, (void)attribute;
	if (++x->depth > XML_DEPTH_MAX) {
		content_say(x->why, "it has more than %d elements within each other", XML_DEPTH_MAX);
		xmlStopParser(x->parser);
	}
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct xml *x = ctx;

	(void)name, (void)prefix, (void)uri;
	x->depth--;
}

static void on_error(void *ctx, xmlErrorPtr e)
{
	struct xml *x = ctx;

	if (e->level >= XML_ERR_ERROR)
		content_say(x->why, "it is not well-formed XML: line %d, error %d of libxml2", e->line, e->code);
}

void xml_init(void)
{
	xmlInitParser();
}

int xml_begin(struct xml *x, struct content_why *why)
{
	xmlSAXHandler sax = { .initialized = XML_SAX2_MAGIC, .internalSubset = on_subset, .startElementNs = on_start,
		.endElementNs = on_end, .serror = on_error };

	xml_drop(x);
	memset(x, 0, sizeof(*x));
	x->why = why;
	x->parser = xmlCreatePushParserCtxt(&sax, x, NULL, 0, NULL);
	if (x->parser == NULL)
		return content_say(why, "there is no memory to check it");
	xmlCtxtUseOptions(x->parser, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
	return 0;
}

void xml_drop(struct xml *x)
{
	if (x->parser != NULL)
		xmlFreeParserCtxt(x->parser);
	x->parser = NULL;
}

static int parse(struct xml *x, const uint8_t *p, size_t n)
{
	if (n > 0 && xmlParseChunk(x->parser, (const char *)p, (int)n, 0) != 0)
		return content_say(x->why, "it is not well-formed XML");
	return x->why->text[0] == '\0' ? 0 : -1;
}

/* U+20000 + the character's two bytes, or U+FF61... for half-width kana. */
static size_t map(uint8_t *out, uint8_t lead, uint8_t b)
{
	uint32_t c = lead != 0 ? 0x20000u + ((uint32_t)lead << 8 | b) : 0xFF61u + b - 0xA1u;

	if (lead == 0) {
		out[0] = (uint8_t)(0xE0 | c >> 12);
		out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
		out[2] = (uint8_t)(0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (uint8_t)(0xF0 | c >> 18);
	out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
	out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
	out[3] = (uint8_t)(0x80 | (c & 0x3F));
	return 4;
}

/* p is valid CP932 (text.h). */
static int parse_cp932(struct xml *x, const uint8_t *p, size_t n)
{
	uint8_t out[3 * PIECE + 4];
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		if (x->lead != 0) {
			used += map(out + used, x->lead, p[i]);
			x->lead = 0;
		} else if (p[i] >= 0xA1 && p[i] <= 0xDF) {
			used += map(out + used, 0, p[i]);
		} else if (p[i] >= 0x80) {
			x->lead = p[i];
		} else {
			out[used++] = p[i];
		}
	}
	return parse(x, out, used);
}

static int feed(struct xml *x, const uint8_t *p, size_t n)
{
	if (text_bytes(&x->text, p, n) == 0)
		return content_say(x->why, "its bytes are not in the encoding that it declares");
	if (memchr(p, 0, n) != NULL)
		return content_say(x->why, "it has a zero byte");
	for (size_t at = 0; at < n; at += PIECE) {
		size_t m = n - at < PIECE ? n - at : PIECE;

		if ((x->encoding == CONTENT_CP932 ? parse_cp932(x, p + at, m) : parse(x, p + at, m)) != 0)
			return -1;
	}
	return 0;
}

/* Enough of the file to know its encoding, or all of it. */
static int start(struct xml *x)
{
	x->encoding = xml_head_encoding(x->head, x->have, x->why);
	if (x->encoding == 0)
		return -1;
	text_begin(&x->text, x->encoding);
	return feed(x, x->head, x->have);
}

int xml_bytes(struct xml *x, const uint8_t *p, size_t n)
{
	size_t m = XML_HEAD_MAX - x->have < n ? XML_HEAD_MAX - x->have : n;

	if (m > 0) {
		memcpy(x->head + x->have, p, m);
		x->have += m;
		if (x->have == XML_HEAD_MAX && start(x) != 0)
			return -1;
	}
	return n > m ? feed(x, p + m, n - m) : 0;
}

int xml_end(struct xml *x)
{
	if (x->have < XML_HEAD_MAX && start(x) != 0)
		return -1;
	if (text_end(&x->text) == 0)
		return content_say(x->why, "its last character is cut short");
	if (xmlParseChunk(x->parser, NULL, 0, 1) != 0)
		return content_say(x->why, "it is not well-formed XML");
	xml_drop(x);
	return x->why->text[0] == '\0' ? 0 : -1;
}
