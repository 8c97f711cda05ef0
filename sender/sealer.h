/* sealer.h - a batch of claimed files into one sealed object: a thread that
 * reads, hashes, compresses and seals, so that a large file stops nothing else.
 *
 * Records (PROTOCOL.md, section 6) > zstd frame > segments > objects/HEX.tmp.
 * When all files are in, the thread has synced what it wrote and hands the
 * job back; sealer_finish() (the caller's thread, in the transaction that took
 * the number) adds manifest and signature, syncs, and renames to objects/HEX. */
#ifndef KM_SEALER_H
#define KM_SEALER_H

#include <stdbool.h>

#include "codec/seal.h"
#include "host/window.h"
#include "sender/claim.h"

enum { SEAL_NAME_LEN = 2 * SEAL_ID_LEN }; /* hex digits */

struct sealer_keys { /* shared by all sealers; outlives them */
	const struct party_secret *sender;
	const struct party *recipient[SEAL_WRAPS_MAX];
	unsigned recipients;
	const uint8_t *psk;
	uint8_t generation[SEAL_GENERATION_LEN];
};

enum seal_result {
	SEAL_DONE = 0,
	SEAL_CHANGED, /* file `bad` is not what was claimed any more, or cannot be read (error) */
	SEAL_WRITE,   /* the object could not be written: error */
	SEAL_STOPPED, /* the sealer is ending */
};

struct seal_job {
	/* Set by the caller. */
	struct claim *claim;     /* its files are put in name order; not to be touched until the job is back */
	const char *channel;
	/* Result. */
	enum seal_result result;
	int error;
	uint32_t bad;
	uint8_t id[SEAL_ID_LEN];
	char name[SEAL_NAME_LEN + 1];
	uint8_t (*sha256)[HASH_LEN]; /* one a file */
	uint64_t length;         /* of the object, once finished */
	bool outrun;             /* the link could carry it faster than it is compressed */
	/* The sealer's own. */
	int fd;
	struct seal *seal;
};

struct sealer; /* opaque */
/* rate: bit/s of the link, by which the level of compression is chosen.  large:
 * a second thread hashes what this one compresses.  window: where the link finds
 * what was written last (object_file.h), under the first 8 bytes of the object's
 * id, or NULL.  Fatal on failure. */
struct sealer *sealer_start(const struct sealer_keys *keys, int objects, uint64_t rate, bool large, struct window *window);
void sealer_stop(struct sealer *s); /* abandons what it is at */
int sealer_fd(const struct sealer *s); /* readable when the job is back, or has gone on */
/* One job at a time: until sealer_finish() or sealer_drop(). */
void sealer_submit(struct sealer *s, struct seal_job *j);
struct seal_job *sealer_take(struct sealer *s); /* the job, once, when it is back; else NULL */
/* How much of the job's object can be read already; grows in steps, with an
 * event for each (sealer_take() then says NULL).  Once it is not 0, id, name and outrun are valid. */
uint64_t sealer_there(const struct sealer *s);
/* The unfinished object, for reading: a descriptor, or -1 with errno. */
int sealer_reader(const struct sealer *s, const struct seal_job *j) __attribute__((warn_unused_result));
/* What the caller gave `syncs` with *error is made durable together with the object, before it gets its name.
 * 0, or -1 with errno: then drop it. */
int sealer_finish(struct sealer *s, struct seal_job *j, const char *manifest, size_t n, const uint8_t sig[static SIGN_LEN],
    struct syncs *syncs, int *error) __attribute__((warn_unused_result));
/* Give the job's memory back; an object that was not finished is removed. */
void sealer_drop(struct sealer *s, struct seal_job *j);

#endif
