/* peer_gone.c - another process of ours closed its end (peer_gone.h). */
#include "receiver/peer_gone.h"

#include <poll.h>
#include <stdlib.h>

#include "host/exits.h"
#include "host/log.h"

enum { PATIENCE_MS = 1000 };

noreturn void peer_gone(int stop_fd, const char *who)
{
	struct pollfd p = { .fd = stop_fd, .events = POLLIN };

	if (poll(&p, 1, PATIENCE_MS) == 1)
		exit(EXIT_OK);
	log_die(EXIT_INTERNAL, "the %s process is gone", who);
}
