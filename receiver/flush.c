/* flush.c - make what was gathered durable (flush.h). */
#include "receiver/flush.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct flush_job *flush_job_new(size_t n)
{
	struct flush_job *j = calloc(1, sizeof(*j) + n);

	if (j == NULL)
		return NULL;
	j->n = n;
	j->errand.run = flush_run;
	return j;
}

static int write_all(int fd, const uint8_t *p, size_t n, uint64_t at)
{
	while (n > 0) {
		ssize_t w = pwrite(fd, p, n, (off_t)at);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return -1;
		p += w;
		n -= (size_t)w;
		at += (uint64_t)w;
	}
	return 0;
}

void flush_run(struct errand *e)
{
	struct flush_job *j = (struct flush_job *)e;

	j->error = 0;
	if (fdatasync(j->data_fd) == 0 && write_all(j->map_fd, j->bits, j->n, PARTS_HEAD_LEN + j->first) == 0 &&
	    (!j->has_head || write_all(j->map_fd, j->head, PARTS_LINK_LEN, 0) == 0) && fdatasync(j->map_fd) == 0)
		return;
	j->error = errno != 0 ? errno : EIO;
}
