/* name_json.h - a file name as a member of a JSON object (PROTOCOL.md, section 7.2): as text, or as base64 under
 * another key where the bytes are no UTF-8. */
#ifndef KM_NAME_JSON_H
#define KM_NAME_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "core/name.h"

/* n <= NAME_MAX_LEN. */
void name_json(json_t *to, const char *key, const char *key_b64, const uint8_t *name, size_t n);
/* The bytes back; their number, or 0: neither member is there, or it is no name that fits. */
size_t name_json_get(uint8_t out[static NAME_MAX_LEN], const json_t *from, const char *key, const char *key_b64);

#endif
