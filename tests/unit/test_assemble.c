/* assemble.h with the real code on real files: loss, order, repetition,
 * restarts, and symbols of an authenticated sender that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sys/mman.h>

#include "core/bytes.h"
#include "receiver/parts.h"
#include "tests/unit/receiver_rig.h"

static struct rig r;
static struct sent s;

/* All source in order: written through, nothing computed. */
static void in_order(void **state)
{
	(void)state;
	rig_init(&r, NULL);
	rig_fresh_slots(&r, 2);
	sent_make(&s, 10007, 20, 3, seeded);
	for (uint64_t i = 0; i < s.geo.symbols; i++) {
		assert_int_equal(r.completed, 0);
		assert_int_equal(rig_give(&r, &s, (uint32_t)(i / 20), (uint32_t)(i % 20)), LC_TAKEN);
		if (i % 7 == 0)
			assemble_write(r.a);
	}
	assemble_write(r.a);
	assert_int_equal(r.completed, 1); /* at once, without waiting for a disk */
	assert_true(rig_same(&r, &s));
	assert_int_equal(r.counter[LC_REPAIRED], 0);
	assert_int_equal(rig_give(&r, &s, 0, 0), LC_DELIVERED);
	rig_end(&r);
	sent_free(&s);
}

struct item {
	uint32_t block, symbol;
};

/* Everything that is sent, in random order, some of it twice. */
static size_t shuffle(struct item *list, const struct sent *o, unsigned twice_in_8)
{
	size_t n = 0;

	for (uint32_t b = 0; b < o->geo.blocks; b++)
		for (uint32_t i = 0; i < geometry_k(&o->geo, b) + (1u << o->mlog); i++)
			for (unsigned t = 0; t < (seeded() % 8 < twice_in_8 ? 2u : 1u); t++)
				list[n++] = (struct item){ b, i };
	for (size_t i = n; i > 1; i--) {
		size_t j = seeded_below(i);
		struct item x = list[i - 1];
		list[i - 1] = list[j];
		list[j] = x;
	}
	return n;
}

/* Random loss within what the code can repair, random order, repetition. */
static void loss_and_order(void **state)
{
	static const uint64_t size[] = { 1, 2, 191, 192, 193, 384, 20 * 192 - 1, 20 * 192, 20 * 192 + 1, 5000, 70000 };
	static struct item list[8192];
	uint8_t lost[64];

	(void)state;
	for (size_t t = 0; t < 4 * sizeof(size) / sizeof(size[0]); t++) {
		rig_init(&r, NULL);
		rig_fresh_slots(&r, 1);
		sent_make(&s, size[t / 4], 20, 4, seeded);
		size_t n = shuffle(list, &s, 2);
		assert_true(n <= 8192);
		memset(lost, 0, sizeof(lost));
		/* Of the k + 16 symbols of a block lose at most 16 different ones. */
		static uint8_t drop[64][36];
		memset(drop, 0, sizeof(drop));
		for (uint32_t b = 0; b < s.geo.blocks; b++)
			for (int i = 0; i < 16; i++)
				drop[b][seeded() % (geometry_k(&s.geo, b) + 16u)] = 1;
		for (size_t i = 0; i < n; i++) {
			if (drop[list[i].block][list[i].symbol])
				continue;
			enum link_counter c = rig_give(&r, &s, list[i].block, list[i].symbol);
			assert_true(c == LC_TAKEN || c == LC_DUPLICATE || c == LC_DELIVERED);
			if (seeded() % 16 == 0)
				assemble_write(r.a);
			if (seeded() % 64 == 0)
				assemble_tick(r.a, r.now += 1000000);
		}
		rig_settle(&r);
		assert_int_equal(r.completed, 1);
		assert_true(rig_same(&r, &s));
		assert_int_equal(r.counter[LC_FAILED], 0);
		sent_free(&s);
		rig_end(&r);
	}
}

