/* keyfile.h: what was written is read again; everything else about a key file is refused with a reason. */
#include "tests/unit/vectors.h"

#include <errno.h>
#include <fcntl.h>

#include "host/exits.h"
#include "host/keyfile.h"
#include "host/log.h"
#include "tests/unit/tmpdir.h"

static struct party_secret *made;
static char last_error[4096]; /* what was logged by the call before */

static int quiet(int (*call)(const char *path, enum party_role role), const char *path, enum party_role role)
{
	int kept = dup(2), out = open(tmpdir_path("log"), O_RDWR | O_CREAT | O_TRUNC, 0600);

	(void)fflush(stderr);
	(void)dup2(out, 2);
	int r = call(path, role);

	(void)fflush(stderr);
	(void)dup2(kept, 2);
	ssize_t n = pread(out, last_error, sizeof(last_error) - 1, 0);

	last_error[n > 0 ? n : 0] = '\0';
	(void)close(out);
	(void)close(kept);
	return r;
}

static int call_secret(const char *path, enum party_role role)
{
	struct party_secret *s = crypto_secret_alloc(sizeof(*s));
	int r = keyfile_read_secret(s, path, role);

	if (r == 0 && memcmp(s, made, sizeof(*s)) != 0)
		r = -100;
	crypto_secret_free(s);
	return r;
}

static int call_public(const char *path, enum party_role role)
{
	struct party p;
	int r = keyfile_read_public(&p, path, role);

	if (r == 0 && memcmp(p.fingerprint, made->pub.fingerprint, HASH_LEN) != 0)
		r = -100;
	return r;
}

static int call_psk(const char *path, enum party_role role)
{
	uint8_t psk[KEY_LEN];
	int r = keyfile_read_psk(psk, path);

	(void)role;
	return r == 0 && (psk[0] != 0x00 || psk[31] != 0x1F) ? -100 : r;
}

static int call_write(const char *path, enum party_role role)
{
	(void)role;
	return keyfile_write(made, tmpdir, path);
}

/* One line that has all of these words. */
static void said(const char *a, const char *b)
{
	if (strstr(last_error, a) == NULL || strstr(last_error, b) == NULL)
		fail_msg("the message is: %s", last_error);
	assert_int_equal(strchr(last_error, '\n') - last_error + 1, (ptrdiff_t)strlen(last_error));
}

static int write_keys(void **state)
{
	if (tmpdir_make(state) != 0)
		return -1;
	return keyfile_write(made, tmpdir, "k");
}

