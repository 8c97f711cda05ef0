/* keyfile_write.c - writing keys (keyfile.h). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium/utils.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/hex.h"
#include "host/clock.h"
#include "host/durable.h"
#include "host/exits.h"
#include "host/keyfile.h"
#include "host/log.h"

enum { FILES = 4, TEXT_MAX = 512, B64_SIZE = 45 };

/* All that is written; lives in crypto_secret_alloc() memory. */
struct output {
	struct {
		char name[NAME_MAX + 1];
		unsigned mode;
		char text[TEXT_MAX];
	} file[FILES];
	char b64[2][B64_SIZE];
};

void keyfile_pem(char out[static 128], const uint8_t pub[static 32], int x25519)
{
	/* SEQUENCE { SEQUENCE { OID 1.3.101.112 or .110 }, BIT STRING } (RFC 8410) */
	uint8_t der[12 + 32] = {0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00};
	char b64[sodium_base64_ENCODED_LEN(sizeof(der), sodium_base64_VARIANT_ORIGINAL)];

	if (x25519)
		der[8] = 0x6E;
	memcpy(der + 12, pub, 32);
	sodium_bin2base64(b64, sizeof(b64), der, sizeof(der), sodium_base64_VARIANT_ORIGINAL);
	(void)snprintf(out, 128, "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n", b64);
}

/* The text of a key file, either half. */
static void put_text(struct output *o, unsigned i, const char *half, const struct party *pub, const char *created,
    const uint8_t *ed25519, const uint8_t *x25519, const char *last_line)
{
	sodium_bin2base64(o->b64[0], B64_SIZE, ed25519, 32, sodium_base64_VARIANT_ORIGINAL);
	sodium_bin2base64(o->b64[1], B64_SIZE, x25519, 32, sodium_base64_VARIANT_ORIGINAL);
	(void)snprintf(o->file[i].text, TEXT_MAX, "[katamichi %s key]\nrole = %s\ncreated = %s\ned25519 = %s\nx25519 = %s\n%s",
	    half, pub->role == PARTY_SENDER ? "sender" : "receiver", created, o->b64[0], o->b64[1], last_line);
}

static void prepare(struct output *o, const struct party_secret *s, const char *name)
{
	static const char *const suffix[FILES] = {".key", ".pub", "-ed25519.pem", "-x25519.pem"};
	char created[21], hex[2 * HASH_LEN + 1], last[sizeof(hex) + 32];

	for (unsigned i = 0; i < FILES; i++) {
		(void)snprintf(o->file[i].name, sizeof(o->file[i].name), "%s%s", name, suffix[i]);
		o->file[i].mode = i == 0 ? 0600 : 0644;
	}
	clock_iso(created, clock_wall_ms() / 1000);
	hex_put(hex, s->pub.fingerprint, HASH_LEN);
	(void)snprintf(last, sizeof(last), "fingerprint = %s\n", hex);
	put_text(o, 0, "secret", &s->pub, created, s->sign, s->dh, ""); /* the seed is the first half */
	put_text(o, 1, "public", &s->pub, created, s->pub.sign, s->pub.dh, last);
	keyfile_pem(o->file[2].text, s->pub.sign, 0);
	keyfile_pem(o->file[3].text, s->pub.dh, 1);
}

/* A service reads its own keys or root's by their owner (keyfile.h): what root makes in its directory belongs to it. */
static int give_to_owner(int fd, int dirfd)
{
	struct stat dir;

	if (geteuid() != 0)
		return 0;
	return fstat(dirfd, &dir) == 0 && fchown(fd, dir.st_uid, dir.st_gid) == 0 ? 0 : -1;
}

/* 0, or -1 with errno; O_EXCL: never over another file, never through a link. */
static int write_file(int dirfd, const char *name, const char *text, unsigned mode)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	int r = durable_write_all(fd, text, strlen(text)) == 0 && give_to_owner(fd, dirfd) == 0 && fchmod(fd, (mode_t)mode) == 0 &&
	    fsync(fd) == 0 ? 0 : -1;
	int kept = errno;

	(void)close(fd);
	if (r != 0)
		(void)unlinkat(dirfd, name, 0);
	errno = kept;
	return r;
}

/* All four files or none. */
static int write_all(int dirfd, const char *dir, const struct output *o)
{
	unsigned i;

	for (i = 0; i < FILES; i++)
		if (faccessat(dirfd, o->file[i].name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
			log_error("%s/%s: exists; keys are never overwritten: choose another directory or --name", dir,
			    o->file[i].name);
			return EXIT_KEYS;
		}
	for (i = 0; i < FILES; i++)
		if (write_file(dirfd, o->file[i].name, o->file[i].text, o->file[i].mode) != 0)
			goto remove_written;
	if (fsync(dirfd) == 0)
		return 0;

remove_written:
	log_error("%s/%s: cannot write the key: %m", dir, o->file[i < FILES ? i : 0].name);
	while (i-- > 0)
		(void)unlinkat(dirfd, o->file[i].name, 0);
	return EXIT_KEYS;
}

int keyfile_write(const struct party_secret *s, const char *dir, const char *name)
{
	int dirfd = durable_open_dir(dir), r = EXIT_KEYS;
	struct output *o;

	if (dirfd < 0) {
		log_error("%s: cannot open the directory: %m", dir);
		return EXIT_KEYS;
	}
	if (*name == '\0' || *name == '.' || strchr(name, '/') != NULL || strlen(name) > NAME_MAX - 16) {
		log_error("%s: is no name for a key: no slash, no dot in front, at most %d bytes", name, NAME_MAX - 16);
		goto close_dir;
	}
	o = crypto_secret_alloc(sizeof(*o));
	if (o == NULL) {
		log_error("there is not enough memory for a secret key");
		goto close_dir;
	}
	prepare(o, s, name);
	r = write_all(dirfd, dir, o);
	crypto_secret_free(o);
close_dir:
	(void)close(dirfd);
	return r;
}
