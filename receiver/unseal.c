/* unseal.c - a sealed object becomes plaintext (unseal.h). */
#include "receiver/unseal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The inner header is authentic now: say so, before any byte of content. */
static int tell(struct unseal_job *j)
{
	struct msg_opened o = { .job = j->job, .key = open_key(j->open), .created_ms = j->inner.created_ms };
	struct pipe_begin b = { .channel = "" };

	j->told = 1;
	if (memcmp(open_object_id(j->open), j->id, SEAL_ID_LEN) != 0) {
		j->result = UNSEAL_EID;
		return -1;
	}
	while (o.sender < j->conf->peers &&
	    memcmp(j->conf->peer[o.sender].party.id, j->inner.sender, KEY_ID_LEN) != 0)
		o.sender++;
	memcpy(o.object, j->id, sizeof(o.object));
	memcpy(o.generation, j->inner.generation, sizeof(o.generation));
	memcpy(o.channel, j->inner.channel, sizeof(o.channel));
	memcpy(b.channel, j->inner.channel, sizeof(b.channel));
	if (j->opened(j->ctx, &o) != 0)
		return -1;
	if (receiver_conf_channel(j->conf, j->inner.channel) == NULL) {
		j->result = UNSEAL_ECHANNEL;
		return -1;
	}
	return pipeframe_write(j->out, PIPE_BEGIN, j->job, &b, sizeof(b));
}

/* A segment is opened where check reads it, as soon as there is a job there. */
static uint8_t *room(void *ctx, size_t n)
{
	struct unseal_job *j = ctx;

	return j->room = j->told && n <= PIPEFRAME_MAX ? pipeframe_room(j->out, n) : NULL;
}

static int sink(void *ctx, const uint8_t *data, size_t n)
{
	struct unseal_job *j = ctx;

	if (!j->told && tell(j) != 0)
		return -1;
	if (data == j->room) {
		pipeframe_commit(j->out, PIPE_BYTES, j->job, n);
		return 0;
	}
	while (n > 0) {
		size_t part = n < PIPEFRAME_MAX ? n : PIPEFRAME_MAX;
		if (pipeframe_write(j->out, PIPE_BYTES, j->job, data, part) != 0)
			return -1;
		data += part;
		n -= part;
	}
	return 0;
}

/* What follows, of so many bytes that are there: copied before anything is believed of it, from wherever. */
static ssize_t read_some(const struct unseal_job *j, uint64_t at, uint64_t there)
{
	size_t most = there < UNSEAL_BUF ? (size_t)there : UNSEAL_BUF;
	size_t near = j->window != NULL ? window_copy(j->window, j->job, at, j->buf, most) : 0;

	if (near > 0)
		return (ssize_t)near;
	/* Whole pages, also at the end, as it must be past the page cache. */
	return pread(j->fd, j->buf, (most + UNSEAL_PAGE - 1) & ~(size_t)(UNSEAL_PAGE - 1), (off_t)at);
}

static int feed(struct unseal_job *j)
{
	uint64_t at = 0;
	enum open_err e;

	while (j->length == 0 || at < j->length) {
		if (at == j->ready) {
			if (j->more == NULL || j->more(j) != 0)
				return UNSEAL_ESTOP;
			continue;
		}
		uint64_t there = j->ready - at;
		ssize_t n = read_some(j, at, there);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return UNSEAL_EREAD;
		if ((uint64_t)n > there)
			n = (ssize_t)there;
		e = open_write(j->open, j->buf, (size_t)n);
		pipeframe_tell(j->out);
		if (e != OPEN_OK)
			return e;
		at += (uint64_t)n;
	}
	return open_end(j->open);
}

int unseal_run(struct unseal_job *j)
{
	const struct party *senders[RECEIVER_PEERS_MAX];
	int r;

	j->told = 0;
	j->room = NULL;
	j->result = 0;
	for (unsigned i = 0; i < j->conf->peers; i++)
		senders[i] = &j->conf->peer[i].party;
	j->open = open_begin(j->receiver, senders, j->conf->peers, j->psk, &j->inner, sink, j);
	if (j->open == NULL)
		return OPEN_ENOMEM;
	open_into(j->open, room);
	open_retired(j->open, j->retired, j->retireds);
	r = feed(j);
	if (r == OPEN_ESINK && j->result != 0)
		r = j->result;
	if (r == OPEN_OK && !j->told)
		r = OPEN_EFORMAT; /* not one byte of content: no transfer */
	open_free(j->open);
	j->open = NULL;
	return r;
}

const char *unseal_strerror(int result)
{
	switch (result) {
	case UNSEAL_ECHANNEL:
		return "its channel is not configured here";
	case UNSEAL_EREAD:
		return "the part file could not be read";
	case UNSEAL_ESTOP:
		return "given up before it was complete";
	case UNSEAL_EID:
		return "another object than its datagrams said";
	default:
		return open_strerror((enum open_err)result);
	}
}
