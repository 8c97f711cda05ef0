/* zip_directory.c - see zip_directory.h. */
#include "content/zip_directory.h"

#include <string.h>
#include <sys/stat.h>

#include "codec/crypto.h"
#include "content/zip_name.h"
#include "content/little.h"

enum { LISTED_LEN = 46, END_LEN = 22, LOCATOR_LEN = 20 };
enum { NOTE_ZIP64 = 0x0001, NOTE_NAME = 0x7075 };

int zip_extra_check(const uint8_t *name, size_t name_n, const uint8_t *p, size_t n, uint8_t second[static ZIP_HASH_LEN],
    struct content_why *why)
{
	while (n >= 4) {
		size_t len = little16(p + 2);

		if (len > n - 4)
			break;
		if (little16(p) == NOTE_ZIP64)
			return content_say(why, "the zip is a ZIP64, which is not accepted");
		if (little16(p) == NOTE_NAME) { /* version, checksum of the first name, name in UTF-8 */
			if (len < 6 || zip_name_second(name, name_n, p + 9, len - 5, why) != 0)
				return content_say(why, "a zip entry has a second name that is malformed");
			zip_name_fold(second, p + 9, len - 5);
		}
		p += 4 + len;
		n -= 4 + len;
	}
	/* Fewer than four bytes are padding of some programs; more is a lie. */
	return n < 4 ? 0 : content_say(why, "the notes of a zip entry do not end where they say");
}

static int is_end(const struct zip *z)
{
	return little32(z->field) == 0x06054b50;
}

int zip_directory_begin(struct zip *z)
{
	if (is_end(z))
		z->want = END_LEN;
	else if (little32(z->field) == 0x02014b50)
		z->want = LISTED_LEN;
	else if (little32(z->field) == 0x06064b50)
		return content_say(z->why, "the zip is a ZIP64, which is not accepted");
	else
		return content_say(z->why, "something stands between the entries of the zip");
	return 0;
}

static struct zip_entry *find(struct zip *z, uint32_t offset)
{
	unsigned low = 0, high = z->entries;

	while (low < high) {
		unsigned mid = low + (high - low) / 2;

		if (z->entry[mid].offset < offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low < z->entries && z->entry[low].offset == offset ? &z->entry[low] : NULL;
}

/* A link or a device, by the mode of Unix.  Some programs believe it whatever system is said to have made the entry. */
static int is_special(const uint8_t *p)
{
	uint32_t mode = little32(p + 38) >> 16;

	return (mode & S_IFMT) != 0 && !S_ISREG(mode) && !S_ISDIR(mode);
}

/* Readers take a second name from the entry, or from the directory, or from neither. */
static int on_listed_notes(struct zip *z, struct zip_entry *e, const uint8_t *name, size_t n, size_t extra)
{
	uint8_t second[ZIP_HASH_LEN];

	memcpy(second, e->second, ZIP_HASH_LEN);
	if (zip_extra_check(name, n, name + n, extra, second, z->why) != 0)
		return -1;
	if (memcmp(second, e->second, ZIP_HASH_LEN) == 0)
		return 0;
	if (memcmp(e->second, e->folded, ZIP_HASH_LEN) != 0)
		return content_say(z->why, "a zip entry has one second name here and another in the directory");
	memcpy(e->second, second, ZIP_HASH_LEN);
	return zip_name_taken(z, second, e);
}

/* The fixed part, name, notes and comment of one line of the directory. */
static int on_listed(struct zip *z)
{
	const uint8_t *p = z->field;
	size_t name = little16(p + 28), extra = little16(p + 30);
	struct zip_entry *e = find(z, little32(p + 42));
	uint8_t h[HASH_LEN];

	crypto_sha256(h, p + LISTED_LEN, name);
	if (e == NULL || e->listed || e->flags != little16(p + 8) || e->method != little16(p + 10) || e->crc != little32(p + 16) ||
	    e->packed != little32(p + 20) || e->size != little32(p + 24) || memcmp(h, e->name, ZIP_HASH_LEN) != 0 ||
	    little16(p + 34) != 0)
		return content_say(z->why, "the zip's directory and its entries contradict each other");
	if (on_listed_notes(z, e, p + LISTED_LEN, name, extra) != 0)
		return -1;
	if (is_special(p))
		return content_say(z->why, "the zip has a link or a device in it");
	z->locator = memcmp(p + z->want - LOCATOR_LEN, "PK\6\7", 4) == 0;
	e->listed = 1;
	z->listed++;
	z->have = 0;
	z->want = 4;
	return 0;
}

static int on_end(struct zip *z)
{
	const uint8_t *p = z->field;
	uint64_t size = z->at - END_LEN - z->directory;

	if (little16(p + 4) != 0 || little16(p + 6) != 0 || little16(p + 8) != z->entries || little16(p + 10) != z->entries ||
	    z->listed != z->entries || little32(p + 12) != size || little32(p + 16) != z->directory)
		return content_say(z->why, "the zip's directory and its entries contradict each other");
	if (z->entries > 0 && z->locator) /* some look for one before the end record, whatever the latter says */
		return content_say(z->why, "the zip is a ZIP64, which is not accepted");
	z->left = little16(p + 20);
	if (z->left > sizeof(z->field) - END_LEN)
		return content_say(z->why, "the zip's comment is too long");
	return 0;
}

/* Readers look for the end record from the file's end, so that one in the comment would be it for them. */
static int on_comment(struct zip *z)
{
	z->left = 0;
	return memmem(z->field + 4, z->want - 4, "PK\5\6", 4) == NULL ? 0 :
	    content_say(z->why, "the zip's comment has another end record in it");
}

int zip_directory_field(struct zip *z)
{
	size_t more;

	if (z->want == 4)
		return zip_directory_begin(z);
	if (is_end(z)) {
		if (z->want > END_LEN)
			return on_comment(z);
		if (on_end(z) != 0)
			return -1;
		z->want = END_LEN + (size_t)z->left; /* the comment, behind it in the same field */
		return 0;
	}
	if (z->want > LISTED_LEN)
		return on_listed(z);
	more = (size_t)little16(z->field + 28) + little16(z->field + 30) + little16(z->field + 32);
	if (more > sizeof(z->field) - LISTED_LEN)
		return content_say(z->why, "a zip entry has too long a name or too many notes");
	z->want = LISTED_LEN + more;
	return more > 0 ? 0 : content_say(z->why, "the name of a zip entry is empty, or in no encoding known");
}

int zip_directory_end(struct zip *z)
{
	return z->want >= END_LEN && z->have == z->want && is_end(z) && z->left == 0 ? 0 :
	    content_say(z->why, "the zip is cut short");
}
