/* receiver_proc.h - the receiver's processes and the descriptors that each is
 * started with, in order from PROC_FD_FIRST on (host/proc.h).  A RING is the shared
 * memory of the socket before it (pipeframe.h). */
#ifndef KM_RECEIVER_PROC_H
#define KM_RECEIVER_PROC_H

/* Of each lane (receiver_messages.h), one after the other. */
enum { OPEN_LANE_STORE, OPEN_LANE_CHECK, OPEN_LANE_RING, OPEN_LANE_FDS };
enum { CHECK_LANE_OPEN, CHECK_LANE_OPEN_RING, CHECK_LANE_STORE, CHECK_LANE_STORE_RING, CHECK_LANE_FDS };
enum { STORE_LANE_OPEN, STORE_LANE_CHECK, STORE_LANE_RING, STORE_LANE_OPEN_RING /* what open wrote for check */, STORE_LANE_FDS };

enum { OPEN_FD_CONFIG = 3, OPEN_FD_LINK, OPEN_FD_FLOORS, OPEN_FD_CHECKPOINT, OPEN_FD_WITNESS, OPEN_FD_WINDOW, OPEN_FD_LANES, OPEN_FD_END = OPEN_FD_LANES + 2 * OPEN_LANE_FDS };
enum { CHECK_FD_CONFIG = 3, CHECK_FD_LANES, CHECK_FD_END = CHECK_FD_LANES + 2 * CHECK_LANE_FDS };
enum { STORE_FD_CONFIG = 3, STORE_FD_LINK, STORE_FD_LOCK, STORE_FD_WITNESS, STORE_FD_SCAN, STORE_FD_LANES, STORE_FD_END = STORE_FD_LANES + 2 * STORE_LANE_FDS };

enum { SCAN_FD_CONFIG = 3, SCAN_FD_STORE, SCAN_FD_END };

/* Each runs a role in a process of its own until it shall end; returns the exit code.
 * config: the name of the configuration file, for messages and relative paths. */
int receiver_open_run(const char *config);  /* proc_open.c: keys; no paths once it runs, no network, no parsers */
int receiver_check_run(const char *config); /* proc_check.c: no keys, no paths, no network */
int receiver_scan_run(const char *config);  /* proc_scan.c: files by descriptor, clamd's socket; no keys, no network */
int receiver_store_run(const char *config); /* proc_store.c: paths and ledger; no secret, no network */

#endif
