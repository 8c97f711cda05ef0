/* manifest_read.c - reading a manifest (manifest.h; PROTOCOL.md, section 7).
 *
 * A manifest has exactly one way to be written, so this is no JSON parser: a
 * cursor walks over the only bytes that can stand there, and what it found is
 * written out again and compared.  Unknown keys, white space, nesting, other
 * spellings of a number or a string, and a million entries all fail at the
 * first byte that is not ours, and memory is bounded by 4,096 files. */
#include <sodium/utils.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "codec/hex.h"
#include "codec/manifest_text.h"

struct cursor {
	const char *p, *end;
	const char *why; /* NULL while all is well */
};

static int fail(struct cursor *c, const char *why)
{
	if (c->why == NULL)
		c->why = why;
	return -1;
}

/* These bytes come next; peek() only looks. */
static int peek(const struct cursor *c, const char *s)
{
	size_t n = strlen(s);

	return (size_t)(c->end - c->p) >= n && memcmp(c->p, s, n) == 0;
}

static int expect(struct cursor *c, const char *s, const char *why)
{
	if (!peek(c, s))
		return fail(c, why);
	c->p += strlen(s);
	return 0;
}

/* Up to the closing quotation mark, escapes resolved.  Returns the length, or -1. */
static ssize_t string(struct cursor *c, char *out, size_t size, const char *why)
{
	size_t n = 0;

	while (c->p < c->end && *c->p != '"') {
		if (*c->p == '\\' && ++c->p < c->end && *c->p != '"' && *c->p != '\\')
			return fail(c, why);
		if (c->p == c->end || (unsigned char)*c->p < 0x20 || n == size)
			return fail(c, why);
		out[n++] = *c->p++;
	}
	return expect(c, "\"", why) == 0 ? (ssize_t)n : -1;
}

static int hex(struct cursor *c, uint8_t *out, size_t n, const char *why)
{
	if ((size_t)(c->end - c->p) < 2 * n || hex_get(out, n, c->p, 2 * n) != 0)
		return fail(c, why);
	c->p += 2 * n;
	return expect(c, "\"", why);
}

/* 0 to 2^63 - 1, without leading zeros. */
static int integer(struct cursor *c, uint64_t *out, const char *why)
{
	const char *from = c->p;
	uint64_t v = 0;

	for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++) {
		uint64_t digit = (uint64_t)(*c->p - '0');

		if (v > (INT64_MAX - digit) / 10)
			return fail(c, why);
		v = v * 10 + digit;
	}
	if (c->p == from || (*from == '0' && c->p - from > 1))
		return fail(c, why);
	*out = v;
	return 0;
}

int manifest_time(char out[static MANIFEST_TIME_LEN + 1], uint64_t seconds)
{
	const uint64_t year_10000 = 253402300800;
	time_t t = (time_t)seconds;
	struct tm tm;

	if (seconds >= year_10000 || gmtime_r(&t, &tm) == NULL ||
	    strftime(out, MANIFEST_TIME_LEN + 1, "%Y-%m-%dT%H:%M:%SZ", &tm) != MANIFEST_TIME_LEN)
		return -1;
	return 0;
}

static int created(struct cursor *c, struct manifest *m)
{
	char s[MANIFEST_TIME_LEN + 1], again[MANIFEST_TIME_LEN + 1];
	struct tm tm = {0};

	if (string(c, s, MANIFEST_TIME_LEN, "created is no time") != MANIFEST_TIME_LEN)
		return fail(c, "created is no time");
	s[MANIFEST_TIME_LEN] = '\0';
	const char *rest = strptime(s, "%Y-%m-%dT%H:%M:%SZ", &tm);
	time_t t = rest != NULL && *rest == '\0' ? timegm(&tm) : -1;

	if (t < 0 || manifest_time(again, (uint64_t)t) != 0 || strcmp(s, again) != 0)
		return fail(c, "created is no time");
	m->created_s = (uint64_t)t;
	return 0;
}

static int check_name_ok(const char *s)
{
	return *s != '\0' && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
}

static int checks(struct cursor *c, struct manifest *m)
{
	static const char why[] = "checks is not a sorted list of names";
	const uint32_t max = sizeof(m->checks) / sizeof(m->checks[0]);

	if (expect(c, ",\"checks\":[", "checks is missing") != 0)
		return -1;
	while (!peek(c, "]")) {
		char *s = m->checks[m->check_count];

		if (m->check_count == max || (m->check_count > 0 && expect(c, ",", why) != 0) || expect(c, "\"", why) != 0)
			return fail(c, why);
		if (string(c, s, sizeof(m->checks[0]) - 1, why) < 0 || !check_name_ok(s))
			return fail(c, why);
		if (m->check_count > 0 && strcmp(s - sizeof(m->checks[0]), s) >= 0)
			return fail(c, why);
		m->check_count++;
	}
	return expect(c, "]", why);
}

/* A name in either form; its length, or -1. */
static ssize_t file_name(struct cursor *c, uint8_t name[static NAME_MAX_LEN])
{
	char b64[(NAME_MAX_LEN + 2) / 3 * 4];
	ssize_t n;

	if (peek(c, "\"name\":\"")) {
		c->p += strlen("\"name\":\"");
		return string(c, (char *)name, NAME_MAX_LEN, "a file's name is no string of up to 255 bytes");
	}
	if (expect(c, "\"name_b64\":\"", "a file has no name") != 0)
		return -1;
	n = string(c, b64, sizeof(b64), "a file's name_b64 is too long");
	size_t len = 0;

	if (n < 0 || sodium_base642bin(name, NAME_MAX_LEN, b64, (size_t)n, NULL, &len, NULL,
	    sodium_base64_VARIANT_ORIGINAL) != 0)
		return fail(c, "a file's name_b64 is not base64 of up to 255 bytes");
	return (ssize_t)len;
}

