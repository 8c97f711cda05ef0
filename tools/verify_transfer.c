/* verify_transfer.c - see verify_transfer.h */
#include "tools/verify_transfer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/durable.h"
#include "host/i18n.h"
#include "host/reason.h"
#include "tools/verify_notes.h"

enum { CHUNK = 1 << 20 /* bytes read at a time */ };

static void find(struct verify *v, enum verify_what what, const void *name, size_t n, const char *why)
{
	v->findings++;
	v->found(v->ctx, what, name, n, why);
}

static void find_named(struct verify *v, enum verify_what what, const char *name, const char *why)
{
	find(v, what, name, strlen(name), why);
}

/* A regular file below dirfd, or -1 after a finding.  O_NONBLOCK: a FIFO must not hold us up. */
static int open_file(struct verify *v, int dirfd, const char *name, const void *shown, size_t n, struct stat *st)
{
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0 && fstat(fd, st) == 0 && S_ISREG(st->st_mode))
		return fd;
	if (fd < 0 && errno == ENOENT)
		find(v, VERIFY_MISSING, shown, n, NULL);
	else if (fd < 0 && errno != ELOOP && errno != ENXIO)
		find(v, VERIFY_UNREADABLE, shown, n, reason_errno(errno));
	else
		find(v, VERIFY_KIND, shown, n, N_("not a regular file"));
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static ssize_t read_again(int fd, void *buf, size_t n)
{
	ssize_t r;

	do
		r = read(fd, buf, n);
	while (r < 0 && errno == EINTR);
	return r;
}

/* A small file whole, malloc'd with one byte to spare; NULL after a finding. */
static char *slurp(struct verify *v, int dirfd, const char *name, size_t max, size_t *n)
{
	struct stat st;
	int fd = open_file(v, dirfd, name, name, strlen(name), &st);
	char *b = NULL;
	ssize_t r = 0;

	if (fd < 0)
		return NULL;
	*n = 0;
	if (st.st_size > (off_t)max)
		find_named(v, VERIFY_CHANGED, name, N_("larger than it can be"));
	else if ((b = malloc(max + 1)) == NULL)
		find_named(v, VERIFY_UNREADABLE, name, N_("not enough memory"));
	while (b != NULL && *n <= max && (r = read_again(fd, b + *n, max + 1 - *n)) > 0)
		*n += (size_t)r;
	if (b != NULL && (r < 0 || *n > max)) {
		find_named(v, VERIFY_UNREADABLE, name, r < 0 ? reason_errno(errno) : N_("it grows"));
		free(b);
		b = NULL;
	}
	(void)close(fd);
	return b;
}

/* Who signed these bytes?  Before anything of them is believed. */
static void check_signature(struct verify *v, int dirfd, const char *bytes, size_t n)
{
	size_t len;
	char *sig = slurp(v, dirfd, "MANIFEST.json.sig", SIGN_LEN, &len);

	if (sig == NULL)
		return;
	for (unsigned i = 0; len == SIGN_LEN && i < v->sender_count && v->sender == NULL; i++)
		if (crypto_verify_bare((const uint8_t *)sig, v->senders[i].sign, bytes, n) == 0)
			v->sender = &v->senders[i];
	free(sig);
	if (v->sender_count == 0)
		find_named(v, VERIFY_UNCHECKED, "MANIFEST.json.sig", NULL);
	else if (v->sender == NULL)
		find_named(v, VERIFY_SIGNATURE, "MANIFEST.json", NULL);
}

static void check_parties(struct verify *v)
{
	const struct manifest *m = &v->manifest;

	if (v->sender != NULL && memcmp(v->sender->fingerprint, m->sender, HASH_LEN) != 0)
		find_named(v, VERIFY_MALFORMED, "MANIFEST.json", N_("it names another sender than the one who signed it"));
	if (v->receiver != NULL && memcmp(v->receiver->fingerprint, m->receiver, HASH_LEN) != 0)
		find_named(v, VERIFY_OTHER_SITE, "MANIFEST.json", NULL);
}

