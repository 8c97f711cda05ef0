/* pipeframe.h - what flows through the pipes open > check > store: frames of a
 * type (receiver_messages.h), a job number and at most PIPEFRAME_MAX bytes.
 * A frame that is malformed means that a process of ours is not itself: fatal. */
#ifndef KM_PIPEFRAME_H
#define KM_PIPEFRAME_H

#include <stddef.h>
#include <stdint.h>

enum { PIPEFRAME_MAX = 1 << 20, PIPEFRAME_ROOM = PIPEFRAME_MAX + 4096 };

struct pipeframe {
	uint32_t type;
	uint32_t job;
	uint32_t len;
	uint32_t zero;
	const uint8_t *body; /* valid until the next call */
};

void pipeframe_pair(int fd[2]); /* a pipe, CLOEXEC, as large as allowed; fatal on failure */
/* Waits until all is written.  0, or -1: the reader is gone. */
int pipeframe_write(int fd, uint32_t type, uint32_t job, const void *data, size_t n) __attribute__((warn_unused_result));

struct pipeframe_in {
	int fd;
	uint8_t *buf; /* PIPEFRAME_ROOM */
	size_t at, have;
};
int pipeframe_open(struct pipeframe_in *in, int fd) __attribute__((warn_unused_result)); /* -1: no memory */
enum pipeframe_result { PIPEFRAME_GOT = 1, PIPEFRAME_AGAIN = 0, PIPEFRAME_CLOSED = -1 };
/* The next frame; AGAIN only where fd does not block. */
enum pipeframe_result pipeframe_next(struct pipeframe_in *in, struct pipeframe *f) __attribute__((warn_unused_result));

#endif
