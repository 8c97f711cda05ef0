/* durable.c - see durable.h */
#include "host/durable.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/exits.h"

enum { TREE_DEPTH_MAX = 32 /* one descriptor each; ours are four deep */ };

/* close() that leaves errno to the error before it. */
static void close_quietly(int fd)
{
	int kept = errno;

	(void)close(fd);
	errno = kept;
}

int durable_write_all(int fd, const void *data, size_t n)
{
	const char *p = data;

	while (n > 0) {
		ssize_t w = write(fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -1;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

int durable_pwrite_all(int fd, const void *data, size_t n, long long off)
{
	const char *p = data;

	while (n > 0) {
		ssize_t w = pwrite(fd, p, n, (off_t)off);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -1;
		p += w;
		off += w;
		n -= (size_t)w;
	}
	return 0;
}

int durable_begin(int dirfd, const char *tmp)
{
	/* One that a crash left behind; O_EXCL then makes sure that we follow no link. */
	if (unlinkat(dirfd, tmp, 0) != 0 && errno != ENOENT)
		return -1;
	return openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t)0600);
}

/* The file is closed and gone; errno stays that of the error before. */
static int drop(int fd, int dirfd, const char *tmp)
{
	int kept = errno;

	if (fd >= 0)
		(void)close(fd);
	(void)unlinkat(dirfd, tmp, 0);
	errno = kept;
	return -1;
}

int durable_commit(int fd, int dirfd, const char *tmp, const char *name, unsigned mode)
{
	if (fchmod(fd, (mode_t)mode) != 0 || fsync(fd) != 0)
		return drop(fd, dirfd, tmp);
	if (close(fd) != 0 || renameat(dirfd, tmp, dirfd, name) != 0)
		return drop(-1, dirfd, tmp);
	return fsync(dirfd);
}

int durable_write(int dirfd, const char *name, const void *data, size_t n, unsigned mode)
{
	char tmp[NAME_MAX + 1];
	int fd, len = snprintf(tmp, sizeof tmp, "%s.tmp", name);

	if (len < 0 || (size_t)len >= sizeof tmp) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((fd = durable_begin(dirfd, tmp)) < 0)
		return -1;
	if (durable_write_all(fd, data, n) != 0)
		return drop(fd, dirfd, tmp);
	return durable_commit(fd, dirfd, tmp, name, mode);
}

static int write_over(int dirfd, const char *name, int flags, const void *data, size_t n, unsigned mode)
{
	int fd = openat(dirfd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | flags, (mode_t)mode), bad;

	if (fd < 0)
		return -1;
	bad = durable_pwrite_all(fd, data, n, 0) != 0 || ftruncate(fd, (off_t)n) != 0;
	if (bad) {
		close_quietly(fd);
		return -1;
	}
	return close(fd);
}

int durable_note(int dirfd, const char *name, const void *data, size_t n, unsigned mode)
{
	char tmp[NAME_MAX + 1];
	int len = snprintf(tmp, sizeof tmp, "%s.tmp", name);

	if (len < 0 || (size_t)len >= sizeof tmp) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (write_over(dirfd, tmp, O_CREAT | O_TRUNC, data, n, mode) == 0)
		return renameat(dirfd, tmp, dirfd, name);
	(void)unlinkat(dirfd, tmp, 0);
	return write_over(dirfd, name, 0, data, n, mode); /* its blocks are there */
}

int durable_rename(int fd, int olddir, const char *old, int newdir, const char *new_)
{
	if (fd >= 0 && fsync(fd) != 0)
		return -1;
	if (renameat2(olddir, old, newdir, new_, RENAME_NOREPLACE) != 0)
		return -1;
	/* The new place first: a power cut between the two may then show the
	 * file twice, but never not at all. */
	if (fsync(newdir) != 0)
		return -1;
	return olddir == newdir ? 0 : fsync(olddir);
}

int durable_mkdir(int dirfd, const char *name, unsigned mode)
{
	struct stat st;

	if (mkdirat(dirfd, name, (mode_t)mode) == 0) {
		if (fchmodat(dirfd, name, (mode_t)mode, 0) != 0) /* whatever the umask is */
			return -1;
	} else if (errno != EEXIST || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		return -1;
	} else if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return -1;
	}
	/* Also if it was there: whoever made it may have died before its fsync. */
	return fsync(dirfd);
}

static int remove_tree(int dirfd, const char *name, unsigned depth);

/* Empty the directory d.  Some file systems pass over entries while others
 * go, so it is read again until a whole pass finds nothing. */
static int remove_entries(DIR *d, unsigned depth)
{
	unsigned found = 0;

	for (;;) {
		errno = 0;
		struct dirent *e = readdir(d);
		if (e == NULL && (errno != 0 || found == 0))
			return errno == 0 ? 0 : -1;
		if (e == NULL) {
			found = 0;
			rewinddir(d);
			continue;
		}
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (remove_tree(dirfd(d), e->d_name, depth + 1) != 0)
			return -1;
		found++;
	}
}

static int remove_tree(int dirfd, const char *name, unsigned depth)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	if (depth >= TREE_DEPTH_MAX) {
		errno = ELOOP;
		return -1;
	}
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	DIR *d = fdopendir(fd);
	if (d == NULL) {
		close_quietly(fd);
		return -1;
	}
	int r = remove_entries(d, depth), kept = errno;
	(void)closedir(d);
	errno = kept;
	return r != 0 ? -1 : unlinkat(dirfd, name, AT_REMOVEDIR);
}

int durable_remove_tree(int dirfd, const char *name)
{
	if (strcmp(name, "") == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		errno = EINVAL;
		return -1;
	}
	return remove_tree(dirfd, name, 0);
}

int durable_exit(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG: /* by RLIMIT_FSIZE, or on a file system of small files */
	case EROFS:
	case EIO:
		return EXIT_DISK;
	default:
		return EXIT_SYSTEM;
	}
}

int durable_open_dir(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}
