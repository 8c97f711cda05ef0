/* decompress.h and receiver_inspect.h: what an authenticated sender may not do
 * to the check process. */
#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "codec/crypto.h"
#include "receiver/pipeframe.h"
#include "receiver/receiver_inspect.h"
#include "tests/unit/seeded.h"

static uint64_t made;
static uint8_t plain_of_reference[(1 << 20) + 1];

static int count(void *ctx, const uint8_t *data, size_t n)
{
	(void)ctx;
	(void)data;
	made += n;
	return 0;
}

/* Feed in pieces of any size; the result at the end. */
static enum decompress_err feed(struct decompress *d, const uint8_t *z, size_t n, uint64_t cap, size_t piece)
{
	enum decompress_err e = DECOMPRESS_OK;

	made = 0;
	decompress_begin(d, cap, count, NULL);
	for (size_t at = 0; at < n && e == DECOMPRESS_OK; at += piece)
		e = decompress_write(d, z + at, n - at < piece ? n - at : piece);
	if (e != DECOMPRESS_OK) /* sticky */
		assert_int_equal(decompress_write(d, z, n), e);
	return e != DECOMPRESS_OK ? e : decompress_end(d);
}

static size_t compress(uint8_t *out, size_t room, const void *in, size_t n, int window)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t r;

	assert_non_null(c);
	ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, 3);
	if (window)
		ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window);
	ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, window == 0);
	ZSTD_inBuffer i = { in, n, 0 };
	ZSTD_outBuffer o = { out, room, 0 };
	r = ZSTD_compressStream2(c, &o, &i, ZSTD_e_end);
	assert_false(ZSTD_isError(r));
	assert_int_equal(r, 0);
	ZSTD_freeCCtx(c);
	return o.pos;
}

static void one_frame(void **state)
{
	static uint8_t plain[1 << 20], z[2 << 20];
	struct decompress *d = decompress_new();
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i / 100);
	n = compress(z, sizeof(z), plain, sizeof(plain), 0);
	for (size_t piece = 1; piece <= n; piece = piece * 3 + 1) {
		assert_int_equal(feed(d, z, n, sizeof(plain), piece), DECOMPRESS_OK);
		assert_int_equal(made, sizeof(plain));
	}
	assert_int_equal(feed(d, z, n, sizeof(plain) - 1, 1000), DECOMPRESS_ECAP);
	for (size_t cut = 0; cut < n; cut += 1 + n / 50)
		assert_int_equal(feed(d, z, cut, sizeof(plain), 1000), DECOMPRESS_ELESS);
	z[n] = 0; /* a byte too many */
	assert_int_equal(feed(d, z, n + 1, sizeof(plain), 1 << 20), DECOMPRESS_EMORE);
	assert_int_equal(feed(d, z, n + 1, sizeof(plain), n), DECOMPRESS_EMORE);
	memcpy(z + n, z, n); /* a second frame */
	assert_int_equal(feed(d, z, 2 * n, sizeof(plain) * 2, 1 << 20), DECOMPRESS_EMORE);
	/* a skippable frame, which zstd itself would pass over */
	static const uint8_t skip[] = { 0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 1, 2, 3, 4 };
	memcpy(z, skip, sizeof(skip));
	assert_int_equal(feed(d, z, sizeof(skip), 100, 1), DECOMPRESS_EFORMAT);
	/* nothing at all, and no zstd */
	assert_int_equal(feed(d, z, 0, 100, 1), DECOMPRESS_ELESS);
	assert_int_equal(feed(d, (const uint8_t *)"PK\3\4 is a zip file", 19, 100, 19), DECOMPRESS_EFORMAT);
	decompress_free(d);
}

