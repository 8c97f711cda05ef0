/* pipeframe.h - what flows open > check > store: frames of a type
 * (receiver_messages.h), a job number and at most PIPEFRAME_MAX bytes, through
 * a ring in shared memory (host/ring.h).
 * What check neither changes nor reads store takes from where open put it: check passes on where it lies
 * (pipeframe_pass_on()), and open has that memory back when store has gone on.
 * A frame that is malformed means that a process of ours is not itself: fatal. */
#ifndef KM_PIPEFRAME_H
#define KM_PIPEFRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/ring.h"

enum {
	PIPEFRAME_RING = 2 << 20, /* bytes of a ring: what stands in it longer is no longer near when it is read */
	/* Of a large object: where all processors are at work a process has its turn only every few milliseconds, and with
	 * 2 MiB the next one had nothing left to do by then (measured at both ends on two processors: 8 MiB carry a fifth more,
	 * at a tenth less processor time). */
	PIPEFRAME_RING_LARGE = 8 << 20,
	PIPEFRAME_MAX = 256 << 10,
	PIPEFRAME_COPIED = 1024, /* bytes: a frame up to so long is a copy of the reader's own */
	PIPEFRAME_KEPT = 64,     /* frames passed on and not read yet, told apart; beyond, they are given back together */
};

struct pipeframe {
	uint32_t type;
	uint32_t job;
	uint32_t len;
	/* Valid until the next call.  Beyond PIPEFRAME_COPIED bytes it lies in memory that
	 * the writer can change at any time: read it once. */
	const uint8_t *body;
};

struct pipeframe_fds {
	int memory, writer, reader; /* descriptors, CLOEXEC */
};
void pipeframe_pair(struct pipeframe_fds *f, size_t ring); /* of so many bytes; fatal on failure */

struct pipeframe_out {
	struct ring ring;
};
/* -1 and errno: not a ring.  Takes neither descriptor. */
int pipeframe_writer(struct pipeframe_out *out, int memory, int writer) __attribute__((warn_unused_result));
/* Room for a frame of n bytes, where whoever makes them puts them; waits until there is some.  NULL: the reader is gone.
 * Nothing is sent until pipeframe_commit(), of so many bytes or fewer; until then another call gives the same room. */
uint8_t *pipeframe_room(struct pipeframe_out *out, size_t n);
void pipeframe_commit(struct pipeframe_out *out, uint32_t type, uint32_t job, size_t n);
/* The same with a copy.  0, or -1: the reader is gone. */
int pipeframe_write(struct pipeframe_out *out, uint32_t type, uint32_t job, const void *data, size_t n)
    __attribute__((warn_unused_result));
/* Only now does what was written wake a reader that sleeps: to be called after a while of writing, and before waiting for
 * anything but pipeframe_room(), which does it itself. */
void pipeframe_tell(struct pipeframe_out *out);

struct pipeframe_in {
	struct ring ring;
	bool got;              /* the record before is still there */
	struct ring_view view; /* where passed on frames lie */
	/* What was passed on of the frames: those up to an index of ours can be given back when `out` was read up to another. */
	struct pipeframe_out *out; /* or NULL: nothing yet */
	struct {
		uint64_t upto, read;
	} kept[PIPEFRAME_KEPT]; /* in turn, from the oldest on */
	unsigned oldest, keeps;
	uint64_t passed;       /* of the present frame: where in `out`; 0: nothing */
	uint8_t copy[PIPEFRAME_COPIED] __attribute__((aligned(16)));
};
int pipeframe_reader(struct pipeframe_in *in, int memory, int reader) __attribute__((warn_unused_result));
/* memory: of the ring whose frames are passed on to this one. */
int pipeframe_view(struct pipeframe_in *in, int memory) __attribute__((warn_unused_result));
/* Does it lie in the present frame where others can see it?  Then it can be passed on. */
bool pipeframe_is_shared(const struct pipeframe_in *in, const uint8_t *data);
/* As pipeframe_write() without the copy: of the present frame of `in`, whose frames are passed on to no other.
 * For the reader it is a frame like any. */
int pipeframe_pass_on(struct pipeframe_out *out, struct pipeframe_in *in, uint32_t type, uint32_t job, const uint8_t *data,
    size_t n) __attribute__((warn_unused_result));
/* Before sleeping: what was read of what was passed on is given back, and half of the rest will wake us by the
 * descriptor of the ring that it was passed on to. */
void pipeframe_settle(struct pipeframe_in *in);
enum pipeframe_result { PIPEFRAME_GOT = 1, PIPEFRAME_AGAIN = 0, PIPEFRAME_CLOSED = -1 };
/* The next frame.  wait: until there is one; otherwise AGAIN, and the reader's
 * descriptor becomes readable when there is. */
enum pipeframe_result pipeframe_next(struct pipeframe_in *in, struct pipeframe *f, bool wait)
    __attribute__((warn_unused_result));

#endif
