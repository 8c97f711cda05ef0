/* out_file.c - see out_file.h. */
#include "tools/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/durable.h"
#include "host/exits.h"
#include "host/log.h"
#include "tools/out.h"

static struct {
	const char *path;         /* as it was given; "-": standard output */
	FILE *was;                /* standard output; NULL: nothing has begun */
	int dir, fd;              /* of a file: its folder, and the new one; -1: written as it is */
	char tmp[NAME_MAX + 16], name[NAME_MAX + 1];
	struct stat old;          /* st_mode 0: there is none */
} now = { .dir = -1, .fd = -1 };

void out_own_add(struct out_own *o, const char *path)
{
	if (path[0] != '\0' && o->paths < sizeof(o->path) / sizeof(o->path[0]))
		o->path[o->paths++] = path;
}

void out_own_receiver(struct out_own *o, const struct receiver_conf *c, const char *name)
{
	const char *own[] = { name, c->keys, c->psk, c->inbox, c->state, c->metrics };

	for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		out_own_add(o, own[i]);
	for (unsigned i = 0; i < c->peers; i++)
		out_own_add(o, c->peer[i].key);
	for (unsigned i = 0; i < c->retireds; i++)
		out_own_add(o, c->retired[i].key);
}

void out_own_sender(struct out_own *o, const struct sender_conf *c, const char *name)
{
	const char *own[] = { name, c->keys, c->receiver, c->recovery, c->psk, c->state, c->witness, c->metrics };

	for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		out_own_add(o, own[i]);
}

static int unwritten(const char *path, const char *why)
{
	log_error("%s: cannot be written: %s", path, why);
	return EXIT_SYSTEM;
}

/* The last part of a path, which is cut off; NULL: it has none. */
static char *cut(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash == NULL || slash[1] == '\0')
		return NULL;
	*slash = '\0';
	return slash + 1;
}

/* A pipe or a device, or what no file can be made of. */
static int is_no_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

