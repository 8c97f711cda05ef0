/* encode.h, round.h, layout.h: each round has all source symbols and its own
 * slice of the parity, in the order that was promised. */
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
#include <unistd.h>

#include "codec/fec.h"
#include "sender/round.h"
#include "sender/sender_conf.h"
#include "tests/unit/seeded.h"
#include "tests/unit/tmpdir.h"

enum { SLEN = 64 };
static struct encoder *encoder;

static int setup(void **state)
{
	seeded_init();
	encoder = encoder_start(NULL);
	return tmpdir_make(state);
}

static int teardown(void **state)
{
	encoder_stop(encoder);
	return tmpdir_remove(state);
}

static uint8_t *make_object(size_t n)
{
	uint8_t *data = malloc(n);

	assert_non_null(data);
	seeded_bytes(data, n);
	tmpdir_write("object", data, n, 0600);
	return data;
}

/* Symbols of the group that is open, as they were when they were given out. */
static struct { const uint8_t *at; uint8_t was[SLEN]; } given[64];
static unsigned givens;

/* For a round of its own: what an earlier one gave out went with it. */
static int open_object(void)
{
	int fd = open(tmpdir_path("object"), O_RDONLY);

	assert_true(fd >= 0);
	givens = 0;
	return fd;
}

static void note_given(const uint8_t *at)
{
	assert_true(givens < sizeof(given) / sizeof(given[0]));
	given[givens].at = at;
	memcpy(given[givens++].was, at, SLEN);
}

/* The group's memory goes with the next call: until now all of it could have been sent from where it lay. */
static void all_still_there(void)
{
	for (unsigned i = 0; i < givens; i++)
		assert_memory_equal(given[i].at, given[i].was, SLEN);
	givens = 0;
}

/* The next symbol; waits for the encoder as the link does, but not for an object that has to grow first. */
static enum round_got next(struct round *r, struct frame_symbol *s, uint8_t *mlog, uint8_t *data)
{
	const uint8_t *symbol;
	enum round_got got;

	while ((got = round_next(r, encoder, s, mlog, data, &symbol)) == ROUND_WAIT || got == ROUND_OVER) {
		struct pollfd p = { .fd = encoder_fd(encoder), .events = POLLIN };
		if (got == ROUND_OVER) {
			all_still_there();
			continue;
		}
		if (r->g.len == 0 && !r->open)
			return got;
		if (round_blocked(r, encoder))
			assert_int_equal(poll(&p, 1, 10000), 1);
		encoder_clear(encoder);
	}
	if (got == ROUND_GOT && symbol != data) {
		note_given(symbol);
		memcpy(data, symbol, SLEN);
	}
	return got;
}

/* What a symbol has to be, straight from the definition. */
static void expect_symbol(const uint8_t *object, const struct round *r, const struct frame_symbol *s, const uint8_t *data)
{
	uint32_t k = geometry_k(&r->g, s->block);
	uint8_t *padded = calloc(k, SLEN), want[SLEN], *out = want;
	const uint8_t **src = calloc(k, sizeof(*src));
	void *work = aligned_alloc(64, fec_encode_work(k, s->m, SLEN));

	for (uint32_t i = 0; i < k; i++) {
		src[i] = padded + (size_t)i * SLEN;
		memcpy(padded + (size_t)i * SLEN, object + geometry_offset(&r->g, s->block, i), geometry_bytes(&r->g, s->block, i));
	}
	if (s->symbol < k)
		memcpy(want, src[s->symbol], SLEN);
	else
		assert_int_equal(fec_encode(k, s->m, SLEN, src, s->symbol - k, 1, &out, work), FEC_OK);
	assert_memory_equal(data, want, SLEN);
	free(work);
	free(src);
	free(padded);
}

/* Four blocks, the last one short, two to a group; M = 8, three parity symbols a round. */
static const struct layout four = {
	.tail_first = LAYOUT_NO_TAIL, .slen = SLEN, .kfull = 5, .depth = 2, .full = { .r = 3, .r1 = 3, .mlog = 3 }, .last = { .r = 2, .r1 = 2, .mlog = 1 },
};
enum { FOUR_LEN = 3 * 5 * SLEN + 2 * SLEN + 7 /* 3 symbols in the last block, the last of 7 bytes */ };
#define P(b, i) { b, 5 + (i) }

