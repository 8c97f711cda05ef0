/* powerloss.c - kill a daemon after its Nth durable operation, and know what a power cut would have left (LD_PRELOAD).
 *
 * Technique.  littlefs is tested on a simulated block device that loses power after one write, then after two, and so on.
 * We do not own the file system, so the cut is made one floor higher, where our promise is made too: at the system calls.
 * Every call that changes a file or a directory, and every sync, goes through this library, which carries it out and logs
 * it, with its data, under one lock for all processes of a daemon: so there is one order.  After operation N everything is
 * killed.  powerloss.py then plays the log twice: once with everything, which must give exactly what is on the disk (a call
 * that this library does not see, io_uring or a writable mapping, is found by that), and once with only what was synced,
 * which is put in its place.
 *
 * Why not an image of a file system under a lossy block device?  Because ext4 and others commit more than they promise (a
 * sync of one file commits the renames before it), which hides a forgotten fsync on the machine where the test runs.  Here
 * nothing is durable but what POSIX and fsync(2) promise: data by fsync or fdatasync of the file, names by fsync of their
 * directory.  One thing more is taken for granted, which all journalling file systems give: a rename is atomic, and durable
 * with the first sync of either directory.
 *
 * The lock is held while an operation runs.  A process that the lock outlives is dead; its lock is broken.  Once `dead` is
 * set no operation begins: whoever still lives waits here for SIGKILL.  Descriptors 0-2 are not looked at (logs). */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "powerloss_log.h"

#pragma GCC diagnostic ignored "-Wmissing-prototypes" /* the 64-bit twins and the checking forms have none everywhere */

#define NEXT(name) \
	static __typeof__(&name) next_##name; \
	if (next_##name == NULL) \
		*(void **)(void *)&next_##name = dlsym(RTLD_NEXT, #name)

static struct powerloss_control *ctl;
static uint8_t *journal;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv(POWERLOSS_ENV);
	struct stat st;
	int fd = path == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	void *p = MAP_FAILED;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > POWERLOSS_PAGE)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	syscall(SYS_close, fd);
	if (p == MAP_FAILED || ((struct powerloss_control *)p)->magic != POWERLOSS_MAGIC)
		abort(); /* a layer that does nothing would make every test pass */
	ctl = p;
	journal = (uint8_t *)p + POWERLOSS_PAGE;
}

static _Noreturn void die(void)
{
	syscall(SYS_kill, 0, SIGKILL); /* the daemon leads a process group of its own */
	for (;;)
		pause();
}

static void enter(void)
{
	uint32_t me = (uint32_t)syscall(SYS_gettid), owner = 0;

	for (unsigned i = 1; !__atomic_compare_exchange_n(&ctl->lock, &owner, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED); i++) {
		if (__atomic_load_n(&ctl->dead, __ATOMIC_ACQUIRE))
			die();
		/* A dead process's lock is taken over. */
		if (i % 1024 == 0 && owner != 0 && syscall(SYS_kill, owner, 0) != 0 && errno == ESRCH)
			__atomic_compare_exchange_n(&ctl->lock, &owner, 0, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
		owner = 0;
		sched_yield();
	}
	if (ctl->dead)
		die();
}

static void leave(void)
{
	__atomic_store_n(&ctl->lock, 0, __ATOMIC_RELEASE);
}

static bool device(const struct stat *st)
{
	for (unsigned i = 0; i < POWERLOSS_DEVS; i++)
		if (ctl->dev[i] != 0 && ctl->dev[i] == st->st_dev)
			return true;
	return false;
}

/* Is it a file or directory that is looked after? */
static bool ours(int fd, struct stat *st)
{
	int kept = errno;
	bool yes = ctl != NULL && fd > 2 && fstat(fd, st) == 0 && (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode)) && device(st);

	errno = kept;
	return yes;
}

