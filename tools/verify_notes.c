/* verify_notes.c - see verify_notes.h */
#include "tools/verify_notes.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/hex.h"
#include "host/i18n.h"
#include "receiver/name_json.h"

enum { NOTE_MAX = 4 << 20 };

long verify_notes_find(const struct manifest *m, const uint8_t *name, size_t n)
{
	uint32_t lo = 0, hi = m->file_count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = name_order(name, n, m->file[mid].name, m->file[mid].name_len);

		if (c == 0)
			return mid;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return -1;
}

/* NULL: it is not there; else the object, or json_null() if it is not one. */
static json_t *load(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	json_t *o = NULL;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= NOTE_MAX)
		o = json_loadfd(fd, JSON_REJECT_DUPLICATES, NULL);
	(void)close(fd);
	return json_is_object(o) ? o : json_null();
}

static int speaks_of(const json_t *o, const char *format, const uint8_t *hash)
{
	char hex[2 * HASH_LEN + 1];
	const char *f = json_string_value(json_object_get(o, "@format")), *h = json_string_value(json_object_get(o, "manifest"));

	hex_put(hex, hash, HASH_LEN);
	return f != NULL && h != NULL && strcmp(f, format) == 0 && strcmp(h, hex) == 0;
}

static int note_held(struct verify_notes *n, const struct manifest *m, const json_t *o)
{
	const json_t *f;
	size_t i;

	json_array_foreach(json_object_get(o, "files"), i, f) {
		uint8_t name[NAME_MAX_LEN];
		long at = verify_notes_find(m, name, name_json_get(name, f, "name", "name_b64"));
		const char *reason = json_string_value(json_object_get(f, "reason"));
		if (at < 0 || n->away[at])
			return -1;
		n->away[at] = 1;
		n->reason[at] = reason != NULL ? strdup(reason) : NULL;
	}
	return 0;
}

/* Of a file that was released alone: all others are elsewhere. */
static int note_release(struct verify_notes *n, const struct manifest *m, const json_t *o)
{
	uint8_t name[NAME_MAX_LEN];
	size_t len = name_json_get(name, o, "file", "file_b64");
	long at;

	if (len == 0)
		return 0;
	if ((at = verify_notes_find(m, name, len)) < 0)
		return -1;
	memset(n->away, 1, m->file_count);
	n->away[at] = 0;
	return 0;
}

int verify_notes_read(struct verify_notes *n, int dirfd, const struct manifest *m, const uint8_t manifest_hash[static HASH_LEN],
    const char **bad_file, const char **why)
{
	static const char other[] = N_("it does not speak of this manifest and its files");
	json_t *o;

	memset(n, 0, sizeof(*n));
	*why = "";
	n->away = calloc(m->file_count, sizeof(*n->away));
	n->reason = calloc(m->file_count, sizeof(*n->reason));
	if (n->away == NULL || n->reason == NULL)
		return -1;
	if ((o = load(dirfd, "QUARANTINE.json")) != NULL) {
		n->quarantine = 1;
		*bad_file = "QUARANTINE.json";
		if (!speaks_of(o, "katamichi-quarantine-1", manifest_hash) || note_held(n, m, o) != 0)
			*why = other;
		json_decref(o);
	}
	if ((o = load(dirfd, "RELEASE.json")) != NULL) {
		n->release = 1;
		if (*why == other || !speaks_of(o, "katamichi-release-1", manifest_hash) || note_release(n, m, o) != 0) {
			*bad_file = *why == other ? *bad_file : "RELEASE.json";
			*why = other;
		}
		json_decref(o);
	}
	if (*why == other)
		memset(n->away, 0, m->file_count);
	return 0;
}

void verify_notes_free(struct verify_notes *n, const struct manifest *m)
{
	for (uint32_t i = 0; n->reason != NULL && i < m->file_count; i++)
		free(n->reason[i]);
	free(n->reason);
	free(n->away);
}