static void a_round_in_order(void **state)
{
	/* Of round 2: parity numbers 6, 7, and 0 again; of the last block 4 mod 2 = 0, 1. */
	static const struct { uint32_t block; uint16_t symbol; } want[] = {
		{ 0, 0 }, { 1, 0 }, { 0, 1 }, { 1, 1 }, { 0, 2 }, { 1, 2 }, { 0, 3 }, { 1, 3 }, { 0, 4 }, { 1, 4 },
		P(0, 6), P(1, 6), P(0, 7), P(1, 7), P(0, 0), P(1, 0),
		{ 2, 0 }, { 3, 0 }, { 2, 1 }, { 3, 1 }, { 2, 2 }, { 3, 2 }, { 2, 3 }, { 3, 3 + 0 }, { 2, 4 }, { 3, 3 + 1 },
		P(2, 6), P(2, 7), P(2, 0),
	};
	uint8_t *object = make_object(FOUR_LEN), data[SLEN], id[16] = { 9 }, mlog;
	struct frame_symbol s;
	struct round r;

	(void)state;
	assert_int_equal(round_init(&r, open_object(), id, FOUR_LEN, &four, 2), 0);
	assert_int_equal(r.left, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_int_equal(next(&r, &s, &mlog, data), ROUND_GOT);
		assert_int_equal(s.block, want[i].block);
		assert_int_equal(s.symbol, want[i].symbol);
		assert_int_equal(mlog, s.block == 3 ? 1 : 3);
		assert_int_equal(s.object_len, FOUR_LEN);
		assert_int_equal(s.kfull, 5);
		expect_symbol(object, &r, &s, data);
	}
	assert_int_equal(next(&r, &s, &mlog, data), ROUND_END);
	assert_int_equal(r.left, 0);
	round_free(&r, encoder);
	free(object);
}

/* Small and spaced: source and r1 at once, the rest after a pause; every round goes on where the last one stopped. */
static void a_spaced_round(void **state)
{
	static const struct layout l = {
		.tail_first = LAYOUT_NO_TAIL, .slen = SLEN, .kfull = 2, .depth = 1, .spacing_ns = 60000000, .full = { 5, 2, 3 }, .last = { 5, 2, 3 },
	};
	static const uint16_t want[3][7] = {
		{ 0, 1, 2 + 0, 2 + 1, 2 + 2, 2 + 3, 2 + 4 },
		{ 0, 1, 2 + 5, 2 + 6, 2 + 7, 2 + 0, 2 + 1 },
		{ 0, 1, 2 + 2, 2 + 3, 2 + 4, 2 + 5, 2 + 6 },
	};
	uint8_t *object = make_object(SLEN + 1), data[SLEN], id[16] = { 0 }, mlog;

	(void)state;
	for (uint32_t n = 0; n < 3; n++) {
		struct frame_symbol s;
		struct round r;
		assert_int_equal(round_init(&r, open_object(), id, SLEN + 1, &l, n), 0);
		for (unsigned i = 0; i < 7; i++) {
			if (i == 4)
				assert_int_equal(next(&r, &s, &mlog, data), ROUND_PAUSE);
			assert_int_equal(next(&r, &s, &mlog, data), ROUND_GOT);
			assert_int_equal(s.symbol, want[n][i]);
			expect_symbol(object, &r, &s, data);
		}
		assert_int_equal(next(&r, &s, &mlog, data), ROUND_END);
		round_free(&r, encoder);
	}
	free(object);
}

static void zeros_past_the_end(void **state)
{
	static const uint8_t zero[SLEN];
	uint8_t *object = make_object(FOUR_LEN), data[SLEN], id[16] = { 0 }, mlog;
	struct frame_symbol s;
	struct round r;

	(void)state;
	assert_int_equal(round_init(&r, open_object(), id, FOUR_LEN, &four, 0), 0);
	do {
		memset(data, 0xEE, sizeof(data));
		assert_int_equal(next(&r, &s, &mlog, data), ROUND_GOT);
	} while (s.block != 3 || s.symbol != 2);
	assert_memory_equal(data + 7, zero, SLEN - 7);
	round_free(&r, encoder); /* in the middle: nothing may leak or hang */
	free(object);
}

