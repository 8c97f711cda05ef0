/* proc.h: what a child inherits, and how all end together.  This program is
 * its own child: started as `test_proc --role ROLE CONFIG`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "host/clock.h"
#include "host/exits.h"
#include "host/log.h"
#include "host/proc.h"
#include "tests/unit/child.h"

/* --- the roles, in the child --- */

/* Writes what it finds to its first descriptor: lines of "name value". */
static void role_report(const char *config)
{
	struct rlimit core = { 1, 1 };
	char name[32] = "", target[256];
	sigset_t blocked;

	dprintf(3, "config %s\n", config);
	for (char **e = environ; *e != NULL; e++)
		dprintf(3, "env %s\n", *e);
	proc_child_init("report", 3);
	(void)prctl(PR_GET_NAME, name);
	(void)getrlimit(RLIMIT_CORE, &core);
	(void)sigprocmask(SIG_SETMASK, NULL, &blocked);
	int death = 0;
	(void)prctl(PR_GET_PDEATHSIG, &death);
	dprintf(3, "name %s\ncore %d\ndumpable %d\nnnp %d\ndeath %d\n", name, (int)core.rlim_max, prctl(PR_GET_DUMPABLE),
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), death);
	dprintf(3, "blocked %d\n", sigismember(&blocked, SIGTERM) || sigismember(&blocked, SIGCHLD) || sigismember(&blocked, SIGINT));
	dprintf(3, "pipe %d\n", signal(SIGPIPE, SIG_DFL) == SIG_IGN);
	dprintf(3, "usr1 %d\n", signal(SIGUSR1, SIG_DFL) == SIG_DFL);
	DIR *fds = opendir("/proc/self/fd");
	for (struct dirent *e; fds != NULL && (e = readdir(fds)) != NULL;)
		if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(fds)) {
			ssize_t n = readlinkat(dirfd(fds), e->d_name, target, sizeof target - 1);
			target[n > 0 ? n : 0] = '\0';
			int flags = fcntl(atoi(e->d_name), F_GETFD);
			dprintf(3, "fd %s %s%s\n", e->d_name, strncmp(target, "pipe:", 5) == 0 ? "pipe" : target,
			    flags & FD_CLOEXEC ? " cloexec" : "");
		}
	if (fds != NULL)
		closedir(fds);
	(void)dprintf(4, "four");
	(void)dprintf(5, "five");
	exit(0);
}

static void wait_for_stop(int code)
{
	struct pollfd p = { proc_stop_fd(), POLLIN, 0 };

	while (poll(&p, 1, -1) <= 0)
		;
	exit(code);
}

static void role_main(const char *role, const char *config)
{
	if (strcmp(role, "report") == 0)
		role_report(config);
	proc_child_init(role, 0);
	if (strcmp(role, "polite") == 0)
		wait_for_stop(0);
	if (strcmp(role, "stubborn") == 0) {
		(void)signal(SIGTERM, SIG_IGN);
		for (;;)
			pause();
	}
	if (strcmp(role, "fails") == 0)
		exit(EXIT_DATA);
	if (strcmp(role, "internal") == 0)
		exit(EXIT_INTERNAL);
	if (strcmp(role, "ends") == 0)
		exit(0);
	if (strcmp(role, "crashes") == 0)
		(void)raise(SIGKILL);
	exit(98);
}

/* --- the tests --- */

