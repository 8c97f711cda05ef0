/* receipts.h: rows go in their time, a row says which they were, and nothing that is still needed goes with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sender/receipts.h"
#include "tests/unit/outbox_rig.h"


/* Numbers first to last of a channel, erased, their retention past at 1000. */
static void add(const char *channel, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		outbox_rig_add(channel, (struct outbox_new){ .length = 1, .expires_ms = 1000 });
	db_exec(&box.db, "UPDATE object SET state = 1");
}

static void closed(const char *channel, int64_t number)
{
	db_run(&box.db, "INSERT OR REPLACE INTO closed(generation, channel, number) VALUES(?, ?, ?)", "bti", box.generation,
	    sizeof(box.generation), channel, number);
}

static void in_their_time(void **state)
{
	(void)state;
	add("eltax", 10);
	closed("eltax", 10);
	assert_int_equal(receipts_run(&box, 1000 + 499, 500, 1), 0);
	assert_int_equal(receipts_run(&box, 400, 500, 1), 0); /* younger than that altogether */
	assert_int_equal(receipts_run(&box, 1000 + 500, 500, 77), 9);
	assert_int_equal(db_int(&box.db, "SELECT count(*) FROM object", ""), 1);
	assert_int_equal(db_int(&box.db, "SELECT number FROM object", ""), 10); /* the newest stays: the next is 11 */
	assert_int_equal(db_int(&box.db, "SELECT count(*) FROM erased", ""), 1);
	assert_int_equal(db_int(&box.db, "SELECT count(*) FROM erased WHERE first = 1 AND last = 9 AND channel = 'eltax' AND at = 77", ""), 1);
	add("eltax", 1);
	closed("eltax", 11);
	assert_int_equal(receipts_run(&box, 2000, 500, 78), 1);
	assert_int_equal(db_int(&box.db, "SELECT count(*) FROM erased WHERE first = 1 AND last = 10 AND at = 78", ""), 1);
}

static void what_stays(void **state)
{
	(void)state;
	add("eltax", 10);
	db_exec(&box.db, "UPDATE object SET state = 0 WHERE number = 3"); /* its object is kept */
	closed("eltax", 6);                                               /* 7 and on are not listed yet */
	assert_int_equal(receipts_run(&box, 9000, 500, 1), 5);
	assert_int_equal(db_int(&box.db, "SELECT count(*) FROM object WHERE number IN (3, 7, 8, 9, 10)", ""), 5);
	assert_int_equal(db_int(&box.db, "SELECT count(*) FROM erased WHERE (first = 1 AND last = 2) OR (first = 4 AND last = 6)", ""), 2);
}

static void other_streams(void **state)
{
	(void)state;
	add("katamichi", 4); /* closings are not listed in closings */
	add("eltax", 2);     /* nothing of it was listed yet */
	assert_int_equal(receipts_run(&box, 9000, 500, 1), 3);
	assert_int_equal(db_int(&box.db, "SELECT count(*) FROM object WHERE channel = 'eltax'", ""), 2);
	/* a generation that ended: no closing lists it any more */
	db_exec(&box.db, "UPDATE object SET generation = x'00112233445566778899aabbccddeeff'");
	assert_int_equal(receipts_run(&box, 9000, 500, 1), 1);
	assert_int_equal(db_int(&box.db, "SELECT count(*) FROM object", ""), 2); /* the newest of each */
}

static void many(void **state)
{
	(void)state;
	add("eltax", 2 * RECEIPTS_AT_ONCE + 10);
	closed("eltax", 2 * RECEIPTS_AT_ONCE + 10);
	assert_int_equal(receipts_run(&box, 9000, 500, 1), RECEIPTS_AT_ONCE);
	assert_int_equal(receipts_run(&box, 9000, 500, 1), RECEIPTS_AT_ONCE);
	assert_int_equal(receipts_run(&box, 9000, 500, 1), 9);
	assert_int_equal(receipts_run(&box, 9000, 500, 1), 0);
	assert_int_equal(db_int(&box.db, "SELECT last FROM erased", ""), 2 * RECEIPTS_AT_ONCE + 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_their_time, outbox_rig_make, outbox_rig_remove), cmocka_unit_test_setup_teardown(what_stays, outbox_rig_make, outbox_rig_remove),
		cmocka_unit_test_setup_teardown(other_streams, outbox_rig_make, outbox_rig_remove), cmocka_unit_test_setup_teardown(many, outbox_rig_make, outbox_rig_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
