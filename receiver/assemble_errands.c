/* assemble_errands.c - the errands of assemble.h: blocks are repaired, maps made
 * durable, and the results taken back. */
#include <stdlib.h>
#include <string.h>

#include "codec/fec.h"
#include "receiver/assemble_private.h"

void assemble_repair(struct assemble *a, struct object *o, uint32_t number)
{
	struct block *b = &o->block[number];
	uint32_t k = geometry_k(&o->geo, number), lost;
	uint64_t first = (uint64_t)number * o->geo.kfull;
	uint64_t offset = geometry_offset(&o->geo, number, 0), bytes = (uint64_t)k * o->geo.slen;
	struct decode_job *j;

	/* The write may have failed since, or the rest have come. */
	if (o->state != OBJECT_GATHERING || b->busy || b->have >= k || (uint32_t)b->have + b->parities < k)
		return;
	lost = k - b->have;
	if (o->geo.len != 0 && o->geo.len - offset < bytes)
		bytes = o->geo.len - offset;
	if ((j = decode_job_new(k, lost, (uint32_t)((offset + bytes - 1) / STAGE_CHUNK - offset / STAGE_CHUNK) + 1)) == NULL) {
		a->counter[LC_FAILED]++;
		return;
	}
	j->decoder = &a->decoder;
	j->object = o;
	j->number = number;
	j->fd = o->staged && o->direct_fd >= 0 ? o->direct_fd : o->data_fd;
	j->offset = offset;
	j->bytes = bytes;
	for (uint32_t i = 0; i < j->chunks && o->chunks > 0; i++)
		j->pinned[i] = stage_pin(a->stage, o, offset / STAGE_CHUNK + i);
	j->m = 1u << b->mlog;
	j->slen = o->geo.slen;
	for (uint32_t i = 0; i < lost; i++) {
		j->pnum[i] = b->parity[i].number;
		j->parity[i] = b->parity[i].symbol;
	}
	for (uint32_t i = 0; i < k; i++)
		if (object_has(o, first + i))
			j->have[i / 8] = (uint8_t)(j->have[i / 8] | 1u << (i % 8));
	b->busy = true;
	o->errands++;
	errands_submit(a->decoding, &j->errand);
}

/* The symbols that were lost go the way of those that come. */
static void keep_repaired(struct assemble *a, struct object *o, const struct decode_job *j)
{
	uint64_t first = (uint64_t)j->number * o->geo.kfull;
	const uint8_t *data = j->repaired;
	int error = 0;

	for (uint32_t i = 0; i < j->k && error == 0; i++)
		if ((j->have[i / 8] >> (i % 8) & 1) == 0) {
			if (!object_has(o, first + i))
				error = assemble_keep(a, o, first + i, data);
			data += j->slen;
			a->counter[LC_REPAIRED] += error == 0;
		}
	if (error != 0)
		assemble_disk_trouble(a, error);
	assemble_write(a);
}

static void repaired(struct assemble *a, struct decode_job *j)
{
	struct object *o = j->object;

	for (uint32_t i = 0; i < j->chunks; i++)
		if (j->pinned[i] != NULL)
			stage_unpin(a->stage, j->pinned[i]);
	o->errands--;
	o->block[j->number].busy = false;
	if (j->result != FEC_OK) {
		a->counter[LC_FAILED]++;
		if (j->result > 0)
			assemble_disk_trouble(a, j->error);
		/* Without its repair symbols the block starts anew with the next round. */
		object_drop_parity(o, &a->budget[o->sender], j->number);
	} else if (o->state == OBJECT_GATHERING) {
		keep_repaired(a, o, j);
		if (object_complete(o) && o->state == OBJECT_GATHERING)
			assemble_whole(a, o);
	}
	decode_job_free(j);
}

void assemble_flush(struct assemble *a, struct object *o, uint64_t now_ns)
{
	uint64_t lo, hi;
	struct flush_job *j;

	assemble_write(a); /* what is held back has its bit already: first its bytes (parts.h) */
	lo = o->dirty_lo;
	hi = o->dirty_hi;
	if (hi > o->bits_room)
		hi = o->bits_room;
	if (lo > hi)
		lo = hi;
	if ((j = flush_job_new(hi - lo)) == NULL)
		return;
	j->object = o;
	j->data_fd = o->data_fd;
	j->map_fd = o->map_fd;
	j->first = lo;
	if (hi > lo)
		memcpy(j->bits, o->bits + lo, hi - lo);
	stage_mask(a->stage, o, j->bits, lo, hi - lo);
	if (o->head_dirty) {
		struct parts_head h = { .geo = o->geo };
		memcpy(h.sender, a->key_id[o->sender], 8);
		memcpy(h.id, o->id, 16);
		parts_put_head(j->head, &h);
		j->has_head = 1;
	}
	o->dirty_lo = o->dirty_hi = 0;
	o->head_dirty = false;
	o->flushing = true;
	o->flushed_ns = now_ns;
	o->errands++;
	a->flushes++;
	errands_submit(a->flushing, &j->errand);
}

static void flushed(struct assemble *a, struct flush_job *j)
{
	struct object *o = j->object;

	o->errands--;
	o->flushing = false;
	a->flushes--;
	if (j->error != 0) {
		assemble_disk_trouble(a, j->error);
		if (j->n > 0)
			object_dirty(o, j->first * 8, (j->first + j->n) * 8 - 1);
		o->head_dirty = o->head_dirty || j->has_head;
	}
	free(j);
}

void assemble_take_back(struct assemble *a, bool wait)
{
	struct errand *e;

	while ((e = wait ? errands_take_wait(a->decoding) : errands_take(a->decoding)) != NULL)
		repaired(a, (struct decode_job *)e);
	while ((e = wait ? errands_take_wait(a->flushing) : errands_take(a->flushing)) != NULL)
		flushed(a, (struct flush_job *)e);
}