static void bombs(void **state)
{
	static uint8_t zero[64 << 20], z[1 << 20];
	struct decompress *d = decompress_new();
	size_t n = compress(z, sizeof(z), zero, sizeof(zero), 0);

	(void)state;
	assert_true(n < 10000);
	assert_int_equal(feed(d, z, n, 1 << 20, 4096), DECOMPRESS_ECAP);
	assert_true(made <= (1 << 20) + (128 << 10)); /* stopped at once */
	/* a window over 8 MiB */
	n = compress(z, sizeof(z), zero, sizeof(zero), 24);
	assert_int_equal(feed(d, z, n, sizeof(zero), 4096), DECOMPRESS_EWINDOW);
	n = compress(z, sizeof(z), zero, sizeof(zero), 23);
	assert_int_equal(feed(d, z, n, sizeof(zero), 4096), DECOMPRESS_OK);
	/* a single segment of 64 MiB, whose window is as large, and a lying content size */
	static const uint8_t single[] = { 0x28, 0xB5, 0x2F, 0xFD, 0xA0, 0, 0, 0, 4, 1, 0, 0 };
	assert_int_equal(feed(d, single, sizeof(single), 1 << 30, 64), DECOMPRESS_EWINDOW);
	static const uint8_t lying[] = { 0x28, 0xB5, 0x2F, 0xFD, 0x20, 9, 9, 0, 0, 'x' }; /* says 9, has 1 */
	assert_int_equal(feed(d, lying, sizeof(lying), 100, 64), DECOMPRESS_EFORMAT);
	/* refers to dictionary 1 */
	static const uint8_t dict[] = { 0x28, 0xB5, 0x2F, 0xFD, 0x21, 1, 1, 9, 0, 0, 'x' };
	assert_int_equal(feed(d, dict, sizeof(dict), 100, 1), DECOMPRESS_EDICT);
	decompress_free(d);
}

/* A frame that is not compressed, as our sender writes it, in blocks of at most so many bytes. */
static size_t store_raw(uint8_t *out, const uint8_t *from, size_t n, size_t block)
{
	size_t at = 0, part;
	uint8_t *o = out;

	memcpy(o, (const uint8_t[]){ 0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x39 }, 6);
	for (o += 6; at < n; at += part) {
		part = n - at < block ? n - at : block;
		*o++ = (uint8_t)(part << 3), *o++ = (uint8_t)(part >> 5), *o++ = (uint8_t)(part >> 13);
		memcpy(o, from + at, part);
		o += part;
	}
	*o++ = 1, *o++ = 0, *o++ = 0; /* the last, empty */
	return (size_t)(o - out);
}

