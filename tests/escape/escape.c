/* escape.c - see escape.h.  Every attempt is a system call made by number, so that no library stands in its way.  What
 * would change this process or the machine is done in a child, where one can be had. */
#include "tests/escape/escape.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/log.h"
#include "host/proc.h"
#include "host/sandbox_table.h"

enum { SOCKET = PROC_FD_FIRST /* receiver: link */, FORKED_OK = 0, FORKED_NOT = 1 };

static struct sockaddr_in peer; /* whom a datagram would go to: the sender's end of the link */
static char text[] = "out";

static const char *given(const char *name, const char *otherwise)
{
	const char *v = getenv(name);

	return v != NULL ? v : otherwise;
}

/* --- on the link's socket --- */
static struct msghdr message(struct iovec *v)
{
	*v = (struct iovec){ text, sizeof(text) };
	return (struct msghdr){ .msg_name = &peer, .msg_namelen = sizeof(peer), .msg_iov = v, .msg_iovlen = 1 };
}

static long by_sendto(void) { return syscall(SYS_sendto, SOCKET, text, sizeof(text), 0, &peer, sizeof(peer)); }
static long by_sendmsg(void)
{
	struct iovec v;
	struct msghdr h = message(&v);
	return syscall(SYS_sendmsg, SOCKET, &h, 0);
}
static long by_sendmmsg(void)
{
	struct iovec v;
	struct mmsghdr m = { message(&v), 0 };
	return syscall(SYS_sendmmsg, SOCKET, &m, 1, 0);
}
static long by_connect(void) { return syscall(SYS_connect, SOCKET, &peer, sizeof(peer)); }
static long by_write(void) { return syscall(SYS_write, SOCKET, text, sizeof(text)); } /* in the control it is connected by now */
static long by_writev(void)
{
	struct iovec v = { text, sizeof(text) };
	return syscall(SYS_writev, SOCKET, &v, 1);
}
static long by_copy(void)
{
	long fd = syscall(SYS_dup, SOCKET);
	return fd < 0 ? -1 : syscall(SYS_write, fd, text, sizeof(text));
}
static long by_copy_in_place(void) /* of a descriptor that may be written to: standard error stays, by another number */
{
	long kept = syscall(SYS_fcntl, STDERR_FILENO, F_DUPFD_CLOEXEC, 100);
	if (kept < 0 || syscall(SYS_dup3, SOCKET, STDERR_FILENO, 0) < 0)
		return -1;
	long r = syscall(SYS_write, STDERR_FILENO, text, sizeof(text));
	(void)syscall(SYS_dup3, kept, STDERR_FILENO, 0);
	return r;
}
static long by_sendfile(void)
{
	long fd = syscall(SYS_openat, AT_FDCWD, "/etc/hostname", O_RDONLY);
	return fd < 0 ? -1 : syscall(SYS_sendfile, SOCKET, fd, NULL, 3);
}
static long by_pwrite(void) { return syscall(SYS_pwrite64, SOCKET, text, sizeof(text), 0) >= 0 ? 0 : -1; }

/* --- a network of its own --- */
static long make_udp(void) { return syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0); }
static long make_raw(void) { return syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0); }
static long make_unix(void) { return syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0); }
static long make_pair(void)
{
	int s[2];
	return syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, s);
}
static long make_ring(void)
{
	struct io_uring_params p = { 0 };
	return syscall(SYS_io_uring_setup, 4, &p);
}

/* --- files --- */
static long open_passwd(void) { return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY); }
static long open_key(void) { return syscall(SYS_openat, AT_FDCWD, given("KATAMICHI_ESCAPE_KEY", "/nowhere"), O_RDONLY); }
static long make_file(void)
{
	return syscall(SYS_openat, AT_FDCWD, given("KATAMICHI_ESCAPE_FILE", "/nowhere/x"), O_WRONLY | O_CREAT, 0600);
}
static long make_directory(void) { return syscall(SYS_mkdirat, AT_FDCWD, given("KATAMICHI_ESCAPE_DIR", "/nowhere/x"), 0700); }
static long remove_file(void) { return syscall(SYS_unlinkat, AT_FDCWD, given("KATAMICHI_ESCAPE_FILE", "/nowhere/x"), 0); }
static long make_link(void) { return syscall(SYS_symlinkat, "/etc/passwd", AT_FDCWD, given("KATAMICHI_ESCAPE_LINK", "/nowhere/x")); }
static long own_memory(void) { return syscall(SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDWR); }
static long others_memory(void)
{
	char path[32];
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)getppid());
	return syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
}

