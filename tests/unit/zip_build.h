/* zip_build.h - zip files for tests, right ones and wrong ones.  Entries are
 * stored or deflated; every number in a header can be made a lie. */
#ifndef KM_ZIP_BUILD_H
#define KM_ZIP_BUILD_H

#include <stdint.h>
#include <string.h>
#include <zlib.h>

struct zip_build {
	uint8_t out[1 << 20];
	size_t n;
	uint8_t directory[1 << 16];
	size_t listed_n;
	unsigned entries;
};

struct zip_lie { /* zero: the truth */
	uint16_t flags, method; /* instead, if not zero */
	const char *listed_name;
	int32_t size, listed_size, crc, offset; /* added */
	int descriptor;         /* 1 with signature, 2 without */
	uint32_t mode;          /* of Unix, into the directory */
	int host;               /* that made it; 0: Unix, -1: DOS */
	const char *note, *listed_note;                  /* a second name, in the entry's notes and the directory's */
	const uint8_t *listed_comment;
	size_t listed_comment_n;
	int unlisted;
};

static inline void zb_put(uint8_t *p, size_t *n, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[(*n)++] = (uint8_t)(v >> 8 * i);
}

static inline size_t zb_pack(uint8_t *out, size_t room, const void *data, size_t n)
{
	z_stream z = { 0 };

	if (deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return 0;
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)n;
	z.next_out = out;
	z.avail_out = (uInt)room;
	(void)deflate(&z, Z_FINISH);
	deflateEnd(&z);
	return z.total_out;
}

/* The note 7075 with another name. */
static inline size_t zb_note(uint8_t *p, const char *second)
{
	size_t n = 0, len;

	if (second == NULL)
		return 0;
	len = strlen(second);
	zb_put(p, &n, 0x7075, 2);
	zb_put(p, &n, 5 + len, 2);
	zb_put(p, &n, 1, 5); /* version; the checksum of the first name is not looked at */
	memcpy(p + n, second, len);
	return n + len;
}

static inline void zb_add(struct zip_build *b, const char *name, const void *data, size_t n, int packed,
    const struct zip_lie *lie)
{
	static const struct zip_lie truth;
	const struct zip_lie *l = lie != NULL ? lie : &truth;
	static uint8_t body[1 << 18];
	size_t m = packed ? zb_pack(body, sizeof(body), data, n) : n, at = b->n, len = strlen(name);
	const char *listed = l->listed_name != NULL ? l->listed_name : name;
	uint16_t flags = (uint16_t)(0x800 | l->flags | (l->descriptor ? 8 : 0)), method = l->method ? l->method : packed ? 8 : 0;
	uint32_t crc = (uint32_t)crc32(0, data, (uInt)n) + (uint32_t)l->crc, size = (uint32_t)n + (uint32_t)l->size;
	int later = l->descriptor;
	uint8_t note[64], listed_note[64];
	size_t note_n = zb_note(note, l->note), listed_note_n = zb_note(listed_note, l->listed_note);

	if (!packed)
		memcpy(body, data, n);
	zb_put(b->out, &b->n, 0x04034b50, 4);
	zb_put(b->out, &b->n, 20, 2);
	zb_put(b->out, &b->n, flags, 2);
	zb_put(b->out, &b->n, method, 2);
	zb_put(b->out, &b->n, 0, 4);
	zb_put(b->out, &b->n, later ? 0 : crc, 4);
	zb_put(b->out, &b->n, later ? 0 : m, 4);
	zb_put(b->out, &b->n, later ? 0 : size, 4);
	zb_put(b->out, &b->n, len, 2);
	zb_put(b->out, &b->n, note_n, 2);
	memcpy(b->out + b->n, name, len);
	memcpy(b->out + b->n + len, note, note_n);
	memcpy(b->out + b->n + len + note_n, body, m);
	b->n += len + note_n + m;
	if (later == 1)
		zb_put(b->out, &b->n, 0x08074b50, 4);
	if (later) {
		zb_put(b->out, &b->n, crc, 4);
		zb_put(b->out, &b->n, m, 4);
		zb_put(b->out, &b->n, size, 4);
	}
	if (l->unlisted)
		return;
	zb_put(b->directory, &b->listed_n, 0x02014b50, 4);
	zb_put(b->directory, &b->listed_n, 20u | (l->host == 0 ? 3u : 0u) << 8, 2);
	zb_put(b->directory, &b->listed_n, 20, 2);
	zb_put(b->directory, &b->listed_n, flags, 2);
	zb_put(b->directory, &b->listed_n, method, 2);
	zb_put(b->directory, &b->listed_n, 0, 4);
	zb_put(b->directory, &b->listed_n, crc, 4);
	zb_put(b->directory, &b->listed_n, m, 4);
	zb_put(b->directory, &b->listed_n, size + (uint32_t)l->listed_size, 4);
	zb_put(b->directory, &b->listed_n, strlen(listed), 2);
	zb_put(b->directory, &b->listed_n, listed_note_n, 2);
	zb_put(b->directory, &b->listed_n, l->listed_comment_n, 2);
	zb_put(b->directory, &b->listed_n, 0, 4); /* volume, kind */
	zb_put(b->directory, &b->listed_n, l->mode << 16, 4);
	zb_put(b->directory, &b->listed_n, at + (uint64_t)l->offset, 4);
	memcpy(b->directory + b->listed_n, listed, strlen(listed));
	b->listed_n += strlen(listed);
	memcpy(b->directory + b->listed_n, listed_note, listed_note_n);
	b->listed_n += listed_note_n;
	if (l->listed_comment_n > 0)
		memcpy(b->directory + b->listed_n, l->listed_comment, l->listed_comment_n);
	b->listed_n += l->listed_comment_n;
	b->entries++;
}

/* The directory and the end, with a comment; entries more than there are, if wanted. */
static inline void zb_end_bytes(struct zip_build *b, unsigned more, const void *comment, size_t comment_n)
{
	size_t at = b->n;

	memcpy(b->out + b->n, b->directory, b->listed_n);
	b->n += b->listed_n;
	zb_put(b->out, &b->n, 0x06054b50, 4);
	zb_put(b->out, &b->n, 0, 4);
	zb_put(b->out, &b->n, b->entries + more, 2);
	zb_put(b->out, &b->n, b->entries + more, 2);
	zb_put(b->out, &b->n, b->listed_n, 4);
	zb_put(b->out, &b->n, at, 4);
	zb_put(b->out, &b->n, comment_n, 2);
	memcpy(b->out + b->n, comment, comment_n);
	b->n += comment_n;
}

static inline void zb_end(struct zip_build *b, unsigned more, const char *comment)
{
	zb_end_bytes(b, more, comment, strlen(comment));
}

#endif
