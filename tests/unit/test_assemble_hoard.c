/* test_assemble_hoard.c - what a sender with valid keys may make assemble.h hold, or zero, or say.  Of its own only,
 * and never more than was set aside for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>

#include "receiver/assemble_private.h"
#include "tests/unit/receiver_rig.h"

static struct rig r;
static struct sent s;

static unsigned open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* One symbol, and it is complete. */
static enum link_counter tiny(uint32_t sender, uint16_t which)
{
	struct frame_symbol f = { .kfull = 1, .object_len = 100, .k = 1, .m = 1, .slen = RIG_SLEN };
	static const uint8_t data[RIG_SLEN];
	enum link_counter c;

	f.id[0] = (uint8_t)which;
	f.id[1] = (uint8_t)(which >> 8);
	c = assemble_symbol(r.a, sender, &f, data, r.now);
	assemble_write(r.a);
	return c;
}

/* Complete, and the store has not said that it needs no map: so many, and not one more, until the maps are durable.  Whoever needs
 * more than its share has also what is in no share, and never another's. */
static void files_are_bounded(void **state)
{
	enum { SHARE = 4, UNSHARED = 8 };
	struct assemble_limits l = rig_limits;

	(void)state;
	l.files = 2 * SHARE + UNSHARED; /* of two senders */
	l.objects = 2;
	rig_init(&r, &l);
	rig_fresh_slots(&r, 24);
	for (uint16_t i = 0; i < SHARE + UNSHARED + 2; i++)
		assert_int_equal(tiny(0, i), i < SHARE + UNSHARED ? LC_TAKEN : LC_OBJECTS);
	assert_int_equal(r.completed, SHARE + UNSHARED);
	for (uint16_t i = 0; i < SHARE + 2; i++)
		assert_int_equal(tiny(1, i), i < SHARE ? LC_TAKEN : LC_OBJECTS);
	rig_settle(&r);
	rig_settle(&r);
	assert_int_equal(tiny(0, SHARE + UNSHARED), LC_TAKEN);
	assert_int_equal(tiny(1, SHARE), LC_TAKEN);
	rig_end(&r);
}

/* However few files there may be, each that is being gathered has its own. */
static void files_for_all_that_are_unfinished(void **state)
{
	struct assemble_limits l = rig_limits;
	struct frame_symbol f = { .kfull = 2, .object_len = 2 * RIG_SLEN, .k = 2, .m = 1, .slen = RIG_SLEN };
	static const uint8_t data[RIG_SLEN];

	(void)state;
	l.objects = l.files = 8;
	rig_init(&r, &l);
	rig_fresh_slots(&r, 10);
	for (uint32_t i = 0; i < 10; i++) {
		f.id[0] = (uint8_t)i;
		assert_int_equal(assemble_symbol(r.a, i / 5, &f, data, r.now), i % 5 < 4 ? LC_TAKEN : LC_OBJECTS);
	}
	rig_end(&r);
}

/* What was complete and held when the receiver stopped: it does not matter how many these are. */
static void held_over_a_restart(void **state)
{
	enum { HELD = 40 };
	struct assemble_limits l = rig_limits;
	unsigned before;

	(void)state;
	l.files = 8;
	rig_init(&r, &l);
	for (uint16_t i = 0; i < HELD; i++) {
		rig_fresh_slots(&r, 1);
		assert_int_equal(tiny(0, i), LC_TAKEN);
		rig_settle(&r);
	}
	assert_int_equal(r.completed, HELD);
	assemble_free(r.a);
	rig_start(&r, &l);
	r.deaf = 1; /* it is starting */
	before = open_files();
	for (uint32_t i = 1; i <= HELD; i++)
		rig_old_slot(&r, i);
	assert_int_equal(open_files(), before);
	r.deaf = 0;
	rig_settle(&r);
	assert_int_equal(r.completed, 2 * HELD);
	assert_int_equal(r.discarded, 0);
	rig_end(&r);
}

