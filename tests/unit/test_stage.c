/* stage.h under assemble.h, with objects of some MiB on real files: whatever
 * order, loss, shortage of memory, waiting and restarts there are, the part
 * file is the object in the end, and the map never says more than is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <poll.h>
#include <sys/mman.h>

#include "receiver/parts.h"
#include "receiver/stage.h"
#include "tests/unit/receiver_rig.h"

static struct rig r;
static struct sent s;
static struct window *shared; /* NULL: none in this run */
static unsigned found;        /* pieces in it */

struct way {
	uint64_t len;
	uint16_t kfull;
	uint8_t mlog;
	uint32_t chunks; /* memory: a piece of the object, or all of it */
	uint32_t group;  /* blocks that are sent interleaved */
	unsigned lost;   /* symbols of each block, at most the code's */
	bool stream;     /* the length is told by the last block only */
};

#define MIB (1u << 20)
static const struct way way[] = {
	{ MIB, 1500, 5, 16, 1, 0, false },
	{ MIB + 1, 4096, 5, 16, 1, 32, false },
	{ 3 * MIB + 77, 1500, 5, 16, 1, 32, false },
	{ 3 * MIB + 77, 1500, 5, 16, 4, 20, false },
	{ 5 * MIB - 1, 2048, 6, 2, 3, 64, false }, /* less memory than a group has */
	{ 5 * MIB, 700, 4, 1, 16, 9, false },
	{ 3 * MIB + 5, 300, 3, 1, 50, 7, false }, /* many blocks to a piece */
	{ 3 * MIB, 4096, 6, 16, 1, 60, true },
	{ 3 * MIB + 191, 1000, 4, 3, 2, 16, true },
	{ 200, 20, 3, 4, 1, 3, true }, /* short after all */
};

static void begin(const struct way *w)
{
	struct assemble_limits l = rig_limits;

	l.chunks = w->chunks;
	l.window = shared;
	rig_init(&r, &l);
	rig_fresh_slots(&r, 1);
	sent_make(&s, w->len, w->kfull, w->mlog, seeded);
}

static enum link_counter give(const struct way *w, uint32_t b, uint32_t i)
{
	struct frame_symbol f = sent_symbol(&s, b, i);

	if (w->stream && b + 1 < s.geo.blocks)
		f.object_len = 0;
	return assemble_symbol(r.a, s.sender, &f, sent_data(&s, b, i), r.now);
}

/* What open finds in the window is the object's, whatever else goes on. */
static void look_into_window(void)
{
	static uint8_t out[WINDOW_PIECE];

	for (uint64_t at = 0; shared != NULL && at < s.geo.len; at += WINDOW_PIECE) {
		size_t n = window_copy(shared, 1, at, out, WINDOW_PIECE);
		if (n == 0)
			continue;
		assert_true(at + n <= s.geo.len);
		assert_memory_equal(out, s.bytes + at, n);
		found++;
	}
}

/* One round, groups interleaved, some of it lost; `chaos` ticks, ages and repeats at random. */
static void round_of(const struct way *w, bool chaos)
{
	static uint8_t lost[64][4096 + 64];

	memset(lost, 0, sizeof(lost));
	for (uint32_t b = 0; b < s.geo.blocks; b++)
		for (unsigned i = 0; i < w->lost; i++)
			lost[b][seeded_below(geometry_k(&s.geo, b) + (1u << w->mlog))] = 1;
	for (uint32_t first = 0; first < s.geo.blocks; first += w->group)
		for (uint32_t i = 0; i < w->kfull + (1u << w->mlog); i++)
			for (uint32_t b = first; b < first + w->group && b < s.geo.blocks; b++) {
				if (i >= geometry_k(&s.geo, b) + (1u << w->mlog) || lost[b][i])
					continue;
				enum link_counter c = give(w, b, i);
				assert_true(c == LC_TAKEN || c == LC_DUPLICATE || c == LC_DELIVERED);
				if (seeded_below(32) == 0)
					assemble_write(r.a);
				if (chaos && seeded_below(300) == 0)
					assemble_tick(r.a, r.now += seeded_below(3) == 0 ? STAGE_AGE_NS + 1 : 1000000);
				if (seeded_below(1000) == 0)
					look_into_window();
				if (chaos && seeded_below(2000) == 0)
					give(w, b, i);
			}
	assemble_write(r.a);
}

static void expect_whole(void)
{
	struct stat st;
	char name[32];

	rig_settle(&r);
	look_into_window();
	assert_int_equal(r.completed, 1);
	assert_true(rig_same(&r, &s));
	snprintf(name, sizeof(name), "%u.data", r.last.slot);
	assert_int_equal(fstatat(r.dir_fd, name, &st, 0), 0);
	assert_int_equal(st.st_size, s.geo.len); /* the last page was cut off */
	assert_int_equal(r.counter[LC_FAILED], 0);
	assert_int_equal(r.counter[LC_DISK], 0);
}

