/* keyfile.c - reading keys (keyfile.h).  Writing is in keyfile_write.c. */
#include "host/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium/utils.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/hex.h"
#include "host/conf.h"
#include "host/exits.h"
#include "host/log.h"

enum { B64_LEN = 44 /* 32 bytes, with padding */ };

/* What a key file says; lives in crypto_secret_alloc() memory. */
struct content {
	int want_secret;
	enum party_role role;
	uint8_t ed25519[32];
	uint8_t x25519[32];
	uint8_t fingerprint[HASH_LEN]; /* of a public one */
};

static void *section(void *config, const char *kind, const char *name, const char **why)
{
	struct content *c = config;

	(void)kind; /* "katamichi": the reader knows no other */
	if (strcmp(name, c->want_secret ? "secret key" : "public key") == 0)
		return c;
	if (strcmp(name, "secret key") == 0)
		*why = "is a secret key, which stays where it was made; a public one (NAME.pub) is needed here";
	else if (strcmp(name, "public key") == 0)
		*why = "is a public key; the secret one (NAME.key) is needed here";
	else
		*why = "is unknown";
	return NULL;
}

static int parse_role(void *object, const char *value, const char **why)
{
	struct content *c = object;

	c->role = strcmp(value, "sender") == 0 ? PARTY_SENDER : strcmp(value, "receiver") == 0 ? PARTY_RECEIVER : 0;
	*why = "is neither sender nor receiver";
	return c->role != 0 ? 0 : -1;
}

static int parse_created(void *object, const char *value, const char **why)
{
	(void)object; /* for people; keys have no other use of it yet */
	*why = "is not a time such as 2026-11-21T02:26:03Z";
	return strlen(value) == 20 && value[19] == 'Z' ? 0 : -1;
}

static int base64_32(uint8_t out[static 32], const char *value, const char **why)
{
	size_t n = 0;

	*why = "is not the base64 of 32 bytes";
	return strlen(value) == B64_LEN && sodium_base642bin(out, 32, value, B64_LEN, NULL, &n, NULL,
	    sodium_base64_VARIANT_ORIGINAL) == 0 && n == 32 ? 0 : -1;
}

static int parse_ed25519(void *object, const char *value, const char **why)
{
	return base64_32(((struct content *)object)->ed25519, value, why);
}

static int parse_x25519(void *object, const char *value, const char **why)
{
	return base64_32(((struct content *)object)->x25519, value, why);
}

static int parse_fingerprint(void *object, const char *value, const char **why)
{
	*why = "is not 64 small hexadecimal digits";
	return hex_get(((struct content *)object)->fingerprint, HASH_LEN, value, strlen(value));
}

#define CUSTOM(k, f) {.section = "katamichi ", .key = k, .type = CONF_CUSTOM, .required = 1, .parse = f}
static const struct conf_key secret_keys[] = {
	CUSTOM("role", parse_role), CUSTOM("created", parse_created), CUSTOM("ed25519", parse_ed25519),
	CUSTOM("x25519", parse_x25519),
};
static const struct conf_key public_keys[] = {
	CUSTOM("role", parse_role), CUSTOM("created", parse_created), CUSTOM("ed25519", parse_ed25519),
	CUSTOM("x25519", parse_x25519), CUSTOM("fingerprint", parse_fingerprint),
};

/* May it be this user's?  Root, who operates a service, reads the keys that the service has in its own directory. */
static int owner_ok(const char *path, uid_t owner)
{
	char dir[PATH_MAX];
	const char *end = strrchr(path, '/');
	struct stat st;

	if (owner == geteuid() || owner == 0)
		return 1;
	if (geteuid() != 0 || (size_t)snprintf(dir, sizeof(dir), "%.*s/", end != NULL ? (int)(end - path) : 1, end != NULL ? path : ".") >=
	    sizeof(dir))
		return 0;
	return stat(dir, &st) == 0 && st.st_uid == owner;
}

