/* sandbox_table.c - see sandbox.h.  The lists hold what traces of the end-to-end
 * tests show after the start, and what the same library functions
 * do on another kernel or after a signal. */
#include "host/sandbox_table.h"

#include <linux/capability.h>
#include <stddef.h>

#define END { NULL, CALL_ANY }
#define CAP(n) (1ull << (n))

/* Memory, time, locks, an end. */
static const struct sandbox_call every[] = {
	{ "brk", CALL_ANY }, { "mmap", CALL_NO_CODE }, { "mprotect", CALL_NO_CODE }, { "mremap", CALL_ANY },
	{ "munmap", CALL_ANY }, { "madvise", CALL_ANY }, { "mlock", CALL_ANY }, { "munlock", CALL_ANY },
	{ "futex", CALL_ANY }, { "sched_yield", CALL_ANY }, { "sched_getaffinity", CALL_ANY }, { "sysinfo", CALL_ANY },
	{ "getrandom", CALL_ANY }, { "getpid", CALL_ANY }, { "gettid", CALL_ANY }, { "close", CALL_ANY },
	{ "poll", CALL_ANY }, { "ppoll", CALL_ANY }, { "nanosleep", CALL_ANY }, { "clock_nanosleep", CALL_ANY },
	{ "clock_gettime", CALL_ANY }, { "gettimeofday", CALL_ANY }, { "time", CALL_ANY }, { "restart_syscall", CALL_ANY },
	{ "rt_sigprocmask", CALL_ANY }, { "rt_sigaction", CALL_ANY }, { "rt_sigreturn", CALL_ANY },
	{ "tgkill", CALL_OWN_ABORT }, { "exit", CALL_ANY }, { "exit_group", CALL_ANY }, { "read", CALL_ANY },
	{ "set_robust_list", CALL_ANY }, { "rseq", CALL_ANY }, /* a thread that is there, but has not begun yet */
	END,
};
/* A process without paths. */
static const struct sandbox_call pathless[] = {
	{ "newfstatat", CALL_NO_PATH }, { "fstat", CALL_ANY },
	{ "open", CALL_EACCES }, { "openat", CALL_EACCES }, { "access", CALL_EACCES }, { "faccessat", CALL_EACCES },
	{ "faccessat2", CALL_EACCES }, { "stat", CALL_EACCES }, { "lstat", CALL_EACCES }, { "statx", CALL_EACCES },
	{ "readlink", CALL_EACCES }, { "readlinkat", CALL_EACCES },
	END,
};
/* Messages to other processes of ours and lines of the log.  A write into any other descriptor is not among them. */
static const struct sandbox_call talks[] = {
	{ "recvmsg", CALL_ANY }, { "writev", CALL_LISTED }, { "write", CALL_LISTED },
	END,
};
/* Descriptors with the files of others, nothing by name. */
static const struct sandbox_call reads[] = {
	{ "pread64", CALL_ANY }, { "preadv", CALL_ANY }, { "lseek", CALL_ANY }, { "fadvise64", CALL_ANY },
	END,
};
/* Files by name, SQLite included, which uses write() and locks. */
static const struct sandbox_call files[] = {
	{ "open", CALL_ANY }, { "openat", CALL_ANY }, { "access", CALL_ANY }, { "faccessat", CALL_ANY }, { "faccessat2", CALL_ANY },
	{ "stat", CALL_ANY }, { "lstat", CALL_ANY }, { "fstat", CALL_ANY }, { "newfstatat", CALL_ANY }, { "statx", CALL_ANY },
	{ "statfs", CALL_ANY }, { "fstatfs", CALL_ANY }, { "readlink", CALL_ANY }, { "readlinkat", CALL_ANY },
	{ "getcwd", CALL_ANY }, { "getdents64", CALL_ANY }, { "mkdir", CALL_ANY }, { "mkdirat", CALL_ANY },
	{ "unlink", CALL_ANY }, { "unlinkat", CALL_ANY }, { "rmdir", CALL_ANY }, { "rename", CALL_ANY }, { "renameat", CALL_ANY },
	{ "renameat2", CALL_ANY }, { "linkat", CALL_ANY }, { "fchmod", CALL_ANY }, { "fchmodat", CALL_ANY }, { "fchown", CALL_ANY },
	{ "fsync", CALL_ANY }, { "fdatasync", CALL_ANY }, { "syncfs", CALL_ANY }, { "sync_file_range", CALL_ANY },
	{ "fallocate", CALL_ANY }, { "ftruncate", CALL_ANY }, { "fcntl", CALL_FCNTL }, { "flock", CALL_ANY },
	{ "pread64", CALL_ANY }, { "pwrite64", CALL_ANY }, { "pwritev", CALL_ANY }, { "lseek", CALL_ANY }, { "fadvise64", CALL_ANY },
	{ "write", CALL_ANY }, { "writev", CALL_ANY }, { "recvmsg", CALL_ANY }, { "sendmsg", CALL_ANY },
	{ "geteuid", CALL_ANY }, { "getppid", CALL_ANY }, { "utimensat", CALL_ANY },
	END,
};