/* One symbol short of k is not enough; any k are. */
static void exactly_k(void **state)
{
	(void)state;
	for (int source_first = 0; source_first < 2; source_first++) {
		rig_init(&r, NULL);
		rig_fresh_slots(&r, 1);
		sent_make(&s, 30 * RIG_SLEN, 30, 5, seeded);
		for (uint32_t i = 0; i < 29; i++)
			assert_int_equal(rig_give(&r, &s, 0, source_first ? i + 1 : 30 + i), LC_TAKEN);
		rig_settle(&r);
		assert_int_equal(r.completed, 0);
		assert_int_equal(rig_give(&r, &s, 0, source_first ? 61 : 7), LC_TAKEN);
		rig_settle(&r);
		assert_int_equal(r.completed, 1);
		assert_true(rig_same(&r, &s));
		assert_int_equal(r.counter[LC_REPAIRED], source_first ? 1 : 29);
		sent_free(&s);
		rig_end(&r);
	}
}

/* The length is 0 until the sender knows it. */
static void length_comes_late(void **state)
{
	struct frame_symbol f;

	(void)state;
	rig_init(&r, NULL);
	rig_fresh_slots(&r, 1);
	sent_make(&s, 3 * 20 * RIG_SLEN + 555, 20, 3, seeded);
	for (uint32_t b = 0; b < 3; b++)
		for (uint32_t i = b == 1 ? 3 : 0; i < 23; i++) { /* block 1 needs its repair symbols */
			f = sent_symbol(&s, b, i);
			f.object_len = 0;
			assert_int_equal(assemble_symbol(r.a, 0, &f, sent_data(&s, b, i), r.now),
			    i >= 20 && b != 1 ? LC_DUPLICATE : LC_TAKEN);
		}
	rig_settle(&r);
	assert_int_equal(r.completed, 0);
	for (uint32_t i = 0; i < geometry_k(&s.geo, 3); i++)
		assert_int_equal(rig_give(&r, &s, 3, i), LC_TAKEN);
	rig_settle(&r);
	assert_int_equal(r.completed, 1);
	assert_true(rig_same(&r, &s));
	rig_end(&r);
	sent_free(&s);
}

/* The sender's MTU changed: its repeats are cut anew.  Only after a pause, and then for good. */
static void cut_anew(void **state)
{
	struct sent other;

	(void)state;
	rig_init(&r, NULL);
	rig_fresh_slots(&r, 2);
	sent_make(&s, 40 * RIG_SLEN, 20, 3, seeded);
	sent_make(&other, 40 * RIG_SLEN, 10, 3, seeded);
	memcpy(other.id, s.id, sizeof(other.id));
	for (uint32_t i = 0; i < 15; i++)
		assert_int_equal(rig_give(&r, &s, 0, i), LC_TAKEN);
	rig_settle(&r);
	assert_int_equal(rig_give(&r, &other, 0, 0), LC_CONTRADICT);
	r.now += 20000000000ull;
	assert_int_equal(rig_give(&r, &other, 0, 0), LC_CONTRADICT); /* which is no sign of life */
	r.now += 10000000000ull;
	for (uint32_t i = 0; i < 40; i++)
		assert_int_equal(rig_give(&r, &other, i / 10, i % 10), LC_TAKEN);
	rig_settle(&r);
	assert_int_equal(r.completed, 1);
	assert_true(rig_same(&r, &other));
	rig_end(&r);
	sent_free(&s);
	sent_free(&other);
}