static void stored(void **state)
{
	static const struct {
		uint8_t block[6];
		size_t n;
		enum decompress_err want;
		const char *why;
	} row[] = {
		{ { 0x09, 0, 0, 'x' }, 4, DECOMPRESS_OK, "one block of a byte" },
		{ { 0x00, 0, 0, 0x01, 0, 0 }, 6, DECOMPRESS_OK, "two empty ones" },
		{ { 0x09, 0, 0, 'x', 0 }, 5, DECOMPRESS_EMORE, "a byte behind the last" },
		{ { 0x01, 0, 0, 0 }, 4, DECOMPRESS_EMORE, "likewise, behind an empty one" },
		{ { 0x08, 0, 0, 'x' }, 4, DECOMPRESS_ELESS, "no last one" },
		{ { 0x11, 0, 0, 'x' }, 4, DECOMPRESS_ELESS, "half of one" },
		{ { 0x09, 0 }, 2, DECOMPRESS_ELESS, "half a head" },
		{ { 0x0B, 0, 0, 'x' }, 4, DECOMPRESS_EFORMAT, "a byte to be repeated" },
		{ { 0x0D, 0, 0, 'x' }, 4, DECOMPRESS_EFORMAT, "compressed after all" },
		{ { 0x0F, 0, 0, 'x' }, 4, DECOMPRESS_EFORMAT, "a type that does not exist" },
		{ { 0x08, 0, 0x10, 'x' }, 4, DECOMPRESS_EFORMAT, "longer than a block may be" },
	};
	static uint8_t from[1 << 20], raw[2 << 20];
	struct decompress *d = decompress_new();
	ZSTD_DCtx *reference = ZSTD_createDCtx();

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		for (size_t piece = 1; piece < 20; piece++) {
			uint8_t frame[6 + sizeof(row[0].block)] = { 0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x39 };
			memcpy(frame + 6, row[i].block, row[i].n);
			enum decompress_err e = feed(d, frame, 6 + row[i].n, 100, piece);
			if (e != row[i].want)
				fail_msg("%s, by %zu: %d", row[i].why, piece, (int)e);
		}
	seeded_bytes(from, sizeof(from));
	for (size_t block = 1049; block <= 128 << 10; block *= 5) {
		size_t n = store_raw(raw, from, sizeof(from), block);
		ZSTD_outBuffer o = { plain_of_reference, sizeof(plain_of_reference), 0 };
		ZSTD_inBuffer i = { raw, n, 0 };
		assert_int_equal(feed(d, raw, n, sizeof(from), 1 + seeded_below(300000)), DECOMPRESS_OK);
		assert_int_equal(made, sizeof(from));
		assert_int_equal(feed(d, raw, n, sizeof(from) - 1, 1000), DECOMPRESS_ECAP);
		ZSTD_DCtx_reset(reference, ZSTD_reset_session_only);
		assert_int_equal(ZSTD_decompressStream(reference, &o, &i), 0); /* a frame like any, for others */
		assert_int_equal(o.pos, sizeof(from));
		assert_memory_equal(plain_of_reference, from, sizeof(from));
	}
	ZSTD_freeDCtx(reference);
	decompress_free(d);
}

/* --- records through the whole of inspect --- */
static struct receiver_inspect in;
static uint8_t plain[2 << 20], z[4 << 20];
static size_t plain_n;

static void put(enum record_type type, const void *body, size_t n)
{
	record_put_head(plain + plain_n, type, (uint32_t)n);
	memcpy(plain + plain_n + RECORD_HEAD_LEN, body, n);
	plain_n += RECORD_HEAD_LEN + n;
}

static void put_file(const char *name, const void *content, size_t n)
{
	uint8_t body[8 + NAME_MAX_LEN] = { 0 }, digest[32];

	body[6] = (uint8_t)(n >> 8);
	body[7] = (uint8_t)n;
	memcpy(body + 8, name, strlen(name));
	put(RECORD_FILE, body, 8 + strlen(name));
	if (n > 0)
		put(RECORD_DATA, content, n);
	crypto_sha256(digest, content, n);
	put(RECORD_END, digest, 32);
}

static void put_end(void)
{
	static const uint8_t sig[64];

	put(RECORD_MANIFEST, "{}\n", 3);
	put(RECORD_SIGNATURE, sig, 64);
}

static const struct pipe_finish *inspect(int result)
{
	static const struct record_limits limits = { .files = 3, .file_bytes = 1000, .total_bytes = 1500 };
	static struct content_policy policy;
	size_t n = compress(z, sizeof(z), plain, plain_n, 0);

	content_policy_of_channel(&policy, "eltax");
	receiver_inspect_begin(&in, 7, &limits, &policy);
	for (size_t at = 0; at < n; at += 100)
		receiver_inspect_bytes(&in, z + at, n - at < 100 ? n - at : 100);
	receiver_inspect_end(&in, result);
	return &in.finish;
}

