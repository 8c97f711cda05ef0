/* clamd.h - one file is shown to clamd (clamd(8), INSTREAM), over its local socket.
 *
 * The bytes go over the socket, so the scanner needs no right to the file, and what it looked at is what was
 * sent to it.  Nothing but "OK" is a pass: a scanner that cannot be reached, that takes too long or that looked
 * at a part only has not said anything. */
#ifndef KM_CLAMD_H
#define KM_CLAMD_H

#include <stdint.h>

enum clamd_verdict {
	CLAMD_CLEAN = 0,
	CLAMD_FOUND = 1, /* text: the signature's name */
	CLAMD_NOT = 2,   /* this file was not, or not wholly, looked at; text says why */
	CLAMD_DOWN = 3,  /* nobody answers there, or not in time; text says why */
};

enum { CLAMD_TEXT_MAX = 200 };

/* fd: read from its beginning by position.  timeout_ns: in all.  text: printable ASCII. */
enum clamd_verdict clamd_scan(const char *socket_path, int fd, uint64_t timeout_ns, char text[static CLAMD_TEXT_MAX]);
/* "ClamAV 1.4.6/27000/..."; empty if it does not say. */
void clamd_version(const char *socket_path, uint64_t timeout_ns, char text[static CLAMD_TEXT_MAX]);

#endif