/* Of two rounds with a loss each that neither survives alone, one block comes together. */
static void rounds_add_up(void **state)
{
	static const struct layout l = { .tail_first = LAYOUT_NO_TAIL, .slen = SLEN, .kfull = 40, .depth = 1, .full = { 4, 4, 4 }, .last = { 4, 4, 4 } };
	size_t len = 40 * SLEN - 3;
	uint8_t *object = make_object(len), got[40][SLEN], parity[8][SLEN], id[16] = { 0 }, out_bytes[40][SLEN], mlog;
	const uint8_t *src[40] = { NULL }, *par[8];
	uint8_t *out[40];
	uint32_t pnum[8], np = 0;

	(void)state;
	for (uint32_t n = 0; n < 2; n++) {
		struct frame_symbol s;
		struct round r;
		uint8_t data[SLEN];
		assert_int_equal(round_init(&r, open_object(), id, len, &l, n), 0);
		while (next(&r, &s, &mlog, data) == ROUND_GOT) {
			if (s.symbol < 40 && s.symbol >= 8) {
				memcpy(got[s.symbol], data, SLEN); /* 0 to 7 are lost in both rounds */
				src[s.symbol] = got[s.symbol];
			} else if (s.symbol >= 40) {
				memcpy(parity[np], data, SLEN);
				par[np] = parity[np];
				pnum[np++] = s.symbol - 40u;
			}
		}
		round_free(&r, encoder);
	}
	assert_int_equal(np, 8);
	for (unsigned i = 0; i < 40; i++)
		out[i] = out_bytes[i];
	void *work = aligned_alloc(64, fec_decode_work(40, 16, SLEN));
	assert_int_equal(fec_decode(40, 16, SLEN, src, pnum, par, np, out, work), FEC_OK);
	for (unsigned i = 0; i < 8; i++)
		assert_memory_equal(out_bytes[i], object + i * SLEN, SLEN);
	free(work);
	free(object);
}

static void what_does_not_fit(void **state)
{
	static const struct layout ok = { .tail_first = LAYOUT_NO_TAIL, .slen = SLEN, .kfull = 5, .depth = 1, .full = { 2, 2, 1 }, .last = { 2, 2, 1 } };
	struct layout l;
	uint8_t id[16] = { 0 };
	struct round r;

	(void)state;
	assert_int_equal(round_init(&r, -1, id, 100, &ok, 0), 0);
	assert_int_equal(round_init(&r, -1, id, 0, &ok, 0), -1);
	l = ok, l.slen = 63;
	assert_int_equal(round_init(&r, -1, id, 100, &l, 0), -1);
	l = ok, l.depth = PLAN_DEPTH_MAX + 1;
	assert_int_equal(round_init(&r, -1, id, 100, &l, 0), -1);
	l = ok, l.kfull = 0;
	assert_int_equal(round_init(&r, -1, id, 100, &l, 0), -1);
	l = ok, l.kfull = 40000, l.full.mlog = 15;
	assert_int_equal(round_init(&r, -1, id, 100, &l, 0), -1);
}

/* The file is shorter than it was: an end, and no garbage on the wire. */
static void a_cut_object(void **state)
{
	uint8_t *object = make_object(FOUR_LEN), data[SLEN], id[16] = { 0 }, mlog;
	struct frame_symbol s;
	enum round_got got;
	struct round r;

	(void)state;
	assert_int_equal(round_init(&r, open_object(), id, FOUR_LEN, &four, 0), 0);
	assert_int_equal(truncate(tmpdir_path("object"), 5 * SLEN + 3), 0);
	while ((got = next(&r, &s, &mlog, data)) == ROUND_GOT)
		expect_symbol(object, &r, &s, data);
	assert_int_equal(got, ROUND_FAILED);
	round_free(&r, encoder);
	free(object);
}