static void transfers(void **state)
{
	static const uint8_t elf[70] = "\177ELF\2\1\1";
	static const uint8_t big[1001];
	const struct pipe_finish *f;
	static struct pipeframe_out out;
	static struct pipeframe_in events;
	struct pipeframe_fds fds;
	struct pipeframe e;
	static const uint32_t order[] = { PIPE_FILE, PIPE_DATA, PIPE_FILE_END, PIPE_FILE, PIPE_FILE_END, PIPE_MANIFEST, PIPE_SIGNATURE };

	(void)state;
	pipeframe_pair(&fds, PIPEFRAME_RING);
	assert_int_equal(pipeframe_writer(&out, fds.memory, fds.writer), 0);
	assert_int_equal(pipeframe_reader(&events, fds.memory, fds.reader), 0);
	assert_int_equal(receiver_inspect_open(&in, NULL, &out), 0);
	plain_n = 0;
	put_file("a.csv", "1,2\n", 4);
	put_file("b.csv", "", 0);
	put_end();
	f = inspect(0);
	assert_int_equal(f->bad, 0);
	assert_string_equal(f->checks, "csv names program records sizes type");
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		assert_int_equal(pipeframe_next(&events, &e, false), PIPEFRAME_GOT);
		assert_int_equal(e.type, order[i]);
		assert_int_equal(e.job, 7);
	}
	assert_int_equal(pipeframe_next(&events, &e, false), PIPEFRAME_AGAIN);
	assert_int_equal(inspect(-3)->bad, 2); /* not authentic: nothing follows from its contents */
	while (pipeframe_next(&events, &e, false) == PIPEFRAME_GOT)
		continue;
	for (int t = 0; t < 7; t++) {
		plain_n = 0;
		switch (t) {
		case 0: /* a program under a harmless name */
			put_file("a.csv", elf, sizeof(elf));
			break;
		case 1: /* a short one */
			put_file("b.csv", "#!/bin/sh\n", 10);
			break;
		case 2: /* over the channel's cap for a file */
			put_file("c.csv", big, sizeof(big));
			break;
		case 3: /* and for a transfer */
			put_file("a", big, 1000);
			put_file("b", big, 600);
			break;
		case 4: /* too many */
			put_file("a", "", 0);
			put_file("b", "", 0);
			put_file("c", "", 0);
			put_file("d", "", 0);
			break;
		case 5: /* a way out */
			put_file("../x", "", 0);
			break;
		case 6: /* a twin */
			put_file("a", "", 0);
			put_file("a", "", 0);
			break;
		}
		put_end();
		f = inspect(0);
		/* A file's content is that file's matter; what was not passed on whole is not for the quarantine. */
		assert_int_equal(f->bad, t < 2 ? 0 : t <= 4 ? 3 : 1);
		assert_int_equal(f->reason[0] != 0, t >= 2);
		bool signature = false, data = false, bad = false;
		while (pipeframe_next(&events, &e, false) == PIPEFRAME_GOT) {
			if (e.type == PIPE_BAD) {
				const struct pipe_bad *b = (const struct pipe_bad *)(const void *)e.body;
				assert_int_equal(e.len, sizeof(*b));
				assert_true(t > 1 || strstr(b->reason, "it is a program (") != NULL);
				assert_string_equal(b->checks, t < 2 ? "csv names program records sizes type" : "names program records sizes type"); /* "a": no type of the channel's */
				bad = true;
			}
			/* a program goes on, to be kept in the quarantine; what is over a cap does not */
			assert_true(t != 2 || (e.type != PIPE_DATA && e.type != PIPE_FILE));
			data |= e.type == PIPE_DATA;
			signature |= e.type == PIPE_SIGNATURE;
		}
		assert_true(t != 0 || data);
		assert_true(t > 2 || bad == (t < 2));
		assert_int_equal(signature, t < 5); /* but which number it was does, where the records are in order */
	}
	plain_n = 0; /* no end */
	put_file("a", "x", 1);
	assert_int_equal(inspect(0)->bad, 1);
	decompress_free(in.zstd);
	content_free(in.content);
	ring_close(&out.ring);
	ring_close(&events.ring);
	close(fds.memory);
	close(fds.writer);
	close(fds.reader);
}

