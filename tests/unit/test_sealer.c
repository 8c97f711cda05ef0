/* sealer.h, compress.h: a claim becomes an object that its receiver opens, or
 * is told exactly which file stopped it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>
#include <zstd.h>

#include "codec/record.h"
#include "host/log.h"
#include "sender/sealer.h"
#include "tests/unit/seeded.h"
#include "tests/unit/tmpdir.h"

enum { BIG = 12 * 1000 * 1000 + 1 }; /* more pieces than the source has buffers */

static struct claim_folder folder;
static struct sealer_keys keys;
static struct sealer *sealer;
static struct party_secret *sender, *receiver;
static int objects;
static uint8_t *big;

static int setup(void **state)
{
	static char path[300];

	if (crypto_init() != 0 || tmpdir_make(state) != 0)
		return -1;
	seeded_init();
	log_init("test", NULL);
	snprintf(path, sizeof(path), "%s", tmpdir);
	if (claim_open(&folder, path, "eltax") != 0 || mkdir(tmpdir_path("objects"), 0700) != 0)
		return -1;
	objects = open(tmpdir_path("objects"), O_RDONLY | O_DIRECTORY);
	sender = crypto_secret_alloc(sizeof(*sender));
	receiver = crypto_secret_alloc(sizeof(*receiver));
	party_generate(sender, PARTY_SENDER);
	party_generate(receiver, PARTY_RECEIVER);
	keys.sender = sender;
	keys.recipient[0] = &receiver->pub;
	keys.recipients = 1;
	memset(keys.generation, 7, sizeof(keys.generation));
	sealer = sealer_start(&keys, objects, 1000000000, true, NULL);
	big = malloc(BIG);
	seeded_bytes(big, BIG);
	memset(big, 'a', BIG / 2); /* half of it compresses */
	return 0;
}

static int teardown(void **state)
{
	sealer_stop(sealer);
	crypto_secret_free(sender);
	crypto_secret_free(receiver);
	claim_close(&folder);
	close(objects);
	free(big);
	return tmpdir_remove(state);
}

static void claim_files(struct claim *c, const char *const *names, const size_t *sizes, unsigned n)
{
	assert_int_equal(claim_begin(c, &folder), 0);
	for (unsigned i = 0; i < n; i++) {
		tmpdir_write(names[i], big + BIG - sizes[i], sizes[i], 0644);
		assert_int_equal(claim_take(c, &folder, names[i], -1), 0);
	}
}

static struct seal_job *seal(struct seal_job *j, struct claim *c)
{
	struct pollfd p = { .fd = sealer_fd(sealer), .events = POLLIN };
	struct seal_job *back;

	*j = (struct seal_job){ .claim = c, .channel = "eltax" };
	sealer_submit(sealer, j);
	do { /* or it has only grown */
		assert_int_equal(poll(&p, 1, 30000), 1);
		back = sealer_take(sealer);
	} while (back == NULL);
	assert_ptr_equal(back, j);
	return j;
}

static void clean_up(struct claim *c)
{
	assert_int_equal(claim_erase(c, &folder), 0);
	claim_end(c, &folder);
}

static unsigned count_objects(void)
{
	char command[400];
	FILE *f;
	unsigned n = 0;

	snprintf(command, sizeof(command), "ls '%s/objects' | wc -l", tmpdir);
	f = popen(command, "r");
	assert_int_equal(fscanf(f, "%u", &n), 1);
	pclose(f);
	return n;
}

/* --- reading it as the receiver does, but plainly --- */

struct reading {
	ZSTD_DCtx *z;
	struct record_reader records;
	char log[4096];        /* what came, in words */
	struct crypto_hasher *hash;
	size_t manifest;
};

static int on_file(void *ctx, const uint8_t *name, size_t n, uint64_t size)
{
	struct reading *r = ctx;

	snprintf(r->log + strlen(r->log), sizeof(r->log) - strlen(r->log), "%.*s:%llu ", (int)n, (const char *)name,
	    (unsigned long long)size);
	crypto_hasher_reset(r->hash);
	return 0;
}

static int on_data(void *ctx, const uint8_t *data, size_t n)
{
	crypto_hasher_add(((struct reading *)ctx)->hash, data, n);
	return 0;
}

static int on_end(void *ctx, const uint8_t sha256[32])
{
	struct reading *r = ctx;
	uint8_t have[32];

	crypto_hasher_end(r->hash, have);
	strcat(r->log, memcmp(have, sha256, 32) == 0 ? "ok " : "WRONG ");
	return 0;
}