static void layouts_as_text(void **state)
{
	static const char *const bad[] = {
		"", "1", "2 64 5 2 0 3 3 3 2 2 1", "1 64 5 2 0 3 3 3 2 2 1 ", "1 63 5 2 0 3 3 3 2 2 1", "1 64 0 2 0 3 3 3 2 2 1",
		"1 64 5 0 0 3 3 3 2 2 1", "1 64 5 17 0 3 3 3 2 2 1", "1 64 5 2 0 9 3 3 2 2 1" /* r > M */,
		"1 64 5 2 0 3 3 3 2 2 1 4", "1 64 5 2 0 3 3 3 2 2 1 4 2 2 1 ", "1 64 5 2 0 3 3 3 2 2 1 4 3 3 1", /* an end */
		"1 64 5 2 0 3 4 3 2 2 1" /* r1 > r */, "1 64 5 2 0 3 3 16 2 2 1", "1 64 70000 2 0 3 3 3 2 2 1",
	};
	char text[LAYOUT_TEXT_MAX];
	struct layout l;

	(void)state;
	layout_write(text, &four);
	assert_int_equal(layout_read(&l, text), 0);
	assert_memory_equal(&l, &four, sizeof(l));
	struct layout ended = four;
	ended.tail_first = 4;
	ended.tail = (struct layout_block){ 2, 2, 1 };
	layout_write(text, &ended);
	assert_int_equal(layout_read(&l, text), 0);
	assert_memory_equal(&l, &ended, sizeof(l));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (layout_read(&l, bad[i]) == 0)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(layout_read(&l, NULL), -1);
}

/* The plans of sizes from one byte on are layouts that a round can send. */
static void every_size_has_a_layout(void **state)
{
	static const uint64_t sizes[] = { 1, 63, 64, 1407, 1408, 1409, 2048, 100000, 1u << 20, 24u << 20, 200u << 20, 2000000000,
		1ull << 41 };
	struct sender_conf c = { .n = 1472, .loss = 0.1, .failure = 1e-9, .burst_ns = 20000000, .rate = 1000000000 };
	uint8_t id[16] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct layout l;
		struct round r;
		assert_int_equal(layout_of(&l, &c, sizes[i]), 0);
		assert_int_equal(round_init(&r, -1, id, sizes[i], &l, 0), 0);
		assert_true(l.full.r1 == l.full.r || l.spacing_ns > 0);
	}
}

/* The next symbol; false once the object has to grow first. */
static bool as_far_as_it_goes(struct round *r, struct frame_symbol *s, uint8_t *mlog, uint8_t *data)
{
	enum round_got got = next(r, s, mlog, data);

	assert_true(got == ROUND_GOT || (got == ROUND_WAIT && round_blocked(r, encoder)));
	return got == ROUND_GOT;
}

/* An object that grows in steps while it is sent: no symbol of what may be its last group before the length is known,
 * length 0 until then, and in the end every symbol once. */
static void sent_while_it_grows(void **state)
{
	/* The last group: blocks 2 and 3, with parity of their own; or nothing but block 3's first symbol. */
	static const struct { size_t len; uint32_t tail_first, left; } ends[] = {
		{ FOUR_LEN, 2, 13 + 16 }, { 4 * 5 * SLEN, 2, 16 + 16 }, { 2 * 5 * SLEN + 1, 2, 16 + 3 }, { 3, 0, 3 },
	};

	(void)state;
	for (size_t e = 0; e < sizeof(ends) / sizeof(ends[0]); e++) {
		uint8_t *object = make_object(ends[e].len), data[SLEN], id[16] = { 9 }, mlog;
		struct layout l = four;
		struct frame_symbol s;
		unsigned early = 0, all = 0;
		struct round r;
		assert_int_equal(round_init_stream(&r, open_object(), id, &l), 0);
		for (uint64_t step = 0, there = 0; step < ends[e].len; step += 1 + step / 7) {
			there = step > ends[e].len * 6 / 7 ? ends[e].len : step;
			round_grow(&r, there);
			while (as_far_as_it_goes(&r, &s, &mlog, data)) {
				assert_int_equal(s.object_len, 0);
				assert_true(there > 2 * 5 * SLEN);
				assert_true(s.block < 2);
				assert_int_equal(mlog, 3);
				expect_symbol(object, &r, &s, data);
				early++;
			}
		}
		l.tail_first = ends[e].tail_first;
		l.tail = (struct layout_block){ 3, 3, 2 };
		assert_int_equal(round_finish(&r, ends[e].len, &l), 0);
		assert_int_equal(round_finish(&r, ends[e].len, &l), -1); /* once */
		for (all = early; next(&r, &s, &mlog, data) == ROUND_GOT; all++) {
			assert_int_equal(s.object_len, ends[e].len);
			assert_int_equal(mlog, s.block + 1 == r.g.blocks ? 1 : s.block < 2 ? 3 : 2);
			expect_symbol(object, &r, &s, data);
		}
		assert_int_equal(r.left, 0);
		assert_int_equal(all, r.sent);
		assert_int_equal(early, e == 3 ? 0 : 16);
		assert_int_equal(all, r.g.symbols + (uint64_t)(r.g.blocks - 1) * 3 + 2);
		round_free(&r, encoder);
		free(object);
	}
}

