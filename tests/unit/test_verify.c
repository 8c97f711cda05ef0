/* verify_transfer.h: a good delivery, and every way in which one can have been changed. */
#include "tests/unit/vectors.h"

#include <fcntl.h>

#include "tests/unit/tmpdir.h"
#include "tools/verify_notes.c"
#include "tools/verify_transfer.c" /* the tools are in no archive */

static struct party senders[2]; /* sender, stranger */
static struct party receiver, other_receiver;
static const struct party_secret *signer;

struct file {
	const char *name;
	const char *data;
};
static const struct file files[] = {
	{"a.csv", ""}, {"\"q\".txt", "quoted"}, {"\xE8\xA1\xA8.csv", "UTF-8"}, {"\x95\x5C.csv", "a 5C as second byte"},
};
enum { FILES = sizeof(files) / sizeof(files[0]) };

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

/* A fresh delivery in tmpdir. */
static int deliver(void **state)
{
	struct file sorted[FILES];
	struct manifest m;
	uint8_t hash[HASH_LEN], sig[SIGN_LEN];
	char path[300];
	size_t n, len;

	if (tmpdir_make(state) != 0 || mkdir(tmpdir_path("files"), 0755) != 0)
		return -1;
	memcpy(sorted, files, sizeof(files));
	qsort(sorted, FILES, sizeof(sorted[0]), by_name);
	manifest_init(&m);
	strcpy(m.channel, "eltax");
	m.number = 1;
	memcpy(m.sender, senders[0].fingerprint, HASH_LEN);
	memcpy(m.receiver, receiver.fingerprint, HASH_LEN);
	for (unsigned i = 0; i < FILES; i++) {
		len = strlen(sorted[i].data);
		crypto_sha256(hash, sorted[i].data, len);
		if (manifest_add(&m, (const uint8_t *)sorted[i].name, strlen(sorted[i].name), len, hash) != 0)
			return -1;
		(void)snprintf(path, sizeof(path), "files/%s", sorted[i].name);
		tmpdir_write(path, sorted[i].data, len, 0644);
	}
	char *sums = manifest_sums(&m, &n);

	tmpdir_write("SHA256SUMS", sums, n, 0644);
	free(sums);
	char *text = manifest_write(&m, &n);

	tmpdir_write("MANIFEST.json", text, n, 0644);
	crypto_sign_bare(sig, signer->sign, text, n);
	tmpdir_write("MANIFEST.json.sig", sig, SIGN_LEN, 0644);
	free(text);
	manifest_free(&m);
	return 0;
}

struct findings {
	char text[4096];
	size_t n;
};

static void on_found(void *ctx, enum verify_what what, const uint8_t *name, size_t n, const char *why)
{
	struct findings *f = ctx;

	(void)why;
	f->n += (size_t)snprintf(f->text + f->n, sizeof(f->text) - f->n, "%d %.*s;", (int)what, (int)n, (const char *)name);
}

/* What is found must be just this: "WHAT NAME;" for each. */
static void expect(const char *want, unsigned sender_count, const struct party *for_whom)
{
	struct findings f = {.n = 0};
	struct verify v = {.senders = senders, .sender_count = sender_count, .receiver = for_whom, .found = on_found, .ctx = &f};

	assert_int_equal(verify_transfer(&v, tmpdir), 0);
	assert_string_equal(f.text, want);
	assert_int_equal(v.findings == 0, *want == '\0');
	if (v.read_manifest)
		manifest_free(&v.manifest);
}

static void expect_one(enum verify_what what, const char *name)
{
	char want[300];

	(void)snprintf(want, sizeof(want), "%d %s;", (int)what, name);
	expect(want, 2, &receiver);
}

static void good(void **state)
{
	struct findings f = {.n = 0};
	struct verify v = {.senders = senders, .sender_count = 2, .found = on_found, .ctx = &f};

	(void)state;
	expect("", 2, &receiver);
	assert_int_equal(verify_transfer(&v, tmpdir), 0);
	assert_ptr_equal(v.sender, &senders[0]);
	assert_int_equal(v.read_manifest, 1);
	assert_int_equal(v.manifest.file_count, FILES);
	assert_int_equal(v.bytes, 6 + 5 + 19);
	manifest_free(&v.manifest);
	assert_int_equal(verify_transfer(&v, "/nonexistent"), -1);
}

