/* receiver_proc.h - the receiver's processes and the descriptors that each is
 * started with, in order from PROC_FD_FIRST on (host/proc.h).  A RING is the shared
 * memory of the socket before it (pipeframe.h). */
#ifndef KM_RECEIVER_PROC_H
#define KM_RECEIVER_PROC_H

enum { OPEN_FD_CONFIG = 3, OPEN_FD_LINK, OPEN_FD_STORE, OPEN_FD_CHECK, OPEN_FD_RING, OPEN_FD_FLOORS, OPEN_FD_END };
enum { CHECK_FD_CONFIG = 3, CHECK_FD_OPEN, CHECK_FD_OPEN_RING, CHECK_FD_STORE, CHECK_FD_STORE_RING,
	CHECK_FD_END };
enum { STORE_FD_CONFIG = 3, STORE_FD_LINK, STORE_FD_OPEN, STORE_FD_CHECK, STORE_FD_RING, STORE_FD_LOCK, STORE_FD_END };

/* Each runs a role in a process of its own until it shall end; returns the exit code.
 * config: the name of the configuration file, for messages and relative paths. */
int receiver_open_run(const char *config);  /* proc_open.c: keys; no paths once it runs, no network, no parsers */
int receiver_check_run(const char *config); /* proc_check.c: no keys, no paths, no network */
int receiver_store_run(const char *config); /* proc_store.c: paths and ledger; no secret, no network */

#endif
