/* proc.c - see proc.h; the main process's half. */
#include "host/i18n.h"
#include "host/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/exits.h"
#include "host/log.h"
#include "host/log_private.h"

enum {
	ENV_MAX = 64,
	DISK_PAUSE_S = 5,    /* s before a new attempt */
	STOP_PATIENCE_S = 5, /* s between SIGTERM and SIGKILL */
	SETTLE_MS = 200,     /* ms in which the other children's deaths, and a signal to us, come in */
	FD_ABOVE = PROC_FD_FIRST + PROC_FDS_MAX, /* no child's descriptor is that high */
};

extern char **environ;

/* Copies of more than 2 KB by vectors instead of `rep movsb`, in libzstd as well: on Zen 3 and 4 that takes 14 times as long
 * (3.5 GB/s) wherever the destination lies 1 to 15 bytes behind the source, addresses taken modulo 4096.  From version 2.39 on
 * glibc knows that itself (its bug 30994); others ignore the variable. */
static char copy_by_vectors[] = "GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=0x40000000";

/* The part of the environment that a child may see. */
static void child_environment(char *env[static ENV_MAX + 1])
{
	static const char *const keep[] = { "LANG=", "LANGUAGE=", "LC_", "TZ=", "KATAMICHI_", "JOURNAL_STREAM=" };
	unsigned n = 0;

	env[n++] = copy_by_vectors;
	for (char **e = environ; *e != NULL; e++)
		for (size_t i = 0; i < sizeof keep / sizeof keep[0]; i++)
			if (n < ENV_MAX && strncmp(*e, keep[i], strlen(keep[i])) == 0)
				env[n++] = *e;
	env[n] = NULL;
}

/* The signals that proc_supervise() waits for. */
static void watched(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGTERM);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGCHLD);
}

static void own_path(char *out, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", out, size - 1);

	if (n < 0 || (size_t)n >= size - 1)
		log_die(EXIT_SYSTEM, "/proc/self/exe: %s", n < 0 ? strerror(errno) : "the path is too long");
	out[n] = '\0';
}

const char *proc_beside(const char *name)
{
	static char path[PATH_MAX];
	size_t dir;
	int n;

	own_path(path, sizeof path);
	for (dir = strlen(path); dir > 0 && path[dir - 1] != '/';)
		dir--;
	n = snprintf(path + dir, sizeof path - dir, "%s", name);
	if (n < 0 || (size_t)n >= sizeof path - dir)
		log_die(EXIT_SYSTEM, "%s: the path is too long", name);
	if (access(path, X_OK) != 0)
		log_die(EXIT_SYSTEM, "%s: %m; it has to stand beside this program", path);
	return path;
}

/* Put the descriptors at their numbers and everything else out of reach of
 * exec.  Two rounds, since a number wanted for one may be in use by another. */
