/* fuzz_manifest.c - manifests.  What is accepted is JSON in the eyes of a
 * library too, and is written again byte for byte. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "codec/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
	if (!ok)
		abort();
}

static void check_accepted(struct manifest *m, const char *data, size_t size)
{
	size_t n;
	char *text = manifest_write(m, &n);

	check(text != NULL && n == size && memcmp(text, data, n) == 0);
	free(text);

	json_t *j = json_loadb(data, size, JSON_REJECT_DUPLICATES, NULL);
	char *again = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);

	check(j != NULL && again != NULL && strlen(again) == size - 1 && memcmp(again, data, size - 1) == 0);
	free(again);
	json_decref(j);
	check(m->file_count >= 1 && m->file_count <= RECORD_FILES_MAX);
	for (uint32_t i = 0; i < m->file_count; i++)
		check(name_check(m->file[i].name, m->file[i].name_len) == NAME_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int ready;
	const char *why = NULL;
	struct manifest m;

	if (!ready)
		check(crypto_init() == 0);
	ready = 1;
	if (manifest_read(&m, (const char *)data, size, &why) == 0) {
		check_accepted(&m, (const char *)data, size);
		manifest_free(&m);
	} else {
		check(why != NULL && m.file == NULL);
	}
	return 0;
}
