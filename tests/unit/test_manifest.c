/* manifest.h: the vectors both ways, jansson's and openssl's view of what we write, and what is refused. */
#include "tests/unit/vectors.h"

#include <jansson.h>

#include "codec/manifest.h"
#include "core/bytes.h"
#include "tests/unit/seeded.h"
#include "tests/unit/tmpdir.h"
#include "host/keyfile.h"

static struct party_secret *sender, *receiver;

/* The manifest "one" of the vectors. */
static void build(struct manifest *m)
{
	char name[32];

	manifest_init(m);
	strcpy(m->channel, "eltax");
	strcpy(m->checks[0], "name");
	strcpy(m->checks[1], "size");
	m->check_count = 2;
	memcpy(m->sender, sender->pub.fingerprint, HASH_LEN);
	memcpy(m->receiver, receiver->pub.fingerprint, HASH_LEN);
	memcpy(m->generation, vector_get("manifest", "generation").b, 16);
	m->number = 1;
	m->created_s = get64(vector_get("manifest", "created").b);
	for (int i = 0; i < 9; i++) {
		(void)snprintf(name, sizeof(name), "file%d.name", i);
		struct vector n = vector_get("manifest", name);

		(void)snprintf(name, sizeof(name), "file%d.size", i);
		uint64_t size = get64(vector_get("manifest", name).b);

		(void)snprintf(name, sizeof(name), "file%d.sha256", i);
		assert_int_equal(manifest_add(m, n.b, n.n, size, vector_get("manifest", name).b), 0);
	}
}

static void writes_the_vector(void **state)
{
	struct manifest m;
	size_t n;

	(void)state;
	build(&m);
	char *sums = manifest_sums(&m, &n);

	assert_non_null(sums);
	assert_vector(vector_get("manifest", "one.sums"), sums, n);
	free(sums);
	char *text = manifest_write(&m, &n);

	assert_non_null(text);
	assert_vector(vector_get("manifest", "one.manifest"), text, n);
	/* jansson, asked for the form of 7.1, writes the same. */
	json_error_t e;
	json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES, &e);

	assert_non_null(j);
	char *again = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);

	assert_int_equal(strlen(again), n - 1);
	assert_memory_equal(again, text, n - 1);
	free(again);
	json_decref(j);
	free(text);
	manifest_free(&m);
}

static void reads_the_vectors(void **state)
{
	static const char *const names[] = {"one", "two"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vector v = vector_of("manifest", names[i], "manifest");
		const char *why = NULL;
		struct manifest m;
		size_t n;

		assert_int_equal(crypto_verify_bare(vector_of("manifest", names[i], "signature").b, sender->pub.sign, v.b, v.n), 0);
		if (manifest_read(&m, (const char *)v.b, v.n, &why) != 0)
			fail_msg("%s", why);
		assert_int_equal(m.file_count, i == 0 ? 9 : 1);
		assert_int_equal(m.number, i == 0 ? 1 : INT64_MAX);
		assert_string_equal(m.channel, i == 0 ? "eltax" : "pittari");
		assert_memory_equal(m.sender, sender->pub.fingerprint, HASH_LEN);
		assert_int_equal(m.created_s, get64(vector_get("manifest", "created").b));
		char *text = manifest_write(&m, &n);

		assert_vector(v, text, n);
		free(text);
		manifest_free(&m);
		manifest_free(&m); /* twice is fine */
	}
}

static void refused(const char *bytes, size_t n, const char *what)
{
	const char *why = NULL;
	struct manifest m;

	if (manifest_read(&m, bytes, n, &why) == 0)
		fail_msg("accepted: %s", what);
	assert_non_null(why);
	assert_null(m.file);
	assert_int_equal(m.file_count, 0);
}

/* There is one way to write a manifest: no changed byte, no cut, nothing behind it is accepted as another.
 * (A digit of a hash, say, may change and still be canonical: it is the signature that tells.) */
static void cut_or_longer(void **state)
{
	struct vector v = vector_get("manifest", "one.manifest");
	char *b = (char *)vector_keep(v.n + 1);

	(void)state;
	for (size_t n = 0; n < v.n; n++) {
		char *exact = malloc(n + 1); /* so that a sanitizer sees a read beyond the end */

		memcpy(exact, v.b, n);
		char *trimmed = realloc(exact, n > 0 ? n : 1);

		refused(trimmed, n, "cut");
		free(trimmed);
	}
	static const char more[] = {'\n', ' ', '}', '\0', '{'};
	memcpy(b, v.b, v.n);
	for (size_t i = 0; i < sizeof(more); i++) {
		b[v.n] = more[i];
		refused(b, v.n + 1, "longer");
	}
}