/* What nothing comes of any more is given up in the end, and said; each symbol that is new puts that off. */
static void given_up(void **state)
{
	const uint64_t nearly = rig_limits.stale_ns - 10000000000ull;

	(void)state;
	rig_init(&r, NULL);
	rig_fresh_slots(&r, 2);
	sent_make(&s, 40 * RIG_SLEN, 20, 3, seeded);
	assert_int_equal(rig_give(&r, &s, 0, 0), LC_TAKEN);
	r.now += nearly;
	rig_settle(&r);
	assert_int_equal(r.expired, 0);
	assert_int_equal(rig_give(&r, &s, 0, 1), LC_TAKEN);
	r.now += nearly;
	rig_settle(&r);
	assert_int_equal(r.expired + r.discarded, 0);
	r.now += 10000000000ull;
	r.deaf = 1; /* store has no time: nothing is dropped that it was not told of */
	rig_settle(&r);
	assert_int_equal(r.expired + r.discarded, 0);
	r.deaf = 0;
	rig_settle(&r);
	assert_int_equal(r.expired, 1);
	assert_int_equal(r.discarded, 1);
	assert_memory_equal(r.last.id, s.id, 16);
	/* and when its sender repeats it after all, it is gathered from the beginning */
	for (uint32_t i = 0; i < 40; i++)
		assert_int_equal(rig_give(&r, &s, i / 20, i % 20), LC_TAKEN);
	rig_settle(&r);
	assert_int_equal(r.completed, 1);
	assert_true(rig_same(&r, &s));
	rig_end(&r);
	sent_free(&s);
}

/* A restart does not give an unfinished object new days: the map's file says when something came last.  By the wall clock, so
 * twelve hours are left in any case. */