static void every_way(void **state)
{
	struct window w;

	(void)state;
	found = 0;
	for (size_t i = 0; i < 4 * sizeof(way) / sizeof(way[0]); i++) {
		int fd = window_create(way[i / 4].chunks);
		assert_int_equal(window_open(&w, fd, true), 0);
		close(fd);
		shared = i % 2 == 0 ? &w : NULL;
		begin(&way[i / 4]);
		round_of(&way[i / 4], i % 4 != 0);
		expect_whole();
		sent_free(&s);
		rig_end(&r);
		assert_int_equal(window_copy(&w, 1, 0, (uint8_t[1]){ 0 }, 1), 0); /* nothing is shown of what is over */
		shared = NULL;
		window_close(&w);
	}
	assert_true(found > 0);
}

/* Pieces of the window that were ever touched. */
static unsigned touched(struct window *w)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->pieces; i++) {
		unsigned char in[WINDOW_PIECE / 4096];
		assert_int_equal(mincore(window_piece(w, i), WINDOW_PIECE, in), 0);
		n += in[0] & 1;
	}
	return n;
}

/* Of much memory an object that arrives evenly goes through a few pieces, again and again; and what it touches first is what open
 * may still want to find. */
static void few_in_turn(void **state)
{
	const struct way w = { (STAGE_SHOWN + 12) * MIB, 4096, 5, STAGE_SHOWN + 40, 1, 0, false };
	struct window all;
	int fd = window_create(w.chunks);

	(void)state;
	assert_int_equal(window_open(&all, fd, true), 0);
	close(fd);
	shared = &all;
	begin(&w);
	for (uint64_t i = 0; i < s.geo.symbols; i++) {
		give(&w, (uint32_t)(i / w.kfull), (uint32_t)(i % w.kfull));
		if ((i + 1) * RIG_SLEN / MIB > i * RIG_SLEN / MIB) { /* one is full: the disk keeps up */
			struct pollfd p = { .fd = assemble_fd(r.a, 2), .events = POLLIN };
			assert_int_equal(poll(&p, 1, 20000), 1);
			assemble_tick(r.a, ++r.now);
		}
	}
	assert_in_range(touched(&all), STAGE_SHOWN, STAGE_SHOWN + 4);
	expect_whole();
	sent_free(&s);
	rig_end(&r);
	shared = NULL;
	window_close(&all);
}

/* Every bit of the map file stands for bytes that the data file has. */
static uint64_t map_is_true(uint32_t slot)
{
	uint8_t *bits = malloc(s.geo.symbols / 8 + 1), b[RIG_SLEN];
	int data, map;
	uint64_t set = 0;

	rig_open(&r, slot, &data, &map, 0);
	ssize_t n = pread(map, bits, s.geo.symbols / 8 + 1, PARTS_HEAD_LEN);
	for (uint64_t i = 0; n > 0 && i < s.geo.symbols && i / 8 < (uint64_t)n; i++) {
		if ((bits[i / 8] >> (i % 8) & 1) == 0)
			continue;
		uint64_t at = i * RIG_SLEN, len = s.geo.len - at < RIG_SLEN ? s.geo.len - at : RIG_SLEN;
		assert_int_equal(pread(data, b, len, (off_t)at), len);
		assert_memory_equal(b, s.bytes + at, len);
		set++;
	}
	free(bits);
	close(data);
	close(map);
	return set;
}

/* The process dies at any moment (the copy of the two files is what it leaves
 * behind), starts again, and the next round fills the rest. */
static void killed(void **state)
{
	(void)state;
	for (size_t t = 0; t < sizeof(way) / sizeof(way[0]); t++) {
		const struct way *w = &way[t];
		begin(w);
		for (uint64_t i = 0; i < s.geo.symbols; i++) {
			if (i == 0 || seeded_below(50) == 0)
				continue;
			give(w, (uint32_t)(i / w->kfull), (uint32_t)(i % w->kfull));
			if (seeded_below(400) == 0)
				assemble_tick(r.a, r.now += STAGE_AGE_NS / 2);
			if (i % 3000 == 2999)
				map_is_true(1);
		}
		if (t % 2 == 0)
			assemble_settle(r.a, r.now += 2000000000);
		map_is_true(1);
		assert_int_equal(r.completed, 0);
		/* As it is on the disk now, while the old one still runs. */
		struct assemble *old = r.a;
		struct assemble_limits l = rig_limits;
		l.chunks = w->chunks;
		rig_start(&r, &l);
		memset(r.counter, 0, sizeof(r.counter));
		char cmd[200];
		snprintf(cmd, sizeof(cmd), "cd %s && cp 1.data 2.data && cp 1.map 2.map", r.dir);
		assert_int_equal(system(cmd), 0);
		rig_old_slot(&r, 2);
		if (assemble_slots_free(r.a) == 1)
			assert_int_equal(map_is_true(2), 0);
		round_of(w, true);
		expect_whole();
		r.completed = 0;
		assemble_free(old);
		sent_free(&s);
		rig_end(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_way), cmocka_unit_test(few_in_turn), cmocka_unit_test(killed) };

	seeded_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
