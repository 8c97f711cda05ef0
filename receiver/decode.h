/* decode.h - repair one block of an object (an errand): compute the symbols
 * that are lost from those that are there and the repair symbols.
 *
 * What is there is read where it lies: in the chunks of stage.h that the
 * submitter pinned, else in the part file.  What was lost is handed back, for
 * the submitter to put in its place. */
#ifndef KM_DECODE_H
#define KM_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "host/errand.h"
#include "receiver/stage.h"

struct object;

struct decoder { /* memory of the decoding thread, grown as needed and kept */
	uint8_t *block;   /* symbols that do not lie in one piece */
	size_t block_room;
	uint8_t *piece;   /* STAGE_CHUNK bytes of the file */
	size_t piece_room;
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
	int fd;                /* whole chunks are read from it, so it may be one past the page cache */
	uint64_t offset;       /* of the block in the file */
	uint64_t bytes;        /* of the block in the object; beyond it symbols are zero */
	uint32_t k, m, slen;
	uint32_t parities;     /* as many as are lost */
	uint32_t *pnum;        /* parity numbers, 0 to m-1 */
	uint8_t **parity;
	uint8_t *have;         /* bit i: source symbol i is there */
	struct stage_chunk **pinned; /* from the chunk of offset on; NULL: in the file */
	uint32_t chunks;
	int result;            /* 0, an fec_err, or 1: errno in error */
	int error;
	uint8_t *repaired;     /* result 0: the lost symbols in their order */
};

/* A job with room for k symbols, so many parities and chunks; NULL: no memory. */
struct decode_job *decode_job_new(uint32_t k, uint32_t parities, uint32_t chunks);
void decode_job_free(struct decode_job *j);
void decode_run(struct errand *e); /* j->errand.run */
void decode_free(struct decoder *d);

#endif