static void given_up_after_a_restart(void **state)
{
	const uint64_t hour = 3600 * 1000000000ull;
	static const struct { int64_t age; uint64_t kept, gone; /* hours: at the restart; after it */ } row[] = {
		{ 0, 359, 361 }, { 24, 335, 337 }, { 347, 12, 14 }, { 355, 11, 13 }, { 360, 11, 13 },
		{ 24 * 9000, 11, 13 }, /* the clock is wrong */
		{ -24 * 9000, 359, 361 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		rig_init(&r, NULL);
		rig_fresh_slots(&r, 1);
		sent_make(&s, 40 * RIG_SLEN, 20, 3, seeded);
		assert_int_equal(rig_give(&r, &s, 0, 0), LC_TAKEN);
		assemble_free(r.a);
		rig_start(&r, NULL);
		rig_old_since(&r, 1, row[i].age * 3600);
		r.now += row[i].kept * hour;
		assemble_settle(r.a, r.now);
		if (r.expired != 0)
			fail_msg("row %zu: given up %llu hours after the restart", i, (unsigned long long)row[i].kept);
		r.now += (row[i].gone - row[i].kept) * hour;
		assemble_settle(r.a, r.now);
		if (r.expired != 1)
			fail_msg("row %zu: not given up %llu hours after the restart", i, (unsigned long long)row[i].gone);
		sent_free(&s);
		rig_end(&r);
	}
}

/* Which of them was left alone longest is known across a restart, too. */
static void room_after_a_restart(void **state)
{
	struct assemble_limits two = rig_limits;
	struct sent o[3];

	(void)state;
	two.objects = 4; /* of two senders */
	rig_init(&r, &two);
	rig_fresh_slots(&r, 2);
	for (int i = 0; i < 3; i++)
		sent_make(&o[i], 40 * RIG_SLEN, 20, 3, seeded);
	for (int i = 0; i < 2; i++)
		assert_int_equal(rig_give(&r, &o[i], 0, 0), LC_TAKEN);
	assemble_free(r.a);
	rig_start(&r, &two);
	rig_old_since(&r, 1, 60);
	rig_old_since(&r, 2, 3600); /* longer than r.now is: its time is before the clock's 0 */
	rig_fresh_slots(&r, 1);
	assert_int_equal(rig_give(&r, &o[2], 0, 0), LC_TAKEN);
	assert_int_equal(r.discarded, 1);
	assert_int_equal(r.last_discarded, 2);
	rig_end(&r); /* writes what the symbols brought */
	for (int i = 0; i < 3; i++)
		sent_free(&o[i]);
}

/* A length that is known, and a last block cut short by it, which arrived whole before. */
static void length_alone_completes(void **state)
{
	struct frame_symbol f;

	(void)state;
	rig_init(&r, NULL);
	rig_fresh_slots(&r, 1);
	sent_make(&s, 40 * RIG_SLEN - 100, 20, 3, seeded);
	for (uint32_t b = 0; b < 2; b++)
		for (uint32_t i = 0; i < 20; i++) {
			f = sent_symbol(&s, b, i);
			f.object_len = 0;
			assert_int_equal(assemble_symbol(r.a, 0, &f, sent_data(&s, b, i), r.now), LC_TAKEN);
		}
	rig_settle(&r);
	assert_int_equal(r.completed, 0);
	assert_int_equal(rig_give(&r, &s, 0, 0), LC_DUPLICATE); /* brings nothing but the length */
	rig_settle(&r);
	assert_int_equal(r.completed, 1);
	assert_int_equal(r.last.length, 40 * RIG_SLEN - 100);
	assert_true(rig_same(&r, &s));
	rig_end(&r);
	sent_free(&s);
}

/* Every bit of the map stands for bytes that are in the data file. */
static void assert_map_is_true(uint32_t slot, const struct sent *o)
{
	uint8_t head[PARTS_HEAD_LEN], byte, have[RIG_SLEN];
	int data, map;

	rig_open(&r, slot, &data, &map, 0);
	assert_int_equal(pread(map, head, sizeof(head), 0), sizeof(head));
	for (uint64_t i = 0; i < o->geo.symbols; i++) {
		if (pread(map, &byte, 1, (off_t)(PARTS_HEAD_LEN + i / 8)) != 1 || (byte >> (i % 8) & 1) == 0)
			continue;
		uint64_t at = i * RIG_SLEN, n = o->geo.len - at < RIG_SLEN ? o->geo.len - at : RIG_SLEN;
		assert_int_equal(pread(data, have, n, (off_t)at), n);
		assert_memory_equal(have, o->bytes + at, n);
	}
	close(data);
	close(map);
}

/* Stopped anywhere, started again: what the map knows is kept, a later round fills the rest. */
static void restart(void **state)
{
	(void)state;
	for (int t = 0; t < 12; t++) {
		rig_init(&r, NULL);
		rig_fresh_slots(&r, 2);
		sent_make(&s, 30011, 20, 4, seeded);
		uint64_t given = 0;
		for (uint64_t i = 0; i < s.geo.symbols; i++)
			if (seeded() % 3 != 0 && i != 77)
				given += rig_give(&r, &s, (uint32_t)(i / 20), (uint32_t)(i % 20)) == LC_TAKEN;
		assemble_free(r.a);
		assert_map_is_true(r.slot - 1, &s);
		memset(r.counter, 0, sizeof(r.counter));
		rig_start(&r, NULL);
		rig_old_slot(&r, r.slot - 1);
		rig_old_slot(&r, r.slot - 2); /* a fresh one from before stays fresh */
		assert_int_equal(assemble_slots_free(r.a), 1);
		struct msg_stats st = { .open = 0 };
		assemble_stats(r.a, &st);
		assert_int_equal(st.open, 1);
		assert_int_equal(st.object[0].have, given);
		uint64_t again = 0;
		for (uint64_t i = 0; i < s.geo.symbols; i++)
			again += rig_give(&r, &s, (uint32_t)(i / 20), (uint32_t)(i % 20)) == LC_TAKEN;
		rig_settle(&r);
		assert_int_equal(r.completed, 1);
		assert_int_equal(again, s.geo.symbols - given); /* nothing was lost by the restart */
		assert_true(rig_same(&r, &s));
		sent_free(&s);
		rig_end(&r);
	}
}

/* Complete, but the store had not heard of it: told again after the restart. */
static void restart_complete(void **state)
{
	(void)state;
	rig_init(&r, NULL);
	rig_fresh_slots(&r, 1);
	sent_make(&s, 4000, 20, 3, seeded);
	r.deaf = 1;
	for (uint32_t b = 0; b < s.geo.blocks; b++)
		for (uint32_t i = 0; i < geometry_k(&s.geo, b); i++)
			rig_give(&r, &s, b, i);
	rig_settle(&r);
	assert_int_equal(rig_give(&r, &s, 0, 0), LC_DELIVERED);
	assemble_free(r.a);
	assert_int_equal(r.completed, 0);
	r.deaf = 0;
	rig_start(&r, NULL);
	rig_old_slot(&r, 1);
	rig_settle(&r);
	assert_int_equal(r.completed, 1);
	assert_true(rig_same(&r, &s));
	rig_end(&r);
	sent_free(&s);
}

/* Heads that are torn, of another peer, too large, or there twice. */
static void restart_odd_parts(void **state)
{
	uint8_t head[PARTS_LINK_LEN];
	struct parts_head h = { .sender = { 1 }, .id = { 9 } };
	int data, map;

	(void)state;
	rig_init(&r, NULL);
	assert_int_equal(geometry_init(&h.geo, 100000, RIG_SLEN, 20), 0);
	for (int t = 0; t < 5; t++) {
		rig_open(&r, r.slot, &data, &map, O_CREAT | O_EXCL);
		parts_put_head(head, &h);
		if (t == 0)
			head[17] ^= 1; /* torn: what it says does not match its check */
		if (t == 1)
			memset(h.sender, 7, 8), parts_put_head(head, &h), memcpy(h.sender, rig_keys[0], 8);
		if (t == 2)
			h.geo.len = rig_limits.object + 1, parts_put_head(head, &h), h.geo.len = 100000;
		assert_int_equal(pwrite(map, head, sizeof(head), 0), sizeof(head));
		assert_int_equal(ftruncate(map, t == 3 ? PARTS_HEAD_LEN : PARTS_HEAD_LEN + 66), 0);
		assemble_slot(r.a, r.slot++, data, map, -1, r.now);
	}
	assert_int_equal(assemble_slots_free(r.a), 1); /* the torn one: as good as fresh */
	assert_int_equal(r.discarded, 3);              /* 1, 2, and the second of two alike */
	struct msg_stats st;
	assemble_stats(r.a, &st);
	assert_int_equal(st.open, 1);
	assert_int_equal(st.object[0].have, 0);
	rig_end(&r);
}

/* The map is made durable while symbols are held back for longer runs: when a bit is in the map, its bytes are in the file. */
static void map_knows_no_more(void **state)
{
	uint8_t seen[3 * RIG_SLEN], bits = 0;
	int data, map;

	(void)state;
	rig_init(&r, NULL);
	rig_fresh_slots(&r, 1);
	sent_make(&s, 20 * RIG_SLEN, 20, 3, seeded);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(rig_give(&r, &s, 0, i), LC_TAKEN);
	assert_true(assemble_holds(r.a));
	assemble_tick(r.a, r.now += 2000000000);
	rig_open(&r, 1, &data, &map, 0);
	for (int i = 0; i < 10000 && pread(map, &bits, 1, PARTS_HEAD_LEN) != 1; i++)
		usleep(1000);
	assert_int_equal(bits, 7);
	assert_int_equal(pread(data, seen, sizeof(seen), 0), sizeof(seen));
	assert_memory_equal(seen, s.bytes, sizeof(seen));
	close(data);
	close(map);
	rig_settle(&r);
	sent_free(&s);
	rig_end(&r);
}

/* Symbols with a good tag that contradict what came before: refused, and no harm done. */
static void contradictions(void **state)
{
	struct frame_symbol f;
	uint8_t junk[RIG_SLEN * 2] = { 0 };

	(void)state;
	rig_init(&r, NULL);
	rig_fresh_slots(&r, 4);
	sent_make(&s, 10000, 20, 3, seeded);
	for (uint32_t i = 0; i < 10; i++)
		rig_give(&r, &s, 0, i);
	for (int t = 0; t < 6; t++) {
		f = sent_symbol(&s, 0, 15);
		switch (t) {
		case 0: /* symbol length */
			f.slen = RIG_SLEN * 2;
			break;
		case 1: /* symbols of a full block */
			f.kfull = f.k = 21;
			break;
		case 2: /* another length of the same object */
			f.object_len = 10001;
			break;
		case 3: /* M of its block */
			f.m = 16;
			break;
		case 4: /* a block behind the end, said by a datagram that claims not to know the length */
			f.object_len = 0;
			f.block = 5;
			break;
		case 5: /* the last block is shorter than a datagram without a length can mean */
			f.object_len = 0;
			f.block = 2;
			break;
		}
		assert_int_equal(assemble_symbol(r.a, 0, &f, junk, r.now), LC_CONTRADICT);
	}
	for (uint32_t b = 0; b < s.geo.blocks; b++)
		for (uint32_t i = 0; i < geometry_k(&s.geo, b); i++)
			rig_give(&r, &s, b, i);
	rig_settle(&r);
	assert_int_equal(r.completed, 1);
	assert_true(rig_same(&r, &s));
	rig_end(&r);
	sent_free(&s);
}

/* A length that would cut off symbols that are there. */
static void length_cuts_off(void **state)
{
	struct frame_symbol f;

	(void)state;
	rig_init(&r, NULL);
	rig_fresh_slots(&r, 1);
	sent_make(&s, 60 * RIG_SLEN, 20, 3, seeded);
	f = sent_symbol(&s, 2, 19);
	f.object_len = 0;
	assert_int_equal(assemble_symbol(r.a, 0, &f, sent_data(&s, 2, 19), r.now), LC_TAKEN);
	f = sent_symbol(&s, 0, 0);
	f.object_len = 59 * RIG_SLEN;
	assert_int_equal(assemble_symbol(r.a, 0, &f, sent_data(&s, 0, 0), r.now), LC_CONTRADICT);
	assert_int_equal(rig_give(&r, &s, 0, 0), LC_TAKEN); /* the true one */
	rig_end(&r); /* it writes what lies in s */
	sent_free(&s);
}

/* The bounds: each has its counter, and none is memory. */
static void bounds(void **state)
{
	struct assemble_limits l = rig_limits;
	struct frame_symbol f;

	(void)state;
	l.object = 1 << 20;
	l.objects = 6; /* of which each of the two senders has half */
	l.parity = 2 << 20;
	l.meta = 128 << 10;
	rig_init(&r, &l);
	sent_make(&s, 10000, 20, 3, seeded);
	assert_int_equal(rig_give(&r, &s, 0, 0), LC_SLOT);
	rig_fresh_slots(&r, 8);
	f = sent_symbol(&s, 0, 0);
	f.object_len = (1 << 20) + 1;
	assert_int_equal(assemble_symbol(r.a, 0, &f, s.bytes, r.now), LC_LIMIT);
	f.object_len = 0;
	f.k = f.kfull;
	f.block = 2000000; /* far behind the largest object */
	assert_int_equal(assemble_symbol(r.a, 0, &f, s.bytes, r.now), LC_LIMIT);
	f = sent_symbol(&s, 0, 0);
	f.kfull = 65000; /* a block of 200 MB */
	f.k = 65000;
	f.m = 512;
	f.slen = 4096;
	f.object_len = 0;
	assert_int_equal(assemble_symbol(r.a, 0, &f, s.bytes, r.now), LC_LIMIT);
	f = sent_symbol(&s, 0, 0);
	f.kfull = f.k = 1; /* so small blocks that their table alone is too large */
	f.object_len = 1 << 20;
	f.id[0] ^= 1;
	assert_int_equal(assemble_symbol(r.a, 0, &f, s.bytes, r.now), LC_OBJECTS);
	assert_int_equal(assemble_slots_free(r.a), 8); /* none of these holds anything */
	for (uint8_t i = 0; i < 4; i++) {
		f = sent_symbol(&s, 0, 0);
		f.id[1] = i;
		f.id[2] = 0x55;
		assert_int_equal(assemble_symbol(r.a, 0, &f, s.bytes, r.now), i < 3 ? LC_TAKEN : LC_OBJECTS);
	}
	assert_int_equal(assemble_slots_free(r.a), 5);
	/* What one sender leaves lying does not stop the other ... */
	f.id[2] = 0x66;
	assert_int_equal(assemble_symbol(r.a, 1, &f, s.bytes, r.now), LC_TAKEN);
	/* ... nor, after a while, itself. */
	assert_int_equal(r.discarded, 0);
	r.now += 11000000000ull;
	assert_int_equal(assemble_symbol(r.a, 0, &f, s.bytes, r.now), LC_TAKEN);
	assert_int_equal(r.discarded, 1);
	rig_end(&r);
	sent_free(&s);
}

static void parity_is_bounded(void **state)
{
	struct assemble_limits l = rig_limits;
	uint32_t full = 0, kept = 0;

	(void)state;
	l.parity = 1 << 20;
	rig_init(&r, &l);
	rig_fresh_slots(&r, 1);
	sent_make(&s, 8ull * 2000 * RIG_SLEN, 2000, 10, seeded);
	for (uint32_t b = 0; b < 8; b++)
		for (uint32_t j = 0; j < 1024; j++) {
			enum link_counter c = rig_give(&r, &s, b, 2000 + j);
			full += c == LC_PARITY;
			kept += c == LC_TAKEN;
		}
	assert_int_equal(kept, (1 << 20) / RIG_SLEN);
	assert_int_equal(full, 8 * 1024 - kept);
	/* Source fills block 0 without it: its repair symbols are given up, and others find room. */
	for (uint32_t i = 0; i < 2000; i++)
		assert_true(rig_give(&r, &s, 0, i) == LC_TAKEN || i > 900);
	rig_settle(&r);
	assert_int_equal(rig_give(&r, &s, 7, 2000 + 1000), LC_TAKEN);
	rig_end(&r);
	sent_free(&s);
}

/* Damaged in the store's eyes: gathered afresh.  Delivered: never again. */
static void forget_and_done(void **state)
{
	(void)state;
	rig_init(&r, NULL);
	rig_fresh_slots(&r, 3);
	sent_make(&s, 3000, 20, 3, seeded);
	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < s.geo.symbols; i++)
			assert_int_equal(rig_give(&r, &s, 0, i), LC_TAKEN);
		rig_settle(&r);
		assert_int_equal(r.completed, round + 1);
		assert_true(rig_same(&r, &s));
		assert_int_equal(rig_give(&r, &s, 0, 0), LC_DELIVERED);
		if (round == 2)
			break;
		assemble_forget(r.a, 0, s.id);
		assert_int_equal(rig_give(&r, &s, 0, 1), LC_DELIVERED); /* the rest of the round does not begin it again */
		assemble_tick(r.a, r.now += 3000000000u);
	}
	assemble_done(r.a, 0, s.id);
	assert_int_equal(rig_give(&r, &s, 0, 0), LC_DELIVERED);
	/* The same id of another sender is another object. */
	s.sender = 1;
	assert_int_equal(rig_give(&r, &s, 0, 0), LC_SLOT);
	rig_end(&r);
	sent_free(&s);
}

