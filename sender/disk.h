/* disk.h - a thread that reads and writes large pieces of files, so that who
 * hashes and seals does not wait for the disk.
 *
 * Pieces lie in aligned buffers of the caller's, which are used again and
 * again: files are read and written past the page cache (O_DIRECT), whose first
 * touch costs more than hashing and sealing together (1.3 CPU s per GB against
 * 0.1, measured).  Where the file system refuses that, or a piece ends between
 * two blocks, the same goes through the page cache. */
#ifndef KM_DISK_H
#define KM_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DISK_ALIGN = 4096,     /* of buffers, offsets and lengths past the page cache, on any disk */
	DISK_PIECE = 1 << 20,  /* bytes of a buffer */
};

struct disk_op {
	/* Set by the caller; not to be touched until disk_wait(). */
	bool write;
	bool cached;   /* read: from the page cache if it is there, as a file that was just put in is; false afterwards: it was not */
	int fd;
	uint8_t *buf;
	size_t n;
	uint64_t at;
	/* Result. */
	size_t got;    /* bytes read (fewer than n: the file ended) or written */
	int error;     /* errno, or 0 */
	/* The disk's own. */
	bool pending;
	struct disk_op *next;
};

struct disk; /* opaque: one thread */
struct disk *disk_start(void); /* fatal on failure */
void disk_stop(struct disk *d); /* after what was submitted is done */
void disk_submit(struct disk *d, struct disk_op *op); /* done in the order of submission */
void disk_wait(struct disk *d, struct disk_op *op);   /* at once if it was never submitted */
void disk_run_here(struct disk_op *op); /* by the caller's thread: a small piece is done before another thread is awake */

/* count buffers side by side, aligned, in large pages where there are such (host/big.h): the kernel pins them page by
 * page.  free() the first.  Fatal if there is no memory. */
uint8_t *disk_buffers(unsigned count);
/* Ask for the way past the page cache, or give it up; false: as it was. */
bool disk_direct(int fd, bool want);
/* From the page cache, without waiting for the disk; fd not past the page cache.  False: not all of it is there. */
bool disk_read_cached(int fd, uint8_t *buf, size_t n, uint64_t at);
/* pread until n bytes or the end, whatever way fd is open; buf, n and at aligned if it is O_DIRECT.  -1 with errno. */
long long disk_read(int fd, uint8_t *buf, size_t n, uint64_t at) __attribute__((warn_unused_result));

#endif