static const struct sandbox_call spool[] = {
	/* zstd starts its threads with the first large file. */
	{ "clone", CALL_THREAD }, { "clone3", CALL_ENOSYS },
	{ "preadv2", CALL_ANY }, /* what of a source is in memory */
	{ "inotify_add_watch", CALL_ANY }, { "inotify_rm_watch", CALL_ANY },
	END,
};
static const struct sandbox_call sender_link[] = { { "sendmmsg", CALL_ANY }, { "fcntl", CALL_FCNTL }, END };
/* Writing by position is for files: on a socket it fails, and on this number it is not even tried. */
static const struct sandbox_call receiver_link[] = {
	{ "recvmmsg", CALL_ANY }, { "recvmsg", CALL_ANY }, { "getsockopt", CALL_MEMINFO }, { "writev", CALL_LISTED },
	{ "write", CALL_LISTED }, { "pwrite64", CALL_NOT_SOCKET }, { "pwritev", CALL_NOT_SOCKET }, { "ftruncate", CALL_NOT_SOCKET },
	{ "fallocate", CALL_NOT_SOCKET }, { "fsync", CALL_ANY }, { "fdatasync", CALL_ANY }, { "fstatfs", CALL_ANY },
	{ "sync_file_range", CALL_ANY },
	END,
};
/* Its files are those of the epochs and of the last checkpoint. */
static const struct sandbox_call open_[] = { { "pwrite64", CALL_ANY }, { "fdatasync", CALL_ANY }, END };

/* The scanner's socket, and no other kind of one; the file comes by descriptor. */
static const struct sandbox_call scan[] = { { "socket", CALL_LOCAL }, { "connect", CALL_ANY }, { "sendto", CALL_ANY }, END };

const struct sandbox_row sandbox_row[SANDBOX_COUNT] = {
	[SANDBOX_SENDER_SPOOL] = { "sender: spool", "state, channel folders, the directory of metrics",
	    CAP(CAP_LEASE) | CAP(CAP_DAC_OVERRIDE) | CAP(CAP_FOWNER) | CAP(CAP_IPC_LOCK),
	    { every, files, spool } },
	[SANDBOX_SENDER_CHECK] = { "sender: check", "none", 0, { every, pathless, talks, reads } },
	[SANDBOX_SENDER_LINK] = { "sender: link", "none", CAP(CAP_IPC_LOCK), { every, pathless, talks, reads, sender_link } },
	[SANDBOX_RECEIVER_LINK] = { "receiver: link", "none", CAP(CAP_IPC_LOCK), { every, pathless, reads, receiver_link } },
	[SANDBOX_RECEIVER_OPEN] = { "receiver: open", "none", CAP(CAP_IPC_LOCK), { every, pathless, talks, reads, open_ } },
	[SANDBOX_RECEIVER_CHECK] = { "receiver: check", "none", 0, { every, pathless, talks } },
	[SANDBOX_RECEIVER_SCAN] = { "receiver: scan", "none", CAP(CAP_DAC_OVERRIDE), { every, pathless, talks, reads, scan } },
	[SANDBOX_RECEIVER_STORE] = { "receiver: store", "state, inbox, the directory of metrics", CAP(CAP_DAC_OVERRIDE) | CAP(CAP_FOWNER), { every, files } },
};