static int file(struct cursor *c, struct manifest *m)
{
	uint8_t name[NAME_MAX_LEN], sha256[HASH_LEN];
	char type[NAME_TYPE_MAX];
	uint64_t size;

	if (m->file_count == RECORD_FILES_MAX)
		return fail(c, "there are more than 4,096 files");
	if (expect(c, "{", "a file is no object") != 0)
		return -1;
	ssize_t n = file_name(c, name);

	if (n < 0)
		return -1;
	if (name_check(name, (size_t)n) != NAME_OK)
		return fail(c, "a file's name is not allowed");
	if (expect(c, ",\"sha256\":\"", "a file's sha256 is missing") != 0 ||
	    hex(c, sha256, sizeof(sha256), "a file's sha256 is not 64 small hexadecimal digits") != 0 ||
	    expect(c, ",\"size\":", "a file's size is missing") != 0 || integer(c, &size, "a file's size is no number") != 0 ||
	    expect(c, ",\"type\":\"", "a file's type is missing") != 0 ||
	    string(c, type, sizeof(type), "a file's type is wrong") < 0 || /* compared when it is written again */
	    expect(c, "}", "a file has keys that are not known") != 0)
		return -1;
	if (m->file_count > 0 && name_order(m->file[m->file_count - 1].name, m->file[m->file_count - 1].name_len, name,
	    (size_t)n) >= 0)
		return fail(c, "the files are not in order, or one stands there twice");
	return manifest_add(m, name, (size_t)n, size, sha256) == 0 ? 0 : fail(c, "there is not enough memory");
}

static int files(struct cursor *c, struct manifest *m)
{
	if (expect(c, ",\"files\":[", "files is missing") != 0)
		return -1;
	if (peek(c, "]"))
		return fail(c, "there is no file");
	do {
		if (file(c, m) != 0)
			return -1;
	} while (peek(c, ",") && expect(c, ",", "files does not end") == 0);
	return expect(c, "]", "files does not end");
}

static int head(struct cursor *c, struct manifest *m)
{
	if (expect(c, "{\"@format\":\"" MANIFEST_FORMAT "\"", "it is not a " MANIFEST_FORMAT) != 0 ||
	    expect(c, ",\"channel\":\"", "channel is missing") != 0)
		return -1;
	ssize_t n = string(c, m->channel, NAME_CHANNEL_MAX, "channel is no channel name");

	if (n < 0 || !name_channel_ok(m->channel, (size_t)n))
		return fail(c, "channel is no channel name");
	if (checks(c, m) != 0 || expect(c, ",\"created\":\"", "created is missing") != 0)
		return -1;
	return created(c, m);
}

static int tail(struct cursor *c, struct manifest *m)
{
	if (expect(c, ",\"generation\":\"", "generation is missing") != 0 ||
	    hex(c, m->generation, sizeof(m->generation), "generation is not 32 small hexadecimal digits") != 0 ||
	    expect(c, ",\"number\":", "number is missing") != 0 || integer(c, &m->number, "number is no number") != 0 ||
	    expect(c, ",\"previous\":\"", "previous is missing") != 0 ||
	    hex(c, m->previous, HASH_LEN, "previous is no SHA-256") != 0 ||
	    expect(c, ",\"receiver\":\"", "receiver is missing") != 0 ||
	    hex(c, m->receiver, HASH_LEN, "receiver is no fingerprint") != 0 ||
	    expect(c, ",\"sender\":\"", "sender is missing") != 0 ||
	    hex(c, m->sender, HASH_LEN, "sender is no fingerprint") != 0 ||
	    expect(c, ",\"sha256sums\":\"", "sha256sums is missing") != 0 ||
	    hex(c, m->sums, HASH_LEN, "sha256sums is no SHA-256") != 0 ||
	    expect(c, "}\n", "it does not end with one newline after the last key") != 0)
		return -1;
	if (c->p != c->end)
		return fail(c, "something follows its end");
	if (m->number == 0)
		return fail(c, "number is 0");
	if ((m->number == 1) != crypto_is_zero(m->previous, HASH_LEN))
		return fail(c, "previous does not fit number");
	return 0;
}

/* Written again, is it the same, and is sha256sums that of its files? */
static int same_again(struct cursor *c, const struct manifest *m, const char *bytes, size_t n)
{
	uint8_t sums_hash[HASH_LEN];
	size_t len = 0, sums_len;
	char *text = manifest_text(m, &len), *sums = manifest_sums(m, &sums_len);

	if (text == NULL || sums == NULL) {
		fail(c, "there is not enough memory");
	} else {
		crypto_sha256(sums_hash, sums, sums_len);
		if (memcmp(sums_hash, m->sums, HASH_LEN) != 0)
			fail(c, "sha256sums is not that of its files");
		else if (len != n || memcmp(text, bytes, n) != 0)
			fail(c, "it is not in canonical form");
	}
	free(text);
	free(sums);
	return c->why == NULL ? 0 : -1;
}

int manifest_read(struct manifest *m, const char *bytes, size_t n, const char **why)
{
	struct cursor c = {bytes, bytes + n, NULL};

	manifest_init(m);
	if (n > RECORD_MANIFEST_MAX)
		fail(&c, "it is larger than 4 MiB");
	else if (head(&c, m) == 0 && files(&c, m) == 0 && tail(&c, m) == 0 && same_again(&c, m, bytes, n) == 0)
		return 0;
	*why = c.why;
	manifest_free(m);
	return -1;
}