/* A disk that takes nothing: the symbol is not there, and says so. */
static void disk_full(void **state)
{
	int data = memfd_create("full", MFD_ALLOW_SEALING), map = memfd_create("map", 0);
	struct msg_stats st;

	(void)state;
	rig_init(&r, NULL);
	assert_int_equal(fcntl(data, F_ADD_SEALS, F_SEAL_GROW), 0);
	assemble_slot(r.a, 1, data, map, -1, r.now);
	sent_make(&s, 3000, 20, 3, seeded);
	r.counter[LC_TAKEN] = 16; /* as the caller counts */
	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(rig_give(&r, &s, 0, i), LC_TAKEN);
	assemble_write(r.a);
	assert_int_equal(r.counter[LC_DISK], 16);
	assert_int_equal(r.counter[LC_TAKEN], 0);
	assert_int_equal(r.completed, 0);
	assemble_stats(r.a, &st);
	assert_int_equal(st.object[0].have, 0);
	assert_int_equal(rig_give(&r, &s, 0, 3), LC_TAKEN); /* welcome again */
	rig_end(&r);
	sent_free(&s);
}

/* An authenticated sender says anything at all. */
static void hostile_fields(void **state)
{
	static uint8_t junk[65536];
	uint64_t held;

	(void)state;
	rig_init(&r, NULL);
	rig_fresh_slots(&r, 16);
	for (int i = 0; i < 30000; i++) {
		static const uint16_t k[] = { 1, 2, 3, 20, 255, 256, 4000, 32768, 65534, 65535 };
		static const uint64_t len[] = { 0, 1, 191, 192, 193, 3840, 3841, 1 << 20, 63 << 20, (64 << 20) + 1, 1ull << 47 };
		uint8_t d[FRAME_MAX_LEN] = { 0 };
		struct frame_head h = { .kind = FRAME_SYMBOL, .len = (uint16_t)(256 + 64 * (seeded() % 4)), .epoch = 1,
			.pn = 1, .mlog = (uint8_t)(seeded() % 16) };
		struct frame_symbol f = { .kfull = k[seeded() % 10], .object_len = len[seeded() % 11],
			.block = (uint32_t)(seeded() % 3 == 0 ? seeded() : seeded() % 4),
			.symbol = (uint16_t)(seeded() % 3 == 0 ? seeded() : seeded() % 32) };
		f.id[0] = (uint8_t)(seeded() % 24);
		frame_put_symbol(d, &h, &f);
		if (frame_symbol(&f, &h, d) == FRAME_OK)
			assemble_symbol(r.a, (uint32_t)(seeded() % 3), &f, junk, r.now);
		if (i % 100 == 0)
			assemble_write(r.a);
		if (i % 1000 == 0)
			rig_fresh_slots(&r, 1);
	}
	rig_settle(&r);
	struct msg_stats st;
	assemble_stats(r.a, &st);
	held = st.parity_bytes;
	assert_true(held <= rig_limits.parity);
	assert_true(st.open <= rig_limits.objects);
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order),
		cmocka_unit_test(loss_and_order),
		cmocka_unit_test(exactly_k),
		cmocka_unit_test(length_comes_late),
		cmocka_unit_test(cut_anew),
		cmocka_unit_test(given_up),
		cmocka_unit_test(length_alone_completes),
		cmocka_unit_test(given_up_after_a_restart),
		cmocka_unit_test(room_after_a_restart),
		cmocka_unit_test(restart),
		cmocka_unit_test(restart_complete),
		cmocka_unit_test(restart_odd_parts),
		cmocka_unit_test(map_knows_no_more),
		cmocka_unit_test(contradictions),
		cmocka_unit_test(length_cuts_off),
		cmocka_unit_test(bounds),
		cmocka_unit_test(parity_is_bounded),
		cmocka_unit_test(forget_and_done),
		cmocka_unit_test(disk_full),
		cmocka_unit_test(hostile_fields),
	};

	seeded_init();
	return cmocka_run_group_tests_name("assemble", tests, NULL, NULL);
}
