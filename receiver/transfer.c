/* transfer.c - a transfer as it is built (transfer.h). */
#include "receiver/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/durable.h"
#include "host/log.h"
#include "receiver/reserve.h"

enum {
	MODE_BUILDING = 0700,
	MODE_DIR = 0750,
	MODE_FILE = 0640,
	LOOK = 8 << 20, /* bytes between two looks at the free space */
};

static void trouble(struct transfer *t)
{
	if (t->error == 0)
		t->error = errno != 0 ? errno : EIO;
}

/* Is only the reserve left, or would be after so many bytes more? */
static bool no_room(struct transfer *t, uint64_t more)
{
	if (!reserve_reached(t->work_fd, RESERVE_BUILDING, more))
		return false;
	errno = ENOSPC;
	trouble(t);
	return true;
}

static bool over(const struct transfer *t)
{
	return t->error != 0 || t->reason[0] != '\0';
}

void transfer_refuse(struct transfer *t, const char *fmt, ...)
{
	va_list ap;

	if (t->reason[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(t->reason, sizeof(t->reason), fmt, ap);
	va_end(ap);
}

static int make_dir(int parent, const char *name)
{
	int fd;

	if (mkdirat(parent, name, MODE_BUILDING) != 0)
		return -1;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd;
}

void transfer_begin(struct transfer *t, int work_fd, const char *name, struct outfile *out)
{
	memset(t, 0, sizeof(*t));
	t->work_fd = work_fd;
	t->out = out;
	t->dir = t->files = t->fd = -1;
	snprintf(t->name, sizeof(t->name), "%s", name);
	manifest_init(&t->found);
	if (no_room(t, 0))
		return;
	if (durable_remove_tree(work_fd, t->name) != 0 || (t->dir = make_dir(work_fd, t->name)) < 0 ||
	    (t->files = make_dir(t->dir, "files")) < 0)
		trouble(t);
}

void transfer_close(struct transfer *t)
{
	if (t->fd < 0)
		return;
	outfile_abort(t->out); /* nothing if it was ended */
	if (close(t->fd) != 0)
		trouble(t);
	t->fd = -1;
}

void transfer_file(struct transfer *t, const uint8_t *name, size_t n, uint64_t size)
{
	char path[NAME_MAX_LEN + 1];
	enum name_err e = name_check(name, n);

	if (over(t))
		return;
	if (e != NAME_OK) {
		transfer_refuse(t, "%s", name_strerror(e));
		return;
	}
	if (size >= LOOK && no_room(t, size)) /* now: a disk that is filled in vain, again and again, takes nothing of others meanwhile */
		return;
	transfer_close(t);
	memcpy(path, name, n);
	path[n] = '\0';
	memcpy(t->file_name, name, n);
	t->file_name_len = n;
	t->file_size = size;
	t->file_have = t->file_looked = 0;
	t->fd = openat(t->files, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE_FILE);
	if (t->fd < 0)
		trouble(t);
	else
		outfile_begin(t->out, t->fd, size);
}

void transfer_data(struct transfer *t, const uint8_t *data, size_t n)
{
	if (over(t))
		return;
	if (t->fd < 0 || n > t->file_size - t->file_have) {
		transfer_refuse(t, "more data than the file's size");
		return;
	}
	if ((errno = outfile_write(t->out, data, n)) != 0) {
		trouble(t);
		return;
	}
	t->file_have += n;
	if (t->file_have - t->file_looked >= LOOK) {
		t->file_looked = t->file_have;
		(void)no_room(t, 0);
	}
}

static void add_word(struct transfer *t, char **to, const char *between, const char *word)
{
	char *both;

	if (asprintf(&both, "%s%s%s", *to, between, word) < 0) {
		trouble(t);
		return;
	}
	free(*to);
	*to = both;
}

void transfer_bad_file(struct transfer *t, uint32_t file, const char *checks, const char *reason)
{
	struct transfer_bad *b;

	for (uint32_t i = 0; i < t->bads; i++)
		if (t->bad[i].file == file) {
			add_word(t, &t->bad[i].checks, " ", checks);
			add_word(t, &t->bad[i].reason, "; ", reason);
			return;
		}
	if (t->bads == t->bad_room) {
		uint32_t room = t->bad_room * 2 + 4;
		if ((b = realloc(t->bad, room * sizeof(*b))) == NULL) {
			trouble(t);
			return;
		}
		t->bad = b;
		t->bad_room = room;
	}
	b = &t->bad[t->bads++];
	*b = (struct transfer_bad){ file, strdup(checks), strdup(reason) };
	if (b->checks == NULL || b->reason == NULL)
		trouble(t);
}

void transfer_bad(struct transfer *t, const char *checks, const char *reason)
{
	if (!over(t))
		transfer_bad_file(t, t->found.file_count, checks, reason);
}

enum { SHOWN = 160 };

static const char *shown(char out[static SHOWN], const struct transfer *t)
{
	return log_show(out, SHOWN, t->file_name, t->file_name_len);
}

void transfer_file_end(struct transfer *t, const uint8_t sha256[static HASH_LEN])
{
	uint8_t mine[HASH_LEN];
	char name[SHOWN];

	if (over(t))
		return;
	if (t->fd >= 0 && (errno = outfile_end(t->out, mine)) != 0) {
		trouble(t);
		return;
	}
	if (t->fd < 0 || t->file_have != t->file_size)
		transfer_refuse(t, "%s has not as many bytes as was said", shown(name, t));
	else if (memcmp(mine, sha256, HASH_LEN) != 0)
		transfer_refuse(t, "%s does not have the SHA-256 that its record says", shown(name, t));
	else if (manifest_add(&t->found, t->file_name, t->file_name_len, t->file_size, mine) != 0)
		transfer_refuse(t, "%s is out of order, or one file too many", shown(name, t));
	t->bytes += t->file_size;
	transfer_close(t);
}

void transfer_manifest(struct transfer *t, const uint8_t *data, size_t n)
{
	uint8_t *p;

	if (t->error != 0 || n == 0) /* also of a refused one: it says which number this is */
		return;
	if (n > RECORD_MANIFEST_MAX - t->manifest_len) {
		transfer_refuse(t, "the manifest is over 4 MiB");
		return;
	}
	if (t->manifest_len + n > t->manifest_room) {
		t->manifest_room = t->manifest_room * 2 + n;
		if ((p = realloc(t->manifest, t->manifest_room)) == NULL) {
			trouble(t);
			return;
		}
		t->manifest = p;
	}
	memcpy(t->manifest + t->manifest_len, data, n);
	t->manifest_len += n;
}

void transfer_signature(struct transfer *t, const uint8_t *sig, size_t n)
{
	if (t->error != 0)
		return;
	if (n != SIGN_LEN || t->has_signature) {
		transfer_refuse(t, "the manifest's signature is malformed");
		return;
	}
	memcpy(t->signature, sig, SIGN_LEN);
	t->has_signature = true;
}

void transfer_put(struct transfer *t, const char *name, const void *data, size_t n)
{
	int fd;

	if (t->error != 0)
		return;
	fd = openat(t->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE_FILE);
	if (fd < 0) {
		trouble(t);
		return;
	}
	if (durable_write_all(fd, data, n) != 0)
		trouble(t);
	if (close(fd) != 0)
		trouble(t);
}

int transfer_open_modes(struct transfer *t)
{
	if (t->error == 0 && (fchmod(t->files, MODE_DIR) != 0 || fchmod(t->dir, MODE_DIR) != 0))
		trouble(t);
	return t->error == 0 ? 0 : -1;
}

static void sync_one(struct transfer *t, struct syncs *syncs, int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		trouble(t);
	else
		syncs_add(syncs, fd, true, &t->error);
}

void transfer_sync(struct transfer *t, struct syncs *syncs)
{
	static const char *const beside[] = { "MANIFEST.json", "MANIFEST.json.sig", "SHA256SUMS" };
	char path[NAME_MAX_LEN + 1];

	if (transfer_open_modes(t) != 0)
		return;
	for (uint32_t i = 0; i < t->found.file_count; i++) {
		memcpy(path, t->found.file[i].name, t->found.file[i].name_len);
		path[t->found.file[i].name_len] = '\0';
		sync_one(t, syncs, t->files, path);
	}
	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++)
		sync_one(t, syncs, t->dir, beside[i]);
	syncs_add(syncs, t->files, false, &t->error);
	syncs_add(syncs, t->dir, false, &t->error);
}

void transfer_end(struct transfer *t)
{
	transfer_close(t);
	if (t->files >= 0)
		close(t->files);
	if (t->dir >= 0)
		close(t->dir);
	t->files = t->dir = -1;
	manifest_free(&t->found);
	free(t->manifest);
	t->manifest = NULL;
	for (uint32_t i = 0; i < t->bads; i++) {
		free(t->bad[i].checks);
		free(t->bad[i].reason);
	}
	free(t->bad);
	t->bad = NULL;
	t->bads = t->bad_room = 0;
}

void transfer_remove(struct transfer *t)
{
	transfer_end(t);
	if (durable_remove_tree(t->work_fd, t->name) != 0)
		log_warn("work/%s: cannot be removed: %s; the next start tries again", t->name, strerror(errno));
}