static const char *find(const char *text, const char *line)
{
	const char *p = text;

	for (size_t n = strlen(line); p != NULL; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
		if (strncmp(p, line, n) == 0 && (p[n] == '\n' || p[n] == '\0'))
			return p;
	return NULL;
}

static size_t drain(int fd, char *out, size_t size)
{
	size_t n = 0;
	ssize_t got;

	while (n < size - 1 && (got = read(fd, out + n, size - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = '\0';
	close(fd);
	return n;
}

/* low: the descriptors' own numbers lie where the child wants others; else all three are free. */
static void inherits(int low)
{
	static char text[16384];
	char four[16], five[16];
	int a[2], b[2], c[2], status;

	setenv("LANG", "ja_JP.UTF-8", 1);
	setenv("LC_TIME", "C", 1);
	setenv("TZ", "Asia/Tokyo", 1);
	setenv("KATAMICHI_X", "y", 1);
	setenv("LD_PRELOAD", "", 1);
	setenv("SECRET", "s", 1);
	(void)signal(SIGUSR1, SIG_IGN);
	assert_int_equal(pipe(a), 0);
	assert_int_equal(pipe(b), 0);
	assert_int_equal(pipe(c), 0);
	int stray = open("/etc/passwd", O_RDONLY); /* without CLOEXEC */
	assert_true(stray >= 0);
	int wa = fcntl(a[1], F_DUPFD, 100), wb = fcntl(b[1], F_DUPFD, 100), wc = fcntl(c[1], F_DUPFD, 100);
	int ra = fcntl(a[0], F_DUPFD, 100), rb = fcntl(b[0], F_DUPFD, 100), rc = fcntl(c[0], F_DUPFD, 100);
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
		close(c[i]);
	}
	struct proc_spec spec = { .role = "report", .config = "/etc/a b.conf", .fd = { wa, wb, wc }, .fds = 3 };
	if (low) { /* where the child wants them, but turned round */
		for (unsigned i = 0; i < 3; i++) {
			int at = i == 0 ? 4 : i == 1 ? 5 : 3;
			assert_int_equal(dup2(spec.fd[i], at), at);
			close(spec.fd[i]);
			spec.fd[i] = at;
		}
	} else {
		close(3); /* nothing there: a copy made carelessly would land on the numbers themselves */
		close(4);
		close(5);
	}
	pid_t pid = proc_start(&spec);
	unsetenv("LANG"); /* a machine with Japanese messages would say the rest in them */
	for (unsigned i = 0; i < 3; i++)
		close(spec.fd[i]);
	drain(ra, text, sizeof text);
	drain(rb, four, sizeof four);
	drain(rc, five, sizeof five);
	close(stray);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_string_equal(four, "four");
	assert_string_equal(five, "five");
	static const char *const there[] = {
		"config /etc/a b.conf", "env LANG=ja_JP.UTF-8", "env LC_TIME=C", "env TZ=Asia/Tokyo", "env KATAMICHI_X=y",
		"env GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=0x40000000",
		"name katamichi-repor" /* 15 characters */, "core 0", "dumpable 0", "nnp 1", "death 9", "blocked 0", "pipe 1",
		"usr1 1", "fd 0 /dev/null", "fd 3 pipe cloexec", "fd 4 pipe cloexec", "fd 5 pipe cloexec",
	};
	for (size_t i = 0; i < sizeof there / sizeof there[0]; i++)
		if (find(text, there[i]) == NULL)
			fail_msg("no line `%s' in:\n%s", there[i], text);
	static const char *const gone[] = { "env SECRET", "env LD_PRELOAD", "env PATH", "env HOME", "fd 6", "fd 7", "fd 8", "passwd" };
	for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
		if (strstr(text, gone[i]) != NULL)
			fail_msg("`%s' in:\n%s", gone[i], text);
	(void)signal(SIGUSR1, SIG_DFL);
}

static void inherits_turned_round(void **state)
{
	(void)state;
	inherits(1);
}

static void inherits_from_above(void **state)
{
	(void)state;
	inherits(0);
}

static void cannot_run(void *unused)
{
	const struct proc_spec spec = { .role = "spool", .path = "/nonexistent/program", .config = "c" };

	(void)unused;
	log_init_tool("t");
	(void)proc_start(&spec);
}

static void bad_descriptor(void *unused)
{
	const struct proc_spec spec = { .role = "spool", .config = "c", .fd = { 777 }, .fds = 1 };

	(void)unused;
	log_init_tool("t");
	(void)proc_start(&spec);
}

static void beside(void *unused)
{
	(void)unused;
	log_init_tool("t");
	if (access(proc_beside("test_proc"), X_OK) != 0)
		exit(1);
	(void)proc_beside("katamichi-nothing");
}

static void child_alone(void *unused)
{
	(void)unused;
	log_init_tool("t");
	(void)close(3);
	proc_child_init("spool", 1);
}

static void refusals(void **state)
{
	static struct child c;

	(void)state;
	child_run(&c, cannot_run, NULL, 0);
	assert_int_equal(c.code, EXIT_SYSTEM);
	assert_string_equal(c.text, "t: process spool: cannot run /nonexistent/program: No such file or directory\n");
	child_run(&c, bad_descriptor, NULL, 0);
	assert_int_equal(c.code, EXIT_SYSTEM);
	assert_non_null(strstr(c.text, "Bad file descriptor"));
	child_run(&c, beside, NULL, 0);
	assert_int_equal(c.code, EXIT_SYSTEM);
	assert_non_null(strstr(c.text, "katamichi-nothing"));
	child_run(&c, child_alone, NULL, 0);
	assert_int_equal(c.code, EXIT_USAGE);
	assert_non_null(strstr(c.text, "descriptor 3"));
}

struct plan {
	const char *role[3];
	unsigned count;
	int signal;      /* sent to the main process after 100 ms; 0 = none */
	unsigned before; /* child that is sent a signal first */
	int child_signal;
	unsigned gap_ms; /* between the two */
};

static void supervise(void *argument)
{
	const struct plan *p = argument;
	struct proc_spec spec[3] = { { 0 } };
	pid_t pid[3];

	log_init_tool("t");
	for (unsigned i = 0; i < p->count; i++) {
		spec[i].role = p->role[i];
		spec[i].config = "c";
		pid[i] = proc_start(&spec[i]);
	}
	pid_t self = getpid();
	if (fork() == 0) { /* whoever sends the signals; not a child of ours that is supervised */
		clock_sleep_ns(200000000);
		if (p->child_signal != 0)
			(void)kill(pid[p->before], p->child_signal);
		clock_sleep_ns(p->gap_ms * 1000000ull);
		if (p->signal != 0)
			(void)kill(self, p->signal);
		_exit(0);
	}
	int code = proc_supervise(spec, pid, p->count);
	for (unsigned i = 0; i < p->count; i++)
		if (kill(pid[i], 0) == 0)
			exit(97); /* one is left */
	exit(code);
}

static void ends(void **state)
{
	static const struct {
		struct plan plan;
		int code;
		const char *says; /* NULL = nothing at all */
	} row[] = {
		{ { { "polite", "polite", "polite" }, 3, SIGTERM, 0, 0, 0 }, 0, NULL },
		{ { { "polite", "polite" }, 2, SIGINT, 0, 0, 0 }, 0, NULL },
		{ { { "polite", "polite" }, 2, SIGTERM, 1, SIGTERM, 20 }, 0, NULL }, /* a manager that signals the whole group */
		{ { { "polite", "polite" }, 2, SIGTERM, 1, SIGINT, 500 }, 0, NULL }, /* Ctrl-C is the main process's affair */
		{ { { "polite", "fails", "polite" }, 3, 0, 0, 0, 0 }, EXIT_DATA, "process fails (pid " },
		{ { { "polite", "ends" }, 2, 0, 0, 0, 0 }, EXIT_INTERNAL, "ended with exit code 0" },
		{ { { "polite", "crashes" }, 2, 0, 0, 0, 0 }, EXIT_INTERNAL, "process crashes" },
		{ { { "polite", "polite" }, 2, 0, 1, SIGABRT, 0 }, EXIT_INTERNAL, "killed by signal 6 (Aborted)" },
		{ { { "internal", "fails" }, 2, 0, 0, 0, 0 }, EXIT_DATA, "process fails" }, /* the cause, not who missed it */
		{ { { "polite", "polite" }, 2, 0, 0, SIGTERM, 0 }, EXIT_INTERNAL, "ended with exit code 0" },
	};
	static struct child c;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct plan p = row[i].plan;
		uint64_t began = clock_mono_ns();
		child_run(&c, supervise, &p, 0);
		if (c.code != row[i].code || (row[i].says != NULL ? strstr(c.text, row[i].says) == NULL : c.len > 0))
			fail_msg("row %zu: %d %s", i, c.code, c.text);
		assert_true(clock_mono_ns() - began < 4000000000u);
	}
}

static void stubborn(void **state)
{
	struct plan p = { { "stubborn", "polite" }, 2, SIGTERM, 0, 0, 0 };
	static struct child c;
	uint64_t began = clock_mono_ns();

	(void)state;
	child_run(&c, supervise, &p, 0);
	assert_int_equal(c.code, 0);
	assert_non_null(strstr(c.text, "process stubborn"));
	assert_in_range(clock_mono_ns() - began, 4900000000u, 8000000000u);
}

/* The main process is killed outright: nobody is left behind. */
static void orphan(void *fd)
{
	const struct proc_spec spec = { .role = "stubborn", .config = "c", .fd = { *(int *)fd }, .fds = 1 };

	(void)proc_start(&spec);
	clock_sleep_ns(100000000);
	(void)raise(SIGKILL);
}

static void die_together(void **state)
{
	static struct child c;
	char byte;
	int p[2];

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	child_run(&c, orphan, &p[1], 0); /* returns only when all holders of its standard error are gone */
	assert_int_equal(c.code, -SIGKILL);
	close(p[1]);
	assert_int_equal(read(p[0], &byte, 1), 0);
	close(p[0]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inherits_turned_round), cmocka_unit_test(inherits_from_above), cmocka_unit_test(refusals), cmocka_unit_test(ends), cmocka_unit_test(stubborn),
		cmocka_unit_test(die_together),
	};

	if (argc == 4 && strcmp(argv[1], "--role") == 0)
		role_main(argv[2], argv[3]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
