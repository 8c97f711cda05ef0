/* sandbox.h - what each of our processes may still ask of the kernel once it runs.
 *
 * Two steps, both for good.  sandbox_begin(), after the process has read what it
 * needs by path and before it has threads: no_new_privs, no dump, capabilities
 * gone but for those that its row names, and Landlock: no path but those
 * given.  sandbox_seal(), the last step before the first byte from outside:
 * a seccomp filter for all threads, which knows the calls in the process's row
 * of sandbox_table.c and, where the row says so, their arguments.  Any other
 * call kills the process; the main process says so (host/proc.c).  Opening a path is only
 * refused (EACCES) where a process has none, since libraries try it by
 * themselves.
 *
 * Where the kernel has no Landlock (or ABI 1, under which no file can be renamed
 * into another directory) begin says so in one warning, and the filter stands alone.
 * Neither the metadata of a path that can be guessed (stat) nor the clock is
 * kept from anybody. */
#ifndef KM_SANDBOX_H
#define KM_SANDBOX_H

#include <stdio.h>

enum sandbox_id {
	SANDBOX_SENDER_SPOOL,
	SANDBOX_SENDER_CHECK,
	SANDBOX_SENDER_LINK,
	SANDBOX_RECEIVER_LINK,
	SANDBOX_RECEIVER_OPEN,
	SANDBOX_RECEIVER_CHECK,
	SANDBOX_RECEIVER_SCAN,
	SANDBOX_RECEIVER_STORE,
	SANDBOX_COUNT,
};

enum sandbox_way {
	SANDBOX_READ,
	SANDBOX_TREE,   /* read, write, make, rename, remove below it */
	SANDBOX_FOLDER, /* the same, where others put what they like: links, pipes, sockets and devices can be moved, too */
};

struct sandbox_path {
	const char *path;      /* one that is not there is passed over; NULL or "" too */
	enum sandbox_way way;
};

/* Fatal where the kernel refuses what every kernel has. */
void sandbox_begin(enum sandbox_id id, const struct sandbox_path *path, unsigned count);
/* fd: those that the row's FD_LISTED calls may write to (standard error is always one of
 * them).  Threads that this process has already are bound as well. */
void sandbox_seal(enum sandbox_id id, const int *fd, unsigned count);

/* --no-sandbox: both do nothing from now on.  For finding faults; status shows it. */
void sandbox_off(void);
int sandbox_is_off(void);

/* The table for people: a row for each process, then its calls. */
void sandbox_print(FILE *out);

#endif