/* Long files reach store byte by byte, however zstd's blocks, records and pieces lie: they are decompressed where it reads them. */
static void long_files(void **state)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 131064, 131072, 131073, 262144, 700000 };
	static const struct record_limits limits = { .files = 20, .file_bytes = 2 << 20, .total_bytes = 3 << 20 };
	static uint8_t content[700000], back[700000];
	static struct pipeframe_out out;
	static struct pipeframe_in events;
	static struct content_policy policy;
	struct pipeframe_fds fds;
	struct pipeframe e;
	uint8_t body[9] = { 0 }, digest[32] = { 0 };

	(void)state;
	content_policy_of_channel(&policy, "any");
	for (unsigned round = 0; round < 6; round++) {
		pipeframe_pair(&fds, PIPEFRAME_RING);
		assert_int_equal(pipeframe_writer(&out, fds.memory, fds.writer), 0);
		assert_int_equal(pipeframe_reader(&events, fds.memory, fds.reader), 0);
		assert_int_equal(receiver_inspect_open(&in, NULL, &out), 0);
		seeded_bytes(content, sizeof(content));
		for (size_t i = 4; round % 2 == 0 && i < sizeof(content); i++) /* what compresses */
			content[i] = (uint8_t)('0' + content[i] % 4);
		memcpy(content, "data", 4);
		plain_n = 0;
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			body[5] = (uint8_t)(sizes[i] >> 16), body[6] = (uint8_t)(sizes[i] >> 8), body[7] = (uint8_t)sizes[i];
			body[8] = (uint8_t)('a' + i);
			put(RECORD_FILE, body, 9);
			for (size_t at = 0, n; at < sizes[i]; at += n) {
				n = round < 4 ? sizes[i] : 1 + seeded_below(300000); /* of a record */
				n = n < sizes[i] - at ? n : sizes[i] - at;
				put(RECORD_DATA, content + at, n);
			}
			put(RECORD_END, digest, 32);
		}
		put_end();
		size_t n = compress(z, sizeof(z), plain, plain_n, 17);
		receiver_inspect_begin(&in, 7, &limits, &policy);
		for (size_t at = 0, part; at < n; at += part) {
			part = 1 + seeded_below(round < 2 ? 1000 : 512 << 10);
			part = part < n - at ? part : n - at;
			receiver_inspect_bytes(&in, z + at, part);
		}
		receiver_inspect_end(&in, 0);
		assert_int_equal(in.finish.bad, 0);
		size_t have = 0, file = 0;
		while (pipeframe_next(&events, &e, false) == PIPEFRAME_GOT) {
			if (e.type == PIPE_DATA) {
				assert_true(file < sizeof(sizes) / sizeof(sizes[0]) && have + e.len <= sizes[file]);
				memcpy(back + have, e.body, e.len);
				have += e.len;
			} else if (e.type == PIPE_FILE_END) {
				assert_int_equal(have, sizes[file]);
				assert_memory_equal(back, content, have);
				have = 0;
				file++;
			}
		}
		assert_int_equal(file, sizeof(sizes) / sizeof(sizes[0]));
		content_free(in.content);
		decompress_free(in.zstd);
		ring_close(&out.ring);
		ring_close(&events.ring);
		close(fds.memory);
		close(fds.writer);
		close(fds.reader);
	}
}

/* From open's ring to store's view of it: what is only carried stays where it is, but for a file's beginning; what is looked
 * at is copied first, so that open cannot change it between the two looks. */
