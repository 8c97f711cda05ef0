/* content.c - which check sees which bytes (content.h). */
#include "content/content.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "content/csv.h"
#include "content/jpeg.h"
#include "content/magic.h"
#include "content/pdf.h"
#include "content/png.h"
#include "content/why.h"
#include "content/xml.h"
#include "content/zip.h"

struct content {
	const struct content_policy *policy;
	struct content_policy inner_policy; /* of the entries of a zip */
	struct content *inner;              /* checks them; NULL in itself */
	uint32_t type;                      /* one of CONTENT_XML...; 0: not looked into */
	uint32_t made;
	int failed;
	struct content_why why;
	uint8_t begin[MAGIC_LEN];
	size_t have;
	struct xml xml;
	struct zip zip;
	union {
		struct csv csv;
		struct pdf pdf;
		struct jpeg jpeg;
		struct png png;
	} u;
};

int content_say(struct content_why *w, const char *fmt, ...)
{
	va_list ap;

	if (w->text[0] != '\0')
		return -1;
	va_start(ap, fmt);
	vsnprintf(w->text, sizeof(w->text), fmt, ap);
	va_end(ap);
	return -1;
}

struct content *content_new(void)
{
	struct content *c = calloc(1, sizeof(*c));

	if (c != NULL && (c->inner = calloc(1, sizeof(*c))) == NULL) {
		free(c);
		return NULL;
	}
	xml_init();
	return c;
}

void content_free(struct content *c)
{
	if (c == NULL)
		return;
	content_free(c->inner);
	xml_drop(&c->xml);
	zip_drop(&c->zip);
	free(c);
}

static uint32_t by_extension(const uint8_t *name, size_t n)
{
	static const struct { const char *end; uint32_t type; } known[] = {
		{ ".xml", CONTENT_XML }, { ".csv", CONTENT_CSV }, { ".zip", CONTENT_ZIP }, { ".pdf", CONTENT_PDF },
		{ ".jpg", CONTENT_JPEG }, { ".jpeg", CONTENT_JPEG }, { ".png", CONTENT_PNG },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t len = strlen(known[i].end);

		if (n > len && strncasecmp((const char *)name + n - len, known[i].end, len) == 0)
			return known[i].type;
	}
	return 0;
}

/* What is in a zip is checked like a file of its own, except that it is none. */
static int entry_begin(void *ctx, const uint8_t *name, size_t n)
{
	struct content *c = ctx;

	if (by_extension(name, n) == CONTENT_ZIP)
		return content_say(&c->why, "a zip stands inside the zip");
	c->inner_policy = *c->policy;
	c->inner_policy.types &= ~(uint32_t)CONTENT_ZIP;
	content_begin(c->inner, &c->inner_policy, name, n);
	return c->inner->failed ? content_say(&c->why, "in the zip: %s", c->inner->why.text) : 0;
}

static int entry_data(void *ctx, const uint8_t *p, size_t n)
{
	struct content *c = ctx;

	return content_bytes(c->inner, p, n) == 0 ? 0 : content_say(&c->why, "in the zip: %s", c->inner->why.text);
}

static int entry_end(void *ctx)
{
	struct content *c = ctx;

	if (content_end(c->inner) != 0)
		return content_say(&c->why, "in the zip: %s", c->inner->why.text);
	c->made |= c->inner->made;
	return 0;
}

static int begin_type(struct content *c)
{
	static const struct zip_sink sink = { entry_begin, entry_data, entry_end };

	switch (c->type) {
	case CONTENT_XML:
		return xml_begin(&c->xml, &c->why);
	case CONTENT_CSV:
		csv_begin(&c->u.csv, c->policy->csv);
		return 0;
	case CONTENT_ZIP:
		zip_begin(&c->zip, &sink, c, &c->why);
		return 0;
	case CONTENT_PDF:
		pdf_begin(&c->u.pdf);
		return 0;
	case CONTENT_JPEG:
		jpeg_begin(&c->u.jpeg);
		return 0;
	case CONTENT_PNG:
		png_begin(&c->u.png);
		return 0;
	default:
		return 0;
	}
}

