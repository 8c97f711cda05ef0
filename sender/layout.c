/* layout.c - see layout.h. */
#include "sender/layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/frame.h"
#include "sender/sender_conf.h"

static void take(struct layout_block *b, const struct plan_block *p)
{
	b->r = p->r;
	b->r1 = p->r1;
	b->mlog = p->log2m;
}

static struct plan_in ask(const struct sender_conf *c, uint64_t length, uint64_t block)
{
	return (struct plan_in){
		.size = length, .symbol = c->n - FRAME_SYMBOL_OVERHEAD, .wire = c->n + SENDER_WIRE_OVERHEAD,
		.loss = c->loss, .failure = c->failure, .burst_ns = c->burst_ns, .rate = c->rate,
		.block_max = block, .group_max = LAYOUT_GROUP_MAX,
	};
}

static int lay_out(struct layout *l, const struct sender_conf *c, uint64_t length, uint64_t block)
{
	const struct plan_in in = ask(c, length, block);
	struct plan p;

	if (plan_object(&in, &p) != PLAN_OK)
		return -1;
	memset(l, 0, sizeof(*l));
	l->slen = in.symbol;
	l->kfull = p.full.k;
	l->depth = p.depth;
	l->spacing_ns = p.spacing_ns;
	l->tail_first = LAYOUT_NO_TAIL;
	take(&l->full, &p.full);
	take(&l->last, &p.last);
	return 0;
}

int layout_of(struct layout *l, const struct sender_conf *c, uint64_t length)
{
	return lay_out(l, c, length, LAYOUT_BLOCK_MAX);
}

int layout_stream(struct layout *l, const struct sender_conf *c, uint64_t most, uint64_t block)
{
	return lay_out(l, c, most, block);
}

/* The plan for the most there could be has as many blocks or more, so what each of them may fail with is not more. */
int layout_stream_end(struct layout *l, const struct sender_conf *c, uint64_t most, uint64_t block, uint64_t length)
{
	const struct plan_in in = ask(c, most, block);
	struct plan p, tail;
	uint64_t symbols = (length + in.symbol - 1) / in.symbol, group, first;

	if (length == 0 || length > most || plan_object(&in, &p) != PLAN_OK || p.full.k != l->kfull || p.depth != l->depth)
		return -1;
	group = (uint64_t)p.full.k * p.depth;
	first = (symbols - 1) / group;
	if (plan_tail(&in, &p, symbols - first * group, &tail) != PLAN_OK)
		return -1;
	l->tail_first = (uint32_t)(first * p.depth);
	if (tail.spacing_ns > l->spacing_ns)
		l->spacing_ns = tail.spacing_ns;
	take(&l->tail, &tail.full);
	take(&l->last, &tail.last);
	return 0;
}

void layout_write(char out[static LAYOUT_TEXT_MAX], const struct layout *l)
{
	int n = snprintf(out, LAYOUT_TEXT_MAX, "1 %u %u %u %" PRIu64 " %u %u %u %u %u %u", l->slen, l->kfull, l->depth,
	    l->spacing_ns, l->full.r, l->full.r1, l->full.mlog, l->last.r, l->last.r1, l->last.mlog);

	if (l->tail_first != LAYOUT_NO_TAIL)
		snprintf(out + n, LAYOUT_TEXT_MAX - (size_t)n, " %u %u %u %u", l->tail_first, l->tail.r, l->tail.r1,
		    l->tail.mlog);
}

static int block_ok(const struct layout_block *b)
{
	return b->mlog <= FRAME_MLOG_MAX && b->r1 <= b->r && b->r <= 1u << b->mlog;
}

int layout_read(struct layout *l, const char *text)
{
	struct layout v = { .tail_first = LAYOUT_NO_TAIL };
	int n = 0, more = 0;

	if (text == NULL || sscanf(text, "1 %u %u %u %" SCNu64 " %u %u %u %u %u %u%n", &v.slen, &v.kfull, &v.depth,
	    &v.spacing_ns, &v.full.r, &v.full.r1, &v.full.mlog, &v.last.r, &v.last.r1, &v.last.mlog, &n) != 10)
		return -1;
	if (text[n] != '\0' && (sscanf(text + n, " %u %u %u %u%n", &v.tail_first, &v.tail.r, &v.tail.r1, &v.tail.mlog,
	    &more) != 4 || text[n + more] != '\0'))
		return -1;
	if (v.slen == 0 || v.slen % 2 != 0 || v.slen > FRAME_MAX_LEN - FRAME_SYMBOL_OVERHEAD || v.kfull == 0 ||
	    v.kfull > 65535 || v.depth == 0 || v.depth > PLAN_DEPTH_MAX || !block_ok(&v.full) || !block_ok(&v.last) ||
	    !block_ok(&v.tail))
		return -1;
	*l = v;
	return 0;
}
