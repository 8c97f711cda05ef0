/* manifest.c - the list of files, SHA256SUMS, and the manifest's bytes
 * (manifest.h; PROTOCOL.md, section 7).  Reading is in manifest_read.c. */
#include "codec/manifest.h"

#include <inttypes.h>
#include <sodium/utils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/hex.h"
#include "codec/manifest_text.h"

enum { FIRST_ROOM = 16, NAME_B64_MAX = (NAME_MAX_LEN + 2) / 3 * 4 + 1 };

void manifest_init(struct manifest *m)
{
	memset(m, 0, sizeof(*m));
}

void manifest_free(struct manifest *m)
{
	free(m->file);
	memset(m, 0, sizeof(*m));
}

static int grow(struct manifest *m)
{
	if (m->file != NULL && m->file_count < m->file_room)
		return 0;
	uint32_t room = m->file_room == 0 ? FIRST_ROOM : m->file_room * 2;
	struct manifest_file *f = reallocarray(m->file, room, sizeof(*f));

	if (f == NULL)
		return -1;
	m->file = f;
	m->file_room = room;
	return 0;
}

int manifest_add(struct manifest *m, const uint8_t *name, size_t n, uint64_t size, const uint8_t sha256[static HASH_LEN])
{
	const struct manifest_file *last = m->file_count > 0 ? &m->file[m->file_count - 1] : NULL;

	if (m->file_count >= RECORD_FILES_MAX || n == 0 || n > NAME_MAX_LEN || size > INT64_MAX)
		return -1;
	if (last != NULL && name_order(last->name, last->name_len, name, n) >= 0)
		return -1;
	if (grow(m) != 0)
		return -1;
	struct manifest_file *f = &m->file[m->file_count++];

	memcpy(f->name, name, n);
	f->name_len = n;
	f->size = size;
	memcpy(f->sha256, sha256, HASH_LEN);
	return 0;
}

/* A row of SHA256SUMS (7.3). */
static void put_sum(FILE *out, const struct manifest_file *f)
{
	char hex[2 * HASH_LEN + 1];

	hex_put(hex, f->sha256, HASH_LEN);
	fprintf(out, "%s%s  files/", memchr(f->name, '\\', f->name_len) != NULL ? "\\" : "", hex);
	for (size_t i = 0; i < f->name_len; i++) {
		if (f->name[i] == '\\')
			putc('\\', out);
		putc(f->name[i], out);
	}
	putc('\n', out);
}

char *manifest_sums(const struct manifest *m, size_t *n)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, n);

	if (out == NULL)
		return NULL;
	for (uint32_t i = 0; i < m->file_count; i++)
		put_sum(out, &m->file[i]);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static void put_hex(FILE *out, const char *key, const uint8_t *b, size_t n)
{
	char hex[2 * HASH_LEN + 1];

	hex_put(hex, b, n);
	fprintf(out, "\"%s\":\"%s\"", key, hex);
}

static void put_name(FILE *out, const struct manifest_file *f)
{
	char b64[NAME_B64_MAX];

	if (!name_is_utf8(f->name, f->name_len)) {
		sodium_bin2base64(b64, sizeof(b64), f->name, f->name_len, sodium_base64_VARIANT_ORIGINAL);
		fprintf(out, "\"name_b64\":\"%s\"", b64);
		return;
	}
	fputs("\"name\":\"", out);
	for (size_t i = 0; i < f->name_len; i++) {
		if (f->name[i] == '"' || f->name[i] == '\\')
			putc('\\', out);
		putc(f->name[i], out);
	}
	putc('"', out);
}

static void put_file(FILE *out, const struct manifest_file *f)
{
	char type[NAME_TYPE_MAX + 1];

	name_type(type, f->name, f->name_len);
	putc('{', out);
	put_name(out, f);
	putc(',', out);
	put_hex(out, "sha256", f->sha256, HASH_LEN);
	fprintf(out, ",\"size\":%" PRIu64 ",\"type\":\"%s\"}", f->size, type);
}

/* The keys stand sorted by their bytes, as manifest_read.c expects them. */
static void put_manifest(FILE *out, const struct manifest *m, const char *created)
{
	fprintf(out, "{\"@format\":\"%s\",\"channel\":\"%s\",\"checks\":[", MANIFEST_FORMAT, m->channel);
	for (uint32_t i = 0; i < m->check_count; i++)
		fprintf(out, "%s\"%s\"", i > 0 ? "," : "", m->checks[i]);
	fprintf(out, "],\"created\":\"%s\",\"files\":[", created);
	for (uint32_t i = 0; i < m->file_count; i++) {
		if (i > 0)
			putc(',', out);
		put_file(out, &m->file[i]);
	}
	fputs("],", out);
	put_hex(out, "generation", m->generation, sizeof(m->generation));
	fprintf(out, ",\"number\":%" PRIu64 ",", m->number);
	put_hex(out, "previous", m->previous, HASH_LEN);
	putc(',', out);
	put_hex(out, "receiver", m->receiver, HASH_LEN);
	putc(',', out);
	put_hex(out, "sender", m->sender, HASH_LEN);
	putc(',', out);
	put_hex(out, "sha256sums", m->sums, HASH_LEN);
	fputs("}\n", out);
}

char *manifest_text(const struct manifest *m, size_t *n)
{
	char created[MANIFEST_TIME_LEN + 1], *text = NULL;

	if (manifest_time(created, m->created_s) != 0)
		return NULL;
	FILE *out = open_memstream(&text, n);

	if (out == NULL)
		return NULL;
	put_manifest(out, m, created);
	if (fclose(out) != 0 || *n > RECORD_MANIFEST_MAX) {
		free(text);
		return NULL;
	}
	return text;
}

char *manifest_write(struct manifest *m, size_t *n)
{
	size_t sums_len;
	char *sums = manifest_sums(m, &sums_len);

	if (sums == NULL)
		return NULL;
	crypto_sha256(m->sums, sums, sums_len);
	free(sums);
	return manifest_text(m, n);
}
