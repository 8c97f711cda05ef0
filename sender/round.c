/* round.c - see round.h. */
#include "sender/round.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/fec.h"
#include "core/bytes.h"
#include "host/exits.h"
#include "host/log.h"
#include "sender/disk.h"

enum { LOOK_EVERY = 64 }; /* columns between two tries to have the next group read */

static bool endless(const struct round *r)
{
	return r->g.len == 0;
}

static uint32_t group_blocks(const struct round *r, uint32_t first)
{
	if (endless(r))
		return r->l.depth;
	uint32_t rest = r->g.blocks - first;

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
	uint32_t before = r->g.blocks - 1, full = r->l.tail_first < before ? r->l.tail_first : before;
	uint64_t parity = (uint64_t)full * r->l.full.r + (uint64_t)(before - full) * r->l.tail.r + r->l.last.r;

	return r->g.symbols + parity;
}

static int fits(const struct layout *l)
{
	return l->depth > 0 && l->depth <= PLAN_DEPTH_MAX && l->kfull <= UINT16_MAX && l->slen > 0 &&
	    fec_check(l->kfull, 1u << l->full.mlog, l->slen) == FEC_OK;
}

int round_init(struct round *r, int fd, const uint8_t id[static FRAME_ID_LEN], uint64_t length, const struct layout *l,
    uint32_t number)
{
	memset(r, 0, sizeof(*r));
	if (length == 0 || !fits(l) || geometry_init(&r->g, length, l->slen, (uint16_t)l->kfull) != 0)
		return -1;
	if (fec_check(r->g.klast, 1u << l->last.mlog, l->slen) != FEC_OK ||
	    fec_check(l->kfull, 1u << l->tail.mlog, l->slen) != FEC_OK)
		return -1;
	r->fd = fd;
	r->l = *l;
	r->number = number;
	r->there = UINT64_MAX;
	memcpy(r->id, id, FRAME_ID_LEN);
	r->left = datagrams(r);
	return 0;
}

int round_init_stream(struct round *r, int fd, const uint8_t id[static FRAME_ID_LEN], const struct layout *l)
{
	memset(r, 0, sizeof(*r));
	if (!fits(l) || geometry_init(&r->g, 0, l->slen, (uint16_t)l->kfull) != 0)
		return -1;
	r->fd = fd;
	r->l = *l;
	memcpy(r->id, id, FRAME_ID_LEN);
	return 0;
}

void round_grow(struct round *r, uint64_t there)
{
	if (endless(r) && there > r->there)
		r->there = there;
}

int round_finish(struct round *r, uint64_t length, const struct layout *l)
{
	/* Everything of r that stays as it is until all is checked. */
	struct round v = { .g = r->g, .l = *l };
	uint64_t opened = (uint64_t)r->first + (r->open ? r->blocks : 0);

	if (!endless(r) || length == 0 || !fits(l) || l->slen != r->l.slen || l->kfull != r->l.kfull || l->depth != r->l.depth ||
	    geometry_init(&v.g, length, l->slen, (uint16_t)l->kfull) != 0 ||
	    fec_check(v.g.klast, 1u << l->last.mlog, l->slen) != FEC_OK ||
	    fec_check(l->kfull, 1u << l->tail.mlog, l->slen) != FEC_OK)
		return -1;
	/* What is open or was sent had full blocks, none of them the last or of the tail. */
	if (opened >= v.g.blocks || (l->tail_first != LAYOUT_NO_TAIL && opened > l->tail_first))
		return -1;
	r->g = v.g;
	r->l = v.l;
	r->there = UINT64_MAX;
	r->left = datagrams(r) - r->sent;
	return 0;
}

static void close_group(struct round *r, struct encoder *e)
{
	encode_release(e, &r->job[r->now]);
	r->now ^= 1;
	for (unsigned i = 0; i < PLAN_DEPTH_MAX; i++) {
		free(r->reader[i].buf);
		memset(&r->reader[i], 0, sizeof(r->reader[i]));
	}
	r->open = r->over = false;
}

