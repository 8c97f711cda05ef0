/* zip.c - the entries of a zip file (zip.h); zip_directory.c reads what follows them. */
#include "content/zip.h"

#include <string.h>

#include "codec/crypto.h"
#include "content/zip_name.h"
#include "content/zip_directory.h"
#include "content/little.h"

enum { SIGNATURE, HEADER, NAMES, STORED, DEFLATED, MAYBE_SIGNATURE, DESCRIPTOR, DIRECTORY };
enum { LOCAL_LEN = 30, OUT = 16384, MIB = 1 << 20 };
enum { FLAG_ENCRYPTED = 1 << 0, FLAG_DESCRIPTOR = 1 << 3, FLAG_UTF8 = 1 << 11,
	FLAGS_KNOWN = 7 << 1 | FLAG_UTF8, /* deflate's effort, and a descriptor behind */ };

static void want(struct zip *z, uint8_t state, size_t n)
{
	z->state = state;
	z->have = 0;
	z->want = n;
}

void zip_begin(struct zip *z, const struct zip_sink *sink, void *ctx, struct content_why *why)
{
	zip_drop(z);
	z->sink = sink;
	z->ctx = ctx;
	z->why = why;
	z->at = z->total_in = z->total_out = 0;
	z->entries = z->listed = 0;
	want(z, SIGNATURE, 4);
}

void zip_drop(struct zip *z)
{
	if (z->inflating)
		inflateEnd(&z->z);
	z->inflating = 0;
}

static void hash(uint8_t out[static ZIP_HASH_LEN], const uint8_t *p, size_t n)
{
	uint8_t full[HASH_LEN];

	crypto_sha256(full, p, n);
	memcpy(out, full, ZIP_HASH_LEN);
}

int zip_name_taken(const struct zip *z, const uint8_t *folded, const struct zip_entry *but)
{
	for (unsigned i = 0; i < z->entries; i++) {
		const struct zip_entry *e = &z->entry[i];
		if (e != but && (memcmp(e->folded, folded, ZIP_HASH_LEN) == 0 || memcmp(e->second, folded, ZIP_HASH_LEN) == 0))
			return content_say(z->why, "a name stands in the zip twice");
	}
	return 0;
}

/* The 30 bytes of a local header, of which the signature was seen. */
static int on_header(struct zip *z)
{
	const uint8_t *p = z->field;
	size_t name = little16(p + 26), extra = little16(p + 28);

	z->now = (struct zip_entry){ .offset = (uint32_t)(z->at - LOCAL_LEN), .flags = little16(p + 6), .method = little16(p + 8),
		.crc = little32(p + 14), .packed = little32(p + 18), .size = little32(p + 22) };
	if (z->now.flags & FLAG_ENCRYPTED)
		return content_say(z->why, "the zip is encrypted, so nobody can look into it");
	if (z->now.flags & ~FLAGS_KNOWN & 0xFFFF)
		return content_say(z->why, "a zip entry uses what is not accepted here (flags %04x)", z->now.flags);
	if (z->now.method != 0 && z->now.method != 8)
		return content_say(z->why, "a zip entry is packed by method %u; stored and deflated are accepted", z->now.method);
	if ((z->now.flags & FLAG_DESCRIPTOR) && z->now.method == 0)
		return content_say(z->why, "a stored zip entry does not say where it ends");
	if (z->now.packed == 0xFFFFFFFF || z->now.size == 0xFFFFFFFF)
		return content_say(z->why, "the zip is a ZIP64, which is not accepted");
	if (name > ZIP_NAME_MAX || extra > ZIP_EXTRA_MAX)
		return content_say(z->why, "a zip entry has too long a name or too many notes");
	if (z->entries == ZIP_ENTRIES_MAX)
		return content_say(z->why, "the zip has more than %d entries", ZIP_ENTRIES_MAX);
	z->state = NAMES;
	z->want = LOCAL_LEN + name + extra; /* behind the header, which stays */
	return 0;
}

