/* object_file.h - the file of a sealed object while it grows: any pieces in,
 * aligned pieces to the disk's thread (disk.h).  With a window (host/window.h) the
 * link finds there what was written last. */
#ifndef KM_OBJECT_FILE_H
#define KM_OBJECT_FILE_H

#include <stdatomic.h>

#include "host/window.h"
#include "sender/disk.h"

enum { OBJECT_FILE_BUFFERS = 4 /* in the works, at most */ };
_Static_assert((int)DISK_PIECE == (int)WINDOW_PIECE, "a buffer is a piece of the window");

struct object_file {
	struct disk *disk;
	struct window *window; /* or NULL */
	struct disk_op op[WINDOW_PIECES_MAX + OBJECT_FILE_BUFFERS];
	unsigned pieces;      /* of the window: so many of the buffers, from the first on */
	unsigned turn;        /* the piece that was taken last */
	uint64_t key;         /* of the file, in the window */
	uint8_t *memory;      /* of the other buffers: where there is no window, or all of it is kept */
	int fd;               /* the caller's */
	unsigned filling;     /* whose buffer */
	unsigned under_way[OBJECT_FILE_BUFFERS], waiting; /* buffers being written, the oldest first */
	size_t have;          /* bytes in it */
	uint64_t length;      /* bytes that came */
	_Atomic uint64_t there; /* bytes that can be read from the file; another thread may ask */
	int error;            /* of the first write that failed; sticky */
};

/* window: the caller's and nobody else's to write; or NULL.  Fatal on failure. */
void object_file_init(struct object_file *o, struct disk *d, struct window *window);
void object_file_make(struct object_file *o); /* its own buffers are touched now (host/big.h), where it has no window */
void object_file_free(struct object_file *o);
/* fd: an empty file, written past the page cache if large.  key: what it is called in the window. */
void object_file_begin(struct object_file *o, int fd, bool large, uint64_t key);
/* 0, or -1 with o->error: perhaps that of an earlier piece. */
int object_file_write(struct object_file *o, const uint8_t *data, size_t n) __attribute__((warn_unused_result));
/* Where the next bytes will lie: who puts them there himself (*n of them at most, 1 at least) gives these addresses to
 * object_file_write(), and nothing is copied. */
uint8_t *object_file_room(struct object_file *o, size_t *n);
/* Wait for the full pieces; the last, short one stays until object_file_end(). */
int object_file_settle(struct object_file *o) __attribute__((warn_unused_result));
/* All of it is with the kernel. */
int object_file_end(struct object_file *o) __attribute__((warn_unused_result));
/* When this returns nothing writes to the file any more. */
void object_file_abandon(struct object_file *o);

#endif