void round_free(struct round *r, struct encoder *e)
{
	close_group(r, e);
	encode_release(e, &r->job[r->now]); /* of the next group */
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

static void describe_job(const struct round *r, uint32_t first, struct encode_job *j)
{
	j->fd = r->fd;
	j->key = get64(r->id);
	j->g = r->g;
	j->l = r->l;
	j->round = r->number;
	j->first = first;
	j->blocks = group_blocks(r, first);
	j->late = r->late;
}

/* Is there a group from this block on, all of it on the disk?  While the length is unknown there must be more behind it:
 * then no block of it can turn out to be the last. */
static bool group_there(const struct round *r, uint32_t first)
{
	if (!endless(r))
		return first < r->g.blocks;
	return r->there > ((uint64_t)first + r->l.depth) * r->l.kfull * r->l.slen;
}

/* Have the next group read and encoded while this one leaves, if there is room. */
static void look_ahead(struct round *r, struct encoder *e)
{
	struct encode_job *j = &r->job[r->now ^ 1];
	uint32_t first = r->first + r->blocks;

	if (atomic_load(&j->state) != ENCODE_IDLE || !group_there(r, first))
		return;
	describe_job(r, first, j);
	if (encode_room_ahead(e, j))
		(void)encode_submit(e, j);
}

static bool open_group(struct round *r, struct encoder *e)
{
	struct encode_job *j = &r->job[r->now];
	size_t at = 0;

	if (!group_there(r, r->first))
		return false;
	if (atomic_load(&j->state) == ENCODE_IDLE) {
		describe_job(r, r->first, j);
		if (!encode_submit(e, j))
			return false;
	}
	r->blocks = j->blocks;
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
	size_t bytes = (size_t)count * slen, skew = (size_t)(at % DISK_ALIGN);
	size_t want = !endless(r) && r->g.len - at < bytes ? (size_t)(r->g.len - at) : bytes;
	size_t n = (skew + want + DISK_ALIGN - 1) / DISK_ALIGN * DISK_ALIGN;

	if (rd->buf == NULL) {
		rd->buf = aligned_alloc(DISK_ALIGN, ((size_t)room * slen / DISK_ALIGN + 3) * DISK_ALIGN);
		if (rd->buf == NULL)
			log_die(EXIT_SYSTEM, "out of memory");
	}
	long long got = disk_read(r->fd, rd->buf, n, at - skew);
	if (got < 0 || (size_t)got < skew + want)
		return -1;
	memset(rd->buf + skew + want, 0, bytes - want); /* past the object's end: zeros (3.3) */
	rd->data = rd->buf + skew;
	rd->first = i;
	rd->count = count;
	return 0;
}

/* The encoder has it: where it stands. */
static enum round_got kept_source(const struct round *r, const uint8_t **from)
{
	const struct encode_job *j = &r->job[r->now];
	size_t at = ((size_t)r->at * r->l.kfull + r->column) * r->l.slen;
	int state = atomic_load(&j->state); /* before `have`, which does not change any more once the job has ended */

	if (atomic_load(&j->have) < at + r->l.slen)
		return state == ENCODE_QUEUED ? ROUND_WAIT : ROUND_FAILED;
	*from = gather_symbol(j->source, at);
	return ROUND_GOT;
}

/* From the encoder's memory, or read here, and then copied: the reader's memory is soon read over. */
static enum round_got take_source(struct round *r, uint8_t *room, const uint8_t **symbol)
{
	const struct round_reader *rd = &r->reader[r->at];
	uint32_t i = r->column;

	if (r->job[r->now].source != NULL)
		return kept_source(r, symbol);
	if (rd->buf == NULL || i < rd->first || i >= rd->first + rd->count)
		if (read_ahead(r, r->at, i) != 0)
			return ROUND_FAILED;
	memcpy(room, rd->data + (size_t)(i - rd->first) * r->l.slen, r->l.slen);
	*symbol = room;
	return ROUND_GOT;
}

static enum round_got take_parity(const struct round *r, uint32_t i, const uint8_t **symbol)
{
	int state = atomic_load(&r->job[r->now].state);

	if (state == ENCODE_QUEUED)
		return ROUND_WAIT;
	if (state != ENCODE_READY)
		return ROUND_FAILED;
	*symbol = r->job[r->now].parity + r->parity_at[r->at] + (size_t)i * r->l.slen;
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
			if (!r->over) {
				r->over = true;
				return ROUND_OVER;
			}
			close_group(r, e);
			r->first += r->blocks;
		}
	}
	if (endless(r) || r->first < r->g.blocks)
		return open_group(r, e) ? settle(r, e) : ROUND_WAIT;
	if (r->late || r->left == 0)
		return ROUND_END;
	r->late = true;
	r->first = 0;
	return ROUND_PAUSE;
}

enum round_got round_next(struct round *r, struct encoder *e, struct frame_symbol *s, uint8_t *mlog, uint8_t *room,
    const uint8_t **symbol)
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
	if (r->at == 0 && r->column % LOOK_EVERY == 0)
		look_ahead(r, e);
	got = r->column < source ? take_source(r, room, symbol) :
	    take_parity(r, r->column - source, symbol);
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
	r->sent++;
	if (!endless(r))
		r->left--;
	return ROUND_GOT;
}

bool round_blocked(const struct round *r, const struct encoder *e)
{
	const struct encode_job *now = &r->job[r->now];
	struct encode_job j = { 0 };
	const uint8_t *from;

	if (r->open) {
		uint32_t b = r->first + r->at;
		if (r->at >= r->blocks || r->column >= columns(r, b))
			return false;
		if (r->column < sources(r, b))
			return now->source != NULL && kept_source(r, &from) == ROUND_WAIT;
		return atomic_load(&now->state) == ENCODE_QUEUED;
	}
	if (!group_there(r, r->first))
		return endless(r);
	if (atomic_load(&now->state) != ENCODE_IDLE)
		return false;
	describe_job(r, r->first, &j);
	return !encode_room(e, encode_bytes(&j));
}
