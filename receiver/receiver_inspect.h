/* receiver_inspect.h - what the zone checks of a transfer's contents, in the
 * check process: the row of records (codec/record.h), the channel's caps, and
 * that no file is a program (content/magic.h).  What passes goes on to the
 * store process as events, and so does what does not: the whole transfer is
 * kept in the quarantine then.  Only what exceeds a cap goes no further, and
 * the transfer is refused, to be gathered again (the cap may be raised); the
 * rest is still read, for the signed manifest at its end says which number
 * this was. */
#ifndef KM_RECEIVER_INSPECT_H
#define KM_RECEIVER_INSPECT_H

#include "codec/record.h"
#include "content/magic.h"
#include "receiver/decompress.h"
#include "receiver/receiver_messages.h"

struct receiver_inspect {
	uint32_t job;
	int pipe;               /* to store */
	struct decompress *zstd;
	struct record_reader records;
	struct record_limits limits;
	uint32_t files;
	uint64_t total;
	int capped; /* over a cap: no more file goes on */
	uint8_t begin[MAGIC_LEN]; /* of the present file */
	size_t begin_have;
	uint8_t name[NAME_MAX_LEN]; /* of the present file */
	size_t name_len;
	uint64_t file_left;
	struct pipe_finish finish; /* bad and reason, once something failed */
};

/* The checks made on every transfer, for the ledger: names, separated by spaces, sorted. */
#define RECEIVER_CHECKS "magic names records sizes"

int receiver_inspect_open(struct receiver_inspect *i, int pipe) __attribute__((warn_unused_result)); /* -1: no memory */
void receiver_inspect_begin(struct receiver_inspect *i, uint32_t job, const struct record_limits *l);
/* A piece of the zstd frame.  Failures are remembered, not returned. */
void receiver_inspect_bytes(struct receiver_inspect *i, const uint8_t *data, size_t n);
/* result: of unsealing.  Completes i->finish. */
void receiver_inspect_end(struct receiver_inspect *i, int result);

#endif
