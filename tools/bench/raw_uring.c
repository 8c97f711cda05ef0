/* raw_uring.c - see raw_uring.h. */
#include "tools/bench/raw_uring.h"

#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFERS = 4096 /* a power of two */, ROOM = 9216 /* bytes of each: a datagram */, ENTRIES = 64, GROUP = 0 };

struct raw_uring {
	struct io_uring ring;
	struct io_uring_buf_ring *provided;
	uint8_t *memory;
	int fd;
	bool armed;
};

static void die(const char *what, int error)
{
	fprintf(stderr, "raw_uring: %s: %s\n", what, strerror(error));
	exit(5);
}

static void provide(struct raw_uring *u, unsigned id, unsigned offset)
{
	io_uring_buf_ring_add(u->provided, u->memory + (size_t)id * ROOM, ROOM, (unsigned short)id, io_uring_buf_ring_mask(BUFFERS),
	    (int)offset);
}

struct raw_uring *raw_uring_start(int fd)
{
	/* Nothing is done before it is asked for: as cheap as the ring can be. */
	struct io_uring_params p = { .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
		.cq_entries = 2 * BUFFERS };
	struct io_uring_buf_reg reg = { .ring_entries = BUFFERS, .bgid = GROUP };
	struct raw_uring *u = calloc(1, sizeof(*u));
	int error;

	if (u == NULL || (u->provided = aligned_alloc(4096, BUFFERS * sizeof(struct io_uring_buf))) == NULL ||
	    (u->memory = aligned_alloc(4096, (size_t)BUFFERS * ROOM)) == NULL)
		die("memory", ENOMEM);
	u->fd = fd;
	memset(u->memory, 0, (size_t)BUFFERS * ROOM); /* touched: the first touch of a page is slow */
	if ((error = io_uring_queue_init_params(ENTRIES, &u->ring, &p)) != 0)
		die("io_uring", -error);
	io_uring_buf_ring_init(u->provided);
	reg.ring_addr = (uintptr_t)u->provided;
	if ((error = io_uring_register_buf_ring(&u->ring, &reg, 0)) != 0)
		die("ring of buffers", -error);
	for (unsigned i = 0; i < BUFFERS; i++)
		provide(u, i, i);
	io_uring_buf_ring_advance(u->provided, BUFFERS);
	return u;
}

/* Also after it has ended, for want of buffers. */
static void arm(struct raw_uring *u)
{
	struct io_uring_sqe *e = io_uring_get_sqe(&u->ring);

	io_uring_prep_recv(e, u->fd, NULL, 0, 0);
	e->ioprio |= IORING_RECV_MULTISHOT;
	e->flags |= IOSQE_BUFFER_SELECT;
	e->buf_group = GROUP;
	u->armed = true;
	io_uring_submit(&u->ring);
}

unsigned raw_uring_take(struct raw_uring *u, uint64_t *bytes)
{
	struct io_uring_cqe *c;
	unsigned head, all = 0, back = 0;

	if (!u->armed)
		arm(u);
	io_uring_get_events(&u->ring);
	io_uring_for_each_cqe(&u->ring, head, c) {
		all++;
		u->armed &= (c->flags & IORING_CQE_F_MORE) != 0;
		if (c->res < 0 && c->res != -ENOBUFS)
			die("receive", -c->res);
		if ((c->flags & IORING_CQE_F_BUFFER) == 0)
			continue;
		*bytes += (uint64_t)c->res;
		provide(u, c->flags >> IORING_CQE_BUFFER_SHIFT, back++);
	}
	io_uring_buf_ring_advance(u->provided, (int)back);
	io_uring_cq_advance(&u->ring, all);
	return back;
}
