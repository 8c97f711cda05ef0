/* xml.h - is this well-formed XML that stands for itself?
 *
 * libxml2's push parser, as events only: no tree is built.  Refused: what is
 * not well-formed; any DTD, and so any entity of its own and anything fetched
 * from elsewhere; more than XML_DEPTH_MAX elements within each other; bytes
 * that are not in the encoding the file declares (UTF-8 unless it says
 * otherwise).  Encodings: UTF-8, and Shift_JIS under its names (Shift_JIS,
 * Windows-31J, CP932, MS932, x-sjis); UTF-16 and all others are refused, which
 * leaves no doubt about which bytes are markup.
 *
 * The parser always sees UTF-8.  Characters of CP932 are mapped one to one to
 * code points above U+20000 for it, which are letters to XML: so no table is
 * needed, local characters pass, and tags that differ stay different. */
#ifndef KM_XML_H
#define KM_XML_H

#include "content/text.h"
#include "content/why.h"

enum { XML_DEPTH_MAX = 100, XML_HEAD_MAX = 256 /* bytes within which the declaration has to end */ };

struct xml {
	void *parser;      /* xmlParserCtxt */
	struct content_why *why;
	struct text text;
	uint32_t encoding; /* CONTENT_UTF8 or CONTENT_CP932; 0: not known yet */
	unsigned depth;
	uint8_t lead;      /* CP932: first half of a character, seen */
	uint8_t head[XML_HEAD_MAX];
	size_t have;
};

void xml_init(void); /* once in a process, before it gives up its rights */
int xml_begin(struct xml *x, struct content_why *why) __attribute__((warn_unused_result)); /* -1: no memory, said */
int xml_bytes(struct xml *x, const uint8_t *p, size_t n) __attribute__((warn_unused_result));
int xml_end(struct xml *x) __attribute__((warn_unused_result));
void xml_drop(struct xml *x); /* frees the parser; any time, more than once */

#endif
