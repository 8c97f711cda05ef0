/* scan.h - transfers wait here, built and not yet published, until the scan process has shown each of their files to the
 * antivirus scanner (channel: antivirus = SOCKET).
 *
 * One file at a time is under way.  A signature is a bad file like any other (held.h).  What was not looked at is held, not
 * passed: the transfer is given up, its sealed object stays and is opened again later - where nobody answers, one
 * object every few seconds tries whether somebody does; where this file cannot be scanned (too large, an error), after a
 * growing pause.  Whichever channel says nothing of a scanner goes on meanwhile. */
#ifndef KM_SCAN_H
#define KM_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "receiver/clamd.h"

struct msg_scan { /* store -> scan, with the file's descriptor */
	uint32_t job, file;
	uint32_t channel; /* index in the configuration */
};
struct msg_scanned { /* scan -> store */
	uint32_t job, file;
	int32_t verdict;  /* enum clamd_verdict */
	char text[CLAMD_TEXT_MAX], version[CLAMD_TEXT_MAX];
};

struct store;
struct job;

enum { SCAN_WAITING_MAX = 64 }; /* transfers; more are opened again when there is room */

struct scan {
	bool wanted;          /* some channel has a scanner */
	struct job *jobs;     /* first: the one under way */
	unsigned waiting;
	bool asked;
	bool down;            /* nobody answers */
	uint64_t probe_ns;    /* when the next object may try whether somebody does */
	char trouble[CLAMD_TEXT_MAX + 64]; /* why nothing is scanned now; empty: nothing is known to be wrong */
	uint64_t held;        /* objects that wait for a scanner, as far as known */
};

/* Has this transfer to be scanned first?  Then it is taken: intake_scanned() or a later attempt goes on with it. */
bool scan_take(struct store *s, struct job *j);
void scan_read(struct store *s); /* an answer of the scan process */
/* May this object be opened now?  (It is known to need a scanner, or not known yet.) */
bool scan_may_open(struct store *s, struct job *j);

#endif
