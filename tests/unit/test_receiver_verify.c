/* verify.h: the manifest against its signature, the object's header, and the
 * files that were really written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "host/durable.h"
#include "receiver/verify.h"
#include "tests/unit/seeded.h"

static char dir[64];
static int top;
static struct party_secret *sender, *other;
static uint8_t receiver[HASH_LEN], generation[16];
static struct transfer t;
static struct manifest m;
static struct outfile *out;

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(dir, sizeof(dir), "%.40s/km-verify-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL || (top = durable_open_dir(dir)) < 0)
		return -1;
	sender = crypto_secret_alloc(sizeof(*sender));
	other = crypto_secret_alloc(sizeof(*other));
	party_generate(sender, PARTY_SENDER);
	party_generate(other, PARTY_SENDER);
	seeded_bytes(receiver, sizeof(receiver));
	seeded_bytes(generation, sizeof(generation));
	return (out = outfile_new()) == NULL;
}

static int teardown(void **state)
{
	(void)state;
	outfile_free(out);
	crypto_secret_free(sender);
	crypto_secret_free(other);
	close(top);
	return durable_remove_tree(AT_FDCWD, dir);
}

static void file(struct manifest *list, const char *name, const char *content)
{
	uint8_t digest[HASH_LEN];

	crypto_sha256(digest, content, strlen(content));
	transfer_file(&t, (const uint8_t *)name, strlen(name), strlen(content));
	transfer_data(&t, (const uint8_t *)content, strlen(content));
	transfer_file_end(&t, digest);
	assert_int_equal(manifest_add(list, (const uint8_t *)name, strlen(name), strlen(content), digest), 0);
}

/* A transfer as it should be, but for what `how` says. */
enum how { RIGHT, SIGNED_BY_OTHER, CHANGED_AFTER, NOT_JSON, OTHER_SENDER, OTHER_RECEIVER, OTHER_CHANNEL, OTHER_GENERATION,
	NUMBER_ZERO, FILE_LESS, FILE_MORE, OTHER_CONTENT, OTHER_NAME, NO_SIGNATURE, NO_MANIFEST, HOWS };

static void build(enum how how)
{
	struct manifest w;
	uint8_t sig[SIGN_LEN], digest[HASH_LEN] = { 1 };
	size_t n;
	char *text;

	transfer_begin(&t, top, "w", out);
	manifest_init(&w);
	strcpy(w.channel, how == OTHER_CHANNEL ? "pittari" : "eltax");
	memcpy(w.sender, how == OTHER_SENDER ? other->pub.fingerprint : sender->pub.fingerprint, HASH_LEN);
	memcpy(w.receiver, receiver, HASH_LEN);
	memcpy(w.generation, generation, 16);
	w.receiver[0] ^= how == OTHER_RECEIVER;
	w.generation[0] ^= how == OTHER_GENERATION;
	w.number = how == NUMBER_ZERO ? 0 : 5;
	w.created_s = 1795230000;
	w.previous[0] = how != NUMBER_ZERO;
	file(&w, "a.csv", "1");
	if (how == FILE_MORE) { /* in the manifest, but it never came */
		assert_int_equal(manifest_add(&w, (const uint8_t *)"b.csv", 5, 1, digest), 0);
	} else if (how != FILE_LESS) {
		file(&w, "b.csv", "22");
	} else {
		uint8_t d2[HASH_LEN];
		crypto_sha256(d2, "22", 2);
		transfer_file(&t, (const uint8_t *)"b.csv", 5, 2);
		transfer_data(&t, (const uint8_t *)"22", 2);
		transfer_file_end(&t, d2);
	}
	if (how == OTHER_CONTENT)
		w.file[1].sha256[5] ^= 1;
	if (how == OTHER_NAME)
		w.file[1].name[0] = 'c';
	text = manifest_write(&w, &n);
	assert_non_null(text);
	if (how == NOT_JSON)
		text[0] = '[';
	crypto_sign_bare(sig, how == SIGNED_BY_OTHER ? other->sign : sender->sign, text, n);
	if (how == CHANGED_AFTER)
		text[n / 2] ^= 1;
	if (how != NO_MANIFEST)
		for (size_t at = 0; at < n; at += 7)
			transfer_manifest(&t, (const uint8_t *)text + at, n - at < 7 ? n - at : 7);
	if (how != NO_SIGNATURE)
		transfer_signature(&t, sig, SIGN_LEN);
	free(text);
	manifest_free(&w);
	assert_int_equal(t.error, 0);
	assert_string_equal(t.reason, "");
}

static void every_way(void **state)
{
	const struct verify_expected e = { .sender = &sender->pub, .receiver = receiver, .generation = generation,
		.channel = "eltax" };

	(void)state;
	for (enum how how = RIGHT; how < HOWS; how++) {
		build(how);
		int r = verify_received(&t, &e, &m);
		if ((r == 0) != (how == RIGHT) || (r != 0) != (t.reason[0] != '\0'))
			fail_msg("case %d: %d %s", (int)how, r, t.reason);
		if (r != 0) { /* a number for the quarantine: where who signed is right, whatever the files are */
			int known = verify_manifest(&t, &e, &m) == 0;
			assert_int_equal(known, how >= FILE_LESS && how <= OTHER_NAME);
			if (known) {
				assert_int_equal(m.number, 5);
				manifest_free(&m);
			}
		}
		if (r == 0) {
			assert_int_equal(m.number, 5);
			verify_write(&t, &m);
			assert_int_equal(t.error, 0);
			assert_int_equal(faccessat(t.dir, "SHA256SUMS", R_OK, 0), 0);
			assert_int_equal(faccessat(t.dir, "MANIFEST.json.sig", R_OK, 0), 0);
			manifest_free(&m);
		}
		transfer_remove(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(every_way, setup, teardown) };

	if (crypto_init() != 0)
		return 1;
	seeded_init();
	return cmocka_run_group_tests_name("receiver_verify", tests, NULL, NULL);
}