static int on_manifest(void *ctx, const uint8_t *data, size_t n)
{
	(void)data;
	((struct reading *)ctx)->manifest += n;
	return 0;
}

static int on_signature(void *ctx, const uint8_t sig[64])
{
	strcat(((struct reading *)ctx)->log, sig[0] == 0x5a ? "signed" : "signed WRONG");
	return 0;
}

static int on_zstd(void *ctx, const uint8_t *data, size_t n)
{
	struct reading *r = ctx;
	static uint8_t out[1 << 17];
	ZSTD_inBuffer in = { data, n, 0 };

	while (in.pos < in.size) {
		ZSTD_outBuffer o = { out, sizeof(out), 0 };
		size_t left = ZSTD_decompressStream(r->z, &o, &in);
		if (ZSTD_isError(left) || record_read(&r->records, out, o.pos) != RECORD_OK)
			return -1;
	}
	return 0;
}

static void expect_object(const struct seal_job *j, const char *log, size_t manifest)
{
	static const struct record_sink sink = { on_file, on_data, on_end, on_manifest, on_signature };
	static const struct record_limits limits = { RECORD_FILES_MAX, UINT64_MAX, UINT64_MAX };
	const struct party *senders[] = { &sender->pub };
	struct reading r = { .z = ZSTD_createDCtx(), .hash = crypto_hasher_new() };
	struct seal_inner inner;
	struct open *o = open_begin(receiver, senders, 1, NULL, &inner, on_zstd, &r);
	int fd = openat(objects, j->name, O_RDONLY);
	uint64_t length = 0;
	uint8_t buf[70001];
	ssize_t n;

	assert_true(fd >= 0);
	record_reader_init(&r.records, &limits, &sink, &r);
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		assert_int_equal(open_write(o, buf, (size_t)n), OPEN_OK);
		length += (uint64_t)n;
	}
	assert_int_equal(open_end(o), OPEN_OK);
	assert_int_equal(record_read_end(&r.records), RECORD_OK);
	assert_string_equal(r.log, log);
	assert_int_equal(r.manifest, manifest);
	assert_int_equal(length, j->length);
	assert_string_equal(inner.channel, "eltax");
	assert_memory_equal(inner.generation, keys.generation, sizeof(keys.generation));
	assert_memory_equal(open_object_id(o), j->id, SEAL_ID_LEN);
	open_free(o);
	close(fd);
	crypto_hasher_free(r.hash);
	ZSTD_freeDCtx(r.z);
}

static void sealed_and_opened(void **state)
{
	static const char *const names[] = { "z.csv", "a.csv", "m.xml" };
	static const size_t sizes[] = { 1, 0, 100000 };
	uint8_t sig[64] = { 0x5a };
	struct seal_job j;
	struct claim c;

	(void)state;
	claim_files(&c, names, sizes, 3);
	assert_int_equal(seal(&j, &c)->result, SEAL_DONE);
	assert_int_equal(j.length, 0); /* not finished: no name but HEX.tmp */
	assert_int_equal(faccessat(objects, j.name, F_OK, 0), -1);
	assert_int_equal(sealer_finish(sealer, &j, "{manifest}\n", 11, sig, NULL, &(int){ 0 }), 0);
	expect_object(&j, "a.csv:0 ok m.xml:100000 ok z.csv:1 ok signed", 11);
	sealer_drop(sealer, &j);
	assert_int_equal(faccessat(objects, j.name, F_OK, 0), 0);
	assert_int_equal(unlinkat(objects, j.name, 0), 0);
	clean_up(&c);
	assert_int_equal(count_objects(), 0);
}

/* Several segments, several DATA records, a manifest of more than one record; once compressed, once as it is. */
static void a_large_one(void **state)
{
	static const char *const names[] = { "big" };
	static const size_t sizes[] = { BIG, BIG / 2 };
	size_t n = RECORD_DATA_MAX + 5;
	char *manifest = calloc(1, n), log[64];
	uint8_t sig[64] = { 0x5a };
	struct seal_job j;
	struct claim c;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		size_t most = i == 0 ? BIG / 2 : BIG / 2 + n;
		claim_files(&c, names, &sizes[i], 1);
		assert_int_equal(seal(&j, &c)->result, SEAL_DONE);
		assert_int_equal(sealer_finish(sealer, &j, manifest, n, sig, NULL, &(int){ 0 }), 0);
		assert_in_range(j.length, most, most + 100000);
		snprintf(log, sizeof(log), "big:%zu ok signed", sizes[i]);
		expect_object(&j, log, n);
		sealer_drop(sealer, &j);
		assert_int_equal(unlinkat(objects, j.name, 0), 0);
		clean_up(&c);
	}
	free(manifest);
}