/* An end that would make a block that was sent the last one, or one of the tail, is refused. */
static void an_end_that_does_not_fit(void **state)
{
	uint8_t *object = make_object(FOUR_LEN), data[SLEN], id[16] = { 9 }, mlog;
	struct layout l = four;
	struct frame_symbol s;
	struct round r;

	(void)state;
	assert_int_equal(round_init_stream(&r, open_object(), id, &l), 0);
	round_grow(&r, FOUR_LEN);
	assert_int_equal(next(&r, &s, &mlog, data), ROUND_GOT);
	l.tail = (struct layout_block){ 3, 3, 2 };
	l.tail_first = 2;
	assert_int_equal(round_finish(&r, 2 * 5 * SLEN, &l), -1);
	l.tail_first = 0;
	assert_int_equal(round_finish(&r, FOUR_LEN, &l), -1);
	l.tail_first = 2, l.kfull = 6;
	assert_int_equal(round_finish(&r, FOUR_LEN, &l), -1);
	round_free(&r, encoder);
	free(object);
}

/* Whatever length it turns out to have, the end is one that a round can send, and holds the promise at least as well. */
static void every_stream_has_an_end(void **state)
{
	struct sender_conf c = { .n = 1472, .loss = 0.01, .failure = 1e-9, .burst_ns = 20000000, .rate = 1000000000 };
	static const uint64_t most = 500u << 20;

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		uint64_t length = i == 0 ? 1 : i == 1 ? most : 1 + seeded_below((uint32_t)most);
		struct layout l, whole;
		struct geometry g;
		c.n = i % 2 ? 1472 : 8960;
		uint64_t block = i % 4 < 2 ? LAYOUT_BLOCK_MAX : LAYOUT_BLOCK_SOON;
		assert_int_equal(layout_stream(&l, &c, most, block), 0);
		assert_in_range((uint64_t)l.kfull * l.slen, block / 4, block);
		whole = l;
		assert_int_equal(layout_stream_end(&l, &c, most, block, length), 0);
		assert_int_equal(l.kfull, whole.kfull);
		assert_int_equal(l.depth, whole.depth);
		assert_int_equal(geometry_init(&g, length, l.slen, (uint16_t)l.kfull), 0);
		assert_true(l.tail_first < g.blocks && g.blocks - l.tail_first <= l.depth);
		assert_true(plan_failure(g.klast, l.last.r1, c.loss) <= c.failure);
		assert_true(plan_failure(l.kfull, l.full.r1, c.loss) <= c.failure);
		assert_int_equal(layout_stream_end(&l, &c, most, block, most + 1), -1);
		assert_int_equal(layout_stream_end(&l, &c, most, block, 0), -1);
	}
}