/* As many were unfinished as it may have: what was complete needs none of their room, and neither gives way to the other. */
static void held_beside_a_full_share(void **state)
{
	enum { HELD = 3, UNFINISHED = 2 };
	struct assemble_limits l = rig_limits;
	struct frame_symbol f = { .kfull = 2, .object_len = 2 * RIG_SLEN, .k = 2, .m = 1, .slen = RIG_SLEN };
	static const uint8_t data[RIG_SLEN];

	(void)state;
	l.objects = 2 * UNFINISHED; /* of two senders */
	for (int64_t ago = 0; ago <= 60; ago += 60) {
		rig_init(&r, &l);
		rig_fresh_slots(&r, HELD + UNFINISHED);
		for (uint16_t i = 0; i < HELD + UNFINISHED; i++) {
			f.id[0] = (uint8_t)i;
			assert_int_equal(i < HELD ? tiny(0, i) : assemble_symbol(r.a, 0, &f, data, r.now), LC_TAKEN);
		}
		rig_settle(&r);
		assemble_free(r.a);
		rig_start(&r, &l);
		for (uint32_t i = 1; i <= HELD + UNFINISHED; i++)
			rig_old_since(&r, i, ago);
		rig_settle(&r);
		assert_int_equal(r.discarded, 0);
		assert_int_equal(r.completed, 2 * HELD);
		f.symbol = 1;
		assert_int_equal(assemble_symbol(r.a, 0, &f, data, r.now), LC_TAKEN);
		f.symbol = 0;
		rig_settle(&r);
		assert_int_equal(r.completed, 2 * HELD + 1);
		rig_end(&r);
	}
}

/* The table of the blocks would fit, their bits beside it not: nothing is zeroed to find that out. */
static void all_or_nothing(void **state)
{
	struct object_budget b = { .max = 1 << 20 };
	struct object o = { .geo = { .slen = RIG_SLEN, .kfull = 64 } };

	(void)state;
	assert_int_equal(object_reach(&o, &b, 30000), -1);
	assert_null(o.block);
	assert_int_equal(b.used, 0);
	assert_int_equal(object_reach(&o, &b, 10000), 0);
	assert_int_equal(b.used, o.bits_room + o.block_room * sizeof(struct block));
	object_release(&o, &b);
	assert_int_equal(b.used, 0);
}

/* A length that is told later must not take back what the store may have had read by then. */
static void shorter_than_was_told(void **state)
{
	enum { SYMBOLS = STAGE_CHUNK / RIG_SLEN + 1 /* the last of them lies across the end of the first chunk */ };
	struct frame_symbol f;

	(void)state;
	rig_init(&r, NULL);
	rig_fresh_slots(&r, 1);
	sent_make(&s, 2 * STAGE_CHUNK, 20, 0, seeded);
	for (uint32_t i = 0; i < SYMBOLS; i++) {
		f = sent_symbol(&s, i / 20, i % 20);
		f.object_len = 0;
		assert_int_equal(assemble_symbol(r.a, 0, &f, sent_data(&s, i / 20, i % 20), r.now), LC_TAKEN);
	}
	rig_settle(&r);
	assemble_tick(r.a, r.now += ASSEMBLE_PROGRESS_NS);
	assert_int_equal(r.progress.ready, STAGE_CHUNK);
	f = sent_symbol(&s, 0, 0);
	f.object_len = STAGE_CHUNK - 10;
	assert_int_equal(assemble_symbol(r.a, 0, &f, s.bytes, r.now), LC_CONTRADICT);
	f.object_len = STAGE_CHUNK + 10; /* of the same symbols */
	assert_int_equal(assemble_symbol(r.a, 0, &f, s.bytes, r.now), LC_DUPLICATE);
	rig_settle(&r);
	assert_int_equal(r.completed, 1);
	rig_end(&r);
	sent_free(&s);
}

/* A symbol here and there in a large object costs the disk about what it brings, not a chunk each. */
static void a_symbol_for_each_chunk(void **state)
{
	enum { CHUNKS = 24 /* more than fit into memory */ };
	struct frame_symbol f = { .kfull = 1000, .object_len = 64 << 20, .k = 1000, .m = 1, .slen = RIG_SLEN };
	static const uint8_t data[RIG_SLEN] = { 1 };
	struct stat st;
	int fd, map;

	(void)state;
	rig_init(&r, NULL);
	rig_fresh_slots(&r, 1);
	for (uint32_t i = 0; i < CHUNKS; i++) {
		uint32_t symbol = (uint32_t)((uint64_t)i * STAGE_CHUNK / RIG_SLEN + 1);
		f.block = symbol / 1000;
		f.symbol = (uint16_t)(symbol % 1000);
		assert_int_equal(assemble_symbol(r.a, 0, &f, data, r.now), LC_TAKEN);
	}
	rig_settle(&r);
	rig_open(&r, 1, &fd, &map, 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_in_range(st.st_blocks * 512, CHUNKS * 512, CHUNKS * 3 * STAGE_PAGE);
	close(fd);
	close(map);
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_bounded),
		cmocka_unit_test(files_for_all_that_are_unfinished),
		cmocka_unit_test(held_over_a_restart),
		cmocka_unit_test(held_beside_a_full_share),
		cmocka_unit_test(all_or_nothing),
		cmocka_unit_test(shorter_than_was_told),
		cmocka_unit_test(a_symbol_for_each_chunk),
	};

	seeded_init();
	return cmocka_run_group_tests_name("assemble_hoard", tests, NULL, NULL);
}