static void a_file_that_changed(void **state)
{
	static const char *const names[] = { "1", "2", "3" };
	static const size_t sizes[] = { 10, 20, 30 };
	struct seal_job j;
	struct claim c;
	int fd;

	(void)state;
	claim_files(&c, names, sizes, 3);
	usleep(20000);
	fd = openat(c.dir, "2", O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_int_equal(seal(&j, &c)->result, SEAL_CHANGED);
	assert_int_equal(j.bad, 1);
	assert_int_equal(j.error, ESTALE);
	sealer_drop(sealer, &j);
	assert_int_equal(count_objects(), 0);
	assert_int_equal(claim_back(&c, &folder, j.bad), 0);
	/* The others go on, under a new object id. */
	assert_int_equal(seal(&j, &c)->result, SEAL_DONE);
	sealer_drop(sealer, &j); /* dropped unfinished: as if the commit failed */
	assert_int_equal(count_objects(), 0);
	assert_int_equal(unlinkat(c.dir, "3", 0), 0);
	assert_int_equal(seal(&j, &c)->result, SEAL_CHANGED);
	assert_int_equal(j.error, ENOENT);
	sealer_drop(sealer, &j);
	clean_up(&c);
	assert_int_equal(unlink(tmpdir_path("2")), 0);
}

/* No room on the disk, as the limit on file sizes makes it. */
static void no_room(void **state)
{
	static const char *const names[] = { "big" };
	static const size_t sizes[] = { BIG };
	const struct rlimit small = { 100000, RLIM_INFINITY }, all = { RLIM_INFINITY, RLIM_INFINITY };
	uint8_t sig[64] = { 0x5a };
	struct seal_job j;
	struct claim c;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	claim_files(&c, names, sizes, 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(seal(&j, &c)->result, SEAL_WRITE);
	assert_int_equal(j.error, EFBIG);
	sealer_drop(sealer, &j);
	assert_int_equal(count_objects(), 0);
	/* And in the last segment. */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	assert_int_equal(seal(&j, &c)->result, SEAL_DONE);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(sealer_finish(sealer, &j, "m", 1, sig, NULL, &(int){ 0 }), -1);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	sealer_drop(sealer, &j);
	assert_int_equal(count_objects(), 0);
	clean_up(&c);
}

static void stopped_in_the_middle(void **state)
{
	static const char *const names[] = { "big" };
	static const size_t sizes[] = { BIG };
	struct sealer *s = sealer_start(&keys, objects, 1000000000, true, NULL);
	struct seal_job j = { .channel = "eltax" };
	struct claim c;

	(void)state;
	claim_files(&c, names, sizes, 1);
	j.claim = &c;
	sealer_submit(s, &j);
	sealer_stop(s); /* returns, whatever it was at */
	assert_int_equal(count_objects(), 0);
	clean_up(&c);
}

/* Which link is faster than any compressor, and which is slower? */
static void who_waits_for_whom(void **state)
{
	static const struct { uint64_t rate; size_t size; bool outrun; } cases[] = {
		{ 1000000000000000, BIG, true }, { 1000, BIG, false },
		{ 1000000000000000, BIG / 2, false }, /* does not compress: it is stored */
		{ 1000000000000000, 1000, false },    /* a small one is compressed well whatever the link */
	};
	static const char *const names[] = { "f" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sealer *all = sealer;
		struct seal_job j;
		struct claim c;
		sealer = sealer_start(&keys, objects, cases[i].rate, true, NULL);
		claim_files(&c, names, &cases[i].size, 1);
		assert_int_equal(seal(&j, &c)->result, SEAL_DONE);
		assert_int_equal(j.outrun, cases[i].outrun);
		sealer_drop(sealer, &j);
		sealer_stop(sealer);
		sealer = all;
		clean_up(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_and_opened), cmocka_unit_test(a_large_one), cmocka_unit_test(a_file_that_changed),
		cmocka_unit_test(no_room), cmocka_unit_test(stopped_in_the_middle),
		cmocka_unit_test(who_waits_for_whom),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
