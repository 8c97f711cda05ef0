/* frame.h: the shape of datagrams, and what must be refused (PROTOCOL.md, section 3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/bytes.h"
#include "core/frame.h"
#include "tests/unit/seeded.h"
#include "tests/unit/vectors.h"

enum { N = 1472 };

/* A SYMBOL that is right in everything: block 3 of 5, symbol 7 of k = 100 and M = 16. */
static const struct frame_head good_head = { FRAME_SYMBOL, N, 2, 4, 77, 1000 };
static const struct frame_symbol good_symbol = {
	.id = "0123456789abcdef", .kfull = 100, .object_len = 430 * 1408 + 5, .block = 3, .symbol = 7,
	.k = 100, .m = 16, .slen = 1408,
};

static void good(uint8_t d[static N])
{
	memset(d, 0x5A, N);
	frame_put_symbol(d, &good_head, &good_symbol);
}

static enum frame_err decode(const uint8_t *d, size_t n)
{
	struct frame_head h;
	struct frame_symbol s;
	enum frame_err e = frame_head(&h, d, n);

	return e == FRAME_OK && h.kind == FRAME_SYMBOL ? frame_symbol(&s, &h, d) : e;
}

static void round_trip(void **state)
{
	uint8_t d[N];
	struct frame_head h;
	struct frame_symbol s;

	(void)state;
	good(d);
	assert_int_equal(frame_head(&h, d, N), FRAME_OK);
	assert_int_equal(h.kind, FRAME_SYMBOL);
	assert_int_equal(h.len, N);
	assert_int_equal(h.lane, 2);
	assert_int_equal(h.mlog, 4);
	assert_int_equal(h.epoch, 77);
	assert_int_equal(h.pn, 1000);
	assert_int_equal(frame_symbol(&s, &h, d), FRAME_OK);
	assert_memory_equal(s.id, "0123456789abcdef", 16);
	assert_int_equal(s.kfull, 100);
	assert_int_equal(s.object_len, good_symbol.object_len);
	assert_int_equal(s.block, 3);
	assert_int_equal(s.symbol, 7);
	assert_int_equal(s.k, 100);
	assert_int_equal(s.m, 16);
	assert_int_equal(s.slen, 1408);
	assert_int_equal(d[48], 0x5A); /* the 48 bytes and not one more */
}

/* Datagrams that another program wrote decode, and encode to the same 48 bytes. */
static void vectors(void **state)
{
	static const char *const name[] = { "symbol0", "symbol1", "symbol2" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct vector d = vector_of("frame", name[i], "datagram");
		uint8_t again[FRAME_SYMBOL_HEAD_LEN];
		struct frame_head h;
		struct frame_symbol s;

		assert_int_equal(frame_head(&h, d.b, d.n), FRAME_OK);
		assert_int_equal(h.pn, get64(vector_of("frame", name[i], "pn").b));
		assert_int_equal(frame_symbol(&s, &h, d.b), FRAME_OK);
		frame_put_symbol(again, &h, &s);
		assert_memory_equal(again, d.b, sizeof again);
	}
}

