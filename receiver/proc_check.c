/* proc_check.c - the receiver's check process: it has two rings for each
 * lane (receiver_messages.h) and nothing else.  decompress > inspect: everything that parses what a sender wrote,
 * except the manifest, whose signature store verifies first. */
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host/exits.h"
#include "host/log.h"
#include "host/proc.h"
#include "host/sandbox.h"
#include "receiver/peer_gone.h"
#include "receiver/pipeframe.h"
#include "receiver/receiver_conf.h"
#include "receiver/receiver_inspect.h"
#include "receiver/receiver_proc.h"

enum { MEMORY_MAX = 192 << 20 /* bytes of address space; a sanitizer needs terabytes, see below */ };

static void limit_self(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	const struct rlimit memory = { MEMORY_MAX, MEMORY_MAX };

	if (setrlimit(RLIMIT_AS, &memory) != 0)
		log_die(EXIT_SYSTEM, "the check process cannot limit its memory");
#endif
}

static void begin(struct receiver_inspect *i, const struct receiver_conf *conf, const struct pipeframe *f)
{
	const struct pipe_begin *b = (const struct pipe_begin *)(const void *)f->body;
	const struct receiver_channel *ch;
	struct record_limits l;

	if (f->len != sizeof(*b) || b->channel[NAME_CHANNEL_MAX] != '\0' ||
	    (ch = receiver_conf_channel(conf, b->channel)) == NULL)
		log_die(EXIT_INTERNAL, "open began a transfer of no channel of ours");
	l = receiver_channel_limits(ch);
	receiver_inspect_begin(i, f->job, &l, &ch->content);
	if (pipeframe_write(i->out, PIPE_BEGIN, f->job, b, sizeof(*b)) != 0)
		peer_gone(-1, "store");
}

static void finish(struct receiver_inspect *i, const struct pipeframe *f)
{
	struct pipe_end e;

	if (f->len != sizeof(e))
		log_die(EXIT_INTERNAL, "open ended a transfer in %u bytes", f->len);
	memcpy(&e, f->body, sizeof(e));
	if (i->job != f->job) { /* refused before its first byte: there was no begin */
		i->job = f->job;
		memset(&i->finish, 0, sizeof(i->finish));
	}
	receiver_inspect_end(i, e.result);
	if (pipeframe_write(i->out, PIPE_FINISH, f->job, &i->finish, sizeof(i->finish)) != 0)
		peer_gone(-1, "store");
}

static struct lane {
	struct receiver_inspect inspect;
	struct pipeframe_in in;
	struct pipeframe_out out;
	int wake; /* readable when something is in */
} lanes[LANES];

static void open_lanes(void)
{
	for (int i = 0; i < LANES; i++) {
		int first = CHECK_FD_LANES + i * CHECK_LANE_FDS;
		struct lane *l = &lanes[i];
		l->wake = first + CHECK_LANE_OPEN;
		if (pipeframe_reader(&l->in, first + CHECK_LANE_OPEN_RING, l->wake) != 0 ||
		    pipeframe_writer(&l->out, first + CHECK_LANE_STORE_RING, first + CHECK_LANE_STORE) != 0 ||
		    receiver_inspect_open(&l->inspect, &l->in, &l->out) != 0)
			log_die(EXIT_SYSTEM, "no memory for the check process: %m");
		close(first + CHECK_LANE_OPEN_RING);
		close(first + CHECK_LANE_STORE_RING);
	}
}

/* One frame: true if there was one. */
static bool take(struct lane *l, const struct receiver_conf *conf)
{
	struct receiver_inspect *i = &l->inspect;
	struct pipeframe f;

	switch (pipeframe_next(&l->in, &f, false)) {
	case PIPEFRAME_AGAIN:
		return false;
	case PIPEFRAME_CLOSED:
		peer_gone(-1, "open");
	case PIPEFRAME_GOT:
		break;
	}
	if (f.type == PIPE_BEGIN)
		begin(i, conf, &f);
	else if (f.type == PIPE_BYTES && f.job == i->job)
		receiver_inspect_bytes(i, f.body, f.len);
	else if (f.type == PIPE_END)
		finish(i, &f);
	else
		log_die(EXIT_INTERNAL, "open sent a frame of unknown type %u", f.type);
	pipeframe_tell(&l->out);
	return true;
}

static void seal(void)
{
	int fd[2 * LANES];

	for (int i = 0; i < LANES; i++) {
		fd[2 * i] = lanes[i].wake;
		fd[2 * i + 1] = lanes[i].out.ring.wake;
	}
	sandbox_seal(SANDBOX_RECEIVER_CHECK, fd, 2 * LANES);
}

int receiver_check_run(const char *config)
{
	static struct receiver_conf conf;
	int code;

	if ((code = receiver_conf_read(&conf, config, CHECK_FD_CONFIG)) != 0)
		return code;
	close(CHECK_FD_CONFIG);
	sandbox_begin(SANDBOX_RECEIVER_CHECK, NULL, 0);
	open_lanes();
	limit_self();
	seal();
	/* SIGTERM simply ends it: nothing here outlives a job. */
	for (;;) {
		struct pollfd p[2 * LANES];
		bool any = false;
		/* All complete objects that wait, between two pieces of a large one. */
		while (take(&lanes[LANE_WHOLE], &conf))
			any = true;
		any |= take(&lanes[LANE_EARLY], &conf);
		if (any)
			continue;
		for (int i = 0; i < LANES; i++) {
			pipeframe_settle(&lanes[i].in);
			p[2 * i] = (struct pollfd){ .fd = lanes[i].wake, .events = POLLIN };
			p[2 * i + 1] = (struct pollfd){ .fd = lanes[i].out.ring.wake, .events = POLLIN };
		}
		if (poll(p, 2 * LANES, -1) < 0)
			continue; /* a signal */
		for (int i = 0; i < LANES; i++)
			if (p[2 * i + 1].revents != 0 && !ring_awake(&lanes[i].out.ring))
				peer_gone(-1, "store");
	}
}
