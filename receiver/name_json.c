/* name_json.c - a file name as a member of a JSON object (name_json.h). */
#include "receiver/name_json.h"

#include <sodium/utils.h>
#include <string.h>

void name_json(json_t *to, const char *key, const char *key_b64, const uint8_t *name, size_t n)
{
	char b64[sodium_base64_ENCODED_LEN(NAME_MAX_LEN, sodium_base64_VARIANT_ORIGINAL)];

	if (n > NAME_MAX_LEN)
		return;
	if (name_is_utf8(name, n)) {
		json_object_set_new(to, key, json_stringn((const char *)name, n));
		return;
	}
	sodium_bin2base64(b64, sizeof(b64), name, n, sodium_base64_VARIANT_ORIGINAL);
	json_object_set_new(to, key_b64, json_string(b64));
}

size_t name_json_get(uint8_t out[static NAME_MAX_LEN], const json_t *from, const char *key, const char *key_b64)
{
	const json_t *plain = json_object_get(from, key), *b64 = json_object_get(from, key_b64);
	size_t n = 0;

	if (json_is_string(plain) && json_string_length(plain) <= NAME_MAX_LEN) {
		n = json_string_length(plain);
		memcpy(out, json_string_value(plain), n);
	} else if (json_is_string(b64) && sodium_base642bin(out, NAME_MAX_LEN, json_string_value(b64), json_string_length(b64), NULL,
	    &n, NULL, sodium_base64_VARIANT_ORIGINAL) != 0) {
		n = 0;
	}
	return n;
}
