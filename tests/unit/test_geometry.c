/* geometry.h: blocks and symbols of an object (PROTOCOL.md, section 3.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/geometry.h"
#include "tests/unit/seeded.h"

static const struct row {
	uint64_t len;
	uint32_t slen;
	uint16_t kfull;
	int want;
	uint64_t symbols;
	uint32_t blocks;
	uint16_t klast;
} rows[] = {
	{ 0, 1408, 100, 0, 0, 0, 0 },
	{ 1, 1408, 100, 0, 1, 1, 1 },
	{ 1408, 1408, 100, 0, 1, 1, 1 },
	{ 1409, 1408, 100, 0, 2, 1, 2 },
	{ 140800, 1408, 100, 0, 100, 1, 100 },
	{ 140801, 1408, 100, 0, 101, 2, 1 },
	{ 10, 2, 1, 0, 5, 5, 1 },
	{ 10, 2, 65535, 0, 5, 1, 5 },
	{ 1, 0, 100, -1, 0, 0, 0 },      /* a division by zero */
	{ 1, 1407, 100, -1, 0, 0, 0 },   /* odd */
	{ 1, 1408, 0, -1, 0, 0, 0 },     /* a division by zero */
	{ UINT64_MAX, 2, 1, -1, 0, 0, 0 }, /* len + slen - 1 wraps */
	{ UINT64_MAX, UINT32_MAX - 1, 65535, -1, 0, 0, 0 }, /* 2^32 + 3 symbols */
	{ 2ull << 32, 2, 2, 0, 1ull << 32, 1u << 31, 2 }, /* 2^32 symbols */
	{ (2ull << 32) + 1, 2, 2, -1, 0, 0, 0 },
	{ (2ull << 32) - 2, 2, 1, 0, UINT32_MAX, UINT32_MAX, 1 },
	{ 2ull << 32, 2, 1, -1, 0, 0, 0 }, /* 2^32 blocks */
};

static void table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		struct geometry g, before;

		memset(&g, 0xA5, sizeof g);
		memcpy(&before, &g, sizeof g);
		assert_int_equal(geometry_init(&g, r->len, r->slen, r->kfull), r->want);
		if (r->want != 0) {
			assert_memory_equal(&g, &before, sizeof g);
			continue;
		}
		assert_int_equal(g.symbols, r->symbols);
		assert_int_equal(g.blocks, r->blocks);
		assert_int_equal(g.klast, r->klast);
	}
}

static void no_such_block(void **state)
{
	struct geometry g;

	(void)state;
	assert_int_equal(geometry_init(&g, 430 * 1408 + 5, 1408, 100), 0);
	assert_int_equal(geometry_k(&g, 3), 100);
	assert_int_equal(geometry_k(&g, 4), 31);
	assert_int_equal(geometry_k(&g, 5), 0);
	assert_int_equal(geometry_k(&g, UINT32_MAX), 0);
	assert_int_equal(geometry_init(&g, 0, 1408, 2), 0);
	assert_int_equal(geometry_k(&g, (1u << 31) - 1), 2);
	assert_int_equal(geometry_k(&g, 1u << 31), 0);
	assert_int_equal(geometry_k(&g, UINT32_MAX), 0); /* block + 1 wraps in 32 bits */
	assert_int_equal(geometry_bytes(&g, 7, 1), 1408);
}

/* The symbols of all blocks, one after the other, are the object: no gap, no overlap, nothing behind. */
static void tiles(void **state)
{
	(void)state;
	seeded_init();
	for (unsigned round = 0; round < 300; round++) {
		uint64_t len = 1 + seeded_below(20000), at = 0, symbols = 0;
		uint32_t slen = 2 * (uint32_t)(1 + seeded_below(60));
		uint16_t kfull = (uint16_t)(1 + seeded_below(40));
		struct geometry g;

		assert_int_equal(geometry_init(&g, len, slen, kfull), 0);
		for (uint32_t b = 0; b < g.blocks; b++)
			for (uint32_t i = 0; i < geometry_k(&g, b); i++, symbols++) {
				assert_int_equal(geometry_offset(&g, b, i), at);
				assert_true(geometry_bytes(&g, b, i) == slen || symbols == g.symbols - 1);
				at += geometry_bytes(&g, b, i);
			}
		assert_int_equal(at, len);
		assert_int_equal(symbols, g.symbols);
	}
}

static void far_end(void **state)
{
	const uint64_t len = (1ull << 32) * 65534 - 65533; /* 2^32 symbols, the last with one byte */
	struct geometry g;

	(void)state;
	assert_int_equal(geometry_init(&g, len, 65534, 65535), 0);
	assert_int_equal(g.klast, (1ull << 32) - (uint64_t)(g.blocks - 1) * 65535);
	assert_int_equal(geometry_offset(&g, g.blocks - 1, g.klast - 1u), len - 1);
	assert_int_equal(geometry_bytes(&g, g.blocks - 1, g.klast - 1u), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table), cmocka_unit_test(no_such_block), cmocka_unit_test(tiles), cmocka_unit_test(far_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
