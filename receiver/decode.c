/* decode.c - repair one block of an object (decode.h). */
#include "receiver/decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/fec.h"
#include "host/big.h"

enum { FAILED_IO = 1, ALIGN = 4096 /* reads past the page cache want it; big.h gives it */ };

struct decode_job *decode_job_new(uint32_t k, uint32_t parities, uint32_t chunks)
{
	size_t head = (sizeof(struct decode_job) + 15) & ~(size_t)15, pointers = parities * sizeof(uint8_t *);
	size_t pins = chunks * sizeof(struct stage_chunk *), numbers = parities * sizeof(uint32_t);
	struct decode_job *j = calloc(1, head + pointers + pins + numbers + (k + 7) / 8);

	if (j == NULL)
		return NULL;
	uint8_t *at = (uint8_t *)j + head;
	j->parity = (uint8_t **)(void *)at;
	j->pinned = (struct stage_chunk **)(void *)(at + pointers);
	j->pnum = (uint32_t *)(void *)(at + pointers + pins);
	j->have = at + pointers + pins + numbers;
	j->k = k;
	j->parities = parities;
	j->chunks = chunks;
	j->errand.run = decode_run;
	return j;
}

void decode_job_free(struct decode_job *j)
{
	if (j != NULL)
		free(j->repaired);
	free(j);
}

void decode_free(struct decoder *d)
{
	free(d->block);
	free(d->piece);
	free(d->work);
	free(d->src);
	free(d->out);
	memset(d, 0, sizeof(*d));
}

static int grow(void *pointer, size_t *room, size_t need)
{
	void *old, *p;

	memcpy(&old, pointer, sizeof(old));
	if (*room >= need && old != NULL)
		return 0;
	free(old);
	*room = 0;
	p = big_alloc(need);
	memcpy(pointer, &p, sizeof(p));
	if (p == NULL)
		return -1;
	*room = need;
	return 0;
}

static int make_room(struct decoder *d, const struct decode_job *j)
{
	if (d->k_room < j->k) {
		free(d->src);
		free(d->out);
		d->src = calloc(j->k, sizeof(*d->src));
		d->out = calloc(j->k, sizeof(*d->out));
		d->k_room = d->src != NULL && d->out != NULL ? j->k : 0;
		if (d->k_room == 0)
			return -1;
	}
	if (grow(&d->block, &d->block_room, (size_t)j->k * j->slen) != 0 || grow(&d->piece, &d->piece_room, STAGE_CHUNK) != 0)
		return -1;
	return grow(&d->work, &d->work_room, fec_decode_work(j->k, j->m, j->slen));
}

static int has(const struct decode_job *j, uint32_t i)
{
	return j->have[i / 8] >> (i % 8) & 1;
}

/* Chunk `index` of the file into d->piece, as far as the block lies in it: of a small one not a whole chunk for a symbol or two.
 * What lies behind the file's end is zero. */
static int read_chunk(const struct decoder *d, const struct decode_job *j, uint64_t index)
{
	const uint64_t begin = index * STAGE_CHUNK, upto = j->offset + j->bytes - begin;
	const size_t end = upto < STAGE_CHUNK ? ((size_t)upto + ALIGN - 1) & ~(size_t)(ALIGN - 1) : STAGE_CHUNK;
	size_t at = j->offset > begin ? (size_t)(j->offset - begin) & ~(size_t)(ALIGN - 1) : 0;

	while (at < end) {
		ssize_t n = pread(j->fd, d->piece + at, end - at, (off_t)(begin + at));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += (size_t)n;
		if (n == 0 || at % ALIGN != 0)
			break; /* the end */
	}
	memset(d->piece + at, 0, end - at);
	return 0;
}

/* What chunk c of the job has of the block, to its place in d->block.  all: also the
 * symbols that lie wholly in it. */
static void copy_chunk(const struct decoder *d, const struct decode_job *j, uint32_t c, const uint8_t *from, int all)
{
	uint64_t begin = (j->offset / STAGE_CHUNK + c) * STAGE_CHUNK, end = begin + STAGE_CHUNK;
	uint64_t block_end = j->offset + j->bytes, lo = begin > j->offset ? begin : j->offset;
	uint64_t hi = end < block_end ? end : block_end;
	uint64_t first = (lo - j->offset + j->slen - 1) / j->slen * j->slen + j->offset; /* the first whole symbol */
	uint64_t last = (hi - j->offset) / j->slen * j->slen + j->offset;                /* behind the last whole one */

	if (lo >= hi)
		return;
	if (all || first >= last) {
		memcpy(d->block + (lo - j->offset), from + (lo - begin), (size_t)(hi - lo));
		return;
	}
	memcpy(d->block + (lo - j->offset), from + (lo - begin), (size_t)(first - lo));
	memcpy(d->block + (last - j->offset), from + (last - begin), (size_t)(hi - last));
}

/* Where symbol i can be read: in a pinned chunk, or in d->block. */
static const uint8_t *place(const struct decoder *d, const struct decode_job *j, uint32_t i)
{
	uint64_t at = j->offset + (uint64_t)i * j->slen, end = at + j->slen, index = at / STAGE_CHUNK;
	const struct stage_chunk *c = j->pinned[index - j->offset / STAGE_CHUNK];

	if (c == NULL || (end - 1) / STAGE_CHUNK != index || end > j->offset + j->bytes)
		return d->block + (size_t)i * j->slen;
	return c->bytes + at % STAGE_CHUNK;
}

static int gather(const struct decoder *d, const struct decode_job *j)
{
	size_t all = (size_t)j->k * j->slen;

	for (uint32_t c = 0; c < j->chunks; c++) {
		if (j->pinned[c] == NULL && read_chunk(d, j, j->offset / STAGE_CHUNK + c) != 0)
			return -1;
		copy_chunk(d, j, c, j->pinned[c] != NULL ? j->pinned[c]->bytes : d->piece, j->pinned[c] == NULL);
	}
	if (j->bytes < all) /* the object's last symbol */
		memset(d->block + j->bytes, 0, all - (size_t)j->bytes);
	for (uint32_t i = 0, lost = 0; i < j->k; i++) {
		d->src[i] = has(j, i) ? place(d, j, i) : NULL;
		d->out[i] = has(j, i) ? NULL : j->repaired + (size_t)lost++ * j->slen;
	}
	return 0;
}

void decode_run(struct errand *e)
{
	struct decode_job *j = (struct decode_job *)e;
	struct decoder *d = j->decoder;

	j->result = FAILED_IO;
	j->error = ENOMEM;
	if (make_room(d, j) != 0 || (j->repaired = malloc((size_t)j->parities * j->slen)) == NULL)
		return;
	if (gather(d, j) != 0) {
		j->error = errno;
		return;
	}
	j->result = fec_decode(j->k, j->m, j->slen, d->src, j->pnum, (const uint8_t *const *)j->parity, j->parities,
	    d->out, d->work);
}