static int place_descriptors(const struct proc_spec *spec)
{
	int above[PROC_FDS_MAX], null;

	for (unsigned i = 0; i < spec->fds; i++)
		if ((above[i] = fcntl(spec->fd[i], F_DUPFD_CLOEXEC, FD_ABOVE)) < 0)
			return -1;
	if ((null = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0 || dup2(null, STDIN_FILENO) < 0)
		return -1;
	for (unsigned i = 0; i < spec->fds; i++)
		if (dup2(above[i], PROC_FD_FIRST + (int)i) < 0) /* dup2 clears CLOEXEC */
			return -1;
	if (close_range(PROC_FD_FIRST + spec->fds, ~0u, CLOSE_RANGE_CLOEXEC) != 0)
		return -1;
	log_sinks_inherit();
	return 0;
}

static void default_signals(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		(void)signal(s, SIG_DFL); /* SIGKILL, SIGSTOP and libc's own refuse, which is fine */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Between fork and exec; `report` takes errno on failure and is closed by a successful exec. */
static _Noreturn void child(const struct proc_spec *spec, const char *shown, pid_t parent, int report)
{
	const struct rlimit none = { 0, 0 };
	char *env[ENV_MAX + 1], role_option[] = "--role", bare_option[] = "--no-sandbox";
	char *argv[] = { (char *)(uintptr_t)shown, role_option, (char *)(uintptr_t)spec->role,
		(char *)(uintptr_t)spec->config, spec->bare ? bare_option : NULL, NULL };

	/* A parent that died before prctl() took effect sends no signal any more. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent)
		_exit(EXIT_INTERNAL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
		goto failed;
	if ((report = fcntl(report, F_DUPFD_CLOEXEC, FD_ABOVE)) < 0 || place_descriptors(spec) != 0)
		goto failed;
	default_signals();
	child_environment(env);
	(void)execve(spec->path != NULL ? spec->path : "/proc/self/exe", argv, env);
failed:;
	int why = errno;
	if (report < 0 || write(report, &why, sizeof why) != (ssize_t)sizeof why)
		_exit(EXIT_SYSTEM);
	_exit(EXIT_SYSTEM);
}

pid_t proc_start(const struct proc_spec *spec)
{
	char shown[PATH_MAX];
	int report[2], why = 0;
	sigset_t set;
	pid_t parent = getpid(), pid;

	if (spec->fds > PROC_FDS_MAX)
		log_die(EXIT_INTERNAL, "process %s: %u descriptors are too many", spec->role, spec->fds);
	/* From here on the death of a child, or a request to stop, waits for proc_supervise(). */
	watched(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	if (spec->path == NULL)
		own_path(shown, sizeof shown);
	if (pipe2(report, O_CLOEXEC) != 0 || (pid = fork()) < 0)
		log_die(EXIT_SYSTEM, "process %s: %m", spec->role);
	if (pid == 0)
		child(spec, spec->path != NULL ? spec->path : shown, parent, report[1]);
	(void)close(report[1]);
	ssize_t n;
	do
		n = read(report[0], &why, sizeof why);
	while (n < 0 && errno == EINTR);
	(void)close(report[0]);
	if (n == (ssize_t)sizeof why)
		log_die(EXIT_SYSTEM, "process %s: cannot run %s: %s", spec->role, spec->path != NULL ? spec->path : shown,
		    strerror(why));
	log_debug("process %s: pid %d", spec->role, (int)pid);
	return pid;
}

/* What is known of each child. */
struct end {
	int dead;
	int status; /* of waitpid() */
};

/* Take note of all children that are dead by now; how many still live. */
static unsigned reap(const pid_t *pid, struct end *end, unsigned count)
{
	unsigned living = 0;

	for (unsigned i = 0; i < count; i++) {
		if (!end[i].dead) {
			pid_t r = waitpid(pid[i], &end[i].status, WNOHANG);
			end[i].dead = r == pid[i] || (r < 0 && errno == ECHILD);
		}
		living += !end[i].dead;
	}
	return living;
}

/* Which of the dead explains the others: one killed by a signal, then one
 * with an exit code of its own, then one that found a peer gone. */
static unsigned rank(const struct end *e)
{
	if (!e->dead)
		return 0;
	if (WIFSIGNALED(e->status))
		return 4;
	if (WEXITSTATUS(e->status) == EXIT_INTERNAL)
		return 2;
	return WEXITSTATUS(e->status) != 0 ? 3 : 1;
}

static int explain(const struct proc_spec *spec, const pid_t *pid, const struct end *end, unsigned count)
{
	unsigned worst = 0;

	for (unsigned i = 1; i < count; i++)
		if (rank(&end[i]) > rank(&end[worst]))
			worst = i;
	int status = end[worst].status;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
		log_about(.event = LOG_EVENT_STOPPED);
		log_error("process %s (pid %d) asked the kernel for what its sandbox does not allow, and was killed; stopping; which call it "
		    "was stands in the kernel's log (journalctl -k, \"type=1326\"); it is a fault of this program, or an attack",
		    spec[worst].role, (int)pid[worst]);
		return EXIT_INTERNAL;
	}
	if (WIFSIGNALED(status)) {
		log_about(.event = LOG_EVENT_STOPPED);
		log_error("process %s (pid %d) was killed by signal %d (%s)%s; stopping", spec[worst].role, (int)pid[worst],
		    WTERMSIG(status), strsignal(WTERMSIG(status)),
		    WTERMSIG(status) == SIGKILL ? _(": perhaps the machine ran out of memory") : "");
		return EXIT_INTERNAL;
	}
	if (WEXITSTATUS(status) == EXIT_DISK)
		return EXIT_DISK; /* it said why */
	log_about(.event = LOG_EVENT_STOPPED);
	log_error("process %s (pid %d) ended with exit code %d; stopping", spec[worst].role, (int)pid[worst],
	    WEXITSTATUS(status));
	return WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : EXIT_INTERNAL;
}

static void tell_living(const pid_t *pid, const struct end *end, unsigned count, int sig)
{
	for (unsigned i = 0; i < count; i++)
		if (!end[i].dead)
			(void)kill(pid[i], sig);
}

/* SIGTERM to all that live, some patience, SIGKILL. */
static void stop_all(const struct proc_spec *spec, const pid_t *pid, struct end *end, unsigned count)
{
	const uint64_t until = clock_mono_ns() + STOP_PATIENCE_S * 1000000000ull;
	const struct timespec nap = { 0, 100000000 };
	sigset_t dead;

	(void)sigemptyset(&dead);
	(void)sigaddset(&dead, SIGCHLD);
	tell_living(pid, end, count, SIGTERM);
	while (reap(pid, end, count) > 0 && clock_mono_ns() < until)
		(void)sigtimedwait(&dead, NULL, &nap);
	for (unsigned i = 0; i < count; i++)
		if (!end[i].dead)
			log_warn("process %s (pid %d) did not stop in %d s: killed", spec[i].role, (int)pid[i], STOP_PATIENCE_S);
	tell_living(pid, end, count, SIGKILL);
	while (reap(pid, end, count) > 0)
		(void)sigtimedwait(&dead, NULL, &nap);
}

/* A signal to us that came together with a child's death is its reason: a
 * service manager may signal the whole group. */
static int stop_pending(void)
{
	const struct timespec settle = { 0, SETTLE_MS * 1000000L };
	sigset_t stop;

	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGTERM);
	(void)sigaddset(&stop, SIGINT);
	return sigtimedwait(&stop, NULL, &settle) > 0;
}

int proc_pause(void)
{
	const struct timespec pause = { DISK_PAUSE_S, 0 };
	sigset_t stop;

	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGTERM);
	(void)sigaddset(&stop, SIGINT);
	log_about(.event = LOG_EVENT_DISK);
	log_error("a disk is not as it has to be (see above); nothing is lost; trying again in %d s, and on until it is",
	    DISK_PAUSE_S);
	return sigtimedwait(&stop, NULL, &pause) <= 0;
}

int proc_supervise(const struct proc_spec *spec, const pid_t *pid, unsigned count)
{
	struct end end[PROC_MAX] = { { 0, 0 } };
	sigset_t set;
	int code = EXIT_OK;

	if (count > PROC_MAX)
		log_die(EXIT_INTERNAL, "%u processes are too many", count);
	watched(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	for (;;) {
		if (reap(pid, end, count) < count) {
			int asked = stop_pending();
			(void)reap(pid, end, count);
			if (!asked)
				code = explain(spec, pid, end, count);
			break;
		}
		int sig = sigwaitinfo(&set, NULL);
		if (sig == SIGTERM || sig == SIGINT)
			break;
	}
	stop_all(spec, pid, end, count);
	return code;
}
