/* resend.h: a slip finds its stream, and what it asks for becomes due; nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sender/resend.h"
#include "tests/unit/outbox_rig.h"

static const uint8_t sender[32] = { 1 }, receiver[32] = { 2 };

static void add(const char *channel, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		outbox_rig_add(channel, (struct outbox_new){ .created_ms = 1, .files = 2, .bytes = 10, .length = 100, .expires_ms = 1000 });
}

static struct resend asked(const char *channel, uint64_t first, uint64_t last)
{
	struct resend r = { .slip = { .ref = slip_ref(sender, receiver, box.generation, channel) } };

	assert_int_equal(slip_add(&r.slip, first, last), 0);
	return r;
}

static void finds_its_stream(void **state)
{
	struct resend r;

	(void)state;
	add("eltax", 3);
	add("pittari", 5);
	r = asked("pittari", 2, 3);
	assert_int_equal(resend_find(&r, &box.db, sender, receiver), 0);
	assert_string_equal(r.channel, "pittari");
	assert_memory_equal(r.generation, box.generation, 16);
	assert_int_equal(r.newest, 5);
	assert_int_equal(r.objects, 2);
	assert_int_equal(r.files, 4);
	assert_int_equal(r.bytes, 200);
	assert_int_equal(r.gone + r.unknown, 0);
	r = asked("update", 1, 1); /* no such channel here */
	assert_int_equal(resend_find(&r, &box.db, sender, receiver), -1);
	r = asked("eltax", 1, 1);  /* of another receiver, of another sender */
	assert_int_equal(resend_find(&r, &box.db, sender, sender), -1);
	assert_int_equal(resend_find(&r, &box.db, receiver, receiver), -1);
}

static void kept_gone_and_unknown(void **state)
{
	static const struct { const char *why; uint64_t first, last, objects, gone, unknown; } t[] = {
		{ "all kept", 3, 5, 3, 0, 0 },
		{ "two erased, one lost", 1, 4, 1, 3, 0 },
		{ "beyond the newest", 5, 9, 1, 0, 4 },
		{ "far beyond", 100, SLIP_NUMBER_MAX, 0, 0, SLIP_NUMBER_MAX - 99 },
		{ "everything", 1, SLIP_NUMBER_MAX, 2, 3, SLIP_NUMBER_MAX - 5 },
	};

	(void)state;
	add("eltax", 5);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct resend r = asked("eltax", t[i].first, t[i].last);
		if (i == 1) {
			db_exec(&box.db, "UPDATE object SET state = 1 WHERE number <= 2");
			db_exec(&box.db, "UPDATE object SET state = 2 WHERE number = 3");
		}
		assert_int_equal(resend_find(&r, &box.db, sender, receiver), 0);
		if (r.objects != t[i].objects || r.gone != t[i].gone || r.unknown != t[i].unknown)
			fail_msg("%s: %llu kept, %llu gone, %llu unknown", t[i].why, (unsigned long long)r.objects,
			    (unsigned long long)r.gone, (unsigned long long)r.unknown);
	}
}

static bool none(const void *ctx, int64_t row)
{
	(void)ctx;
	(void)row;
	return false;
}

/* Sent once and not due for an hour; asked for, two of them go at once, as asked. */
static void becomes_due(void **state)
{
	struct outbox_object o;
	struct resend r;

	(void)state;
	add("eltax", 4);
	db_exec(&box.db, "UPDATE object SET rounds = 1, due = 3600000");
	assert_false(outbox_pick(&box, OUTBOX_DUE, 1000, none, NULL, &o));
	r = asked("eltax", 2, 3);
	assert_int_equal(resend_find(&r, &box.db, sender, receiver), 0);
	assert_false(outbox_pick(&box, OUTBOX_DUE, 1000, none, NULL, &o)); /* looking is not doing */
	resend_do(&r, &box.db, "1ABC-DEFG", 5000);
	for (uint64_t want = 2; want <= 3; want++) {
		assert_true(outbox_pick(&box, OUTBOX_DUE, 1000, none, NULL, &o));
		assert_int_equal(o.number, want);
		assert_true(o.asked);
		outbox_round(&box, o.row, 2, 3600000);
	}
	assert_false(outbox_pick(&box, OUTBOX_DUE, 1000, none, NULL, &o));
	assert_true(outbox_pick(&box, OUTBOX_DUE, 4000000, none, NULL, &o)); /* the others in their time, and not as asked */
	assert_false(o.asked);
	assert_int_equal(db_int(&box.db, "SELECT COUNT(*) FROM slip WHERE code = '1ABC-DEFG' AND numbers = '2-3' AND objects = 2 AND "
	    "bytes = 200 AND gone = 0 AND at = 5000 AND channel = 'eltax'", ""), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds_its_stream, outbox_rig_make, outbox_rig_remove),
		cmocka_unit_test_setup_teardown(kept_gone_and_unknown, outbox_rig_make, outbox_rig_remove),
		cmocka_unit_test_setup_teardown(becomes_due, outbox_rig_make, outbox_rig_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
