/* xml_head.h - the encoding that an XML file declares.  Strict and pure. */
#ifndef KM_XML_HEAD_H
#define KM_XML_HEAD_H

#include "content/why.h"

/* The first bytes of a file: all of it, or at least as many as the declaration
 * has.  CONTENT_UTF8 or CONTENT_CP932; 0: neither, *why says so. */
uint32_t xml_head_encoding(const uint8_t *p, size_t n, struct content_why *why);

#endif
