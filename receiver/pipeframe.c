/* pipeframe.c - frames through shared memory (pipeframe.h). */
#include "receiver/pipeframe.h"

#include <errno.h>
#include <poll.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/socket.h>

#include "host/exits.h"
#include "host/log.h"

void pipeframe_pair(struct pipeframe_fds *f, size_t ring)
{
	int s[2];

	if ((f->memory = ring_create(ring)) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s) != 0)
		log_die(EXIT_SYSTEM, "shared memory between the processes: %s", strerror(errno));
	f->writer = s[0];
	f->reader = s[1];
}

static noreturn void not_itself(void)
{
	log_die(EXIT_INTERNAL, "what another process of ours wrote into shared memory cannot be");
}

static bool wait_for_peer(struct ring *r)
{
	struct pollfd p = { .fd = r->wake, .events = POLLIN };

	if (poll(&p, 1, -1) < 0)
		return errno == EINTR;
	return ring_awake(r);
}

int pipeframe_writer(struct pipeframe_out *out, int memory, int writer)
{
	return ring_open(&out->ring, memory, writer, false);
}

uint8_t *pipeframe_room(struct pipeframe_out *out, size_t n)
{
	enum ring_result r;
	uint8_t *room;

	if (n > PIPEFRAME_MAX)
		log_die(EXIT_INTERNAL, "a frame of %zu bytes is too long", n);
	while ((r = ring_reserve(&out->ring, n, &room)) == RING_NOTHING)
		if (ring_sleep(&out->ring, n) && !wait_for_peer(&out->ring))
			return NULL;
	if (r == RING_BAD)
		not_itself();
	return room;
}

void pipeframe_commit(struct pipeframe_out *out, uint32_t type, uint32_t job, size_t n)
{
	ring_commit(&out->ring, (uint64_t)type << 32 | job, n);
}

int pipeframe_write(struct pipeframe_out *out, uint32_t type, uint32_t job, const void *data, size_t n)
{
	uint8_t *room = pipeframe_room(out, n);

	if (room == NULL)
		return -1;
	if (n > 0)
		memcpy(room, data, n);
	pipeframe_commit(out, type, job, n);
	return 0;
}

int pipeframe_reader(struct pipeframe_in *in, int memory, int reader)
{
	in->got = false;
	return ring_open(&in->ring, memory, reader, true);
}

/* Nothing is there.  1: something came meanwhile, 0: nothing, -1: and nothing will. */
static int look_again(struct pipeframe_in *in, bool wait)
{
	bool open = ring_awake(&in->ring); /* first: a peer that is gone has written all it ever will */

	if (!ring_sleep(&in->ring, 0))
		return 1;
	if (!open)
		return -1;
	if (!wait)
		return 0;
	(void)wait_for_peer(&in->ring); /* its end is found the next time, when the ring is empty */
	return 1;
}

enum pipeframe_result pipeframe_next(struct pipeframe_in *in, struct pipeframe *f, bool wait)
{
	struct ring_record rec;
	enum ring_result r;

	if (in->got)
		ring_release(&in->ring);
	in->got = false;
	while ((r = ring_peek(&in->ring, &rec)) == RING_NOTHING) {
		int more = look_again(in, wait);
		if (more <= 0)
			return more == 0 ? PIPEFRAME_AGAIN : PIPEFRAME_CLOSED;
	}
	if (r == RING_BAD || rec.len > PIPEFRAME_MAX)
		not_itself();
	in->got = true;
	*f = (struct pipeframe){ (uint32_t)(rec.tag >> 32), (uint32_t)rec.tag, rec.len, rec.data };
	if (rec.len <= PIPEFRAME_COPIED) {
		memcpy(in->copy, rec.data, rec.len);
		f->body = in->copy;
	}
	return PIPEFRAME_GOT;
}
