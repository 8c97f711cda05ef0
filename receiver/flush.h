/* flush.h - make what was gathered durable (an errand): the data, then the
 * bits that stand for them, in this order (parts.h). */
#ifndef KM_FLUSH_H
#define KM_FLUSH_H

#include <stddef.h>
#include <stdint.h>

#include "host/errand.h"
#include "receiver/parts.h"

struct object;

struct flush_job {
	struct errand errand;
	struct object *object; /* the submitter's business */
	int data_fd, map_fd;
	int has_head;
	uint8_t head[PARTS_LINK_LEN];
	uint64_t first;        /* byte of the map where bits[] belong */
	size_t n;
	int error;             /* 0, or errno: nothing may be taken as durable */
	uint8_t bits[];
};

struct flush_job *flush_job_new(size_t n); /* NULL: no memory; free() releases it */
void flush_run(struct errand *e);

#endif