static void check_manifest(struct verify *v, int dirfd)
{
	const char *why = NULL;
	size_t n;
	char *bytes = slurp(v, dirfd, "MANIFEST.json", RECORD_MANIFEST_MAX, &n);

	if (bytes == NULL)
		return;
	unsigned before = v->findings;

	crypto_sha256(v->hash, bytes, n);
	check_signature(v, dirfd, bytes, n);
	/* Not signed by a pinned sender: what it says is nobody's word.  Without any key it is still compared with the files. */
	if (v->findings == before || v->sender_count == 0) {
		if (manifest_read(&v->manifest, bytes, n, &why) == 0) {
			v->read_manifest = 1;
			check_parties(v);
		} else {
			find_named(v, VERIFY_MALFORMED, "MANIFEST.json", why);
		}
	}
	free(bytes);
}

static void check_sums(struct verify *v, int dirfd)
{
	size_t want, n;
	char *sums = manifest_sums(&v->manifest, &want), *is;

	if (sums == NULL) {
		find_named(v, VERIFY_UNREADABLE, "SHA256SUMS", N_("not enough memory"));
		return;
	}
	is = slurp(v, dirfd, "SHA256SUMS", RECORD_MANIFEST_MAX, &n);
	if (is != NULL && (n != want || memcmp(is, sums, n) != 0))
		find_named(v, VERIFY_CHANGED, "SHA256SUMS", NULL);
	free(is);
	free(sums);
}

/* SHA-256 of what can be read of fd; -1 with errno. */
static int hash_file(struct verify *v, int fd, uint64_t size, uint8_t out[static HASH_LEN], uint64_t *done)
{
	struct crypto_hasher *h = crypto_hasher_new();
	uint8_t *buf = malloc(CHUNK);
	uint64_t left = size;
	ssize_t r = h == NULL || buf == NULL ? -1 : 1;

	/* As many bytes as were signed and no more: a file that grows does not keep us. */
	while (r > 0 && left > 0 && (r = read_again(fd, buf, left < CHUNK ? (size_t)left : CHUNK)) > 0) {
		crypto_hasher_add(h, buf, (size_t)r);
		left -= (uint64_t)r;
		*done += (uint64_t)r;
		if (v->progress != NULL)
			v->progress(v->ctx, *done, v->bytes);
	}
	if (r >= 0)
		crypto_hasher_end(h, out);
	int kept = errno;

	crypto_hasher_free(h);
	free(buf);
	errno = kept;
	return r >= 0 ? 0 : -1;
}

/* A note says that it is not here. */
static void check_away(struct verify *v, int files, const struct manifest_file *f, const char *path, size_t n, const char *reason)
{
	struct stat st;

	if (fstatat(files, path + sizeof("files/") - 1, &st, AT_SYMLINK_NOFOLLOW) == 0)
		find(v, VERIFY_EXTRA, path, n, N_("it is said not to be here"));
	else if (v->away == NULL || v->away(v->ctx, &v->manifest, v->hash, f->name, f->name_len, reason) != 0)
		find(v, VERIFY_NOT_HELD, path, n, reason);
	else if (reason != NULL)
		v->held++;
	else
		v->elsewhere++;
}

static void check_file(struct verify *v, int files, uint32_t index, const struct verify_notes *notes, uint64_t *done)
{
	const struct manifest_file *f = &v->manifest.file[index];
	static const char dir[] = "files/";
	char path[sizeof(dir) + NAME_MAX_LEN];
	size_t n = sizeof(dir) - 1 + f->name_len;
	uint8_t hash[HASH_LEN];
	struct stat st;

	/* name_check() has seen the name: no slash, no NUL, not "." or "..". */
	memcpy(path, dir, sizeof(dir) - 1);
	memcpy(path + sizeof(dir) - 1, f->name, f->name_len);
	path[n] = '\0';
	if (notes->away[index]) {
		check_away(v, files, f, path, n, notes->reason[index]);
		return;
	}
	int fd = open_file(v, files, path + sizeof(dir) - 1, path, n, &st);

	if (fd < 0)
		return;
	if ((uint64_t)st.st_size != f->size)
		find(v, VERIFY_CHANGED, path, n, N_("its size is another"));
	else if (hash_file(v, fd, f->size, hash, done) != 0)
		find(v, VERIFY_UNREADABLE, path, n, reason_errno(errno));
	else if (memcmp(hash, f->sha256, HASH_LEN) != 0)
		find(v, VERIFY_CHANGED, path, n, NULL);
	(void)close(fd);
}

