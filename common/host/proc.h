/* proc.h - our processes: started by re-execution, ended together.
 *
 * The main process makes all descriptors, then starts each child by fork and
 * exec (so that it inherits no memory), with only the descriptors named for
 * it, at the numbers PROC_FD_FIRST, +1, ...  A child dies with its parent
 * (PR_SET_PDEATHSIG), cannot gain privileges and dumps no core. */
#ifndef KM_PROC_H
#define KM_PROC_H

#include <sys/types.h>

enum { PROC_FD_FIRST = 3, PROC_FDS_MAX = 16, PROC_MAX = 8 };

struct proc_spec {
	const char *role;       /* "spool" */
	const char *path;       /* executable; NULL = /proc/self/exe */
	const char *config;     /* for messages and relative paths */
	int fd[PROC_FDS_MAX];   /* in this order; the child finds them from PROC_FD_FIRST on */
	unsigned fds;
	int bare;               /* --no-sandbox (host/sandbox.h) is handed on */
};

/* Start: execs `path --role ROLE CONFIG [--no-sandbox]`, standard input from /dev/null, with
 * LANG, LC_*, TZ, KATAMICHI_*, JOURNAL_STREAM of the environment and one setting of glibc (proc.c), no more.
 * From then on SIGTERM, SIGINT and SIGCHLD wait for proc_supervise().  Fatal on
 * failure, also of the exec itself. */
pid_t proc_start(const struct proc_spec *spec);
/* The path of a program beside this one ("katamichi-receiver-link"), static; fatal if there is none. */
const char *proc_beside(const char *name);
/* Wait until a signal (SIGTERM, SIGINT) or the death of a child, then end all:
 * SIGTERM, 5 s, SIGKILL.  Returns the exit code for the main process: 0 after
 * a signal, else that of the child that died first (EXIT_INTERNAL if killed), after a line that names it. */
int proc_supervise(const struct proc_spec *spec, const pid_t *pid, unsigned count);
/* After proc_supervise() returned EXIT_DISK: a line, a pause, and then all processes may be started again.
 * 1: go on; 0: a signal asked us to end. */
int proc_pause(void);
/* In a child, first thing: name (katamichi-ROLE), no_new_privs, not dumpable, no
 * core, other descriptors closed (all from PROC_FD_FIRST + fds on), its own
 * CLOEXEC, SIGPIPE and SIGXFSZ ignored; SIGINT too, since Ctrl-C reaches the whole group and
 * is the main process's affair.  PDEATHSIG was set before exec, where the
 * parent could still be asked for. */
void proc_child_init(const char *role, unsigned fds);
/* A descriptor (signalfd for SIGTERM) that becomes readable when this process shall end. */
int proc_stop_fd(void);

#endif
