/* seal.h - sealed objects (PROTOCOL.md, section 5), as two streams.
 *
 * Writing: seal_begin() gives the clear header; then payload bytes go in by
 * seal_write() and ciphertext comes out through the sink, a segment at a
 * time; seal_end() seals the last segment.  The inner header is the first
 * payload and is written by seal_begin() itself.
 * Reading: open_*() likewise, fed with ciphertext in pieces of any size.
 * A sink returns 0, or non-zero to stop, which the stream's functions return.
 * The state holds keys: it lives in crypto_secret_alloc() memory, and
 * seal_free()/open_free() wipe it. */
#ifndef KM_SEAL_H
#define KM_SEAL_H

#include "codec/party.h"
#include "core/name.h"

enum {
	SEAL_ID_LEN = 16,
	SEAL_GENERATION_LEN = 16,
	SEAL_WRAPS_MAX = 4,
	SEAL_FIXED_LEN = 72,
	SEAL_WRAP_LEN = KEY_ID_LEN + KEY_LEN + AEAD_TAG_LEN, /* 56 */
	SEAL_HEADER_MAX = SEAL_FIXED_LEN + SEAL_WRAPS_MAX * SEAL_WRAP_LEN,
	SEAL_INNER_LEN = 136,
	SEAL_SEGMENT_LOG_MIN = 12,
	SEAL_SEGMENT_LOG_MAX = 20,
};

struct seal_inner { /* what the inner header says */
	uint8_t sender[KEY_ID_LEN];
	uint8_t generation[SEAL_GENERATION_LEN];
	uint64_t created_ms;
	char channel[NAME_CHANNEL_MAX + 1];
};

typedef int seal_sink(void *ctx, const uint8_t *data, size_t n);

struct seal; /* opaque */
/* id: the object's id, drawn by the caller (crypto_random).  recipients: the
 * receiver first, then recovery keys.  inner->sender is filled in.  NULL if out of memory. */
struct seal *seal_begin(enum crypto_suite suite, unsigned segment_log, const uint8_t id[static SEAL_ID_LEN],
    const struct party_secret *sender, const struct party *const *recipients, unsigned count, const uint8_t *psk,
    struct seal_inner *inner, seal_sink *sink, void *ctx);
int seal_write(struct seal *s, const void *data, size_t n) __attribute__((warn_unused_result));
/* The same, with the promise that `more` bytes at least will follow: a segment that cannot be the last then needs no
 * copy of its plaintext.  After a promise that is broken seal_end() fails. */
int seal_write_more(struct seal *s, const void *data, size_t n, uint64_t more) __attribute__((warn_unused_result));
/* Where ciphertext is to be put, instead of memory of the stream's own: *n bytes of room, 1 at least.  The sink then
 * gets these very addresses, and tags from elsewhere.  Before the first seal_write(). */
typedef uint8_t *seal_room(void *ctx, size_t *n);
void seal_into(struct seal *s, seal_room *room);
int seal_end(struct seal *s) __attribute__((warn_unused_result)); /* last segment; then seal_free() */
void seal_free(struct seal *s);
/* More than an object becomes whose files have so many bytes. */
uint64_t seal_object_max(uint64_t bytes);

enum open_err {
	OPEN_OK = 0,
	OPEN_EFORMAT = -1,   /* not a sealed object, or fields out of range */
	OPEN_ENOKEY = -2,    /* not for us, psk id unknown, or the wrap does not open */
	OPEN_EAUTH = -3,     /* a segment is not authentic, or bytes are missing or too many */
	OPEN_ESENDER = -4,   /* no pinned sender has this key id */
	OPEN_ESIGN = -5,     /* inner header's signature is wrong */
	OPEN_ENOMEM = -6,
	OPEN_ESINK = -7,     /* the sink stopped */
};
struct open; /* opaque */
/* senders: the pinned ones.  inner is filled before the first call of the sink, which gets the zstd frame only. */
struct open *open_begin(const struct party_secret *receiver, const struct party *const *senders, unsigned count,
    const uint8_t *psk, struct seal_inner *inner, seal_sink *sink, void *ctx);
/* Keys of the receiver that were retired: what was sealed to one of them opens too.  They stay valid until open_free(). */
void open_retired(struct open *o, const struct party_secret *const *retired, unsigned count);
/* Where plaintext is to be put, instead of memory of the stream's own: n bytes, or NULL for that.  The sink then gets
 * this very address, once the segment is authentic; if it is not, the room is wiped and the sink hears nothing of it. */
typedef uint8_t *open_room(void *ctx, size_t n);
void open_into(struct open *o, open_room *room);
unsigned open_key(const struct open *o); /* once inner is filled: 0 the receiver's own, n the n-th of the retired */
enum open_err open_write(struct open *o, const void *data, size_t n) __attribute__((warn_unused_result));
/* No more input: OPEN_OK only if the last segment was authentic and nothing followed. */
enum open_err open_end(struct open *o) __attribute__((warn_unused_result));
const uint8_t *open_object_id(const struct open *o); /* valid once inner is filled */
void open_free(struct open *o);
const char *open_strerror(enum open_err e);

#endif
