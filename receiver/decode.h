/* decode.h - repair one block of a part file (an errand): read its symbols,
 * compute the lost ones, write them to their places. */
#ifndef KM_DECODE_H
#define KM_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "receiver/errand.h"

struct object;

struct decoder { /* memory of the decoding thread, grown as needed and kept */
	uint8_t *block;
	size_t block_room;
	void *work;
	size_t work_room;
	const uint8_t **src;
	uint8_t **out;
	uint32_t k_room;
};

struct decode_job {
	struct errand errand;
	struct decoder *decoder;
	struct object *object; /* the submitter's business */
	uint32_t number;       /* of the block, likewise */
	int fd;
	uint64_t offset;       /* of the block in the file */
	uint64_t bytes;        /* of the block in the object; beyond it symbols are zero */
	uint32_t k, m, slen;
	uint32_t parities;     /* as many as are lost */
	uint32_t *pnum;        /* parity numbers, 0 to m-1 */
	uint8_t **parity;
	uint8_t *have;         /* bit i: source symbol i is in the file */
	int result;            /* 0, an fec_err, or 1: errno in error */
	int error;
};

/* A job with room for k symbols and so many parities; NULL: no memory. */
struct decode_job *decode_job_new(uint32_t k, uint32_t parities);
void decode_job_free(struct decode_job *j);
void decode_run(struct errand *e); /* j->errand.run */
void decode_free(struct decoder *d);

#endif