static int bytes_of_type(struct content *c, const uint8_t *p, size_t n)
{
	switch (c->type) {
	case CONTENT_XML:
		return xml_bytes(&c->xml, p, n);
	case CONTENT_CSV:
		return csv_bytes(&c->u.csv, p, n, &c->why);
	case CONTENT_ZIP:
		return zip_bytes(&c->zip, p, n);
	case CONTENT_PDF:
		return pdf_bytes(&c->u.pdf, p, n, &c->why);
	case CONTENT_JPEG:
		return jpeg_bytes(&c->u.jpeg, p, n, &c->why);
	case CONTENT_PNG:
		return png_bytes(&c->u.png, p, n, &c->why);
	default:
		return 0;
	}
}

static int end_type(struct content *c)
{
	switch (c->type) {
	case CONTENT_XML:
		return xml_end(&c->xml);
	case CONTENT_CSV:
		return csv_end(&c->u.csv, &c->why);
	case CONTENT_ZIP:
		return zip_end(&c->zip);
	case CONTENT_PDF:
		return pdf_end(&c->u.pdf, &c->why);
	case CONTENT_JPEG:
		return jpeg_end(&c->u.jpeg, &c->why);
	case CONTENT_PNG:
		return png_end(&c->u.png, &c->why);
	default:
		return 0;
	}
}

void content_begin(struct content *c, const struct content_policy *p, const uint8_t *name, size_t n)
{
	c->policy = p;
	c->type = p->types != 0 ? by_extension(name, n) : 0;
	c->made = c->type;
	c->have = 0;
	c->why.text[0] = '\0';
	c->failed = 0;
	if (p->types != 0) {
		c->made |= CONTENT_TYPE;
		if ((p->types & c->type) == 0)
			c->failed = content_say(&c->why, "its type is not one that the channel carries (types, content)");
	}
	if (!c->failed)
		c->failed = begin_type(c);
}

size_t content_policy_looks_at(const struct content_policy *p, size_t n)
{
	return p->types != 0 || n < MAGIC_LEN ? n : MAGIC_LEN;
}

int content_needs_all(const struct content *c)
{
	return c->type != 0;
}

int content_has_seen(const struct content *c)
{
	return c->failed || (c->type == 0 && c->have == MAGIC_LEN);
}

/* The first bytes, until they are enough. */
static int judge_program(struct content *c)
{
	const char *kind = c->policy->programs ? NULL : magic_program(c->begin, c->have);

	return kind == NULL ? 0 : content_say(&c->why, "it is a program (%s), whatever its name says", kind);
}

/* The first bytes wait until they tell, so that a program is called one whatever
 * else is wrong with it. */
static int look(struct content *c, const uint8_t *p, size_t n)
{
	size_t part = MAGIC_LEN - c->have < n ? MAGIC_LEN - c->have : n;

	if (part > 0) {
		memcpy(c->begin + c->have, p, part);
		c->have += part;
		if (c->have < MAGIC_LEN)
			return 0;
		if (judge_program(c) != 0 || bytes_of_type(c, c->begin, MAGIC_LEN) != 0)
			return -1;
	}
	return n > part ? bytes_of_type(c, p + part, n - part) : 0;
}

int content_bytes(struct content *c, const uint8_t *data, size_t n)
{
	if (!c->failed && n > 0)
		c->failed = look(c, data, n);
	return c->failed ? -1 : 0;
}

int content_end(struct content *c)
{
	if (!c->failed && c->have > 0 && c->have < MAGIC_LEN)
		c->failed = judge_program(c) != 0 || bytes_of_type(c, c->begin, c->have) != 0;
	if (!c->failed)
		c->failed = end_type(c);
	if (!c->policy->programs)
		c->made |= CONTENT_PROGRAM;
	return c->failed ? -1 : 0;
}

const char *content_why(const struct content *c)
{
	return c->why.text;
}

uint32_t content_made(const struct content *c)
{
	return c->made;
}