static void without_a_key(void **state)
{
	char want[64];

	(void)state;
	(void)snprintf(want, sizeof(want), "%d MANIFEST.json.sig;", (int)VERIFY_UNCHECKED);
	expect(want, 0, NULL);
	tmpdir_write("files/a.csv", "x", 1, 0644); /* the files are compared all the same */
	(void)snprintf(want, sizeof(want), "%d MANIFEST.json.sig;%d files/a.csv;", (int)VERIFY_UNCHECKED, (int)VERIFY_CHANGED);
	expect(want, 0, NULL);
}

static void other_site(void **state)
{
	char want[64];

	(void)state;
	(void)snprintf(want, sizeof(want), "%d MANIFEST.json;", (int)VERIFY_OTHER_SITE);
	expect(want, 2, &other_receiver);
	expect("", 2, NULL);
}

static void changed(void **state)
{
	(void)state;
	tmpdir_write("files/\"q\".txt", "Quoted", 6, 0644);
	expect_one(VERIFY_CHANGED, "files/\"q\".txt");
	tmpdir_write("files/\"q\".txt", "quoted!", 7, 0644);
	expect_one(VERIFY_CHANGED, "files/\"q\".txt");
	tmpdir_write("files/\"q\".txt", "", 0, 0644);
	expect_one(VERIFY_CHANGED, "files/\"q\".txt");
	tmpdir_write("files/\"q\".txt", "quoted", 6, 0644);
	expect("", 2, &receiver);
}

static void missing_and_extra(void **state)
{
	(void)state;
	tmpdir_write("files/b.csv", "", 0, 0644);
	expect_one(VERIFY_EXTRA, "files/b.csv");
	assert_int_equal(unlink(tmpdir_path("files/b.csv")), 0);
	tmpdir_write("files/.hidden", "", 0, 0644);
	expect_one(VERIFY_EXTRA, "files/.hidden");
	assert_int_equal(unlink(tmpdir_path("files/.hidden")), 0);
	assert_int_equal(mkdir(tmpdir_path("files/sub"), 0755), 0);
	expect_one(VERIFY_EXTRA, "files/sub");
	assert_int_equal(rmdir(tmpdir_path("files/sub")), 0);
	tmpdir_write("README", "", 0, 0644);
	expect_one(VERIFY_EXTRA, "README");
	assert_int_equal(unlink(tmpdir_path("README")), 0);
	assert_int_equal(unlink(tmpdir_path("files/\x95\x5C.csv")), 0);
	expect_one(VERIFY_MISSING, "files/\x95\x5C.csv");
}

/* The right bytes behind a link are not a delivery: the link can be turned to another file tomorrow. */
static void links_are_not_followed(void **state)
{
	(void)state;
	assert_int_equal(rename(tmpdir_path("files/a.csv"), tmpdir_path("files/moved")), 0);
	assert_int_equal(symlink("moved", tmpdir_path("files/a.csv")), 0);
	char want[100];

	(void)snprintf(want, sizeof(want), "%d files/a.csv;%d files/moved;", (int)VERIFY_KIND, (int)VERIFY_EXTRA);
	expect(want, 2, &receiver);
	assert_int_equal(unlink(tmpdir_path("files/a.csv")), 0);
	assert_int_equal(rename(tmpdir_path("files/moved"), tmpdir_path("files/a.csv")), 0);
	assert_int_equal(rename(tmpdir_path("SHA256SUMS"), tmpdir_path("files/../S")), 0);
	assert_int_equal(symlink("S", tmpdir_path("SHA256SUMS")), 0);
	(void)snprintf(want, sizeof(want), "%d SHA256SUMS;%d S;", (int)VERIFY_KIND, (int)VERIFY_EXTRA);
	expect(want, 2, &receiver);
	assert_int_equal(unlink(tmpdir_path("SHA256SUMS")), 0);
	assert_int_equal(rename(tmpdir_path("S"), tmpdir_path("SHA256SUMS")), 0);
	assert_int_equal(rename(tmpdir_path("files"), tmpdir_path("f")), 0);
	assert_int_equal(symlink("f", tmpdir_path("files")), 0);
	(void)snprintf(want, sizeof(want), "%d files;%d f;", (int)VERIFY_KIND, (int)VERIFY_EXTRA);
	expect(want, 2, &receiver);
}

