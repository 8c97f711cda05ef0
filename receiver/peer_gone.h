/* peer_gone.h - another process of ours closed its end.
 *
 * When the service is being stopped that is no fault, but whose end comes
 * first is chance: so wait a moment for our own stop before complaining. */
#ifndef KM_PEER_GONE_H
#define KM_PEER_GONE_H

#include <stdnoreturn.h>

/* stop_fd: of proc_stop_fd(), or -1 where SIGTERM simply ends the process.  Ends the process: EXIT_OK if it shall end anyway, else EXIT_INTERNAL. */
noreturn void peer_gone(int stop_fd, const char *who);

#endif
