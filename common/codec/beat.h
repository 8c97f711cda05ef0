/* beat.h - the signed heartbeat (PROTOCOL.md, section 4.6). */
#ifndef KM_BEAT_H
#define KM_BEAT_H

#include "codec/party.h"
#include "core/frame.h"
#include "core/name.h"

enum {
	BEAT_AT = FRAME_HEAD_LEN, /* the sealed part of a BEAT is d[18 .. n-17] */
	BEAT_ENTRY_LEN = 32 + 16 + 8 + 8,
	BEAT_ENTRIES_MAX = 64,
};

struct beat_entry {
	char channel[NAME_CHANNEL_MAX + 1];
	uint8_t generation[16];
	uint64_t newest; /* highest number committed; 0 = none */
	uint64_t oldest; /* lowest number whose object is still kept; 0 = none */
};

enum beat_flag { BEAT_DISK = 1 /* the sender's disk takes nothing now: what is put in has to wait */ };

struct beat {
	uint64_t counter;
	uint64_t time_ms;
	uint16_t flags;
	uint32_t count;
	struct beat_entry entry[BEAT_ENTRIES_MAX];
};

/* How many entries fit a session of datagram length n. */
uint32_t beat_capacity(size_t n);
/* Sender (spool): write d[18 .. n-17], all but head and tag, which the link
 * process adds.  b->count <= beat_capacity(n). */
int beat_make(uint8_t *d, size_t n, const struct beat *b, const uint8_t beat_key[static KEY_LEN],
    const struct party_secret *sender) __attribute__((warn_unused_result));
/* Receiver (open): decrypt, verify, decode.  The caller compares the counter. -1: not authentic or malformed. */
int beat_open(struct beat *b, const uint8_t *d, size_t n, const uint8_t beat_key[static KEY_LEN],
    const struct party *sender) __attribute__((warn_unused_result));

#endif
