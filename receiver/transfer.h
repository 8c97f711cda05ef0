/* transfer.h - a transfer as it is built in work/NAME/, from the events of the
 * check process: files written, their SHA-256 computed, manifest and signature
 * collected.  Nothing here is published or believed yet.
 *
 *   work/NAME/            0700 while it is built
 *     files/...           O_EXCL, O_NOFOLLOW, names checked again
 *     MANIFEST.json, MANIFEST.json.sig, SHA256SUMS   once verified (verify.h) */
#ifndef KM_TRANSFER_H
#define KM_TRANSFER_H

#include <stdbool.h>

#include "codec/manifest.h"
#include "host/syncs.h"
#include "receiver/outfile.h"
#include "receiver/receiver_messages.h"

#define TRANSFER_HELD "held" /* below work/NAME/: files that did not pass (held.h) */
enum { TRANSFER_NAME_MAX = 63, TRANSFER_REASON_MAX = 400 };

/* A file whose content did not pass. */
struct transfer_bad {
	uint32_t file;          /* index in found */
	char *checks, *reason;  /* owned */
};

struct transfer {
	char name[TRANSFER_NAME_MAX + 1]; /* below work/ */
	int work_fd;            /* the caller's */
	int dir, files;         /* descriptors, -1 if none */
	int fd;                 /* the file being written, -1 if none */
	struct outfile *out;    /* the caller's: writes and hashes it */
	uint8_t file_name[NAME_MAX_LEN];
	size_t file_name_len;
	uint64_t file_size, file_have, file_looked;
	struct manifest found;  /* only the files: what was really written */
	uint64_t bytes;         /* of all files */
	struct transfer_bad *bad;
	uint32_t bads, bad_room;
	uint8_t *manifest;      /* bytes as they came */
	size_t manifest_len, manifest_room;
	uint8_t signature[SIGN_LEN];
	bool has_signature;
	int error;              /* errno of a system call that failed: not the sender's fault */
	char reason[TRANSFER_REASON_MAX]; /* why it is refused; empty: nothing found */
};

/* Make work/NAME and work/NAME/files.  A failure is noted in t->error.  Transfers that
 * are built at the same time each need an outfile of their own. */
void transfer_begin(struct transfer *t, int work_fd, const char *name, struct outfile *out);
/* Events, in the order that the check process enforces (and which is not relied on). */
void transfer_file(struct transfer *t, const uint8_t *name, size_t n, uint64_t size);
void transfer_data(struct transfer *t, const uint8_t *data, size_t n);
/* The file that ends next, or the one of this index in found, did not pass; said again, both stand. */
void transfer_bad(struct transfer *t, const char *checks, const char *reason);
void transfer_bad_file(struct transfer *t, uint32_t file, const char *checks, const char *reason);
void transfer_file_end(struct transfer *t, const uint8_t sha256[static HASH_LEN]);
void transfer_manifest(struct transfer *t, const uint8_t *data, size_t n);
void transfer_signature(struct transfer *t, const uint8_t *sig, size_t n);
/* The stream has ended, perhaps in the middle of a file: the outfile is free for another transfer. */
void transfer_close(struct transfer *t);
/* The first reason stays. */
void transfer_refuse(struct transfer *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Write a small file beside files/.  Failure: t->error. */
void transfer_put(struct transfer *t, const char *name, const void *data, size_t n);
/* Make all of it durable (each file and directory), and open to the group (0750, 0640): it is once syncs_wait()
 * has returned and t->error is 0 (syncs.h).  The descriptors stay until then. */
void transfer_sync(struct transfer *t, struct syncs *syncs);
/* Modes only: the caller makes a whole batch durable. */
int transfer_open_modes(struct transfer *t) __attribute__((warn_unused_result));
/* Close and free; the directory stays. */
void transfer_end(struct transfer *t);
/* transfer_end(), and the directory is removed. */
void transfer_remove(struct transfer *t);

#endif
