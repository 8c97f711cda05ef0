/* manifest.c - the list of files, SHA256SUMS, and the manifest's bytes
 * (manifest.h; PROTOCOL.md, section 7).  Reading is in manifest_read.c. */
#include "codec/manifest.h"

#include <sodium/utils.h>
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

/* --- writing: into memory that has room for the longest row before each --- */
enum {
	/* Of a manifest: {"name":"NAME","sha256":"HASH","size":SIZE,"type":"TYPE"} */
	ROW_MAX = 2 * NAME_MAX_LEN + 2 * HASH_LEN + 20 /* size */ + NAME_TYPE_MAX + 64,
	ROW_USUAL = 192, /* bytes: more is made room for */
	HEAD_MAX = 2048, /* what stands before the files: channel, at most 16 checks, time */
	TAIL_MAX = 1024, /* and behind them: number and hashes */
};
_Static_assert(sizeof(((struct manifest *)0)->checks) + 3 * 16 + NAME_CHANNEL_MAX + 256 <= HEAD_MAX, "the head of a manifest");

struct text {
	char *bytes, *p; /* p: where the next byte goes */
	size_t room;
};

/* Room for so many bytes more and a final NUL.  -1: no memory, and nothing of it is left. */
static int make_room(struct text *t, size_t more)
{
	size_t n = (size_t)(t->p - t->bytes);
	char *bytes;

	if (t->room - n > more)
		return 0;
	t->room = 2 * t->room + more;
	if ((bytes = realloc(t->bytes, t->room)) == NULL) {
		free(t->bytes);
		return -1;
	}
	t->bytes = bytes;
	t->p = bytes + n;
	return 0;
}

static int text_begin(struct text *t, const struct manifest *m)
{
	t->room = HEAD_MAX + TAIL_MAX + m->file_count * (size_t)ROW_USUAL;
	t->p = t->bytes = malloc(t->room);
	return t->bytes != NULL ? 0 : -1;
}

static char *text_end(struct text *t, size_t *n)
{
	*t->p = '\0';
	*n = (size_t)(t->p - t->bytes);
	return t->bytes;
}

static void put(struct text *t, const char *s)
{
	t->p = stpcpy(t->p, s);
}

static void put_hex(struct text *t, const uint8_t *b, size_t n)
{
	hex_put(t->p, b, n);
	t->p += 2 * n;
}

static void put_number(struct text *t, uint64_t v)
{
	char digits[20];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	while (n > 0)
		*t->p++ = digits[--n];
}

/* With a backslash before each backslash, and before each `other`. */
static void put_escaped(struct text *t, const struct manifest_file *f, uint8_t other)
{
	for (size_t i = 0; i < f->name_len; i++) {
		if (f->name[i] == '\\' || f->name[i] == other)
			*t->p++ = '\\';
		*t->p++ = (char)f->name[i];
	}
}

/* A row of SHA256SUMS (7.3). */
static void put_sum(struct text *t, const struct manifest_file *f)
{
	if (memchr(f->name, '\\', f->name_len) != NULL)
		put(t, "\\");
	put_hex(t, f->sha256, HASH_LEN);
	put(t, "  files/");
	put_escaped(t, f, '\\');
	put(t, "\n");
}

char *manifest_sums(const struct manifest *m, size_t *n)
{
	struct text t;

	if (text_begin(&t, m) != 0)
		return NULL;
	for (uint32_t i = 0; i < m->file_count; i++) {
		if (make_room(&t, ROW_MAX) != 0)
			return NULL;
		put_sum(&t, &m->file[i]);
	}
	return text_end(&t, n);
}

static void put_name(struct text *t, const struct manifest_file *f)
{
	if (name_is_utf8(f->name, f->name_len)) {
		put(t, "\"name\":\"");
		put_escaped(t, f, '"');
	} else {
		put(t, "\"name_b64\":\"");
		sodium_bin2base64(t->p, NAME_B64_MAX, f->name, f->name_len, sodium_base64_VARIANT_ORIGINAL);
		t->p += strlen(t->p);
	}
	put(t, "\"");
}

static void put_file(struct text *t, const struct manifest_file *f)
{
	char type[NAME_TYPE_MAX + 1];

	name_type(type, f->name, f->name_len);
	put(t, "{");
	put_name(t, f);
	put(t, ",\"sha256\":\"");
	put_hex(t, f->sha256, HASH_LEN);
	put(t, "\",\"size\":");
	put_number(t, f->size);
	put(t, ",\"type\":\"");
	put(t, type);
	put(t, "\"}");
}

static void put_head(struct text *t, const struct manifest *m, const char *created)
{
	put(t, "{\"@format\":\"" MANIFEST_FORMAT "\",\"channel\":\"");
	put(t, m->channel);
	put(t, "\",\"checks\":[");
	for (uint32_t i = 0; i < m->check_count; i++) {
		put(t, i > 0 ? ",\"" : "\"");
		put(t, m->checks[i]);
		put(t, "\"");
	}
	put(t, "],\"created\":\"");
	put(t, created);
	put(t, "\",\"files\":[");
}

static void put_tail(struct text *t, const struct manifest *m)
{
	put(t, "],\"generation\":\"");
	put_hex(t, m->generation, sizeof(m->generation));
	put(t, "\",\"number\":");
	put_number(t, m->number);
	put(t, ",\"previous\":\"");
	put_hex(t, m->previous, HASH_LEN);
	put(t, "\",\"receiver\":\"");
	put_hex(t, m->receiver, HASH_LEN);
	put(t, "\",\"sender\":\"");
	put_hex(t, m->sender, HASH_LEN);
	put(t, "\",\"sha256sums\":\"");
	put_hex(t, m->sums, HASH_LEN);
	put(t, "\"}\n");
}

/* The keys stand sorted by their bytes, as manifest_read.c expects them. */
char *manifest_text(const struct manifest *m, size_t *n)
{
	char created[MANIFEST_TIME_LEN + 1];
	struct text t;

	if (manifest_time(created, m->created_s) != 0 || text_begin(&t, m) != 0)
		return NULL;
	put_head(&t, m, created);
	for (uint32_t i = 0; i < m->file_count; i++) {
		if (make_room(&t, ROW_MAX + TAIL_MAX) != 0)
			return NULL;
		if (i > 0)
			put(&t, ",");
		put_file(&t, &m->file[i]);
	}
	put_tail(&t, m);
	char *text = text_end(&t, n);

	if (*n <= RECORD_MANIFEST_MAX)
		return text;
	free(text);
	return NULL;
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
