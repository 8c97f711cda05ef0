/* record.h - the row of records inside a transfer (PROTOCOL.md, section 6).
 * Pure.  Reading is an automaton fed with pieces of any size; it enforces the
 * order, the counts and the sizes, and hands on what it read. */
#ifndef KM_RECORD_H
#define KM_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "core/name.h"

enum record_type { RECORD_FILE = 1, RECORD_DATA = 2, RECORD_END = 3, RECORD_MANIFEST = 4, RECORD_SIGNATURE = 5 };
enum {
	RECORD_HEAD_LEN = 8,
	RECORD_DATA_MAX = 1 << 20,
	RECORD_FILES_MAX = 4096,
	RECORD_MANIFEST_MAX = 4 << 20,
};

/* Write a record's 8 bytes. */
void record_put_head(uint8_t out[static RECORD_HEAD_LEN], enum record_type type, uint32_t len);

struct record_limits { /* the receiver's own caps, at or below the protocol's */
	uint32_t files;
	uint64_t file_bytes;
	uint64_t total_bytes; /* of all files together */
};

struct record_sink { /* each returns 0, or non-zero to stop */
	int (*file)(void *ctx, const uint8_t *name, size_t n, uint64_t size); /* name was checked, order too */
	int (*data)(void *ctx, const uint8_t *data, size_t n);
	int (*end)(void *ctx, const uint8_t sha256[32]);
	int (*manifest)(void *ctx, const uint8_t *data, size_t n); /* in pieces */
	int (*signature)(void *ctx, const uint8_t sig[64]);
};

enum record_err {
	RECORD_OK = 0,
	RECORD_EORDER = -1, /* a record where it may not stand, unknown type, reserved bytes */
	RECORD_ESIZE = -2,  /* a length out of range, or data that do not add up to the size */
	RECORD_ENAME = -3,  /* file name refused, or not in order (duplicates among them) */
	RECORD_ELIMIT = -4, /* over the receiver's caps */
	RECORD_EEND = -5,   /* ended too early, or bytes after the signature */
	RECORD_ESINK = -6,
};

struct record_reader {
	struct record_limits limits;
	const struct record_sink *sink;
	void *ctx;
	enum record_err failed;  /* sticky */
	int state;
	uint8_t head[RECORD_HEAD_LEN];
	uint32_t have;           /* bytes of head or of a small body collected */
	uint32_t left;           /* bytes of the present body still to come */
	uint64_t file_left;
	uint64_t total;
	uint32_t files;
	uint32_t manifest;
	uint8_t body[8 + NAME_MAX_LEN];
	uint8_t last_name[NAME_MAX_LEN];
	uint16_t last_len;
};
void record_reader_init(struct record_reader *r, const struct record_limits *l, const struct record_sink *s, void *ctx);
enum record_err record_read(struct record_reader *r, const uint8_t *data, size_t n) __attribute__((warn_unused_result));
/* Of which kind the next bytes are, as far as it is certain, and how many: the file's bytes (*data is 1), or the head of a
 * record with more of them (0).  0 bytes: anything may come. */
size_t record_ahead(const struct record_reader *r, int *data);
enum record_err record_read_end(struct record_reader *r) __attribute__((warn_unused_result)); /* no more input */
const char *record_strerror(enum record_err e);

#endif
