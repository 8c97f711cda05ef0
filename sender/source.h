/* source.h - the bytes of one claimed file, read ahead of who needs them (disk.h). */
#ifndef KM_SOURCE_H
#define KM_SOURCE_H

#include "sender/disk.h"

enum {
	SOURCE_KEPT = 5,    /* pieces that are valid: the last, and those before it, which are still hashed aside (hash_aside.h) */
	SOURCE_BUFFERS = 7, /* of these two are being read */
};

struct source {
	struct disk *disk;
	struct disk_op op[SOURCE_BUFFERS];
	int fd;
	uint64_t size, asked, given; /* bytes: of the file; of the reads submitted; handed out */
	unsigned turn;
	bool cached;                 /* what was read last was in the page cache */
};

void source_init(struct source *s, struct disk *d); /* fatal on failure */
void source_free(struct source *s);
/* fd: the caller's, until source_end().  size: what the file should have. */
void source_begin(struct source *s, int fd, uint64_t size);
/* The next bytes, at most DISK_PIECE; valid until SOURCE_KEPT more calls.  1, 0 after
 * exactly size bytes, or -1 with errno (ESTALE: the file is shorter or longer). */
int source_next(struct source *s, const uint8_t **data, size_t *n) __attribute__((warn_unused_result));
/* When this returns nothing reads the file any more. */
void source_end(struct source *s);

#endif