/* --- other processes --- */
static long forked(long (*act)(void))
{
	int status;
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid < 0)
		return act(); /* then it is refused here as well, or this test fails */
	if (pid == 0)
		syscall(SYS_exit_group, act() >= 0 ? FORKED_OK : FORKED_NOT);
	if (waitpid((pid_t)pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != FORKED_OK) {
		errno = EPERM;
		return -1;
	}
	return 0;
}
static long nothing(void) { return 0; }
static long make_process(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		syscall(SYS_exit_group, 0);
	return pid < 0 ? -1 : forked(nothing);
}
static long run_program_here(void)
{
	char *const argv[] = { (char *)(uintptr_t)"true", NULL };
	return syscall(SYS_execve, "/bin/true", argv, argv + 1);
}
static long run_program(void) { return forked(run_program_here); }
static long trace_parent(void)
{
	long r = syscall(SYS_ptrace, PTRACE_SEIZE, getppid(), 0, 0);
	if (r == 0)
		(void)syscall(SYS_ptrace, PTRACE_DETACH, getppid(), 0, 0);
	return r;
}
static long read_parent(void)
{
	char b[8];
	struct iovec here = { b, sizeof(b) }, there = { (void *)(uintptr_t)&peer, sizeof(b) };
	long r = syscall(SYS_process_vm_readv, getppid(), &here, 1, &there, 1, 0);
	return r < 0 && errno == EFAULT ? 0 : r; /* another place there: but we were let */
}
static long signal_parent(void) { return syscall(SYS_kill, getppid(), 0); }
static long signal_self(void) { return syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), 0); }
static long signal_queue(void)
{
	siginfo_t i = { .si_code = SI_QUEUE };
	return syscall(SYS_rt_sigqueueinfo, getppid(), 0, &i);
}
static long take_descriptor(void)
{
	long fd = syscall(SYS_pidfd_open, getppid(), 0);
	return fd < 0 ? -1 : syscall(SYS_pidfd_getfd, fd, 0, 0);
}
static long limit_parent(void) { return syscall(SYS_prlimit64, getppid(), 4 /* core */, NULL, (uint64_t[2]){ 0, 0 }); }

/* --- privileges --- */
static long other_user_here(void) { return syscall(SYS_setuid, 65534); }
static long other_user(void) { return forked(other_user_here); }
static long other_group_here(void) { return syscall(SYS_setgroups, 0, NULL); }
static long other_group(void) { return forked(other_group_here); }
static long mount_here(void)
{
	return syscall(SYS_unshare, CLONE_NEWNS) != 0 ? -1 : syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}
