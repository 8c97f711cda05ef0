/* pipeframe.c - frames through pipes (pipeframe.h). */
#include "receiver/pipeframe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "host/exits.h"
#include "host/log.h"

enum { HEAD = 16, PIPE_BYTES_WANTED = 1 << 20 };

void
pipeframe_pair(int fd[2])
{
	if (pipe2(fd, O_CLOEXEC) != 0)
		log_die(EXIT_SYSTEM, "pipe: %s", strerror(errno));
	if (fcntl(fd[0], F_SETPIPE_SZ, PIPE_BYTES_WANTED) < 0)
		log_debug("pipe of the usual size: %s", strerror(errno)); /* slower, no more */
}

int
pipeframe_write(int fd, uint32_t type, uint32_t job, const void *data, size_t n)
{
	uint32_t head[4] = { type, job, (uint32_t)n, 0 };
	struct iovec iov[2] = { { head, HEAD }, { (void *)(uintptr_t)data, n } };
	size_t left = HEAD + n;

	if (n > PIPEFRAME_MAX)
		log_die(EXIT_INTERNAL, "frame %u of %zu bytes is too long", type, n);
	while (left > 0) {
		ssize_t w = writev(fd, iov, 2);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -1;
		left -= (size_t)w;
		for (int i = 0; i < 2; i++) {
			size_t part = (size_t)w < iov[i].iov_len ? (size_t)w : iov[i].iov_len;
			iov[i].iov_base = (uint8_t *)iov[i].iov_base + part;
			iov[i].iov_len -= part;
			w -= (ssize_t)part;
		}
	}
	return 0;
}

int
pipeframe_open(struct pipeframe_in *in, int fd)
{
	in->fd = fd;
	in->at = in->have = 0;
	in->buf = malloc(PIPEFRAME_ROOM);
	return in->buf == NULL ? -1 : 0;
}

/* Read more behind what is there; the rest of a frame is moved to the front
 * only when it would not fit otherwise. */
static enum pipeframe_result
fill(struct pipeframe_in *in, size_t need)
{
	ssize_t n;

	if (in->at == in->have)
		in->at = in->have = 0;
	if (in->at + need > PIPEFRAME_ROOM || (in->at > 0 && PIPEFRAME_ROOM - in->have < 65536)) {
		memmove(in->buf, in->buf + in->at, in->have - in->at);
		in->have -= in->at;
		in->at = 0;
	}
	do
		n = read(in->fd, in->buf + in->have, PIPEFRAME_ROOM - in->have);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return PIPEFRAME_AGAIN;
	if (n <= 0)
		return PIPEFRAME_CLOSED;
	in->have += (size_t)n;
	return PIPEFRAME_GOT;
}

enum pipeframe_result
pipeframe_next(struct pipeframe_in *in, struct pipeframe *f)
{
	enum pipeframe_result r;

	for (;;) {
		size_t n = in->have - in->at, need = HEAD;
		if (n >= HEAD) {
			memcpy(f, in->buf + in->at, HEAD);
			if (f->len > PIPEFRAME_MAX || f->zero != 0)
				log_die(EXIT_INTERNAL, "a frame of type %u and %u bytes in a pipe of ours", f->type, f->len);
			need = HEAD + f->len;
			if (n >= need) {
				f->body = in->buf + in->at + HEAD;
				in->at += need;
				return PIPEFRAME_GOT;
			}
		}
		if ((r = fill(in, need)) != PIPEFRAME_GOT)
			return r;
	}
}