/* One field of the good datagram overwritten, big-endian. */
static const struct hostile {
	const char *why;
	size_t at, size;
	uint64_t value;
	enum frame_err want;
} hostile[] = {
	{ "magic off by one", 0, 2, 0x6B6C, FRAME_EMAGIC },
	{ "magic swapped", 0, 2, 0x6D6B, FRAME_EMAGIC },
	{ "version 0", 2, 1, 0, FRAME_EMAGIC },
	{ "version 2", 2, 1, 2, FRAME_EMAGIC },
	{ "kind 0", 3, 1, 0, FRAME_EKIND },
	{ "kind 4", 3, 1, 4, FRAME_EKIND },
	{ "kind 255", 3, 1, 255, FRAME_EKIND },
	{ "length 0", 4, 2, 0, FRAME_ESIZE },
	{ "length one less: slack behind the tag", 4, 2, N - 1, FRAME_ESIZE },
	{ "length one more: a read past the end", 4, 2, N + 1, FRAME_ESIZE },
	{ "length at its maximum", 4, 2, 65535, FRAME_ESIZE },
	{ "lane 15 is the last", 6, 1, 15, FRAME_OK },
	{ "lane 16", 6, 1, 16, FRAME_EFIELD },
	{ "lane 255", 6, 1, 255, FRAME_EFIELD },
	{ "M = 1", 7, 1, 0, FRAME_OK },
	{ "M = 2^15", 7, 1, 15, FRAME_OK },
	{ "M = 2^16", 7, 1, 16, FRAME_EKIND },
	{ "M = 2^32: a shift by the width of the type", 7, 1, 32, FRAME_EKIND },
	{ "M = 2^255", 7, 1, 255, FRAME_EKIND },
	{ "HELLO with M", 3, 1, 1, FRAME_EKIND },
	{ "BEAT with M", 3, 1, 3, FRAME_EKIND },
	{ "epoch 0", 8, 4, 0, FRAME_EFIELD },
	{ "epoch at its maximum", 8, 4, UINT32_MAX, FRAME_OK },
	{ "packet number 0", 12, 6, 0, FRAME_EKIND },
	{ "packet number at its maximum", 12, 6, 0xFFFFFFFFFFFF, FRAME_OK },
	{ "kfull 0: a division by zero", 18, 2, 0, FRAME_EGEOM },
	{ "kfull + M = 65536 is the last", 18, 2, 65520, FRAME_EGEOM }, /* block 3 is then not there */
	{ "kfull + M = 65537", 18, 2, 65521, FRAME_EGEOM },
	{ "kfull 65535", 18, 2, 65535, FRAME_EGEOM },
	{ "length not known", 36, 6, 0, FRAME_OK },
	{ "object ends before the block", 36, 6, 300 * 1408, FRAME_EGEOM },
	{ "object of one byte", 36, 6, 1, FRAME_EGEOM },
	{ "the block is the last, with one symbol: 7 is parity", 36, 6, 300 * 1408 + 1, FRAME_OK },
	{ "object of 2^48 - 1 bytes: more than 2^32 symbols", 36, 6, 0xFFFFFFFFFFFF, FRAME_EGEOM },
	{ "object of 2^32 symbols", 36, 6, 1408ull << 32, FRAME_OK },
	{ "object of 2^32 symbols and a byte", 36, 6, (1408ull << 32) + 1, FRAME_EGEOM },
	{ "last block", 42, 4, 4, FRAME_OK },
	{ "block behind the last", 42, 4, 5, FRAME_EGEOM },
	{ "block at its maximum", 42, 4, UINT32_MAX, FRAME_EGEOM },
	{ "symbol k + M - 1", 46, 2, 115, FRAME_OK },
	{ "symbol k + M", 46, 2, 116, FRAME_EGEOM },
	{ "symbol at its maximum", 46, 2, 65535, FRAME_EGEOM },
};

static void hostile_fields(void **state)
{
	uint8_t d[N];

	(void)state;
	for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
		const struct hostile *c = &hostile[i];
		good(d);
		for (size_t b = 0; b < c->size; b++)
			d[c->at + b] = (uint8_t)(c->value >> 8 * (c->size - 1 - b));
		if (decode(d, N) != c->want)
			fail_msg("%s: %d instead of %d", c->why, decode(d, N), c->want);
	}
}

/* With the length not known, a block is full, and there as far as 2^32 symbols reach. */
static void unknown_length(void **state)
{
	uint8_t d[N];

	(void)state;
	good(d);
	put48(d + 36, 0);
	put16(d + 18, 16384);
	for (uint64_t b = 262142; b <= 262145; b++) { /* 2^32 / 16384 = 262144 blocks */
		put32(d + 42, (uint32_t)b);
		assert_int_equal(decode(d, N), b < 262144 ? FRAME_OK : FRAME_EGEOM);
	}
	put32(d + 42, 0);
	put16(d + 18, 65520);
	assert_int_equal(decode(d, N), FRAME_OK); /* k + M = 65536 */
	put16(d + 46, 65535);
	assert_int_equal(decode(d, N), FRAME_OK);
	put16(d + 18, 65521);
	assert_int_equal(decode(d, N), FRAME_EGEOM); /* k + M = 65537 */
	put16(d + 18, 65520);
	d[7] = 5;
	assert_int_equal(decode(d, N), FRAME_EGEOM);
}