/* A FIFO would wait for ever, a directory has no bytes. */
static void other_kinds(void **state)
{
	(void)state;
	assert_int_equal(unlink(tmpdir_path("files/a.csv")), 0);
	assert_int_equal(mkfifo(tmpdir_path("files/a.csv"), 0644), 0);
	expect_one(VERIFY_KIND, "files/a.csv");
	assert_int_equal(unlink(tmpdir_path("files/a.csv")), 0);
	assert_int_equal(mkdir(tmpdir_path("files/a.csv"), 0755), 0);
	expect_one(VERIFY_KIND, "files/a.csv");
	assert_int_equal(unlink(tmpdir_path("MANIFEST.json.sig")), 0);
	assert_int_equal(mkfifo(tmpdir_path("MANIFEST.json.sig"), 0644), 0);
	expect_one(VERIFY_KIND, "MANIFEST.json.sig");
}

static void signatures(void **state)
{
	uint8_t sig[SIGN_LEN + 1] = {0};

	(void)state;
	tmpdir_write("MANIFEST.json.sig", sig, SIGN_LEN, 0644);
	expect_one(VERIFY_SIGNATURE, "MANIFEST.json");
	tmpdir_write("MANIFEST.json.sig", sig, SIGN_LEN - 1, 0644);
	expect_one(VERIFY_SIGNATURE, "MANIFEST.json");
	tmpdir_write("MANIFEST.json.sig", sig, SIGN_LEN + 1, 0644);
	expect_one(VERIFY_CHANGED, "MANIFEST.json.sig");
	assert_int_equal(unlink(tmpdir_path("MANIFEST.json.sig")), 0);
	expect_one(VERIFY_MISSING, "MANIFEST.json.sig");
	assert_int_equal(unlink(tmpdir_path("MANIFEST.json")), 0);
	expect_one(VERIFY_MISSING, "MANIFEST.json");
}

/* Well signed, but by another pinned sender than the one it names; or no manifest at all. */
static void signed_nonsense(void **state)
{
	static const char nonsense[] = "{\"files\":[]}\n";
	uint8_t sig[SIGN_LEN];

	(void)state;
	crypto_sign_bare(sig, signer->sign, nonsense, strlen(nonsense));
	tmpdir_write("MANIFEST.json", nonsense, strlen(nonsense), 0644);
	tmpdir_write("MANIFEST.json.sig", sig, SIGN_LEN, 0644);
	expect_one(VERIFY_MALFORMED, "MANIFEST.json");
}

static void signed_by_the_other(void **state)
{
	(void)state;
	expect_one(VERIFY_MALFORMED, "MANIFEST.json");
}

static int deliver_by_stranger(void **state)
{
	const struct party_secret *kept = signer;

	signer = vector_party("stranger");
	int r = deliver(state);

	signer = kept;
	return r;
}

/* Sparse and huge: its size is enough to refuse it. */
static void huge(void **state)
{
	(void)state;
	assert_int_equal(truncate(tmpdir_path("files/a.csv"), (off_t)1 << 40), 0);
	expect_one(VERIFY_CHANGED, "files/a.csv");
	assert_int_equal(truncate(tmpdir_path("MANIFEST.json"), (off_t)1 << 40), 0);
	expect_one(VERIFY_CHANGED, "MANIFEST.json");
}

#define T(f) cmocka_unit_test_setup_teardown(f, deliver, tmpdir_remove)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(good), T(without_a_key), T(other_site), T(changed), T(missing_and_extra), T(links_are_not_followed), T(other_kinds),
		T(signatures), T(signed_nonsense), T(huge),
		cmocka_unit_test_setup_teardown(signed_by_the_other, deliver_by_stranger, tmpdir_remove),
	};

	assert_int_equal(crypto_init(), 0);
	signer = vector_party("sender");
	senders[0] = signer->pub;
	senders[1] = vector_party("stranger")->pub;
	receiver = vector_party("receiver")->pub;
	other_receiver = vector_party("recovery")->pub;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
