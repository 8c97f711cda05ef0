/* ring.h - records from one process to another through shared memory.
 *
 * One writer, one reader, of different trust: neither believes the other.  The
 * memory is a memfd whose size is sealed, so that no access can fault.  Each
 * side keeps its own index for itself and looks at the other's once a call; an
 * index that cannot be (RING_BAD) means that the peer is not itself any more.
 * A record's head is copied before it is judged.  Its bytes are the writer's
 * to change at any time: the reader reads each of them once, or copies them.
 *
 * Records lie in one piece and have any length up to a quarter of the ring, so
 * that small events and long runs of data share it without slots that are too
 * large or too small.  Memory is bounded and recycled; a reader that stands
 * still stops the writer, and nothing else.
 *
 * Sleeping: a side that finds nothing to do says so in the shared memory, looks
 * again, and waits for its end of a socket pair to become readable; the other
 * side writes a byte there only then.  The end of a process closes its end.
 *
 *   at 0     head u64 (writer's), at 8 reader sleeps u32
 *   at 64    tail u64 (reader's), at 72 writer sleeps u32, at 80 the tail that wakes it u64
 *   at 4096  the records: length u32, 0 or 1 (1: only filling up to the end) u32,
 *            tag u64; bytes; up to the next multiple of 16
 * head and tail count bytes from the beginning and never wrap. */
#ifndef KM_RING_H
#define KM_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ring_result { RING_GOT = 1, RING_NOTHING = 0, RING_BAD = -1 };

struct ring {
	struct ring_shared *shared;
	uint8_t *data;
	size_t size;       /* of data, a power of two */
	uint64_t mine;     /* own index: head, or where the next record is read */
	uint64_t given;    /* reader: tail, what the writer has back; up to mine records are kept */
	uint64_t other;    /* the peer's, as last seen and found possible */
	uint64_t next;     /* reader: behind the record looked at; writer: where the reserved one begins */
	int wake;          /* end of the socket pair, non-blocking; the caller's */
	bool reader;
};

/* A new ring of so many bytes (a power of two, 64 KiB to 1 GiB): its memfd, or -1 and errno. */
int ring_create(size_t bytes) __attribute__((warn_unused_result));
/* Map it: 0, or -1 and errno (EINVAL: not a ring, or its size is not sealed).  The memfd may be closed afterwards. */
int ring_open(struct ring *r, int memfd, int wake, bool reader) __attribute__((warn_unused_result));
void ring_close(struct ring *r);
size_t ring_max(const struct ring *r); /* bytes of the longest record */

/* Writer: *out is room for n bytes (at most ring_max()), then ring_commit() makes them a record. */
enum ring_result ring_reserve(struct ring *r, size_t n, uint8_t **out) __attribute__((warn_unused_result));
void ring_commit(struct ring *r, uint64_t tag, size_t n); /* n: as reserved, or less */
/* Wake the reader if it sleeps: after many records, as waking it takes longer than to write one; and before waiting for anything. */
void ring_tell(struct ring *r);

struct ring_record {
	uint64_t tag;
	uint32_t len;
	const uint8_t *data; /* shared: see above */
};
/* Reader: the oldest record that was not read yet, which stays until ring_release(). */
enum ring_result ring_peek(struct ring *r, struct ring_record *out) __attribute__((warn_unused_result));
void ring_release(struct ring *r); /* it, and all that are kept */
/* Or it stays longer: go on behind it.  Returns the index up to which ring_give() then takes it. */
uint64_t ring_keep(struct ring *r);
void ring_give(struct ring *r, uint64_t upto); /* the records kept up to here are the writer's again */

/* Nothing to do: announce it.  True if it is still so, now that the peer can see it; then wait for r->wake. */
bool ring_sleep(struct ring *r, size_t n); /* writer: n bytes that need room; reader: 0 */
/* Writer: the index behind what was written, and whether the reader has given back all up to such a one.  The second asks to
 * be woken once it has; true: it has already. */
uint64_t ring_written(const struct ring *r);
bool ring_given(struct ring *r, uint64_t upto);
bool ring_ask(struct ring *r, uint64_t upto);
/* Take the bytes that woke us.  False: the peer has closed its end. */
bool ring_awake(struct ring *r);

/* What lies in a ring, for a third process that is told where: it cannot write there, and believes no more of it than of
 * any record.  0, or -1 and errno. */
struct ring_view {
	const uint8_t *data;
	size_t size;
};
int ring_view_open(struct ring_view *v, int memfd) __attribute__((warn_unused_result));
void ring_view_close(struct ring_view *v);

#endif