static void every_length(void **state)
{
	static uint8_t d[65537 + 1];
	struct frame_head h;

	(void)state;
	good(d);
	for (size_t n = 0; n < N; n++)
		assert_int_equal(frame_head(&h, d, n), FRAME_ESIZE);
	for (size_t n = 250; n < 300; n++) { /* the length field says what there is */
		put16(d + 4, (uint16_t)n);
		put48(d + 36, 0);
		enum frame_err want = n < FRAME_MIN_LEN ? FRAME_ESIZE : n % 2 != 0 ? FRAME_EGEOM : FRAME_OK;
		assert_int_equal(decode(d, n), want);
	}
	put16(d + 4, FRAME_MAX_LEN);
	assert_int_equal(frame_head(&h, d, FRAME_MAX_LEN), FRAME_OK);
	assert_int_equal(decode(d, FRAME_MAX_LEN), FRAME_EGEOM); /* odd */
	put16(d + 4, FRAME_MAX_LEN + 1);
	assert_int_equal(frame_head(&h, d, FRAME_MAX_LEN + 1), FRAME_ESIZE);
	put16(d + 4, 0); /* 65536 in 16 bits */
	assert_int_equal(frame_head(&h, d, 65536), FRAME_ESIZE);
}

static void hello_and_beat(void **state)
{
	static const struct {
		enum frame_kind kind;
		uint64_t pn;
		enum frame_err want;
	} row[] = {
		{ FRAME_HELLO, 0, FRAME_OK }, { FRAME_HELLO, 1, FRAME_EKIND },
		{ FRAME_BEAT, 0, FRAME_EKIND }, { FRAME_BEAT, 1, FRAME_OK },
	};
	uint8_t d[256] = { 0 };
	struct frame_symbol s;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct frame_head h = { row[i].kind, 256, 0, 0, 1, row[i].pn };
		frame_put_head(d, &h);
		assert_int_equal(frame_head(&h, d, 256), row[i].want);
		h.kind = row[i].kind;
		assert_int_equal(frame_symbol(&s, &h, d), FRAME_EGEOM); /* asked of the wrong kind */
	}
}

static void untouched_on_error(void **state)
{
	uint8_t d[N];
	struct frame_head h, h0;
	struct frame_symbol s, s0;

	(void)state;
	memset(&h, 0xA5, sizeof h);
	memcpy(&h0, &h, sizeof h);
	memset(&s, 0xA5, sizeof s);
	memcpy(&s0, &s, sizeof s);
	good(d);
	put32(d + 8, 0);
	assert_int_equal(frame_head(&h, d, N), FRAME_EFIELD);
	assert_memory_equal(&h, &h0, sizeof h);
	good(d);
	put16(d + 46, 116);
	assert_int_equal(frame_symbol(&s, &good_head, d), FRAME_EGEOM);
	assert_memory_equal(&s, &s0, sizeof s);
}

/* Whatever is accepted is written back as the same bytes: no two readings of one datagram. */
static void accepted_is_canonical(void **state)
{
	uint8_t d[N], again[FRAME_SYMBOL_HEAD_LEN];
	struct frame_head h;
	struct frame_symbol s;
	unsigned accepted = 0;

	(void)state;
	seeded_init();
	for (unsigned i = 0; i < 200000; i++) {
		good(d);
		for (size_t flips = 1 + seeded_below(3); flips > 0; flips--)
			d[seeded_below(FRAME_SYMBOL_HEAD_LEN)] ^= (uint8_t)(1u << seeded_below(8));
		if (frame_head(&h, d, N) != FRAME_OK || h.kind != FRAME_SYMBOL || frame_symbol(&s, &h, d) != FRAME_OK)
			continue;
		accepted++;
		frame_put_symbol(again, &h, &s);
		assert_memory_equal(again, d, sizeof again);
		assert_true(s.k >= 1 && s.k <= s.kfull && s.symbol < s.k + s.m && s.kfull + s.m <= 65536);
	}
	assert_true(accepted > 10000);
}

static void words(void **state)
{
	(void)state;
	for (int e = FRAME_OK; e >= FRAME_EGEOM; e--)
		assert_string_not_equal(frame_strerror((enum frame_err)e), "unknown");
	assert_string_equal(frame_strerror((enum frame_err)-99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip), cmocka_unit_test(vectors), cmocka_unit_test(hostile_fields),
		cmocka_unit_test(unknown_length), cmocka_unit_test(every_length), cmocka_unit_test(hello_and_beat),
		cmocka_unit_test(untouched_on_error), cmocka_unit_test(accepted_is_canonical), cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
