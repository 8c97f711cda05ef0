/* claim.c - see claim.h. */
#include "sender/claim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/crypto.h"
#include "codec/hex.h"
#include "codec/record.h"
#include "host/durable.h"
#include "host/erase.h"
#include "host/i18n.h"
#include "host/log.h"

int claim_open(struct claim_folder *f, const char *path, const char *channel)
{
	f->path = path;
	f->channel = channel;
	f->taken = -1;
	f->folder = durable_open_dir(path);
	if (f->folder < 0)
		return -1;
	if (durable_mkdir(f->folder, ".taken", 0700) != 0 || durable_mkdir(f->folder, "refused", 0755) != 0)
		return -1;
	f->taken = openat(f->folder, ".taken", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return f->taken < 0 ? -1 : 0;
}

void claim_close(struct claim_folder *f)
{
	int *fd[2] = { &f->folder, &f->taken };

	for (unsigned i = 0; i < 2; i++) {
		if (*fd[i] >= 0)
			close(*fd[i]);
		*fd[i] = -1;
	}
}

enum { DIR_NAME = CLAIM_ID_LEN + 8 };
static const char suffix[] = ".sent";

/* What it is called in .taken. */
static const char *dir_name(const struct claim *c, char out[static DIR_NAME])
{
	snprintf(out, DIR_NAME, "%s%s", c->id, c->sent ? suffix : "");
	return out;
}

bool claim_named(const char *name)
{
	uint8_t raw[CLAIM_ID_LEN / 2];
	size_t n = strnlen(name, CLAIM_ID_LEN);

	return hex_get(raw, sizeof(raw), name, n) == 0 && (name[n] == '\0' || strcmp(name + n, suffix) == 0);
}

/* Reading a file of ours is nobody's business, and a time of access would have to be written down. */
static int open_plain(int dir, const char *name)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = openat(dir, name, flags | O_NOATIME);

	return fd >= 0 || errno != EPERM ? fd : openat(dir, name, flags); /* another's, and we may not */
}

int claim_hold(int dir, const char *name)
{
	int fd = open_plain(dir, name);

	/* A writer that opens it meanwhile waits until it is closed; the signal by which the kernel tells us is ignored. */
	if (fd < 0 || fcntl(fd, F_SETLEASE, F_RDLCK) == 0 || errno != EAGAIN)
		return fd;
	close(fd);
	errno = EAGAIN;
	return -1;
}