/* Whatever single bytes change: what is still accepted is written again as it was read. */
static void changed_bytes(void **state)
{
	struct vector v = vector_get("manifest", "one.manifest");
	unsigned accepted = 0;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		size_t at = seeded_below(v.n), len;
		uint8_t kept = v.b[at];
		const char *why = NULL;
		struct manifest m;

		v.b[at] = (uint8_t)(i % 3 == 0 ? seeded() : kept ^ 1u << seeded_below(8));
		if (manifest_read(&m, (const char *)v.b, v.n, &why) == 0) {
			accepted++;
			char *text = manifest_write(&m, &len);

			assert_vector(v, text, len);
			free(text);
			manifest_free(&m);
		}
		v.b[at] = kept;
	}
	assert_in_range(accepted, 1, 8000); /* of 64 digits in 4 hashes, some do go through */
}

/* One place of the text replaced. */
static void replaced(const char *from, const char *to, const char *what)
{
	struct vector v = vector_get("manifest", "two.manifest");
	char *at = strstr((char *)v.b, from), *b = (char *)vector_keep(v.n + strlen(to) + 1);

	if (at == NULL) {
		fail_msg("the vector has no %s", from);
		return;
	}
	size_t head = (size_t)(at - (char *)v.b), tail = v.n - head - strlen(from);

	memcpy(b, v.b, head);
	memcpy(b + head, to, strlen(to));
	memcpy(b + head + strlen(to), at + strlen(from), tail);
	refused(b, head + strlen(to) + tail, what);
}