static int in_manifest(const struct manifest *m, const char *name)
{
	return verify_notes_find(m, (const uint8_t *)name, strlen(name)) >= 0;
}

static int expected_beside(const char *name, const struct verify_notes *notes)
{
	return (notes->quarantine && strcmp(name, "QUARANTINE.json") == 0) || (notes->release && strcmp(name, "RELEASE.json") == 0) ||
	    strcmp(name, "files") == 0 || strcmp(name, "MANIFEST.json") == 0 || strcmp(name, "MANIFEST.json.sig") == 0 ||
	    strcmp(name, "SHA256SUMS") == 0;
}

/* What is there that should not be.  m: of files/; NULL: of the directory itself. */
static void find_extra(struct verify *v, int fd, const struct manifest *m, const struct verify_notes *notes)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = own >= 0 ? fdopendir(own) : NULL;
	char path[sizeof("files/") + NAME_MAX];
	struct dirent *e;

	if (d == NULL) {
		find_named(v, VERIFY_UNREADABLE, m != NULL ? "files" : ".", reason_errno(errno));
		if (own >= 0)
			(void)close(own);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (m != NULL ? in_manifest(m, e->d_name) : expected_beside(e->d_name, notes))
			continue;
		strcpy(path, m != NULL ? "files/" : "");
		strcat(path, e->d_name);
		find_named(v, VERIFY_EXTRA, path, NULL);
	}
	(void)closedir(d);
}

static void check_files(struct verify *v, int dirfd, const struct verify_notes *notes)
{
	int files = openat(dirfd, "files", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	uint64_t done = 0;

	if (files < 0) {
		int e = errno;

		find_named(v, e == ENOENT ? VERIFY_MISSING : e == ENOTDIR || e == ELOOP ? VERIFY_KIND : VERIFY_UNREADABLE, "files",
		    e == ENOENT ? NULL : e == ENOTDIR || e == ELOOP ? "not a directory" : reason_errno(e));
		return;
	}
	for (uint32_t i = 0; i < v->manifest.file_count; i++)
		v->bytes += v->manifest.file[i].size;
	for (uint32_t i = 0; i < v->manifest.file_count; i++)
		check_file(v, files, i, notes, &done);
	find_extra(v, files, &v->manifest, notes);
	(void)close(files);
}

/* All that the manifest tells to look at. */
static void check_rest(struct verify *v, int dirfd)
{
	struct verify_notes notes;
	const char *name = "", *why;

	if (verify_notes_read(&notes, dirfd, &v->manifest, v->hash, &name, &why) != 0)
		find_named(v, VERIFY_UNREADABLE, ".", N_("not enough memory"));
	else if (why[0] != '\0')
		find_named(v, VERIFY_MALFORMED, name, why);
	if (notes.away != NULL && notes.reason != NULL) {
		check_sums(v, dirfd);
		check_files(v, dirfd, &notes);
		find_extra(v, dirfd, NULL, &notes);
	}
	verify_notes_free(&notes, &v->manifest);
}

int verify_transfer(struct verify *v, const char *dir)
{
	int fd = durable_open_dir(dir);

	v->findings = 0;
	v->read_manifest = 0;
	v->sender = NULL;
	v->bytes = 0;
	v->held = v->elsewhere = 0;
	if (fd < 0)
		return -1;
	check_manifest(v, fd);
	if (v->read_manifest)
		check_rest(v, fd);
	(void)close(fd);
	return 0;
}