static int start_data(struct zip *z)
{
	z->packed = z->size = 0;
	z->crc = 0;
	z->left = z->now.packed;
	if (z->now.method == 0) {
		if (z->now.packed != z->now.size)
			return content_say(z->why, "a stored zip entry has two sizes");
		z->state = STORED;
		return 0;
	}
	if (!z->inflating) {
		memset(&z->z, 0, sizeof(z->z));
		if (inflateInit2(&z->z, -MAX_WBITS) != Z_OK)
			return content_say(z->why, "there is no memory to check it");
		z->inflating = 1;
	} else {
		(void)inflateReset(&z->z);
	}
	z->state = DEFLATED;
	return 0;
}

/* A name lies behind the header, and notes behind it. */
static int on_names(struct zip *z)
{
	const uint8_t *name = z->field + LOCAL_LEN;
	size_t n = little16(z->field + 26);

	if (zip_name_check(name, n, z->now.flags & FLAG_UTF8, z->why) != 0)
		return -1;
	hash(z->now.name, name, n);
	zip_name_fold(z->now.folded, name, n);
	memcpy(z->now.second, z->now.folded, ZIP_HASH_LEN);
	if (zip_extra_check(name, n, name + n, z->want - LOCAL_LEN - n, z->now.second, z->why) != 0 ||
	    zip_name_taken(z, z->now.folded, NULL) != 0 || zip_name_taken(z, z->now.second, NULL) != 0)
		return -1;
	z->folder = name[n - 1] == '/';
	if (z->folder && (z->now.packed | z->now.size) != 0)
		return content_say(z->why, "a folder in the zip has contents of its own");
	if (!z->folder && z->sink->begin(z->ctx, name, n) != 0)
		return -1;
	return start_data(z);
}

static int on_data(struct zip *z, const uint8_t *p, size_t n)
{
	z->crc = (uint32_t)crc32(z->crc, p, (uInt)n);
	z->size += n;
	z->total_out += n;
	if (z->total_out > ZIP_TOTAL_MAX)
		return content_say(z->why, "the zip unpacks to more than %llu MiB", ZIP_TOTAL_MAX >> 20);
	if (z->total_out > MIB && z->total_out / ZIP_RATIO_MAX > z->total_in + z->packed)
		return content_say(z->why, "the zip unpacks to more than %d times its size", ZIP_RATIO_MAX);
	return z->folder && n > 0 ? content_say(z->why, "a folder in the zip has contents of its own") :
	    n > 0 ? z->sink->data(z->ctx, p, n) : 0;
}

/* The entry's sizes and checksum are known from its header or descriptor. */
static int end_entry(struct zip *z)
{
	if (z->now.crc != z->crc || z->now.packed != z->packed || z->now.size != z->size)
		return content_say(z->why, "a zip entry is not what its header says (size or checksum)");
	if (!z->folder && z->sink->end(z->ctx) != 0)
		return -1;
	z->total_in += z->packed;
	z->entry[z->entries++] = z->now;
	want(z, SIGNATURE, 4);
	return 0;
}

static int end_data(struct zip *z)
{
	if (!(z->now.flags & FLAG_DESCRIPTOR))
		return end_entry(z);
	want(z, MAYBE_SIGNATURE, 4);
	return 0;
}

/* Returns the bytes used, or -1. */
static long on_stored(struct zip *z, const uint8_t *p, size_t n)
{
	size_t part = z->left < n ? (size_t)z->left : n;

	z->left -= part;
	z->packed += part;
	if (on_data(z, p, part) != 0 || (z->left == 0 && end_data(z) != 0))
		return -1;
	return (long)part;
}