static void spellings(void **state)
{
	static const struct { const char *from, *to, *what; } t[] = {
		{"{\"@format\"", "{ \"@format\"", "white space"}, {":[],", ": [],", "white space"}, {"}\n", "}\r\n", "CR LF"},
		{"{\"@format\"", "\xEF\xBB\xBF{\"@format\"", "byte order mark"},
		{"manifest-1\"", "manifest-2\"", "another format"}, {"manifest-1\",", "manifest-1\",\"a\":1,", "unknown key"},
		{"\"channel\":\"pittari\",", "", "missing key"},
		{"\"channel\":\"pittari\",", "\"channel\":\"pittari\",\"channel\":\"eltax\",", "a key twice"},
		{"pittari", "", "empty channel"}, {"pittari", "Pittari", "capital in a channel"}, {"pittari", "../etc", "path as channel"},
		{"pittari", "p\\u0069ttari", "escape that is not needed"}, {"pittari", "pit\\/tari", "escaped slash"},
		{"\"checks\":[]", "\"checks\":[\"b\",\"a\"]", "checks not sorted"}, {"\"checks\":[]", "\"checks\":[\"a\",\"a\"]", "a check twice"},
		{"\"checks\":[]", "\"checks\":[\"\"]", "empty check"}, {"\"checks\":[]", "\"checks\":[\"a b\"]", "space in a check"},
		{"\"checks\":[]", "\"checks\":[\"123456789012345678901234\"]", "a check of 24"}, {"\"checks\":[]", "\"checks\":[1]", "number"},
		{"\"checks\":[]", "\"checks\":null", "null"}, {"\"checks\":[]", "\"checks\":[\"a\",]", "comma at the end"},
		{"\"checks\":[]", "\"checks\":[[[[[[[[", "nesting"},
		{"\"checks\":[]", "\"checks\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\",\"k\",\"l\",\"m\",\"n\",\"o\",\"p\",\"q\"]", "17 checks"},
		{"2026-11-21T02:26:03Z", "2026-11-21 02:26:03Z", "no T"}, {"2026-11-21T02:26:03Z", "2026-13-21T02:26:03Z", "month 13"},
		{"2026-11-21T02:26:03Z", "2026-02-29T02:26:03Z", "29 February"}, {"2026-11-21T02:26:03Z", "2026-11-21T02:26:60Z", "second 60"},
		{"2026-11-21T02:26:03Z", "2026-1-021T02:26:03Z", "digits moved"}, {"2026-11-21T02:26:03Z", "1969-12-31T23:59:59Z", "before 1970"},
		{"2026-11-21T02:26:03Z", "10000-01-01T00:00:00", "year 10000"}, {"2026-11-21T02:26:03Z", "+026-11-21T02:26:03Z", "sign"},
		{"9223372036854775807", "9223372036854775808", "2^63"}, {"9223372036854775807", "18446744073709551617", "wraps to 1"},
		{"9223372036854775807", "0", "number 0"}, {"9223372036854775807", "1", "number 1 with a previous"},
		{"9223372036854775807", "-1", "sign"}, {"9223372036854775807", "01", "leading zero"}, {"9223372036854775807", "1e3", "exponent"},
		{"9223372036854775807", "2.0", "fraction"}, {"9223372036854775807", "\"2\"", "string for a number"},
		{"\"size\":", "\"size\":0", "leading zero"}, {"\"type\":\"txt\"", "\"type\":\"csv\"", "type of another name"},
		{"\"type\":\"txt\"", "\"type\":\"TXT\"", "type in capitals"}, {"\"type\":\"txt\"}", "\"type\":\"txt\",\"x\":1}", "unknown key of a file"},
		{"\"name\":\"a\\\"b.txt\"", "\"name_b64\":\"YSJiLnR4dA==\"", "base64 of a name in UTF-8"},
		{"\"name\":\"a\\\"b.txt\"", "\"name_b64\":\"YSJiLnR4dA\"", "base64 without padding"},
		{"\"name\":\"a\\\"b.txt\"", "\"name_b64\":\"Y S JiLnR4dA==\"", "base64 with spaces"},
		{"\"name\":\"a\\\"b.txt\"", "\"name_b64\":\"g1x=\"", "base64 with bits left over"},
		{"a\\\"b.txt", "../b.txt", "path as name"}, {"a\\\"b.txt", "..", "parent as name"}, {"a\\\"b.txt", "", "empty name"},
		{"a\\\"b.txt", "a\\\\b.txt", "backslash in a name"}, {"a\\\"b.txt", "a\\nb.txt", "newline in a name"},
		{"a\\\"b.txt", "a\nb.txt", "bare newline in a name"}, {"a\\\"b.txt", "a\\u0000b.txt", "NUL in a name"},
		{"a\\\"b.txt", "a\xE2\x80\xAE" "b.txt", "U+202E in a name"}, {"a\\\"b.txt", "\x83\x5C.txt", "Shift_JIS as a string"},
		{"a\\\"b.txt", "\xED\xA0\x80.txt", "surrogate in a name"}, {"a\\\"b.txt", "\xC3.txt", "invalid UTF-8"},
		{"\"files\":[{", "\"files\":[],\"x\":[{", "no files"}, {"\"files\":[{", "\"files\":[[{", "nesting"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		replaced(t[i].from, t[i].to, t[i].what);
}

/* Capital digits are another spelling of the same hash. */
static void capital_digits(void **state)
{
	struct vector v = vector_get("manifest", "one.manifest");
	char *hex = strstr((char *)v.b, "\"sender\":\"") + strlen("\"sender\":\"");

	(void)state;
	hex += strcspn(hex, "abcdef");
	*hex = (char)(*hex - 'a' + 'A');
	refused((char *)v.b, v.n, "capital hexadecimal digit");
}

/* The right SHA256SUMS is part of the manifest: its hash must be that of its files. */
static void sums_of_others(void **state)
{
	struct vector v = vector_get("manifest", "one.manifest");
	char *at = strstr((char *)v.b, "\"sha256sums\":\"") + 14;
	const char *why = NULL;
	struct manifest m;

	(void)state;
	*at = *at == '0' ? '1' : '0';
	assert_int_equal(manifest_read(&m, (char *)v.b, v.n, &why), -1);
	assert_string_equal(why, "sha256sums is not that of its files");
}

static void order_and_twins(void **state)
{
	const uint8_t h[HASH_LEN] = {0};
	struct manifest m;

	(void)state;
	manifest_init(&m);
	assert_int_equal(manifest_add(&m, (const uint8_t *)"b", 1, 0, h), 0);
	assert_int_equal(manifest_add(&m, (const uint8_t *)"b", 1, 0, h), -1);
	assert_int_equal(manifest_add(&m, (const uint8_t *)"a", 1, 0, h), -1);
	assert_int_equal(manifest_add(&m, (const uint8_t *)"c", 1, (uint64_t)INT64_MAX + 1, h), -1);
	assert_int_equal(manifest_add(&m, (const uint8_t *)"c", 0, 0, h), -1);
	assert_int_equal(manifest_add(&m, h, 256, 0, h), -1);
	assert_int_equal(manifest_add(&m, (const uint8_t *)"c", 1, INT64_MAX, h), 0);
	assert_int_equal(m.file_count, 2);
	manifest_free(&m);
}

/* The same file twice in the text, with everything else (sums too) as it should be for that. */
static void duplicate_in_text(void **state)
{
	static const char format[] = "{\"@format\":\"katamichi-manifest-1\",\"channel\":\"c\",\"checks\":[],"
	    "\"created\":\"2026-11-21T02:26:03Z\",\"files\":[%s,%s],\"generation\":\"%032d\",\"number\":1,\"previous\":\"%064d\","
	    "\"receiver\":\"%064d\",\"sender\":\"%064d\",\"sha256sums\":\"%064d\"}\n";
	const char *why = NULL;
	char one[256], text[2048];
	struct manifest m;

	(void)state;
	(void)snprintf(one, sizeof(one), "{\"name\":\"a\",\"sha256\":\"%064d\",\"size\":0,\"type\":\"\"}", 0);
	int n = snprintf(text, sizeof(text), format, one, one, 0, 0, 0, 0, 0);

	assert_int_equal(manifest_read(&m, text, (size_t)n, &why), -1);
	assert_string_equal(why, "the files are not in order, or one stands there twice");
}

/* 4,096 files fit; one more, and a million, are refused at the one too many. */
static void many_files(void **state)
{
	const uint8_t h[HASH_LEN] = {0xAA};
	const char *why = NULL;
	struct manifest m, back;
	char name[16];
	size_t n;

	(void)state;
	manifest_init(&m);
	strcpy(m.channel, "eltax");
	m.number = 1;
	for (unsigned i = 0; i < RECORD_FILES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "%08u", i);
		assert_int_equal(manifest_add(&m, (const uint8_t *)name, 8, i, h), 0);
	}
	assert_int_equal(manifest_add(&m, (const uint8_t *)"x", 1, 0, h), -1);
	char *text = manifest_write(&m, &n);

	assert_non_null(text);
	assert_int_equal(manifest_read(&back, text, n, &why), 0);
	assert_int_equal(back.file_count, RECORD_FILES_MAX);
	manifest_free(&back);
	manifest_free(&m);
	/* Files until 4 MiB are full. */
	char *head_end = strstr(text, "{\"name\""), *big = malloc(RECORD_MANIFEST_MAX + 1);

	assert_non_null(big);
	size_t at = (size_t)(head_end - text);

	memcpy(big, text, at);
	for (unsigned i = 0; at + 200 < RECORD_MANIFEST_MAX; i++)
		at += (size_t)sprintf(big + at, "%s{\"name\":\"%08u\",\"sha256\":\"%064d\",\"size\":0,\"type\":\"\"}", i > 0 ? "," : "", i, 0);
	assert_int_equal(manifest_read(&back, big, at, &why), -1);
	assert_string_equal(why, "there are more than 4,096 files");
	/* A million values where none belong. */
	memcpy(big, text, (size_t)(head_end - text));
	for (at = (size_t)(head_end - text); at + 2 < RECORD_MANIFEST_MAX; at += 3)
		memcpy(big + at, "{},", 3);
	refused(big, at, "a million empty objects");
	memset(big, '[', RECORD_MANIFEST_MAX);
	refused(big, RECORD_MANIFEST_MAX, "four million brackets");
	memset(big, ' ', RECORD_MANIFEST_MAX + 1);
	refused(big, RECORD_MANIFEST_MAX + 1, "more than 4 MiB");
	free(big);
	free(text);
}

/* 4,096 names of 255 characters that all need an escape: the largest manifest there is. */
static void the_largest_fits(void **state)
{
	const uint8_t h[HASH_LEN] = {0};
	const char *why = NULL;
	uint8_t name[NAME_MAX_LEN];
	struct manifest m, back;
	size_t n;

	(void)state;
	manifest_init(&m);
	strcpy(m.channel, "c");
	m.number = 1;
	memset(name, '"', sizeof(name));
	for (unsigned i = 0; i < RECORD_FILES_MAX; i++) {
		name[0] = (uint8_t)('0' + i / 1024);
		name[1] = (uint8_t)('0' + i / 32 % 32);
		name[2] = (uint8_t)('0' + i % 32);
		assert_int_equal(manifest_add(&m, name, sizeof(name), INT64_MAX, h), 0);
	}
	char *text = manifest_write(&m, &n);

	assert_non_null(text);
	assert_int_equal(manifest_read(&back, text, n, &why), 0);
	manifest_free(&back);
	free(text);
	manifest_free(&m);
}

static int shell(const char *command)
{
	char line[1200];

	(void)snprintf(line, sizeof(line), "cd '%s' && %s >/dev/null 2>&1", tmpdir, command);
	return system(line);
}

/* Who receives a transfer checks it without us. */
static void openssl_and_sha256sum(void **state)
{
	struct vector v = vector_get("manifest", "one.manifest");
	uint8_t sig[SIGN_LEN];
	char pem[128], name[32], path[300] = "files/";
	struct manifest m;
	size_t n;

	(void)state;
	keyfile_pem(pem, sender->pub.sign, 0);
	tmpdir_write("sender.pem", pem, strlen(pem), 0644);
	crypto_sign_bare(sig, sender->sign, v.b, v.n);
	assert_vector(vector_get("manifest", "one.signature"), sig, SIGN_LEN);
	tmpdir_write("MANIFEST.json", v.b, v.n, 0644);
	tmpdir_write("MANIFEST.json.sig", sig, SIGN_LEN, 0644);
	static const char verify[] =
	    "openssl pkeyutl -verify -rawin -pubin -inkey sender.pem -in MANIFEST.json -sigfile MANIFEST.json.sig";
	assert_int_equal(shell(verify), 0);
	v.b[100] ^= 1;
	tmpdir_write("MANIFEST.json", v.b, v.n, 0644);
	v.b[100] ^= 1;
	assert_int_not_equal(shell(verify), 0);
	keyfile_pem(pem, sender->pub.dh, 1);
	tmpdir_write("x.pem", pem, strlen(pem), 0644);
	assert_int_equal(shell("openssl pkey -pubin -in x.pem -noout -text | grep -q X25519"), 0);

	/* Names that sha256sum escapes, in UTF-8 and Shift_JIS: empty files will do. */
	assert_int_equal(mkdir(tmpdir_path("files"), 0755), 0);
	manifest_init(&m);
	for (int i = 0; i < 9; i++) {
		uint8_t hash[HASH_LEN];

		(void)snprintf(name, sizeof(name), "file%d.name", i);
		struct vector f = vector_get("manifest", name);

		memcpy(path + 6, f.b, f.n);
		path[6 + f.n] = '\0';
		tmpdir_write(path, name, strlen(name), 0644);
		crypto_sha256(hash, name, strlen(name));
		assert_int_equal(manifest_add(&m, f.b, f.n, strlen(name), hash), 0);
	}
	char *sums = manifest_sums(&m, &n);

	tmpdir_write("SHA256SUMS", sums, n, 0644);
	assert_int_equal(shell("sha256sum -c --strict SHA256SUMS"), 0);
	/* What it would print itself, in the order of the bytes. */
	assert_int_equal(shell("LC_ALL=C; export LC_ALL; sha256sum files/* | cmp - SHA256SUMS"), 0);
	tmpdir_write("files/a.csv", "x", 1, 0644);
	assert_int_not_equal(shell("sha256sum -c --strict SHA256SUMS"), 0);
	free(sums);
	manifest_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_the_vector), cmocka_unit_test(reads_the_vectors), cmocka_unit_test(cut_or_longer),
		cmocka_unit_test(changed_bytes), cmocka_unit_test(spellings), cmocka_unit_test(capital_digits),
		cmocka_unit_test(sums_of_others), cmocka_unit_test(order_and_twins), cmocka_unit_test(duplicate_in_text),
		cmocka_unit_test(many_files), cmocka_unit_test(the_largest_fits),
		cmocka_unit_test_setup_teardown(openssl_and_sha256sum, tmpdir_make, tmpdir_remove),
	};

	seeded_init();
	assert_int_equal(crypto_init(), 0);
	sender = vector_party("sender");
	receiver = vector_party("receiver");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
