/* claim.h - taking files out of a channel's folder, and putting them back.
 *
 * A claim is a directory FOLDER/.taken/ID, ID being 32 random hex digits, into
 * which the files of one batch are renamed under their own names.  It
 * describes itself: after a crash a claim whose ID stands in the outbox is
 * finished and erased, any other goes through the pipeline again.  Once its row
 * is durable it is called ID.sent, and whatever has that name is only erased: an
 * outbox that was restored meanwhile and knows nothing of it sends it no more.
 * Nothing is ever overwritten: every rename is RENAME_NOREPLACE. */
#ifndef KM_CLAIM_H
#define KM_CLAIM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "core/name.h"
#include "host/syncs.h"
#include "sender/kept.h"

enum { CLAIM_ID_LEN = 32 }; /* hex digits */

struct claim_file {
	char name[NAME_MAX_LEN + 1];
	uint64_t size;
	struct timespec mtime, ctime;
	ino_t ino;
	const uint8_t *bytes; /* all of it (kept.h), or NULL: in its file only */
	uint32_t checks;  /* made by the check process (content.h) */
	bool refused;
};

struct claim {
	int dir;                     /* FOLDER/.taken/ID */
	char id[CLAIM_ID_LEN + 1];
	struct claim_file *file;
	uint32_t count, room;
	uint64_t bytes;
	struct kept kept;            /* what its files' `bytes` point into */
	bool sent;                   /* it is ID.sent */
};

/* The directories of a channel; refused/ is opened by its name. */
struct claim_folder {
	int folder, taken;
	const char *path;            /* of the folder, for messages */
	const char *channel;
};

/* Open, making .taken and refused where missing.  0, or -1 with errno. */
int claim_open(struct claim_folder *f, const char *path, const char *channel) __attribute__((warn_unused_result));
void claim_close(struct claim_folder *f);

/* The file, opened for reading without following links, if it can be taken: no
 * writer holds it, and none can open it until it is closed again (by a read lease;
 * where the kernel does not tell, taken as free).  -1 with errno: EAGAIN = held. */
int claim_hold(int dir, const char *name) __attribute__((warn_unused_result));

int claim_begin(struct claim *c, const struct claim_folder *f) __attribute__((warn_unused_result)); /* mkdir, durable; 0 or -1 */
/* Rename NAME into the claim and note what it is now; fd: from claim_hold(), or -1.  0 or -1 with errno.
 * Should the name have meant another file by then, claim_still() and claim_reopen() will say so. */
int claim_take(struct claim *c, const struct claim_folder *f, const char *name, int fd) __attribute__((warn_unused_result));
/* Keep the bytes of the file that was taken last, if it is small and there is room. */
void claim_keep(struct claim *c, int fd, struct kept_room *room);
/* Forget what is kept: its files are read again. */
void claim_forget_kept(struct claim *c);
/* Is that the name of a claim in .taken, ID or ID.sent? */
bool claim_named(const char *name);
/* Read an existing claim of that name after a restart.  Entries that are not plain files are moved to refused/.  0 or -1. */
int claim_load(struct claim *c, const struct claim_folder *f, const char *name) __attribute__((warn_unused_result));
/* Open file i again: the same file, unchanged since it was noted.  Descriptor, or -1 with errno (ESTALE: changed). */
int claim_reopen(const struct claim *c, uint32_t i) __attribute__((warn_unused_result));
/* True if the open file is still what was noted. */
bool claim_same(const struct claim_file *file, int fd);
/* The same of file i by its name; false with errno (ESTALE: changed). */
bool claim_still(const struct claim *c, uint32_t i);
/* Put file i back into the folder under its own name, or NAME.1.EXT ... if that is taken; drops it from the list. */
int claim_back(struct claim *c, const struct claim_folder *f, uint32_t i) __attribute__((warn_unused_result));
/* Drop from the list what was moved to refused/. */
void claim_forget_refused(struct claim *c);
/* Make the claim durable, so that it cannot come back as files of the folder: it is once syncs_wait() has returned and
 * *error is 0 (syncs.h). */
void claim_sync(const struct claim *c, const struct claim_folder *f, struct syncs *syncs, int *error);
/* Its row is durable: from now on it is ID.sent.  Where that fails it stays what it was; its row says the same. */
void claim_sent(struct claim *c, const struct claim_folder *f);
/* Erase the files (they are in the outbox, durably) and the directory.  0 or -1 with errno. */
int claim_erase(struct claim *c, const struct claim_folder *f) __attribute__((warn_unused_result));
/* Forget the claim in memory; rmdir it if it is empty. */
void claim_end(struct claim *c, const struct claim_folder *f);

/* The refused: move dir/NAME to refused/NAME (NAME.1 ... if taken) and write NAME.reason.txt beside it. */
int claim_refuse(const struct claim_folder *f, int dir, const char *name, const char *why, const char *what)
    __attribute__((warn_unused_result));

#endif