/* The path without links, of a file that need not be there. */
static int resolve(char real[static PATH_MAX], const char *path)
{
	char given[PATH_MAX], *name;
	struct stat st;
	size_t n;

	if (realpath(path, real) != NULL)
		return 0;
	if (errno != ENOENT || lstat(path, &st) == 0) /* or a link to nothing */
		return -1;
	if (snprintf(given, sizeof(given), "%s%s", strchr(path, '/') == NULL ? "./" : "", path) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((name = cut(given)) == NULL || realpath(given[0] == '\0' ? "/" : given, real) == NULL)
		return -1;
	n = strlen(real);
	if (snprintf(real + n, PATH_MAX - n, "/%s", name) >= (int)(PATH_MAX - n)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

/* Is it this, or does it lie in it?  In the file system, since a place has many paths. */
static int lies_in(const char *real, const struct stat *own)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s", real);
	do
		if (stat(path, &st) == 0 && st.st_dev == own->st_dev && st.st_ino == own->st_ino)
			return 1;
	while (cut(path) != NULL && path[0] != '\0');
	return 0;
}

/* And the public half beside a secret key. */
static int is_own(const char *real, const char *own)
{
	char pub[PATH_MAX];
	size_t n = strlen(own);
	struct stat st;

	if (stat(own, &st) == 0 && lies_in(real, &st))
		return 1;
	if (n < 4 || n >= sizeof(pub) || strcmp(own + n - 4, ".key") != 0)
		return 0;
	snprintf(pub, sizeof(pub), "%.*s.pub", (int)n - 4, own);
	return stat(pub, &st) == 0 && lies_in(real, &st);
}

static int allowed(const char *path, const char *real, const struct out_own *own)
{
	for (unsigned i = 0; i < own->paths; i++)
		if (is_own(real, own->path[i])) {
			log_error("%s: is katamichi's own (%s) and is not written over; name another file", path, own->path[i]);
			return EXIT_USAGE;
		}
	return EXIT_OK;
}

int out_file_stdout(const char *path)
{
	struct stat a, b;

	return strcmp(path, "-") == 0 ||
	    (stat(path, &a) == 0 && fstat(STDOUT_FILENO, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

int out_file_allowed(const char *path, const struct out_own *own)
{
	char real[PATH_MAX];

	if (out_file_stdout(path) || is_no_file(path))
		return EXIT_OK;
	return resolve(real, path) != 0 ? unwritten(path, strerror(errno)) : allowed(path, real, own);
}

/* What is not finished when the program ends goes; also where log_die() ends it. */
static void forget(void)
{
	if (now.fd >= 0)
		(void)unlinkat(now.dir, now.tmp, 0);
}

/* The new file, beside the old one. */
static FILE *begin_file(char *real)
{
	static int told;
	int copy, old = stat(real, &now.old) == 0;
	const char *name;
	FILE *f;

	if (!old)
		now.old.st_mode = 0;
	else if (access(real, W_OK) != 0) /* somebody protects it */
		return NULL;
	name = cut(real);
	if (name == NULL || strlen(name) + strlen("..tmp") > NAME_MAX) {
		errno = name == NULL ? EISDIR : ENAMETOOLONG;
		return NULL;
	}
	snprintf(now.name, sizeof(now.name), "%s", name);
	snprintf(now.tmp, sizeof(now.tmp), ".%s.tmp", name);
	if ((now.dir = durable_open_dir(real[0] == '\0' ? "/" : real)) < 0 || (now.fd = durable_begin(now.dir, now.tmp)) < 0)
		return NULL;
	if (!told++)
		(void)atexit(forget);
	if ((copy = fcntl(now.fd, F_DUPFD_CLOEXEC, 3)) < 0)
		return NULL;
	if ((f = fdopen(copy, "w")) == NULL)
		(void)close(copy);
	return f;
}

static void release(void)
{
	forget();
	if (now.fd >= 0)
		(void)close(now.fd);
	if (now.dir >= 0)
		(void)close(now.dir);
	now.fd = now.dir = -1;
}

int out_file_begin(const char *path, const struct out_own *own)
{
	char real[PATH_MAX];
	FILE *f = NULL;
	int code;

	now.path = path == NULL || out_file_stdout(path) ? "-" : path;
	now.was = stdout;
	if (strcmp(now.path, "-") == 0)
		return EXIT_OK;
	if (is_no_file(path)) {
		f = fopen(path, "we");
	} else if (resolve(real, path) == 0) {
		if ((code = allowed(path, real, own)) != EXIT_OK)
			return code;
		f = begin_file(real);
	}
	if (f == NULL) {
		code = unwritten(path, strerror(errno));
		release();
		return code;
	}
	out_to(f);
	return EXIT_OK;
}

/* The new one gets the mode and, where we may give it away, the owner of the old one. */
static int finish(void)
{
	mode_t mask = umask(0);
	int fd = now.fd;

	(void)umask(mask);
	if (now.old.st_mode != 0 && fchown(fd, now.old.st_uid, now.old.st_gid) != 0 && errno != EPERM)
		return -1;
	now.fd = -1;
	return durable_commit(fd, now.dir, now.tmp, now.name, now.old.st_mode != 0 ? now.old.st_mode & 0777 : 0666 & ~mask);
}

int out_file_end(int good)
{
	const char *why = !good ? NULL : fflush(stdout) != 0 ? strerror(errno) : ferror(stdout) ? strerror(EIO) : NULL;
	FILE *f = stdout;

	if (f != now.was) {
		stdout = now.was;
		if (fclose(f) != 0 && good && why == NULL)
			why = strerror(errno);
		if (good && why == NULL && now.fd >= 0 && finish() != 0)
			why = strerror(errno);
		release();
	}
	return why == NULL ? EXIT_OK : unwritten(now.path, why);
}
