/* ask.c - the files of a claimed batch to the check process, and its verdicts (spool.h).
 *
 * What is kept in memory (kept.h) goes as it is, many files in a message, and of
 * each only what is looked at: copying all of it took both processes 2 us a file.
 * Of others the process gets the descriptor. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/exits.h"
#include "host/i18n.h"
#include "host/ipc_send.h"
#include "host/log.h"
#include "sender/spool.h"

enum {
	QUESTIONS_MAX = 64,        /* descriptors with the check process at a time */
	QUESTIONS_KEPT_MAX = 4096, /* files, of which the socket has fewer */
};

static bool is_asked(const struct batch *b)
{
	return b->asked == b->claim.count;
}

/* A file that cannot be asked about counts as looked at: the sealer finds it changed and puts it back. */
static bool ask_one(struct spool *s, struct batch *b)
{
	const struct claim_file *f = &b->claim.file[b->asked];
	struct msg_inspect q = { .batch = b->serial, .file = b->asked, .size = f->size };
	int fd, sent;

	if (s->open_questions >= QUESTIONS_MAX)
		return false;
	fd = claim_reopen(&b->claim, b->asked);
	if (fd < 0) {
		b->answered++;
		b->asked++;
		return true;
	}
	q.name_len = (uint32_t)strlen(f->name);
	memcpy(q.name, f->name, q.name_len);
	strcpy(q.channel, s->feed[b->feed].conf->name);
	sent = ipc_send_fds(s->check, MSG_INSPECT, &q, sizeof(q), &fd, 1);
	close(fd);
	s->open_questions += sent > 0;
	b->asked += sent > 0;
	return sent > 0;
}

struct packet {
	size_t n;
	_Alignas(16) uint8_t bytes[IPC_MAX];
};

static bool add(struct packet *p, const struct claim_file *f, const struct content_policy *policy)
{
	struct kept_question q = { .name_len = (uint32_t)strlen(f->name),
		.size = (uint32_t)content_policy_looks_at(policy, (size_t)f->size) };

	if (sizeof(q) + q.name_len + q.size > sizeof(p->bytes) - p->n)
		return false;
	memcpy(p->bytes + p->n, &q, sizeof(q));
	memcpy(p->bytes + p->n + sizeof(q), f->name, q.name_len);
	memcpy(p->bytes + p->n + sizeof(q) + q.name_len, f->bytes, q.size);
	p->n += sizeof(q) + q.name_len + q.size;
	return true;
}

/* As many as one message takes; full: or nothing, if it would take more.  false: nothing was asked. */
static bool ask_kept(struct spool *s, struct batch *b, bool full)
{
	static struct packet p;
	const struct sender_channel *channel = s->feed[b->feed].conf;
	struct msg_inspect_kept q = { .batch = b->serial, .first = b->asked };
	bool more = true;
	int sent;

	if (s->open_questions >= QUESTIONS_KEPT_MAX)
		return false;
	p.n = sizeof(q);
	while (q.count < KEPT_QUESTION_FILES && q.first + q.count < b->claim.count && more) {
		const struct claim_file *f = &b->claim.file[q.first + q.count];
		more = f->bytes != NULL && add(&p, f, &channel->content);
		q.count += more;
	}
	if (full && more && q.count < KEPT_QUESTION_FILES)
		return false;
	strcpy(q.channel, channel->name);
	memcpy(p.bytes, &q, sizeof(q));
	sent = ipc_send_fds(s->check, MSG_INSPECT_KEPT, p.bytes, p.n, NULL, 0);
	if (sent <= 0)
		return false;
	s->open_questions += q.count;
	b->asked += q.count;
	return true;
}

static bool ask(struct spool *s, struct batch *b)
{
	return b->claim.file[b->asked].bytes != NULL ? ask_kept(s, b, false) : ask_one(s, b);
}

void batch_ask_full(struct spool *s, struct batch *b)
{
	/* Looked at now and then: what was found too few is not gathered again for each file. */
	if ((b->claim.count - b->asked) % (KEPT_QUESTION_FILES / 2) == 0 && b->claim.file[b->asked].bytes != NULL)
		(void)ask_kept(s, b, true);
}

/* All verdicts are in.  A refused file that could not be moved away is asked about again. */
static void settle(struct spool *s, struct batch *b, uint64_t now_ns)
{
	claim_forget_refused(&b->claim);
	if (b->stuck > 0) {
		b->asked = b->answered = b->stuck = 0;
		b->not_before_ns = now_ns + SPOOL_RETRY_NS;
		return;
	}
	b->state = BATCH_WAIT;
	b->not_before_ns = 0;
	if (b->claim.count == 0)
		batch_drop(s, b);
}

void batch_ask(struct spool *s, uint64_t now_ns)
{
	struct batch *next;

	for (struct batch *b = s->batches; b != NULL; b = next) {
		next = b->next;
		if (b->state != BATCH_CHECK || b->not_before_ns > now_ns)
			continue;
		while (!is_asked(b))
			if (!ask(s, b))
				return;
		if (b->answered == b->asked)
			settle(s, b, now_ns);
	}
}

void batch_verdict(struct spool *s, const struct msg_verdict *v)
{
	struct batch *b = s->batches;
	struct claim_file *f;
	struct feed *feed;

	while (b != NULL && b->serial != v->batch)
		b = b->next;
	if (b == NULL || b->state != BATCH_CHECK || v->file >= b->asked || s->open_questions == 0 ||
	    memchr(v->reason, '\0', sizeof(v->reason)) == NULL)
		log_die(EXIT_INTERNAL, "the check process answers what was not asked");
	s->open_questions--;
	b->answered++;
	f = &b->claim.file[v->file];
	f->checks = v->checks;
	/* Another file that got this name in the moment of its taking is not the one that was looked at: see ask_one(). */
	if (!v->refused || (f->bytes != NULL && !claim_still(&b->claim, v->file)))
		return;
	feed = &s->feed[b->feed];
	if (claim_refuse(&feed->folder, b->claim.dir, f->name, v->reason,
	    N_("if it has to cross, let the receiving side agree on another form for it")) == 0) {
		f->refused = true;
		feed->refused++;
	} else {
		b->stuck++;
		feed_complain(feed, f->name, FEED_STUCK, errno, clock_mono_ns());
	}
}