static void carried(void **state)
{
	static const struct {
		const char *policy, *name;
		bool stays;
	} row[] = { { "any", "a.bin", true }, { "update", "a.bin", true }, { "any", "a.csv", true }, { "eltax", "a.csv", false } };
	static const struct record_limits limits = { .files = 20, .file_bytes = 2 << 20, .total_bytes = 3 << 20 };
	static uint8_t content[1000000], back[1000000];
	static struct pipeframe_out to_check, to_store;
	static struct pipeframe_in at_check, at_store;
	struct content_policy policy;
	struct pipeframe_fds a, b;
	struct pipeframe f, e;

	(void)state;
	pipeframe_pair(&a, PIPEFRAME_RING);
	pipeframe_pair(&b, PIPEFRAME_RING);
	assert_true(pipeframe_writer(&to_check, a.memory, a.writer) == 0 && pipeframe_reader(&at_check, a.memory, a.reader) == 0);
	assert_true(pipeframe_writer(&to_store, b.memory, b.writer) == 0 && pipeframe_reader(&at_store, b.memory, b.reader) == 0);
	assert_int_equal(pipeframe_view(&at_store, a.memory), 0);
	assert_int_equal(receiver_inspect_open(&in, &at_check, &to_store), 0);
	for (size_t i = 0; i < sizeof(content); i += 4)
		memcpy(content + i, "1,2\n", 4);
	for (unsigned round = 0; round < 40; round++) {
		unsigned r = round % (unsigned)(sizeof(row) / sizeof(row[0]));
		size_t len = round % 8 < 4 ? sizeof(content) : 4096; /* also of a file that is hardly longer than what is copied anyway */
		uint8_t body[8 + 5] = { [5] = (uint8_t)(len >> 16), [6] = (uint8_t)(len >> 8), [7] = (uint8_t)len }, digest[32] = { 0 };
		size_t have = 0, stayed = 0;
		plain_n = 0;
		memcpy(body + 8, row[r].name, 5);
		put(RECORD_FILE, body, sizeof(body));
		put(RECORD_DATA, content, len);
		put(RECORD_END, digest, 32);
		put_end();
		size_t n = store_raw(z, plain, plain_n, 128 << 10);
		content_policy_of_channel(&policy, row[r].policy);
		receiver_inspect_begin(&in, 7, &limits, &policy);
		for (size_t at = 0, part; at < n; at += part) {
			part = 1 + seeded_below(PIPEFRAME_MAX);
			part = part < n - at && len > 4096 ? part : n - at;
			assert_int_equal(pipeframe_write(&to_check, PIPE_BYTES, 7, z + at, part), 0);
			assert_int_equal(pipeframe_next(&at_check, &f, false), PIPEFRAME_GOT);
			receiver_inspect_bytes(&in, f.body, f.len);
			while (pipeframe_next(&at_store, &e, false) == PIPEFRAME_GOT) {
				if (e.type != PIPE_DATA)
					continue;
				bool stays = e.body >= at_store.view.data && e.body < at_store.view.data + at_store.view.size;
				assert_true(!stays || (row[r].stays && have >= 64));
				stayed += stays ? e.len : 0;
				assert_true(e.len <= sizeof(back) - have);
				memcpy(back + have, e.body, e.len);
				have += e.len;
			}
		}
		receiver_inspect_end(&in, 0);
		assert_int_equal(in.finish.bad, 0);
		assert_int_equal(have, len);
		assert_memory_equal(back, content, have);
		assert_true(row[r].stays ? stayed > have / 2 : stayed == 0);
	}
	content_free(in.content);
	decompress_free(in.zstd);
	ring_close(&to_check.ring);
	ring_close(&to_store.ring);
	ring_close(&at_check.ring);
	ring_close(&at_store.ring);
	ring_view_close(&at_store.view);
	for (int i = 0; i < 2; i++) {
		const struct pipeframe_fds *x = i == 0 ? &a : &b;
		close(x->memory);
		close(x->writer);
		close(x->reader);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_frame),
		cmocka_unit_test(bombs),
		cmocka_unit_test(stored),
		cmocka_unit_test(transfers),
		cmocka_unit_test(long_files),
		cmocka_unit_test(carried),
	};

	if (crypto_init() != 0)
		return 1;
	seeded_init();
	return cmocka_run_group_tests_name("receiver_inspect", tests, NULL, NULL);
}
