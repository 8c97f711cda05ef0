/* decode.c - repair one block of a part file (decode.h). */
#include "receiver/decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/fec.h"

enum { FAILED_IO = 1 };

struct decode_job *
decode_job_new(uint32_t k, uint32_t parities)
{
	size_t head = (sizeof(struct decode_job) + 15) & ~(size_t)15;
	size_t pointers = parities * sizeof(uint8_t *), numbers = parities * sizeof(uint32_t);
	struct decode_job *j = calloc(1, head + pointers + numbers + (k + 7) / 8);

	if (j == NULL)
		return NULL;
	uint8_t *at = (uint8_t *)j + head;
	j->parity = (uint8_t **)(void *)at;
	j->pnum = (uint32_t *)(void *)(at + pointers);
	j->have = at + pointers + numbers;
	j->k = k;
	j->parities = parities;
	j->errand.run = decode_run;
	return j;
}

void
decode_job_free(struct decode_job *j)
{
	free(j);
}

void
decode_free(struct decoder *d)
{
	free(d->block);
	free(d->work);
	free(d->src);
	free(d->out);
	memset(d, 0, sizeof(*d));
}

static int
grow(void *pointer, size_t *room, size_t need)
{
	void *old, *p;

	memcpy(&old, pointer, sizeof(old));
	if (*room >= need && old != NULL)
		return 0;
	free(old);
	*room = 0;
	if (need < 64)
		need = 64;
	p = aligned_alloc(64, (need + 63) & ~(size_t)63);
	memcpy(pointer, &p, sizeof(p));
	if (p == NULL)
		return -1;
	*room = need;
	return 0;
}

static int
make_room(struct decoder *d, const struct decode_job *j)
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
	if (grow(&d->block, &d->block_room, (size_t)j->k * j->slen) != 0)
		return -1;
	return grow(&d->work, &d->work_room, fec_decode_work(j->k, j->m, j->slen));
}

/* All of the block's bytes that the file has; zero beyond the object, and for
 * symbols that are not there whatever the file holds. */
static int
read_block(const struct decoder *d, const struct decode_job *j)
{
	size_t all = (size_t)j->k * j->slen, want = j->bytes < all ? (size_t)j->bytes : all, at = 0;

	while (at < want) {
		ssize_t n = pread(j->fd, d->block + at, want - at, (off_t)(j->offset + at));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break; /* the file ends where nothing was written yet */
		at += (size_t)n;
	}
	memset(d->block + at, 0, all - at);
	return 0;
}

static int
has(const struct decode_job *j, uint32_t i)
{
	return j->have[i / 8] >> (i % 8) & 1;
}

static int
write_lost(const struct decoder *d, const struct decode_job *j)
{
	for (uint32_t i = 0; i < j->k; i++) {
		uint32_t first = i;

		while (i < j->k && !has(j, i))
			i++;
		size_t at = (size_t)first * j->slen, end = (size_t)i * j->slen;
		if (end > j->bytes)
			end = (size_t)j->bytes;
		while (at < end) {
			ssize_t n = pwrite(j->fd, d->block + at, end - at, (off_t)(j->offset + at));
			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				return -1;
			at += (size_t)n;
		}
	}
	return 0;
}

void
decode_run(struct errand *e)
{
	struct decode_job *j = (struct decode_job *)e;
	struct decoder *d = j->decoder;

	j->result = FAILED_IO;
	j->error = ENOMEM;
	if (make_room(d, j) != 0)
		return;
	if (read_block(d, j) != 0) {
		j->error = errno;
		return;
	}
	for (uint32_t i = 0; i < j->k; i++) {
		d->out[i] = d->block + (size_t)i * j->slen;
		d->src[i] = has(j, i) ? d->out[i] : NULL;
	}
	j->result = fec_decode(j->k, j->m, j->slen, d->src, j->pnum, (const uint8_t *const *)j->parity, j->parities,
	    d->out, d->work);
	if (j->result == FEC_OK && write_lost(d, j) != 0) {
		j->result = FAILED_IO;
		j->error = errno;
	}
}