int claim_begin(struct claim *c, const struct claim_folder *f)
{
	uint8_t raw[CLAIM_ID_LEN / 2];

	memset(c, 0, sizeof(*c));
	crypto_random(raw, sizeof(raw));
	hex_put(c->id, raw, sizeof(raw));
	c->dir = -1;
	if (mkdirat(f->taken, c->id, 0700) != 0)
		return -1;
	/* Before any file is in it: whoever put a file in may sync the folder just
	 * after we took it; a power cut must then not leave it in a directory that has no name. */
	if (fsync(f->taken) != 0)
		goto remove;
	c->dir = openat(f->taken, c->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (c->dir >= 0)
		return 0;

remove:;
	int kept = errno;
	(void)unlinkat(f->taken, c->id, AT_REMOVEDIR);
	errno = kept;
	return -1;
}

static void note(struct claim_file *file, const struct stat *st)
{
	file->size = (uint64_t)st->st_size;
	file->mtime = st->st_mtim;
	file->ctime = st->st_ctim;
	file->ino = st->st_ino;
}

/* Before a file is moved: one that is in the claim and not in its list would be erased with it, unsent. */
static int room_for_one(struct claim *c)
{
	uint32_t room = c->room == 0 ? 16 : 2 * c->room;
	struct claim_file *more;

	if (c->count < c->room)
		return 0;
	more = realloc(c->file, room * sizeof(*more));
	if (more == NULL)
		return -1;
	c->file = more;
	c->room = room;
	return 0;
}

static void append(struct claim *c, const char *name, const struct stat *st)
{
	memset(&c->file[c->count], 0, sizeof(c->file[c->count]));
	strcpy(c->file[c->count].name, name);
	note(&c->file[c->count], st);
	c->bytes += c->file[c->count].size;
	c->count++;
}

int claim_take(struct claim *c, const struct claim_folder *f, const char *name, int fd)
{
	struct stat st;

	if (room_for_one(c) != 0 || renameat2(f->folder, name, c->dir, name, RENAME_NOREPLACE) != 0)
		return -1;
	/* Noted after the rename, which changes ctime itself. */
	if ((fd >= 0 ? fstat(fd, &st) : fstatat(c->dir, name, &st, AT_SYMLINK_NOFOLLOW)) != 0)
		return -1;
	append(c, name, &st);
	return 0;
}

void claim_keep(struct claim *c, int fd, struct kept_room *room)
{
	struct claim_file *file = &c->file[c->count - 1];
	size_t n = file->size <= KEPT_FILE_MAX ? (size_t)file->size : 0;
	uint8_t *bytes = n > 0 ? kept_take(&c->kept, room, n) : NULL;

	if (bytes != NULL && pread(fd, bytes, n, 0) == (ssize_t)n)
		file->bytes = bytes;
}

void claim_forget_kept(struct claim *c)
{
	for (uint32_t i = 0; i < c->count; i++)
		c->file[i].bytes = NULL;
	kept_end(&c->kept);
}

static int load_entry(struct claim *c, const struct claim_folder *f, const char *name)
{
	struct stat st;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (fstatat(c->dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	if (!S_ISREG(st.st_mode) || c->count == RECORD_FILES_MAX)
		return claim_refuse(f, c->dir, name, N_("it was found among the files being sent"), N_("put it in again"));
	if (room_for_one(c) != 0)
		return -1;
	append(c, name, &st);
	return 0;
}

int claim_load(struct claim *c, const struct claim_folder *f, const char *name)
{
	struct dirent *e;
	DIR *d;
	int fd;

	memset(c, 0, sizeof(*c));
	snprintf(c->id, sizeof(c->id), "%s", name);
	c->sent = strlen(name) > CLAIM_ID_LEN;
	c->dir = openat(f->taken, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (c->dir < 0)
		return -1;
	fd = openat(c->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while ((e = readdir(d)) != NULL)
		if (load_entry(c, f, e->d_name) != 0)
			break;
	closedir(d);
	if (fsync(f->taken) != 0) /* the run that made it may have died before */
		return -1;
	return e == NULL ? 0 : -1;
}

static bool is_noted(const struct claim_file *file, const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_nlink == 1 && st->st_ino == file->ino && (uint64_t)st->st_size == file->size &&
	    st->st_mtim.tv_sec == file->mtime.tv_sec && st->st_mtim.tv_nsec == file->mtime.tv_nsec &&
	    st->st_ctim.tv_sec == file->ctime.tv_sec && st->st_ctim.tv_nsec == file->ctime.tv_nsec;
}

bool claim_same(const struct claim_file *file, int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && is_noted(file, &st);
}

bool claim_still(const struct claim *c, uint32_t i)
{
	struct stat st;

	if (fstatat(c->dir, c->file[i].name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	errno = ESTALE;
	return is_noted(&c->file[i], &st);
}

int claim_reopen(const struct claim *c, uint32_t i)
{
	int fd = open_plain(c->dir, c->file[i].name);

	if (fd >= 0 && !claim_same(&c->file[i], fd)) {
		close(fd);
		errno = ESTALE;
		return -1;
	}
	return fd;
}

static void drop(struct claim *c, uint32_t i)
{
	c->bytes -= c->file[i].size;
	memmove(&c->file[i], &c->file[i + 1], (c->count - i - 1) * sizeof(c->file[0]));
	c->count--;
}

void claim_forget_refused(struct claim *c)
{
	for (uint32_t i = c->count; i-- > 0;)
		if (c->file[i].refused)
			drop(c, i);
}

/* "report.csv" and 2 make "report.2.csv": what follows the last dot stays the type. */
static void numbered(char *out, size_t size, const char *name, unsigned i)
{
	const char *dot = strrchr(name, '.');
	char tail[16];
	int n = snprintf(tail, sizeof(tail), ".%u", i);
	size_t stem = dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name);
	size_t end = strlen(name) - stem;

	if (stem + end + (size_t)n >= size) /* shortened to what a directory takes */
		stem = end + (size_t)n < size ? size - 1 - end - (size_t)n : 0;
	snprintf(out, size, "%.*s%s%s", (int)stem, name, tail, stem > 0 ? name + strlen(name) - end : "");
}

int claim_back(struct claim *c, const struct claim_folder *f, uint32_t i)
{
	char name[NAME_MAX_LEN + 1];

	strcpy(name, c->file[i].name);
	for (unsigned k = 1; renameat2(c->dir, c->file[i].name, f->folder, name, RENAME_NOREPLACE) != 0; k++) {
		if (errno == ENOENT)
			break; /* taken away meanwhile: nothing to put back */
		if (errno != EEXIST || k > 10000)
			return -1;
		numbered(name, sizeof(name), c->file[i].name, k);
	}
	drop(c, i);
	return 0;
}

void claim_sync(const struct claim *c, const struct claim_folder *f, struct syncs *syncs, int *error)
{
	syncs_add(syncs, c->dir, false, error);
	syncs_add(syncs, f->folder, false, error); /* its own name was made durable first of all */
}

void claim_sent(struct claim *c, const struct claim_folder *f)
{
	char to[DIR_NAME];

	if (c->sent)
		return;
	c->sent = true;
	if (renameat2(f->taken, c->id, f->taken, dir_name(c, to), RENAME_NOREPLACE) != 0)
		c->sent = false;
}

/* A large one goes piece by piece; of a small one nothing has to be asked. */
static int erase_one(const struct claim *c, const struct claim_file *file)
{
	return file->size <= KEPT_FILE_MAX ? unlinkat(c->dir, file->name, 0) : erase_file(c->dir, file->name);
}

int claim_erase(struct claim *c, const struct claim_folder *f)
{
	char name[DIR_NAME];

	for (uint32_t i = 0; i < c->count; i++)
		if (erase_one(c, &c->file[i]) != 0 && errno != ENOENT)
			return -1;
	c->count = 0;
	return unlinkat(f->taken, dir_name(c, name), AT_REMOVEDIR);
}

void claim_end(struct claim *c, const struct claim_folder *f)
{
	char name[DIR_NAME];

	if (c->dir >= 0) {
		close(c->dir);
		if (unlinkat(f->taken, dir_name(c, name), AT_REMOVEDIR) != 0 && errno != ENOENT && errno != ENOTEMPTY &&
		    errno != EEXIST)
			log_warn("%s: .taken/%s: %s", f->path, name, strerror(errno));
	}
	kept_end(&c->kept);
	free(c->file);
	memset(c, 0, sizeof(*c));
	c->dir = -1;
}
