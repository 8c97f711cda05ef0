/* sandbox_table.h - the rows of sandbox.h: pure data. */
#ifndef KM_SANDBOX_TABLE_H
#define KM_SANDBOX_TABLE_H

#include <stdint.h>

#include "host/sandbox.h"

enum sandbox_only {
	CALL_ANY,        /* whatever its arguments */
	CALL_LISTED,     /* first argument: standard error, or a descriptor given to sandbox_seal() */
	CALL_NOT_SOCKET, /* first argument: not PROC_FD_FIRST, where the receiver's link has its socket */
	CALL_NO_CODE,    /* mmap, mprotect: without PROT_EXEC */
	CALL_THREAD,     /* clone: a thread of this process */
	CALL_OWN_ABORT,  /* tgkill: SIGABRT, to ourselves */
	CALL_NO_PATH,    /* newfstatat: of a descriptor (AT_EMPTY_PATH), else EACCES */
	CALL_FCNTL,      /* fcntl: flags, locks and leases; no copy of a descriptor, no signals */
	CALL_EACCES,     /* refused, and the process lives */
	CALL_ENOSYS,     /* as on a kernel without it: the library does it in another way */
	CALL_LOCAL,      /* socket: AF_UNIX */
	CALL_MEMINFO,    /* getsockopt: SO_MEMINFO, what the socket's buffer holds */
};

struct sandbox_call {
	const char *name; /* one that this architecture has not is passed over */
	enum sandbox_only only;
};

struct sandbox_row {
	const char *name;    /* "receiver: link" */
	const char *paths;   /* in words */
	uint64_t keeps;      /* capabilities that stay if they were there: bits by their numbers */
	const struct sandbox_call *calls[5]; /* groups, each ended by a NULL name */
};

extern const struct sandbox_row sandbox_row[SANDBOX_COUNT];

#endif
