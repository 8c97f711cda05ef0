/* pipeframe.c - frames through shared memory (pipeframe.h). */
#include "receiver/pipeframe.h"

#include <errno.h>
#include <poll.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/socket.h>

#include "host/exits.h"
#include "host/log.h"

#define PASSED_ON (1ull << 63) /* in a record's tag: it is a struct where */

struct where {
	uint64_t at; /* in the other ring's memory */
	uint64_t n;
};

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
	while ((r = ring_reserve(&out->ring, n, &room)) == RING_NOTHING) {
		pipeframe_tell(out);
		if (ring_sleep(&out->ring, n) && !wait_for_peer(&out->ring))
			return NULL;
	}
	if (r == RING_BAD)
		not_itself();
	return room;
}

/* type: with PASSED_ON the frame says where its bytes lie. */
static uint64_t tag(uint32_t type, uint32_t job)
{
	return (uint64_t)type << 32 | job;
}

void pipeframe_commit(struct pipeframe_out *out, uint32_t type, uint32_t job, size_t n)
{
	ring_commit(&out->ring, tag(type, job), n);
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

void pipeframe_tell(struct pipeframe_out *out)
{
	ring_tell(&out->ring);
}

int pipeframe_reader(struct pipeframe_in *in, int memory, int reader)
{
	memset(in, 0, sizeof(*in));
	return ring_open(&in->ring, memory, reader, true);
}

int pipeframe_view(struct pipeframe_in *in, int memory)
{
	return ring_view_open(&in->view, memory);
}

/* --- frames passed on --- */
bool pipeframe_is_shared(const struct pipeframe_in *in, const uint8_t *data)
{
	return in->got && data >= in->ring.data && data < in->ring.data + in->ring.size;
}

int pipeframe_pass_on(struct pipeframe_out *out, struct pipeframe_in *in, uint32_t type, uint32_t job, const uint8_t *data, size_t n)
{
	const struct where w = { (uint64_t)(data - in->ring.data), n };
	uint8_t *room = pipeframe_room(out, sizeof(w));

	if (room == NULL)
		return -1;
	memcpy(room, &w, sizeof(w));
	ring_commit(&out->ring, PASSED_ON | tag(type, job), sizeof(w));
	in->out = out;
	in->passed = ring_written(&out->ring);
	return 0;
}

/* The present frame stays for now: with those before it, if nothing of it was passed on or there are too many. */
static void keep(struct pipeframe_in *in)
{
	unsigned last;

	if (in->passed != 0 && in->keeps < PIPEFRAME_KEPT)
		in->keeps++;
	last = (in->oldest + in->keeps - 1) % PIPEFRAME_KEPT;
	in->kept[last].upto = ring_keep(&in->ring);
	if (in->passed != 0)
		in->kept[last].read = in->passed;
	in->passed = 0;
}

static void give_back(struct pipeframe_in *in)
{
	uint64_t upto = 0;

	for (; in->keeps > 0 && ring_given(&in->out->ring, in->kept[in->oldest].read); in->keeps--) {
		upto = in->kept[in->oldest].upto;
		in->oldest = (in->oldest + 1) % PIPEFRAME_KEPT;
	}
	if (upto != 0)
		ring_give(&in->ring, upto);
}

void pipeframe_settle(struct pipeframe_in *in)
{
	do
		give_back(in);
	while (in->keeps > 0 && ring_ask(&in->out->ring, in->kept[(in->oldest + in->keeps / 2) % PIPEFRAME_KEPT].read));
}

/* Done with the present frame. */
static void leave(struct pipeframe_in *in)
{
	if (in->passed == 0 && in->keeps == 0) {
		ring_release(&in->ring);
		return;
	}
	keep(in);
	give_back(in);
}

/* The bytes of a frame that was passed on. */
static void resolve(const struct pipeframe_in *in, struct ring_record *rec)
{
	struct where w;

	if ((rec->tag & PASSED_ON) == 0)
		return;
	if (rec->len != sizeof(w) || in->view.data == NULL)
		not_itself();
	memcpy(&w, rec->data, sizeof(w));
	if (w.n > PIPEFRAME_MAX || w.at > in->view.size - w.n)
		not_itself();
	*rec = (struct ring_record){ rec->tag & ~PASSED_ON, (uint32_t)w.n, in->view.data + w.at };
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
		leave(in);
	in->got = false;
	while ((r = ring_peek(&in->ring, &rec)) == RING_NOTHING) {
		int more = look_again(in, wait);
		if (more <= 0)
			return more == 0 ? PIPEFRAME_AGAIN : PIPEFRAME_CLOSED;
	}
	if (r == RING_BAD || rec.len > PIPEFRAME_MAX)
		not_itself();
	resolve(in, &rec);
	in->got = true;
	*f = (struct pipeframe){ (uint32_t)(rec.tag >> 32), (uint32_t)rec.tag, rec.len, rec.data };
	if (rec.len <= PIPEFRAME_COPIED) {
		memcpy(in->copy, rec.data, rec.len);
		f->body = in->copy;
	}
	return PIPEFRAME_GOT;
}
