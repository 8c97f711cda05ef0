/* receiver_inspect.h - what the zone checks of a transfer's contents, in the
 * check process: the row of records (codec/record.h), the channel's caps, and
 * what is in the files (content/content.h).  What passes goes on to the
 * store process as events, and so does what does not: a file whose content is
 * refused with a word about that, and a transfer that is none at its end.
 * Only what exceeds a cap goes no further, and
 * the transfer is refused, to be gathered again (the cap may be raised); the
 * rest is still read, for the signed manifest at its end says which number
 * this was. */
#ifndef KM_RECEIVER_INSPECT_H
#define KM_RECEIVER_INSPECT_H

#include "codec/record.h"
#include "content/content.h"
#include "receiver/decompress.h"
#include "receiver/pipeframe.h"
#include "receiver/receiver_messages.h"

enum { INSPECT_ROOM = 128 << 10 /* bytes that are decompressed at a time */ };

struct receiver_inspect {
	uint32_t job;
	uint8_t *room;  /* in `out`, where a file's bytes are decompressed to; NULL: in bytes */
	uint8_t bytes[INSPECT_ROOM];
	struct pipeframe_in *in;   /* from open; or NULL */
	struct pipeframe_out *out; /* to store */
	struct decompress *zstd;
	struct record_reader records;
	struct record_limits limits;
	uint32_t files;
	uint64_t total;
	int capped; /* over a cap: no more file goes on */
	struct content *content;
	const struct content_policy *policy;
	uint32_t made; /* content checks, of all files together */
	uint8_t name[NAME_MAX_LEN]; /* of the present file */
	size_t name_len;
	struct pipe_finish finish; /* bad and reason, once something failed */
};

/* in: where what receiver_inspect_bytes() gets may lie; NULL: nowhere that store knows.  -1: no memory. */
int receiver_inspect_open(struct receiver_inspect *i, struct pipeframe_in *in, struct pipeframe_out *out)
    __attribute__((warn_unused_result));
/* The policy must live until the end. */
void receiver_inspect_begin(struct receiver_inspect *i, uint32_t job, const struct record_limits *l,
    const struct content_policy *policy);
/* A piece of the zstd frame.  Failures are remembered, not returned. */
void receiver_inspect_bytes(struct receiver_inspect *i, const uint8_t *data, size_t n);
/* result: of unsealing.  Completes i->finish. */
void receiver_inspect_end(struct receiver_inspect *i, int result);

#endif
