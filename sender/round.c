/* round.c - see round.h. */
#include "sender/round.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/fec.h"
#include "host/exits.h"
#include "host/log.h"

static uint32_t group_blocks(const struct round *r)
{
	uint32_t rest = r->g.blocks - r->first;

	return rest < r->l.depth ? rest : r->l.depth;
}

/* Symbols that this half sends of block b: k source symbols in the first half, then its parity. */
static uint32_t sources(const struct round *r, uint32_t b)
{
	return r->late ? 0 : geometry_k(&r->g, b);
}

static uint32_t columns(const struct round *r, uint32_t b)
{
	return sources(r, b) + encode_count(layout_block(&r->l, &r->g, b), r->late);
}

static uint64_t datagrams(const struct round *r)
{
	uint64_t parity = (uint64_t)(r->g.blocks - 1) * r->l.full.r + r->l.last.r;

	return r->g.symbols + parity;
}

int round_init(struct round *r, int fd, const uint8_t id[static FRAME_ID_LEN], uint64_t length, const struct layout *l,
    uint32_t number)
{
	memset(r, 0, sizeof(*r));
	if (length == 0 || l->depth == 0 || l->depth > PLAN_DEPTH_MAX || l->kfull > UINT16_MAX ||
	    geometry_init(&r->g, length, l->slen, (uint16_t)l->kfull) != 0)
		return -1;
	if (fec_check(l->kfull, 1u << l->full.mlog, l->slen) != FEC_OK ||
	    fec_check(r->g.klast, 1u << l->last.mlog, l->slen) != FEC_OK)
		return -1;
	r->fd = fd;
	r->l = *l;
	r->number = number;
	memcpy(r->id, id, FRAME_ID_LEN);
	r->left = datagrams(r);
	return 0;
}

static void close_group(struct round *r, struct encoder *e)
{
	encode_release(e, &r->job);
	for (unsigned i = 0; i < PLAN_DEPTH_MAX; i++) {
		free(r->reader[i].buf);
		memset(&r->reader[i], 0, sizeof(r->reader[i]));
	}
	r->open = false;
}

void round_free(struct round *r, struct encoder *e)
{
	close_group(r, e);
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

static void describe_job(const struct round *r, struct encode_job *j)
{
	j->fd = r->fd;
	j->g = &r->g;
	j->l = &r->l;
	j->round = r->number;
	j->first = r->first;
	j->blocks = group_blocks(r);
	j->late = r->late;
}

static bool open_group(struct round *r, struct encoder *e)
{
	size_t at = 0;

	describe_job(r, &r->job);
	if (!encode_submit(e, &r->job))
		return false;
	r->blocks = r->job.blocks;
	r->column = r->at = 0;
	for (uint32_t i = 0; i < r->blocks; i++) {
		r->parity_at[i] = at;
		at += (size_t)encode_count(layout_block(&r->l, &r->g, r->first + i), r->late) * r->l.slen;
	}
	r->open = true;
	return true;
}

/* Fill the block's reader from symbol i on. */
static int read_ahead(struct round *r, uint32_t in_group, uint32_t i)
{
	struct round_reader *rd = &r->reader[in_group];
	uint32_t b = r->first + in_group, k = geometry_k(&r->g, b), slen = r->l.slen;
	uint32_t room = slen < ROUND_READ ? ROUND_READ / slen : 1;
	uint32_t count = k - i < room ? k - i : room;
	uint64_t at = geometry_offset(&r->g, b, i);
	size_t want = r->g.len - at < (uint64_t)count * slen ? (size_t)(r->g.len - at) : (size_t)count * slen, have = 0;

	if (rd->buf == NULL) {
		rd->buf = malloc((size_t)(k < room ? k : room) * slen);
		if (rd->buf == NULL)
			log_die(EXIT_SYSTEM, "out of memory");
	}
	while (have < want) {
		ssize_t n = pread(r->fd, rd->buf + have, want - have, (off_t)(at + have));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		have += (size_t)n;
	}
	memset(rd->buf + want, 0, (size_t)count * slen - want); /* past the object's end: zeros (3.3) */
	rd->first = i;
	rd->count = count;
	return 0;
}

static enum round_got take_source(struct round *r, uint8_t *data)
{
	const struct round_reader *rd = &r->reader[r->at];
	uint32_t i = r->column;

	if (rd->buf == NULL || i < rd->first || i >= rd->first + rd->count)
		if (read_ahead(r, r->at, i) != 0)
			return ROUND_FAILED;
	memcpy(data, rd->buf + (size_t)(i - rd->first) * r->l.slen, r->l.slen);
	return ROUND_GOT;
}

static enum round_got take_parity(struct round *r, uint32_t i, uint8_t *data)
{
	int state = atomic_load(&r->job.state);

	if (state == ENCODE_QUEUED)
		return ROUND_WAIT;
	if (state != ENCODE_READY)
		return ROUND_FAILED;
	memcpy(data, r->job.parity + r->parity_at[r->at] + (size_t)i * r->l.slen, r->l.slen);
	return ROUND_GOT;
}

/* Move to a place that has a symbol, from where we stand: ROUND_GOT, or the group, half or round is over. */
static enum round_got settle(struct round *r, struct encoder *e)
{
	while (r->open) {
		bool any = false;

		for (; r->at < r->blocks; r->at++) {
			if (r->column < columns(r, r->first + r->at))
				return ROUND_GOT;
		}
		r->column++;
		r->at = 0;
		for (uint32_t i = 0; i < r->blocks && !any; i++)
			any = r->column < columns(r, r->first + i);
		if (!any) {
			close_group(r, e);
			r->first += r->blocks;
		}
	}
	if (r->first < r->g.blocks)
		return open_group(r, e) ? settle(r, e) : ROUND_WAIT;
	if (r->late || r->left == 0)
		return ROUND_END;
	r->late = true;
	r->first = 0;
	return ROUND_PAUSE;
}

enum round_got round_next(struct round *r, struct encoder *e, struct frame_symbol *s, uint8_t *mlog, uint8_t *data)
{
	enum round_got got = settle(r, e);
	const struct layout_block *lb;
	uint32_t b, k, source;

	if (got != ROUND_GOT)
		return got;
	b = r->first + r->at;
	k = geometry_k(&r->g, b);
	source = sources(r, b);
	lb = layout_block(&r->l, &r->g, b);
	got = r->column < source ? take_source(r, data) : take_parity(r, r->column - source, data);
	if (got != ROUND_GOT)
		return got;
	memcpy(s->id, r->id, FRAME_ID_LEN);
	s->kfull = (uint16_t)r->l.kfull;
	s->object_len = r->g.len;
	s->block = b;
	s->symbol = (uint16_t)(r->column < source ? r->column :
	    k + encode_number(lb, r->number, r->late, r->column - source));
	s->k = (uint16_t)k;
	s->m = 1u << lb->mlog;
	s->slen = (uint16_t)r->l.slen;
	*mlog = (uint8_t)lb->mlog;
	r->at++;
	r->left--;
	return ROUND_GOT;
}

bool round_blocked(const struct round *r, const struct encoder *e)
{
	struct encode_job j = { 0 };

	if (r->open) {
		uint32_t b = r->first + r->at;
		return r->at < r->blocks && r->column >= sources(r, b) && r->column < columns(r, b) &&
		    atomic_load(&r->job.state) == ENCODE_QUEUED;
	}
	if (r->first >= r->g.blocks)
		return false;
	describe_job(r, &j);
	return !encode_room(e, encode_bytes(&j));
}