/* The messages of a file that is there but must not be trusted. */
static int check_file(const char *path, const struct stat *st, int secret)
{
	unsigned mode = st->st_mode & 07777;

	if (!S_ISREG(st->st_mode)) {
		log_error("%s: not a regular file", path);
		return -1;
	}
	if (secret && !owner_ok(path, st->st_uid)) {
		log_error("%s: belongs to user %u, who could read and change the secret key; run: chown %u %s", path,
		    (unsigned)st->st_uid, (unsigned)geteuid(), path);
		return -1;
	}
	if (secret && (mode & 077) != 0) {
		log_error("%s: mode %04o lets others %s the secret key; run: chmod 600 %s", path, mode,
		    (mode & 044) != 0 ? "read" : "use", path);
		return -1;
	}
	if ((mode & 022) != 0) {
		log_error("%s: mode %04o lets others put in a key of their own; run: chmod go-w %s", path, mode, path);
		return -1;
	}
	return 0;
}

/* Descriptor, or -1 after a message.  O_NONBLOCK: a FIFO must not hold us up. */
static int open_key(const char *path, int secret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 && errno == ELOOP)
		log_error("%s: is a symbolic link; name the key file itself", path);
	else if (fd < 0 && errno == ENOENT)
		log_error("%s: there is no such key file; make keys with: katamichi keygen sender|receiver DIR", path);
	else if (fd < 0 || fstat(fd, &st) != 0)
		log_error("%s: cannot read the key: %m", path);
	else if (check_file(path, &st, secret) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static const char *role_name(enum party_role role)
{
	return role == PARTY_SENDER ? "sender" : "receiver";
}

/* Open, check and parse; 0 or EXIT_KEYS. */
static int read_content(struct content *c, const char *path, int secret, enum party_role role)
{
	static const char *const required[] = {"katamichi ", NULL};
	const struct conf_schema schema = {
		.key = secret ? secret_keys : public_keys,
		.keys = secret ? sizeof(secret_keys) / sizeof(secret_keys[0]) : sizeof(public_keys) / sizeof(public_keys[0]),
		.section = section, .config = c, .required = required,
	};
	int fd = open_key(path, secret);

	if (fd < 0)
		return EXIT_KEYS;
	c->want_secret = secret;
	int r = conf_read(&schema, path, fd);

	(void)close(fd);
	if (r != 0)
		return EXIT_KEYS;
	if (role != KEYFILE_ANY && c->role != role) {
		log_error("%s: is the key of a %s; a %s's is needed here", path, role_name(c->role), role_name(role));
		return EXIT_KEYS;
	}
	return 0;
}

int keyfile_read_secret(struct party_secret *s, const char *path, enum party_role role)
{
	struct content *c = crypto_secret_alloc(sizeof(*c));
	int r;

	if (c == NULL) {
		log_error("%s: there is not enough memory for a secret key", path);
		return EXIT_KEYS;
	}
	r = read_content(c, path, 1, role);
	if (r == 0) {
		s->pub.role = c->role;
		crypto_sign_keypair_seed(s->pub.sign, s->sign, c->ed25519);
		memcpy(s->dh, c->x25519, KEY_LEN);
		crypto_dh_public(s->pub.dh, s->dh);
		party_finish(&s->pub);
	}
	crypto_secret_free(c);
	return r;
}

int keyfile_read_public(struct party *p, const char *path, enum party_role role)
{
	struct content c = {0};
	int r = read_content(&c, path, 0, role);

	if (r != 0)
		return r;
	p->role = c.role;
	memcpy(p->sign, c.ed25519, SIGN_PUBLIC_LEN);
	memcpy(p->dh, c.x25519, KEY_LEN);
	party_finish(p);
	if (memcmp(p->fingerprint, c.fingerprint, HASH_LEN) != 0) {
		log_error("%s: the fingerprint is not that of the keys: the file is damaged or was changed; copy it again", path);
		return EXIT_KEYS;
	}
	return 0;
}

int keyfile_read_psk(uint8_t psk[static KEY_LEN], const char *path)
{
	char text[2 * KEY_LEN + 2];
	int fd = open_key(path, 1), r = EXIT_KEYS;
	ssize_t n;

	if (fd < 0)
		return EXIT_KEYS;
	n = read(fd, text, sizeof(text));
	(void)close(fd);
	if (n == 2 * KEY_LEN + 1 && text[n - 1] == '\n')
		n--;
	if (n == 2 * KEY_LEN && hex_get(psk, KEY_LEN, text, (size_t)n) == 0)
		r = 0;
	else
		log_error("%s: a pre-shared key is one line of 64 small hexadecimal digits; make one with: "
		    "openssl rand -hex 32", path);
	crypto_wipe(text, sizeof(text));
	return r;
}