static void round_trip(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(call_secret(tmpdir_path("k.key"), PARTY_SENDER), 0);
	assert_int_equal(call_secret(tmpdir_path("k.key"), KEYFILE_ANY), 0);
	assert_int_equal(call_public(tmpdir_path("k.pub"), PARTY_SENDER), 0);
	assert_int_equal(stat(tmpdir_path("k.key"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(tmpdir_path("k.pub"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void wrong_role_or_half(void **state)
{
	(void)state;
	assert_int_equal(quiet(call_secret, tmpdir_path("k.key"), PARTY_RECEIVER), EXIT_KEYS);
	said("k.key", "is the key of a sender");
	assert_int_equal(quiet(call_public, tmpdir_path("k.pub"), PARTY_RECEIVER), EXIT_KEYS);
	said("k.pub", "receiver");
	assert_int_equal(quiet(call_public, tmpdir_path("k.key"), PARTY_SENDER), EXIT_KEYS);
	said("k.key:1", "secret key");
	assert_int_equal(chmod(tmpdir_path("k.pub"), 0600), 0);
	assert_int_equal(quiet(call_secret, tmpdir_path("k.pub"), PARTY_SENDER), EXIT_KEYS);
	said("k.pub:1", "public key");
	assert_int_equal(chmod(tmpdir_path("k.pub"), 0644), 0);
}

static void modes(void **state)
{
	static const unsigned secret_bad[] = {0640, 0604, 0620, 0602, 0610, 0601, 0644, 0666, 0777};
	static const unsigned public_bad[] = {0664, 0646, 0666};

	(void)state;
	for (size_t i = 0; i < sizeof(secret_bad) / sizeof(secret_bad[0]); i++) {
		assert_int_equal(chmod(tmpdir_path("k.key"), (mode_t)secret_bad[i]), 0);
		assert_int_equal(quiet(call_secret, tmpdir_path("k.key"), PARTY_SENDER), EXIT_KEYS);
		said("run: chmod 600", "k.key: mode 0");
	}
	assert_int_equal(chmod(tmpdir_path("k.key"), 0400), 0);
	assert_int_equal(call_secret(tmpdir_path("k.key"), PARTY_SENDER), 0);
	assert_int_equal(chmod(tmpdir_path("k.key"), 0600), 0);
	for (size_t i = 0; i < sizeof(public_bad) / sizeof(public_bad[0]); i++) {
		assert_int_equal(chmod(tmpdir_path("k.pub"), (mode_t)public_bad[i]), 0);
		assert_int_equal(quiet(call_public, tmpdir_path("k.pub"), PARTY_SENDER), EXIT_KEYS);
		said("run: chmod go-w", "k.pub");
	}
	assert_int_equal(chmod(tmpdir_path("k.pub"), 0644), 0);
}

static void owner(void **state)
{
	(void)state;
	/* EINVAL: root of a namespace in which there is nobody else. */
	if (geteuid() != 0 || (chown(tmpdir_path("k.key"), 12345, 12345) != 0 && errno == EINVAL))
		skip();
	assert_int_equal(chown(tmpdir_path("k.key"), 12345, 12345), 0);
	assert_int_equal(quiet(call_secret, tmpdir_path("k.key"), PARTY_SENDER), EXIT_KEYS);
	said("belongs to user 12345", "run: chown 0 ");
	/* A service's key in the service's own directory is for root, too. */
	assert_int_equal(chown(tmpdir_path("."), 12345, 12345), 0);
	assert_int_equal(call_secret(tmpdir_path("k.key"), PARTY_SENDER), 0);
	assert_int_equal(chown(tmpdir_path("."), 54321, 54321), 0);
	assert_int_equal(quiet(call_secret, tmpdir_path("k.key"), PARTY_SENDER), EXIT_KEYS);
	assert_int_equal(chown(tmpdir_path("."), 0, 0), 0);
	assert_int_equal(chown(tmpdir_path("k.key"), 0, 0), 0);
}

static void not_a_file(void **state)
{
	(void)state;
	assert_int_equal(quiet(call_secret, tmpdir_path("missing.key"), PARTY_SENDER), EXIT_KEYS);
	said("missing.key", "keygen");
	assert_int_equal(quiet(call_secret, tmpdir, PARTY_SENDER), EXIT_KEYS);
	said(tmpdir, "not a regular file");
	assert_int_equal(symlink("k.key", tmpdir_path("link.key")), 0);
	assert_int_equal(quiet(call_secret, tmpdir_path("link.key"), PARTY_SENDER), EXIT_KEYS);
	said("link.key", "symbolic link");
	assert_int_equal(mkfifo(tmpdir_path("fifo.key"), 0600), 0); /* would wait for ever */
	assert_int_equal(quiet(call_secret, tmpdir_path("fifo.key"), PARTY_SENDER), EXIT_KEYS);
	said("fifo.key", "not a regular file");
}

#define HEAD "[katamichi secret key]\nrole = sender\ncreated = 2026-11-21T02:26:03Z\n"
#define ED "ed25519 = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
#define X "x25519 = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"

static void malformed(void **state)
{
	static const struct { const char *text, *say; } t[] = {
		{"", "section"}, {HEAD ED, "x25519"}, {HEAD ED X X, "x25519"}, {HEAD ED X "other = 1\n", "other"},
		{"[katamichi secret key]\nrole = both\n", "role"}, {"[katamichi secret key]\nrole = sender\ncreated = today\n", "created"},
		{HEAD "ed25519 = AAAA\n" X, "base64"}, {HEAD "ed25519 = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n" X, "base64"},
		{HEAD "ed25519 = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n" X, "base64"},
		{HEAD "ed25519 = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n" X, "base64"}, /* 33 bytes */
		{HEAD "ed25519 = ////_____________________________________w==\n" X, "base64"},
		{"[channel eltax]\nfolder = x\n", "section"}, {"[katamichi other]\n", "unknown"}, {HEAD ED X HEAD, "section"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		tmpdir_write("bad.key", t[i].text, strlen(t[i].text), 0600);
		assert_int_equal(quiet(call_secret, tmpdir_path("bad.key"), PARTY_SENDER), EXIT_KEYS);
		said("bad.key", t[i].say);
	}
}

/* Whoever changes a key in the file does not know that the fingerprint follows from it. */
static void changed_public(void **state)
{
	char text[1024], *at;
	FILE *f = fopen(tmpdir_path("k.pub"), "r");

	(void)state;
	assert_non_null(f);
	size_t n = fread(text, 1, sizeof(text) - 1, f);

	(void)fclose(f);
	text[n] = '\0';
	at = strstr(text, "x25519 = ") + 9;
	*at = *at == 'A' ? 'B' : 'A';
	tmpdir_write("changed.pub", text, n, 0644);
	assert_int_equal(quiet(call_public, tmpdir_path("changed.pub"), PARTY_SENDER), EXIT_KEYS);
	said("changed.pub", "fingerprint");
}

static void never_overwritten(void **state)
{
	static const char *const names[] = {"o.key", "o.pub", "o-ed25519.pem", "o-x25519.pem"};
	struct stat st;

	(void)state;
	assert_int_equal(quiet(call_write, "k", KEYFILE_ANY), EXIT_KEYS);
	said("k.key", "never overwritten");
	assert_int_equal(call_secret(tmpdir_path("k.key"), PARTY_SENDER), 0);
	for (size_t i = 0; i < 4; i++) { /* a file, or a link that leads nowhere, in the way of any of the four */
		if (i % 2 == 0)
			tmpdir_write(names[i], "x", 1, 0600);
		else
			assert_int_equal(symlink("/nonexistent/x", tmpdir_path(names[i])), 0);
		assert_int_equal(quiet(call_write, "o", KEYFILE_ANY), EXIT_KEYS);
		said(names[i], "exists");
		assert_int_equal(unlink(tmpdir_path(names[i])), 0);
		for (size_t j = 0; j < 4; j++)
			assert_int_equal(lstat(tmpdir_path(names[j]), &st), -1); /* nothing half-done */
	}
	static const char *const bad[] = {"", ".x", "../x", "a/b"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(quiet(call_write, bad[i], KEYFILE_ANY), EXIT_KEYS);
}

static void psk(void **state)
{
	static const char good[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
	static const struct { size_t n; const char *text; } bad[] = {
		{63, good}, {0, good}, {66, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n\n"},
		{65, "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F\n"},
		{64, "zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"},
	};

	(void)state;
	tmpdir_write("psk", good, 65, 0600);
	assert_int_equal(call_psk(tmpdir_path("psk"), KEYFILE_ANY), 0);
	tmpdir_write("psk", good, 64, 0600);
	assert_int_equal(call_psk(tmpdir_path("psk"), KEYFILE_ANY), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		tmpdir_write("psk", bad[i].text, bad[i].n, 0600);
		assert_int_equal(quiet(call_psk, tmpdir_path("psk"), KEYFILE_ANY), EXIT_KEYS);
		said("psk", "openssl rand -hex 32");
	}
	tmpdir_write("psk", good, 65, 0640);
	assert_int_equal(quiet(call_psk, tmpdir_path("psk"), KEYFILE_ANY), EXIT_KEYS);
	said("psk", "chmod 600");
}

static void pem(void **state)
{
	char line[1024];

	(void)state;
	(void)snprintf(line, sizeof(line), "cd '%s' && openssl pkey -pubin -in k-ed25519.pem -noout -text | grep -q ED25519 && "
	    "openssl pkey -pubin -in k-x25519.pem -noout -text | grep -q X25519", tmpdir);
	assert_int_equal(system(line), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip), cmocka_unit_test(wrong_role_or_half), cmocka_unit_test(modes), cmocka_unit_test(owner),
		cmocka_unit_test(not_a_file), cmocka_unit_test(malformed), cmocka_unit_test(changed_public),
		cmocka_unit_test(never_overwritten), cmocka_unit_test(psk), cmocka_unit_test(pem),
	};

	log_init("test_keyfile", NULL);
	assert_int_equal(crypto_init(), 0);
	made = vector_party("sender");
	return cmocka_run_group_tests(tests, write_keys, tmpdir_remove);
}
