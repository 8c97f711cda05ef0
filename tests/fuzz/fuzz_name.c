/* fuzz_name.c - name.h and log_show(): what is accepted can stand in a folder and on a screen. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/name.h"
#include "host/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int true_)
{
	if (!true_)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char type[NAME_TYPE_MAX + 1], shown[1100], small[9];
	enum name_err e = name_check(data, size);

	must(name_strerror(e)[0] != '\0');
	name_type(type, data, size);
	must(memchr(type, '\0', sizeof type) != NULL);
	must(name_order(data, size, data, size) == 0);
	must(size == 0 || name_order(data, size - 1, data, size) < 0);
	log_show(shown, sizeof shown, data, size);
	must(name_is_utf8((const uint8_t *)shown, strlen(shown)) || size > 255);
	for (const char *p = shown; *p != '\0'; p++)
		must((unsigned char)*p >= 0x20 && *p != 0x7F);
	log_show(small, sizeof small, data, size);
	must(strlen(small) < sizeof small && name_is_utf8((const uint8_t *)small, strlen(small)));
	if (name_channel_ok((const char *)data, size))
		must(size <= NAME_CHANNEL_MAX && e == NAME_OK);
	if (e != NAME_OK)
		return 0;
	must(size >= 1 && size <= NAME_MAX_LEN && data[0] != '.');
	for (size_t i = 0; i < size; i++)
		must(data[i] >= 0x20 && data[i] != '/' && data[i] != 0x7F);
	if (name_is_utf8(data, size))
		must(memchr(data, '\\', size) == NULL && strlen(shown) == size); /* and is shown as it is */
	return 0;
}
