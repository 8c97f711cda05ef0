/* proc_child.c - the half of proc.h that a child needs.  Apart from proc.c, so
 * that the receiver's link executable holds neither fork nor exec. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "host/exits.h"
#include "host/log.h"
#include "host/log_private.h"
#include "host/proc.h"

void proc_child_init(const char *role, unsigned fds)
{
	const struct rlimit none = { 0, 0 };
	char name[16]; /* the kernel keeps 15 characters */

	/* Set by the parent before exec too; here for a role started by other means. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		log_die(EXIT_SYSTEM, "cannot give up privileges and core dumps: %m");
	if (log_close_others(PROC_FD_FIRST + fds) != 0)
		log_die(EXIT_SYSTEM, "cannot close inherited descriptors: %m");
	for (unsigned i = 0; i < fds; i++)
		if (fcntl(PROC_FD_FIRST + (int)i, F_SETFD, FD_CLOEXEC) != 0)
			log_die(EXIT_USAGE, "role %s: descriptor %u is not there: this program is started by its main process",
			    role, PROC_FD_FIRST + i);
	(void)snprintf(name, sizeof name, "katamichi-%s", role);
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
	(void)signal(SIGPIPE, SIG_IGN); /* a lost peer is an error code, not a death */
	(void)signal(SIGXFSZ, SIG_IGN); /* as is a file that may not grow */
	/* Ctrl-C reaches the whole terminal group; the main process hears it and
	 * ends the others by SIGTERM, in its own time. */
	(void)signal(SIGINT, SIG_IGN);
}

int proc_stop_fd(void)
{
	sigset_t stop;
	int fd;

	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &stop, NULL) != 0 || (fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		log_die(EXIT_SYSTEM, "signalfd: %m");
	return fd;
}
