/* compress.h: whatever goes in comes out of the reference decoder, stored or not; the level follows the link. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "sender/compress.h"
#include "tests/unit/seeded.h"

enum { BIG = 5000000, ROOM = BIG + 100000 };

static uint8_t *in, *out, *back;
static size_t have;

static int setup(void **state)
{
	(void)state;
	seeded_init();
	in = malloc(BIG);
	out = malloc(ROOM);
	back = malloc(BIG);
	seeded_bytes(in, BIG);
	for (size_t i = 0; i < BIG / 2; i++)
		in[i] = (uint8_t)"<税額>12000</税額>\n"[i % 21];
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(in);
	free(out);
	free(back);
	return 0;
}

static int keep(void *ctx, const void *data, size_t n)
{
	(void)ctx;
	if (have + n > ROOM)
		return -1;
	memcpy(out + have, data, n);
	have += n;
	return 0;
}

static int refuse(void *ctx, const void *data, size_t n)
{
	(void)ctx, (void)data, (void)n;
	return -1;
}

static void frame(struct compress *c, int level, size_t n)
{
	have = 0;
	compress_begin(c, level, keep, NULL);
	for (size_t at = 0; at < n;) {
		size_t part = 1 + seeded_below(1 << 20);
		part = part < n - at ? part : n - at;
		assert_int_equal(compress_write(c, in + at, part), 0);
		at += part;
	}
	assert_int_equal(compress_flush(c), 0);
	assert_int_equal(compress_end(c), 0);
}

static void every_way_comes_back(void **state)
{
	static const int levels[] = { COMPRESS_STORED, COMPRESS_LEVEL_MIN, -1, 1, COMPRESS_LEVEL_MAX };
	static const size_t sizes[] = { 0, 1, 131071, 131072, 131073, BIG };

	(void)state;
	struct compress *c = compress_new();
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {
			frame(c, levels[i], sizes[j]);
			/* One frame, and nothing behind it. */
			assert_int_equal(ZSTD_findFrameCompressedSize(out, have), have);
			assert_int_equal(ZSTD_decompress(back, BIG, out, have), sizes[j]);
			assert_memory_equal(back, in, sizes[j]);
			if (levels[i] == COMPRESS_STORED)
				assert_in_range(have, sizes[j] + 9, sizes[j] + sizes[j] / 1000 + 100);
		}
	compress_free(c);
}

static void a_sink_that_stops(void **state)
{
	static const int levels[] = { COMPRESS_STORED, 1 };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct compress *c = compress_new();
		compress_begin(c, levels[i], refuse, NULL);
		assert_true(compress_write(c, in, BIG) != 0 || compress_end(c) != 0);
		/* The next frame is whole again. */
		frame(c, levels[i], 1000);
		assert_int_equal(ZSTD_decompress(back, BIG, out, have), 1000);
		compress_free(c);
	}
}

static void samples(void **state)
{
	struct compress *c = compress_new();

	(void)state;
	assert_in_range(compress_sample(c, 1, in, 65536), 1, 6000);
	assert_int_equal(compress_sample(c, 1, in + BIG - 65536, 65536), 65536);
	assert_int_equal(compress_sample(c, 1, in, 0), 0);
	assert_int_equal(compress_sample(c, 1, in, 65537), 65537); /* longer than a sample: nothing is claimed of it */
	compress_free(c);
}

/* The link carries 1 MB in 8 ms at 1 Gbit/s. */
static void the_level_follows_the_link(void **state)
{
	static const struct { int level; uint64_t out; int next; } cases[] = {
		{ 1, 1000000, 1 }, { 1, 1099000, 1 }, { 1, 1200000, 2 }, { 3, 5000000, 3 },
		{ 1, 960000, 1 }, { 1, 900000, -1 }, { 1, 400000, -2 }, { -1, 1200000, 1 }, { 2, 900000, 1 }, { 2, 400000, -1 },
		{ -2, 900000, -3 }, { -2, 400000, -4 }, { -3, 400000, -4 }, { -4, 0, -4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(compress_adapt(cases[i].level, cases[i].out, 8000000, 1000000000), cases[i].next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_comes_back), cmocka_unit_test(a_sink_that_stops), cmocka_unit_test(samples),
		cmocka_unit_test(the_level_follows_the_link),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