static long on_deflated(struct zip *z, const uint8_t *p, size_t n)
{
	uint8_t out[OUT];
	uint64_t before = z->packed;
	int result;

	z->z.next_in = (Bytef *)(uintptr_t)p;
	z->z.avail_in = (uInt)(n < MIB ? n : MIB);
	n = z->z.avail_in;
	do {
		z->z.next_out = out;
		z->z.avail_out = OUT;
		result = inflate(&z->z, Z_NO_FLUSH);
		if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
			return content_say(z->why, "a zip entry is damaged");
		z->packed = before + (n - z->z.avail_in);
		if (on_data(z, out, OUT - z->z.avail_out) != 0)
			return -1;
	} while (result == Z_OK && (z->z.avail_in > 0 || z->z.avail_out == 0));
	if (!(z->now.flags & FLAG_DESCRIPTOR) && z->packed > z->now.packed)
		return content_say(z->why, "a zip entry is not what its header says (size or checksum)");
	if (result == Z_STREAM_END && end_data(z) != 0)
		return -1;
	return (long)(n - z->z.avail_in);
}

/* A descriptor, with or without its signature: crc, packed, size. */
static int on_descriptor(struct zip *z)
{
	const uint8_t *p = z->field + (z->want == 16 ? 4 : 0);

	if (((z->now.packed | z->now.size | z->now.crc) != 0) &&
	    (z->now.crc != little32(p) || z->now.packed != little32(p + 4) || z->now.size != little32(p + 8)))
		return content_say(z->why, "a zip entry is not what its header says (size or checksum)");
	z->now.crc = little32(p);
	z->now.packed = little32(p + 4);
	z->now.size = little32(p + 8);
	return end_entry(z);
}

/* z->want bytes of z->field are there. */
static int on_field(struct zip *z)
{
	switch (z->state) {
	case SIGNATURE:
		if (little32(z->field) == 0x04034b50) {
			z->state = HEADER;
			z->want = LOCAL_LEN;
			return 0;
		}
		z->directory = (uint32_t)(z->at - 4);
		z->state = DIRECTORY;
		if (z->at == 4 && little32(z->field) != 0x06054b50)
			return content_say(z->why, "it does not begin like a zip");
		return zip_directory_begin(z);
	case HEADER:
		return on_header(z);
	case NAMES:
		return on_names(z);
	case MAYBE_SIGNATURE:
		z->state = DESCRIPTOR;
		z->want = little32(z->field) == 0x08074b50 ? 16 : 12;
		return 0;
	case DESCRIPTOR:
		return on_descriptor(z);
	default:
		return zip_directory_field(z);
	}
}

static long step(struct zip *z, const uint8_t *p, size_t n)
{
	size_t part = z->want - z->have < n ? z->want - z->have : n;

	if (z->state == STORED)
		return on_stored(z, p, n);
	if (z->state == DEFLATED)
		return on_deflated(z, p, n);
	if (part == 0)
		return content_say(z->why, "something stands behind the zip's end");
	memcpy(z->field + z->have, p, part);
	z->have += part;
	z->at += part;
	return z->have == z->want && on_field(z) != 0 ? -1 : (long)part;
}

int zip_bytes(struct zip *z, const uint8_t *p, size_t n)
{
	while (n > 0) {
		int data = z->state == STORED || z->state == DEFLATED;
		long used = step(z, p, n);

		if (used < 0)
			return -1;
		z->at += data ? (uint64_t)used : 0;
		if (z->at > UINT32_MAX)
			return content_say(z->why, "the zip is a ZIP64, which is not accepted");
		p += used;
		n -= (size_t)used;
		/* An empty entry has no byte that would bring us here again. */
		if (z->state == STORED && z->left == 0 && on_stored(z, p, 0) < 0)
			return -1;
	}
	return 0;
}

int zip_end(struct zip *z)
{
	zip_drop(z);
	if (z->state != DIRECTORY)
		return content_say(z->why, z->at < 4 ? "it does not begin like a zip" : "the zip is cut short");
	return zip_directory_end(z);
}