/* True, with errno set: this operation has to fail. */
static bool fails(enum powerloss_kind kind)
{
	if (ctl->error == 0 || (ctl->fail & (1u << kind)) == 0)
		return false;
	ctl->failed++;
	errno = (int)ctl->error;
	return true;
}

/* Of a file that can be read.  Without the lock: this is for errors, and needs no order. */
static bool reading_fails(int fd, enum powerloss_kind kind)
{
	struct stat st;

	return ctl != NULL && ctl->error != 0 && ours(fd, &st) && S_ISREG(st.st_mode) && (ctl->only == 0 || ctl->only == st.st_ino) && fails(kind);
}

static void put(const void *p, size_t n)
{
	memcpy(journal + ctl->used, p, n);
	ctl->used += n;
}

/* Log an operation that was done, and die after it if it is the one. */
static void note(struct powerloss_record r, const char *name, const char *name2, const struct iovec *data, int parts)
{
	size_t left = (size_t)r.size;

	r.name = name == NULL ? 0 : (uint16_t)strlen(name);
	r.name2 = name2 == NULL ? 0 : (uint16_t)strlen(name2);
	r.len = (uint32_t)(sizeof(r) + r.name + r.name2 + (data == NULL ? 0 : left));
	r.pid = (uint32_t)syscall(SYS_getpid);
	if (ctl->used + r.len + 8 > ctl->room)
		abort(); /* the test gave too little room for its log */
	put(&r, sizeof(r));
	put(name, r.name);
	put(name2, r.name2);
	for (int i = 0; data != NULL && i < parts && left > 0; i++) {
		size_t n = data[i].iov_len < left ? data[i].iov_len : left;
		put(data[i].iov_base, n);
		left -= n;
	}
	ctl->used = (ctl->used + 7) & ~(uint64_t)7;
	if (++ctl->ops == ctl->kill_at) {
		__atomic_store_n(&ctl->dead, 1, __ATOMIC_RELEASE);
		die();
	}
}

