/* proc_check.c - the check process of the sender: looks into claimed files.
 *
 * It gets a name and a descriptor for each, or of a small one its bytes, and has
 * nothing else but the configuration: no path, no key, no network.  What it thinks of a file is a yes or a no with a reason. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <errno.h>
#include <poll.h>

#include "host/exits.h"
#include "host/ipc_recv.h"
#include "host/log.h"
#include "host/proc.h"
#include "host/sandbox.h"
#include "sender/inspect.h"
#include "sender/messages.h"
#include "sender/sender_conf.h"
#include "sender/sender_proc.h"

static struct sender_conf conf;
static struct content *content;

static const struct content_policy *policy(const char *channel)
{
	unsigned i = sender_conf_channel(&conf, channel);

	if (i == SENDER_CHANNELS_MAX)
		log_die(EXIT_INTERNAL, "asked about a file of no channel");
	return &conf.channel[i].content;
}

static void judge(struct msg_verdict *v, const char *channel, const struct inspect_file *f)
{
	v->refused = inspect_claimed(content, policy(channel), f, &v->checks, v->reason, sizeof(v->reason)) != 0;
}

static void say(int spool, const struct msg_verdict *v, unsigned count)
{
	/* The socket blocks: the spool always reads the answers. */
	if (ipc_write(spool, MSG_VERDICT, v, count * sizeof(*v)) < 0)
		exit(EXIT_INTERNAL);
}

static void answer_one(int spool, const struct ipc_msg *m)
{
	const struct msg_inspect *q = ipc_body(m, sizeof(*q));
	struct msg_verdict v = { .batch = q->batch, .file = q->file };
	const struct inspect_file f = { .fd = m->fd[0], .size = q->size, .name = q->name, .name_len = q->name_len };

	if (m->fd[0] < 0 || q->name_len > sizeof(q->name))
		log_die(EXIT_INTERNAL, "a question without a file");
	judge(&v, q->channel, &f);
	close(m->fd[0]);
	say(spool, &v, 1);
}

/* The next file of the message, from *at on. */
static struct inspect_file next_kept(const struct ipc_msg *m, size_t *at)
{
	struct kept_question k = { 0 };
	struct inspect_file f = { .fd = -1 };

	if (m->len - *at >= sizeof(k))
		memcpy(&k, m->body + *at, sizeof(k));
	if (k.name_len == 0 || k.name_len > NAME_MAX_LEN || k.size > m->len || m->len - *at < sizeof(k) + k.name_len + k.size)
		log_die(EXIT_INTERNAL, "a question of %zu bytes is cut short", m->len);
	f.name = m->body + *at + sizeof(k);
	f.name_len = k.name_len;
	f.bytes = f.name + k.name_len;
	f.size = k.size;
	*at += sizeof(k) + k.name_len + k.size;
	return f;
}

static void answer_kept(int spool, const struct ipc_msg *m)
{
	static struct msg_verdict v[KEPT_QUESTION_FILES];
	struct msg_inspect_kept q = { 0 };
	size_t at = sizeof(q);

	if (m->len >= sizeof(q))
		memcpy(&q, m->body, sizeof(q));
	if (q.count == 0 || q.count > KEPT_QUESTION_FILES)
		log_die(EXIT_INTERNAL, "a question about %u files", q.count);
	for (uint32_t i = 0; i < q.count; i++) {
		struct inspect_file f = next_kept(m, &at);
		v[i] = (struct msg_verdict){ .batch = q.batch, .file = q.first + i };
		judge(&v[i], q.channel, &f);
	}
	say(spool, v, q.count);
}

static void answer(int spool, const struct ipc_msg *m)
{
	switch (m->type) {
	case MSG_INSPECT:
		answer_one(spool, m);
		break;
	case MSG_INSPECT_KEPT:
		answer_kept(spool, m);
		break;
	default:
		log_die(EXIT_INTERNAL, "unknown message %u", m->type);
	}
}

int sender_check_main(const char *name)
{
	static struct ipc_msg m;
	int spool = PROC_FD_FIRST + CHECK_FD_SPOOL, stop;

	proc_child_init("check", CHECK_FDS);
	stop = proc_stop_fd();
	if (sender_conf_read(&conf, name, PROC_FD_FIRST + CHECK_FD_CONF) != 0)
		return EXIT_CONFIG;
	content = content_new();
	if (content == NULL)
		log_die(EXIT_SYSTEM, "no memory for the check process");
	sandbox_begin(SANDBOX_SENDER_CHECK, NULL, 0);
	sandbox_seal(SANDBOX_SENDER_CHECK, &spool, 1);
	for (;;) {
		struct pollfd p[2] = { { .fd = stop, .events = POLLIN }, { .fd = spool, .events = POLLIN } };
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			log_die(EXIT_INTERNAL, "poll: %s", strerror(errno));
		if (p[0].revents != 0)
			exit(EXIT_OK);
		if (p[1].revents == 0)
			continue;
		switch (ipc_recv(spool, &m)) {
		case IPC_AGAIN:
			break;
		case IPC_CLOSED:
			exit(EXIT_INTERNAL); /* the main process says what happened */
		case IPC_GOT:
			answer(spool, &m);
		}
	}
}
