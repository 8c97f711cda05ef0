/* source.h - the bytes of one claimed file: read ahead of who needs them (disk.h), or, of a large file that lies in
 * the page cache as one does that was just put in, in small parts at the moment they are needed: these are still in
 * the nearest cache when they are gone through, and wake nobody. */
#ifndef KM_SOURCE_H
#define KM_SOURCE_H

#include "sender/disk.h"

enum {
	SOURCE_KEPT = 5,    /* pieces that are valid: the last, and those before it, which are still hashed aside (hash_aside.h) */
	SOURCE_BUFFERS = 7, /* of these two are being read */
	SOURCE_NEAR = 128 << 10, /* bytes of such a part */
};

struct source {
	struct disk *disk;
	struct disk_op op[SOURCE_BUFFERS];
	int fd;
	uint64_t size, asked, given; /* bytes: of the file; of the reads submitted; handed out */
	unsigned turn;
	bool cached;                 /* what was read last was in the page cache */
	bool near;                   /* in small parts, as long as it is */
};

void source_init(struct source *s, struct disk *d); /* fatal on failure */
void source_free(struct source *s);
/* fd: the caller's, until source_end().  size: what the file should have.  near: who takes the bytes goes through them
 * more than once; otherwise he has other work while the next ones are read. */
void source_begin(struct source *s, int fd, uint64_t size, bool near);
/* The next bytes, at most up to the next multiple of DISK_PIECE; valid until SOURCE_KEPT more calls, with near until the
 * next one.  1, 0 after exactly size bytes, or -1 with errno (ESTALE: the file is shorter or longer). */
int source_next(struct source *s, const uint8_t **data, size_t *n) __attribute__((warn_unused_result));
/* When this returns nothing reads the file any more. */
void source_end(struct source *s);

#endif
