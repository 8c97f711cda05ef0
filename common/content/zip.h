/* zip.h - is this a zip file that every program unpacks alike, into its own
 * folder, and into no more than it seems?
 *
 * Read as a stream, from the first byte to the last, which leaves no room for
 * what a reader of the directory alone never sees: entries follow each other
 * without a gap (so they cannot overlap), then comes the directory, then its
 * end record, then nothing.  Every entry is unpacked (zlib) as it passes, its
 * checksum and sizes are checked, and its bytes go to the caller, who checks
 * them as a file of their own.  The directory must name just the entries that
 * passed: same place, name, sizes, checksum, method.
 *
 * Refused: encryption; methods other than stored and deflated; ZIP64 and
 * several volumes (no filing is 4 GB); names that are absolute, climb ("..",
 * drive letters, backslashes), have control characters, are not UTF-8 where
 * they say so and not CP932 elsewhere, that Windows does not write as they stand,
 * or that stand there twice (letter case aside, as on Windows); a second name
 * (Unicode path) of another type; links and devices; comments in which a reader
 * that begins at the file's end would find another end record; a zip in the zip (the caller, by
 * policy); more than the caps below.  (Format: APPNOTE.TXT 6.3.) */
#ifndef KM_ZIP_H
#define KM_ZIP_H

#include <zlib.h>

#include "content/why.h"

enum {
	ZIP_ENTRIES_MAX = 1000,
	ZIP_NAME_MAX = 1024,
	ZIP_EXTRA_MAX = 4096,
	ZIP_RATIO_MAX = 200,          /* bytes out for a byte in, beyond the first MiB */
	ZIP_HASH_LEN = 16,
};
#define ZIP_TOTAL_MAX (1ull << 30) /* bytes of all entries together */

/* What becomes of the entries; each 0, or -1 after it said why. */
struct zip_sink {
	int (*begin)(void *ctx, const uint8_t *name, size_t n); /* directories are left out */
	int (*data)(void *ctx, const uint8_t *p, size_t n);
	int (*end)(void *ctx);
};

struct zip_entry {
	uint32_t offset, crc, packed, size;
	uint16_t method, flags;
	uint8_t name[ZIP_HASH_LEN];   /* SHA-256 of the name's bytes, its beginning */
	uint8_t folded[ZIP_HASH_LEN]; /* the same, ASCII letters made small */
	uint8_t second[ZIP_HASH_LEN]; /* likewise of the second name in its notes; that of the first if it has none */
	uint8_t listed;               /* the directory has named it */
};

struct zip {
	const struct zip_sink *sink;
	void *ctx;
	struct content_why *why;
	uint64_t at;                    /* bytes read */
	uint8_t state;
	uint8_t inflating;              /* z is in use */
	z_stream z;
	size_t want, have;              /* of field */
	uint8_t field[64 + ZIP_NAME_MAX + ZIP_EXTRA_MAX]; /* a header, name and extra behind it */
	struct zip_entry now;
	uint64_t left;                  /* stored: bytes still to come; comment likewise */
	uint64_t packed, size;          /* of the present entry, so far */
	uint64_t total_in, total_out;
	uint32_t crc;
	uint8_t folder;                 /* the present entry is one */
	uint32_t directory;             /* offset */
	uint8_t locator;                /* the line of the directory just read ends like a locator of ZIP64 */
	unsigned entries, listed;
	struct zip_entry entry[ZIP_ENTRIES_MAX];
};

/* z: zeroed before its first use. */
void zip_begin(struct zip *z, const struct zip_sink *sink, void *ctx, struct content_why *why);
int zip_bytes(struct zip *z, const uint8_t *p, size_t n) __attribute__((warn_unused_result));
int zip_end(struct zip *z) __attribute__((warn_unused_result));
void zip_drop(struct zip *z); /* frees what zlib has; any time, more than once */

#endif
