/* proc_check.c - the receiver's check process: it has two rings and nothing
 * else.  decompress > inspect: everything that parses what a sender wrote,
 * except the manifest, whose signature store verifies first. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host/exits.h"
#include "host/log.h"
#include "host/proc.h"
#include "receiver/peer_gone.h"
#include "receiver/pipeframe.h"
#include "receiver/receiver_conf.h"
#include "receiver/receiver_inspect.h"
#include "receiver/receiver_proc.h"

enum { MEMORY_MAX = 192 << 20 /* bytes of address space; a sanitizer needs terabytes, see below */ };

static void
limit_self(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	const struct rlimit memory = { MEMORY_MAX, MEMORY_MAX };

	if (setrlimit(RLIMIT_AS, &memory) != 0)
		log_die(EXIT_SYSTEM, "the check process cannot limit its memory");
#endif
}

static void
begin(struct receiver_inspect *i, const struct receiver_conf *conf, const struct pipeframe *f)
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

static void
finish(struct receiver_inspect *i, const struct pipeframe *f)
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

int
receiver_check_run(const char *config)
{
	static struct receiver_conf conf;
	static struct receiver_inspect i;
	static struct pipeframe_in in;
	static struct pipeframe_out out;
	struct pipeframe f;
	int code;

	if ((code = receiver_conf_read(&conf, config, CHECK_FD_CONFIG)) != 0)
		return code;
	close(CHECK_FD_CONFIG);
	if (pipeframe_reader(&in, CHECK_FD_OPEN_RING, CHECK_FD_OPEN) != 0 ||
	    pipeframe_writer(&out, CHECK_FD_STORE_RING, CHECK_FD_STORE) != 0 || receiver_inspect_open(&i, &out) != 0)
		log_die(EXIT_SYSTEM, "no memory for the check process: %m");
	close(CHECK_FD_OPEN_RING);
	close(CHECK_FD_STORE_RING);
	limit_self();
	/* SIGTERM simply ends it: nothing here outlives a job. */
	while (pipeframe_next(&in, &f, true) == PIPEFRAME_GOT) {
		if (f.type == PIPE_BEGIN)
			begin(&i, &conf, &f);
		else if (f.type == PIPE_BYTES && f.job == i.job)
			receiver_inspect_bytes(&i, f.body, f.len);
		else if (f.type == PIPE_END)
			finish(&i, &f);
		else
			log_die(EXIT_INTERNAL, "open sent a frame of unknown type %u", f.type);
	}
	peer_gone(-1, "open");
}