/* The directory that path's last part is in, and that part. */
static bool parent(int dirfd, const char *path, struct stat *dir, const char **base)
{
	char up[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int kept = errno;
	bool yes;

	*base = slash == NULL ? path : slash + 1;
	if (slash == NULL)
		strcpy(up, ".");
	else
		snprintf(up, sizeof(up), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	yes = fstatat(dirfd, up, dir, 0) == 0 && device(dir);
	errno = kept;
	return yes;
}

static bool there(int dirfd, const char *path, struct stat *st)
{
	int kept = errno;
	bool yes = fstatat(dirfd, path, st, AT_SYMLINK_NOFOLLOW) == 0;

	errno = kept;
	return yes;
}

/* --- files come into being --- */
static int open_any(int dirfd, const char *path, int flags, mode_t mode)
{
	struct stat dir, old, st;
	const char *base;
	bool before;
	int fd;

	if (ctl == NULL || (flags & (O_CREAT | O_TRUNC)) == 0 || !parent(dirfd, path, &dir, &base)) {
		fd = (int)syscall(SYS_openat, dirfd, path, flags, mode);
		if (fd < 0 || (flags & O_ACCMODE) != O_RDONLY || !reading_fails(fd, PL_OPEN))
			return fd;
		syscall(SYS_close, fd);
		errno = (int)ctl->error;
		return -1;
	}
	enter();
	before = there(dirfd, path, &old);
	if (!before && fails(PL_CREATE)) {
		leave();
		return -1;
	}
	fd = (int)syscall(SYS_openat, dirfd, path, flags, mode);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		if (!before)
			note((struct powerloss_record){ .kind = PL_CREATE, .dir = dir.st_ino, .ino = st.st_ino, .mode = st.st_mode & 07777 },
			    base, NULL, NULL, 0);
		else if ((flags & O_TRUNC) != 0 && old.st_size > 0)
			note((struct powerloss_record){ .kind = PL_TRUNC, .ino = st.st_ino }, NULL, NULL, NULL, 0);
	}
	leave();
	return fd;
}

#define OPEN_MODE(flags) \
	mode_t mode = 0; \
	if (((flags) & (O_CREAT | O_TMPFILE)) != 0) { \
		va_list ap; \
		va_start(ap, flags); \
		mode = va_arg(ap, mode_t); \
		va_end(ap); \
	}
int open(const char *path, int flags, ...) { OPEN_MODE(flags) return open_any(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { OPEN_MODE(flags) return open_any(AT_FDCWD, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { OPEN_MODE(flags) return open_any(dir, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { OPEN_MODE(flags) return open_any(dir, path, flags, mode); }
int creat(const char *path, mode_t mode) { return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
/* What _FORTIFY_SOURCE makes of calls without a mode. */
int __open_2(const char *path, int flags) { return open_any(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_any(AT_FDCWD, path, flags, 0); }
int __openat_2(int dir, const char *path, int flags) { return open_any(dir, path, flags, 0); }
int __openat64_2(int dir, const char *path, int flags) { return open_any(dir, path, flags, 0); }

int mkdirat(int dirfd, const char *path, mode_t mode)
{
	struct stat dir, st;
	const char *base;
	int r = -1;

	if (ctl == NULL || !parent(dirfd, path, &dir, &base))
		return (int)syscall(SYS_mkdirat, dirfd, path, mode);
	enter();
	if (!fails(PL_MKDIR) && (r = (int)syscall(SYS_mkdirat, dirfd, path, mode)) == 0 && there(dirfd, path, &st))
		note((struct powerloss_record){ .kind = PL_MKDIR, .dir = dir.st_ino, .ino = st.st_ino, .mode = st.st_mode & 07777 }, base,
		    NULL, NULL, 0);
	leave();
	return r;
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int linkat(int olddir, const char *old, int newdir, const char *new_, int flags)
{
	struct stat dir, st;
	const char *base;
	int r = -1;

	if (ctl == NULL || !parent(newdir, new_, &dir, &base))
		return (int)syscall(SYS_linkat, olddir, old, newdir, new_, flags);
	enter();
	if (!fails(PL_LINK) && (r = (int)syscall(SYS_linkat, olddir, old, newdir, new_, flags)) == 0 && there(newdir, new_, &st))
		note((struct powerloss_record){ .kind = PL_LINK, .dir = dir.st_ino, .ino = st.st_ino, .mode = st.st_mode & 07777 }, base,
		    NULL, NULL, 0);
	leave();
	return r;
}
int link(const char *old, const char *new_) { return linkat(AT_FDCWD, old, AT_FDCWD, new_, 0); }

/* --- names --- */
int renameat2(int olddir, const char *old, int newdir, const char *new_, unsigned flags)
{
	struct stat from, to, st;
	const char *base, *base2;
	bool seen;
	int r = -1;

	if (ctl == NULL || !parent(olddir, old, &from, &base) || !parent(newdir, new_, &to, &base2))
		return (int)syscall(SYS_renameat2, olddir, old, newdir, new_, flags);
	enter();
	seen = there(olddir, old, &st);
	if (!fails(PL_RENAME) && (r = (int)syscall(SYS_renameat2, olddir, old, newdir, new_, flags)) == 0 && seen)
		note((struct powerloss_record){ .kind = PL_RENAME, .flag = (uint16_t)flags, .dir = from.st_ino, .dir2 = to.st_ino,
			.ino = st.st_ino, .mode = st.st_mode & 07777 }, base, base2, NULL, 0);
	leave();
	return r;
}
int renameat(int olddir, const char *old, int newdir, const char *new_) { return renameat2(olddir, old, newdir, new_, 0); }
int rename(const char *old, const char *new_) { return renameat2(AT_FDCWD, old, AT_FDCWD, new_, 0); }

int unlinkat(int dirfd, const char *path, int flags)
{
	struct stat dir;
	const char *base;
	int r = -1;

	if (ctl == NULL || !parent(dirfd, path, &dir, &base))
		return (int)syscall(SYS_unlinkat, dirfd, path, flags);
	enter();
	if (!fails(PL_UNLINK) && (r = (int)syscall(SYS_unlinkat, dirfd, path, flags)) == 0)
		note((struct powerloss_record){ .kind = PL_UNLINK, .dir = dir.st_ino }, base, NULL, NULL, 0);
	leave();
	return r;
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

/* --- data --- */
static ssize_t read_fails(int fd)
{
	return reading_fails(fd, PL_READ) ? -1 : 0;
}
ssize_t read(int fd, void *p, size_t n) { return read_fails(fd) != 0 ? -1 : syscall(SYS_read, fd, p, n); }
ssize_t pread(int fd, void *p, size_t n, off_t at) { return read_fails(fd) != 0 ? -1 : syscall(SYS_pread64, fd, p, n, at); }
ssize_t pread64(int fd, void *p, size_t n, off64_t at) { return read_fails(fd) != 0 ? -1 : syscall(SYS_pread64, fd, p, n, at); }

/* at -1: where the descriptor stands. */
static ssize_t write_any(int fd, const struct iovec *v, int parts, off_t at, int flags)
{
	struct powerloss_record r = { .kind = PL_WRITE };
	struct stat st;
	ssize_t n;
	bool mine = ours(fd, &st) && S_ISREG(st.st_mode);

	if (mine) {
		enter();
		if (fails(PL_WRITE)) {
			leave();
			return -1;
		}
	}
	if (at < 0 && flags == 0)
		n = parts == 1 ? syscall(SYS_write, fd, v->iov_base, v->iov_len) : syscall(SYS_writev, fd, v, parts);
	else
		n = parts == 1 && flags == 0 ? syscall(SYS_pwrite64, fd, v->iov_base, v->iov_len, at)
		                             : syscall(SYS_pwritev2, fd, v, parts, at, 0, flags);
	if (!mine)
		return n;
	if (n > 0) {
		r.ino = st.st_ino;
		r.size = (uint64_t)n;
		r.off = (uint64_t)(at >= 0 ? at : syscall(SYS_lseek, fd, 0, SEEK_CUR) - n);
		note(r, NULL, NULL, v, parts);
		if ((fcntl(fd, F_GETFL) & O_DSYNC) != 0 || (flags & (RWF_DSYNC | RWF_SYNC)) != 0)
			note((struct powerloss_record){ .kind = PL_SYNC, .ino = st.st_ino }, NULL, NULL, NULL, 0);
	}
	leave();
	return n;
}

#define ONE(p, n) (struct iovec){ (void *)(uintptr_t)(p), n }
ssize_t write(int fd, const void *p, size_t n) { return write_any(fd, &ONE(p, n), 1, -1, 0); }
ssize_t pwrite(int fd, const void *p, size_t n, off_t at) { return write_any(fd, &ONE(p, n), 1, at, 0); }
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at) { return write_any(fd, &ONE(p, n), 1, at, 0); }
ssize_t writev(int fd, const struct iovec *v, int n) { return write_any(fd, v, n, -1, 0); }
ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at) { return write_any(fd, v, n, at, 0); }
ssize_t pwritev64(int fd, const struct iovec *v, int n, off64_t at) { return write_any(fd, v, n, at, 0); }
ssize_t pwritev2(int fd, const struct iovec *v, int n, off_t at, int flags) { return write_any(fd, v, n, at, flags); }
ssize_t pwritev64v2(int fd, const struct iovec *v, int n, off64_t at, int flags) { return write_any(fd, v, n, at, flags); }

/* An operation on a descriptor that is one system call. */
#define ON_FILE(fd, record, call) \
	struct stat st; \
	long r = -1; \
	if (!ours(fd, &st)) \
		return (int)(call); \
	struct powerloss_record rec = record; \
	rec.ino = st.st_ino; \
	if (rec.kind == PL_SYNC && S_ISDIR(st.st_mode)) \
		rec.kind = PL_SYNC_DIR; \
	enter(); \
	if (!fails(rec.kind) && (r = (call)) == 0) \
		note(rec, NULL, NULL, NULL, 0); \
	leave(); \
	return (int)r;
#define RECORD(...) ((struct powerloss_record){ __VA_ARGS__ })
int ftruncate(int fd, off_t n) { ON_FILE(fd, RECORD(.kind = PL_TRUNC, .size = (uint64_t)n), syscall(SYS_ftruncate, fd, n)) }
int ftruncate64(int fd, off64_t n) { ON_FILE(fd, RECORD(.kind = PL_TRUNC, .size = (uint64_t)n), syscall(SYS_ftruncate, fd, n)) }
int fallocate(int fd, int mode, off_t off, off_t n)
{
	ON_FILE(fd, RECORD(.kind = PL_ALLOC, .flag = (uint16_t)mode, .off = (uint64_t)off, .size = (uint64_t)n),
	    syscall(SYS_fallocate, fd, mode, off, n))
}
int fallocate64(int fd, int mode, off64_t off, off64_t n) { return fallocate(fd, mode, off, n); }
int posix_fallocate(int fd, off_t off, off_t n) { return fallocate(fd, 0, off, n) == 0 ? 0 : errno; }
int posix_fallocate64(int fd, off64_t off, off64_t n) { return posix_fallocate(fd, off, n); }
int fchmod(int fd, mode_t mode) { ON_FILE(fd, RECORD(.kind = PL_CHMOD, .mode = mode), syscall(SYS_fchmod, fd, mode)) }
int fsync(int fd) { ON_FILE(fd, RECORD(.kind = PL_SYNC), syscall(SYS_fsync, fd)) }
int fdatasync(int fd) { ON_FILE(fd, RECORD(.kind = PL_SYNC), syscall(SYS_fdatasync, fd)) }
int syncfs(int fd) { ON_FILE(fd, RECORD(.kind = PL_SYNC_ALL), syscall(SYS_syncfs, fd)) }

int fchmodat(int dirfd, const char *path, mode_t mode, int flags)
{
	struct stat st;
	long r = -1;

	if (ctl == NULL || !there(dirfd, path, &st) || !device(&st))
		return (int)syscall(SYS_fchmodat, dirfd, path, mode, flags);
	enter();
	if (!fails(PL_CHMOD) && (r = syscall(SYS_fchmodat, dirfd, path, mode, flags)) == 0)
		note((struct powerloss_record){ .kind = PL_CHMOD, .ino = st.st_ino, .mode = mode }, NULL, NULL, NULL, 0);
	leave();
	return (int)r;
}
int chmod(const char *path, mode_t mode) { return fchmodat(AT_FDCWD, path, mode, 0); }

/* A process that bounds its address space did not count our mapping. */
int setrlimit64(__rlimit_resource_t what, const struct rlimit64 *l)
{
	struct rlimit64 more = *l;

	if (ctl != NULL && what == RLIMIT_AS && l->rlim_max < RLIM64_INFINITY - ctl->room) {
		more.rlim_cur += ctl->room;
		more.rlim_max += ctl->room;
	}
	return (int)syscall(SYS_prlimit64, 0, what, &more, NULL);
}
int setrlimit(__rlimit_resource_t what, const struct rlimit *l)
{
	return setrlimit64(what, &(struct rlimit64){ l->rlim_cur, l->rlim_max });
}

/* --- a child's environment is cleared of LD_PRELOAD: put it back --- */
int execve(const char *path, char *const argv[], char *const env[])
{
	static char preload[PATH_MAX + 16];
	char *more[256];
	Dl_info me;
	size_t n = 0;

	NEXT(execve);
	for (; env != NULL && env[n] != NULL && n < 254; n++)
		more[n] = env[n];
	if (ctl != NULL && dladdr((void *)(uintptr_t)&begin, &me) != 0) {
		snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", me.dli_fname);
		more[n++] = preload;
	}
	more[n] = NULL;
	return next_execve(path, argv, more);
}
