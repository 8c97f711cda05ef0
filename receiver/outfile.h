/* outfile.h - a file of a transfer, written while it is hashed.
 *
 * The data may lie where another process can change it, and is read only once:
 * into memory of our own, a piece that fits the nearest cache, where it is
 * hashed and from where it goes into an aligned buffer.  A thread writes long
 * files buffer by buffer, past the page cache (O_DIRECT), whose first touch is
 * dearer than hashing, where the file system allows it; short ones are written
 * at once, by the caller's thread.  The hash is the caller's work as well: another
 * core would fetch from this one what it hashes, and this one its buffers back.
 *
 * What is proven: the hash is of what was written, of one copy of the data
 * that only this process can change.  Not proven: that the disk keeps it (nothing is read
 * back before publication; `katamichi verify` reads).
 *
 * One file at a time; its descriptor is the caller's, open for writing and
 * closed by the caller after outfile_end().  Not bound to a thread, but not shared. */
#ifndef KM_OUTFILE_H
#define KM_OUTFILE_H

#include <stddef.h>
#include <stdint.h>

#include "codec/crypto.h"

enum {
	OUTFILE_BUFFER = 1 << 20, /* bytes, and the length from which a file is a long one */
	OUTFILE_BUFFERS = 6,
};

struct outfile;

struct outfile *outfile_new(void); /* NULL: no memory or thread; buffers are touched when first used */
void outfile_make(struct outfile *o); /* its buffers are touched now (host/big.h) */
void outfile_free(struct outfile *o); /* NULL is fine */
/* A new file, empty, of which size bytes are expected. */
void outfile_begin(struct outfile *o, int fd, uint64_t size);
/* 0, or the errno of a write that failed (of a long file perhaps only outfile_end() says it). */
int outfile_write(struct outfile *o, const uint8_t *data, size_t n) __attribute__((warn_unused_result));
/* Wait until all is written; the hash of it.  0 or errno. */
int outfile_end(struct outfile *o, uint8_t sha256[static HASH_LEN]) __attribute__((warn_unused_result));
/* Give the file up: when this returns nothing writes to it any more. */
void outfile_abort(struct outfile *o);

#endif