static long mount_it(void) { return forked(mount_here); }
static long root_here(void) { return syscall(SYS_chroot, "/"); }
static long root(void) { return forked(root_here); }
static long own_network_here(void) { return syscall(SYS_unshare, CLONE_NEWNET); }
static long own_network(void) { return forked(own_network_here); }
static long dumpable(void)
{
	long r = syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (r == 0)
		(void)syscall(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
	return r;
}
static long new_filter(void) { return syscall(SYS_seccomp, 2 /* GET_ACTION_AVAIL */, 0, &(uint32_t){ SCMP_ACT_ALLOW }); }
static long namespace_of_parent(void)
{
	long fd = syscall(SYS_pidfd_open, getppid(), 0);
	return fd < 0 ? -1 : syscall(SYS_setns, fd, CLONE_NEWUTS);
}

/* --- code, and ways around --- */
static long code(void)
{
	return syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == -1 ? -1 : 0;
}
static long code_later(void)
{
	long p = syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == -1 ? -1 : syscall(SYS_mprotect, p, 4096, PROT_READ | PROT_EXEC);
}
static long memory_file(void) { return syscall(SYS_memfd_create, "x", 0); }
static long device_control(void) { return syscall(SYS_ioctl, SOCKET, 0x541B /* FIONREAD */, &(int){ 0 }); }
static long pipe_of_own(void)
{
	int p[2];
	return syscall(SYS_pipe2, p, 0);
}
static long faults(void) { return syscall(SYS_userfaultfd, O_CLOEXEC | 1); }
static long kernel_program(void)
{
	long r = syscall(SYS_bpf, 8 /* GET_NEXT_ID: harmless */, &(uint64_t[8]){ 0 }, 64);
	return r < 0 && errno == ENOENT ? 0 : r;
}
static long key(void) { return syscall(SYS_keyctl, 0, -3, 1); }
static long event(void) { return syscall(SYS_eventfd2, 0, 0); }
static long shared_memory(void) { return syscall(SYS_shmget, 0, 4096, 0600); }

/* Who may do it after all: bits by sandbox_id. */
#define OF(id) (1u << (id))
#define LINK OF(SANDBOX_RECEIVER_LINK)
enum { ANYBODY = 0 };

static const struct {
	const char *name;
	long (*act)(void);
	unsigned only; /* tried by these; 0: all */
} attempts[] = {
	{ "sendto", by_sendto, LINK }, { "sendmsg", by_sendmsg, LINK }, { "sendmmsg", by_sendmmsg, LINK },
	{ "connect", by_connect, LINK }, { "write", by_write, LINK }, { "writev", by_writev, LINK }, { "copied", by_copy, LINK },
	{ "copied-in-place", by_copy_in_place, LINK }, { "sendfile", by_sendfile, LINK }, { "pwrite", by_pwrite, LINK },
	{ "udp", make_udp, ANYBODY }, { "raw", make_raw, ANYBODY }, { "unix", make_unix, ~OF(SANDBOX_RECEIVER_SCAN) }, { "pair", make_pair, ANYBODY },
	{ "io_uring", make_ring, ANYBODY },
	{ "passwd", open_passwd, ANYBODY }, { "key", open_key, ANYBODY }, { "file", make_file, ANYBODY },
	{ "directory", make_directory, ANYBODY }, { "remove", remove_file, ANYBODY }, { "link", make_link, ANYBODY },
	{ "own-memory", own_memory, ANYBODY }, { "others-memory", others_memory, ANYBODY },
	{ "process", make_process, ANYBODY }, { "program", run_program, ANYBODY }, { "trace", trace_parent, ANYBODY },
	{ "read-parent", read_parent, ANYBODY }, { "signal", signal_parent, ANYBODY }, { "signal-self", signal_self, ANYBODY },
	{ "signal-queue", signal_queue, ANYBODY }, { "take-descriptor", take_descriptor, ANYBODY }, { "limit", limit_parent, ANYBODY },
	{ "user", other_user, ANYBODY }, { "group", other_group, ANYBODY }, { "mount", mount_it, ANYBODY }, { "root", root, ANYBODY },
	{ "network", own_network, ANYBODY }, { "dumpable", dumpable, ANYBODY }, { "filter", new_filter, ANYBODY },
	{ "namespace", namespace_of_parent, ANYBODY },
	{ "code", code, ANYBODY }, { "code-later", code_later, ANYBODY }, { "memory-file", memory_file, ANYBODY },
	{ "ioctl", device_control, ANYBODY }, { "pipe", pipe_of_own, ANYBODY }, { "faults", faults, ANYBODY },
	{ "bpf", kernel_program, ANYBODY }, { "kernel-key", key, ANYBODY }, { "event", event, ANYBODY },
	{ "shared-memory", shared_memory, ANYBODY },
};

uint32_t escape_refusal(void)
{
	return strcmp(given("KATAMICHI_ESCAPE", "count"), "count") == 0 ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_PROCESS;
}

void escape_run(enum sandbox_id id)
{
	const char *what = getenv("KATAMICHI_ESCAPE");
	int all = what != NULL && strcmp(what, "count") == 0;

	if (what == NULL || (!all && strcmp(given("KATAMICHI_ESCAPE_PROCESS", ""), sandbox_row[id].name) != 0))
		return;
	peer.sin_family = AF_INET;
	peer.sin_port = htons(9);
	(void)inet_pton(AF_INET, given("KATAMICHI_ESCAPE_PEER", "127.0.0.1"), &peer.sin_addr);
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		if (all ? attempts[i].only != 0 && (attempts[i].only & OF(id)) == 0 : strcmp(attempts[i].name, what) != 0)
			continue;
		errno = 0;
		long r = attempts[i].act();
		if (r >= 0)
			log_warn("escape %s WORKED", attempts[i].name);
		else
			log_info("escape %s refused: %s", attempts[i].name, strerror(errno));
	}
	log_info("escape end");
}