/* Two blocks of the largest size: the second is read and encoded while the first one leaves. */
static void the_next_group_is_ready_in_time(void **state)
{
	enum { LONG = 8896, K = LAYOUT_BLOCK_MAX / LONG, WAIT_MS = 10000 };
	static const struct layout l = { .slen = LONG, .kfull = K, .depth = 1, .tail_first = LAYOUT_NO_TAIL,
		.full = { .r = K / 50, .r1 = K / 50, .mlog = 8 }, .last = { .r = K / 50, .r1 = K / 50, .mlog = 8 } };
	uint8_t data[LONG], id[16] = { 9 }, mlog;
	struct frame_symbol s;
	struct round r;
	int fd = open(tmpdir_path("object"), O_RDWR | O_CREAT, 0600);

	(void)state;
	assert_int_equal(ftruncate(fd, 2ll * K * LONG), 0);
	assert_int_equal(round_init(&r, fd, id, 2ull * K * LONG, &l, 0), 0);
	assert_int_equal(next(&r, &s, &mlog, data), ROUND_GOT);
	for (int i = 0; i < WAIT_MS && atomic_load(&r.job[1].state) != ENCODE_READY; i++)
		assert_true(poll(NULL, 0, 1) == 0);
	assert_int_equal(r.sent, 1);
	assert_int_equal(atomic_load(&r.job[1].state), ENCODE_READY);
	assert_non_null(r.job[1].source);
	round_free(&r, encoder);
}

static struct encode_job job_of(int fd, const struct layout *l, uint64_t length)
{
	struct encode_job j = { .fd = fd, .l = *l, .blocks = 1 };

	assert_int_equal(geometry_init(&j.g, length, l->slen, (uint16_t)l->kfull), 0);
	return j;
}

/* Is a small object encoded before all of these large ones are, which were there first? */
static bool overtakes(int fd, const struct layout *large, const struct layout *little)
{
	enum { MANY = 40, WAIT_MS = 10000 };
	struct encode_job j[MANY], small = job_of(fd, little, SLEN);
	bool first;

	for (unsigned i = 0; i < MANY; i++) {
		j[i] = job_of(fd, large, (uint64_t)large->kfull * SLEN);
		assert_true(encode_submit(encoder, &j[i]));
	}
	assert_true(encode_submit(encoder, &small));
	for (int i = 0; i < WAIT_MS && atomic_load(&small.state) == ENCODE_QUEUED; i++)
		assert_true(poll(NULL, 0, 1) == 0);
	first = atomic_load(&j[MANY - 1].state) == ENCODE_QUEUED;
	assert_int_equal(atomic_load(&small.state), ENCODE_READY);
	for (unsigned i = 0; i < MANY; i++)
		encode_release(encoder, &j[i]);
	encode_release(encoder, &small);
	return first;
}

/* One of 4 KB beside a large transfer once waited for whole groups of that.  On a machine that lets its thread wait it may
 * come late, but not every time. */
static void a_small_one_does_not_wait(void **state)
{
	enum { K = 9000, TRIES = 20 };
	static const struct layout large = { .slen = SLEN, .kfull = K, .depth = 1, .tail_first = LAYOUT_NO_TAIL,
		.full = { .r = K, .r1 = K, .mlog = 14 }, .last = { .r = K, .r1 = K, .mlog = 14 } };
	static const struct layout little = { .slen = SLEN, .kfull = 1, .depth = 1, .tail_first = LAYOUT_NO_TAIL,
		.full = { 1, 1, 0 }, .last = { 1, 1, 0 } };
	bool once = false;

	(void)state;
	int fd = open(tmpdir_path("object"), O_RDWR | O_CREAT, 0600);
	assert_int_equal(ftruncate(fd, K * SLEN), 0);
	for (int i = 0; i < TRIES && !once; i++)
		once = overtakes(fd, &large, &little);
	assert_true(once);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_round_in_order), cmocka_unit_test(a_spaced_round), cmocka_unit_test(zeros_past_the_end),
		cmocka_unit_test(rounds_add_up), cmocka_unit_test(what_does_not_fit), cmocka_unit_test(a_cut_object),
		cmocka_unit_test(layouts_as_text), cmocka_unit_test(every_size_has_a_layout),
		cmocka_unit_test(sent_while_it_grows), cmocka_unit_test(an_end_that_does_not_fit),
		cmocka_unit_test(every_stream_has_an_end), cmocka_unit_test(the_next_group_is_ready_in_time),
		cmocka_unit_test(a_small_one_does_not_wait),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
