/* outbox.h: numbers without gaps, the chain, what a crash may leave, service time, epochs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codec/hex.h"
#include "tests/unit/outbox_rig.h"

#define S 1000000000ull


static void reopen(uint64_t now_ns)
{
	outbox_close(&box);
	outbox_open(&box, tmpdir, now_ns);
	outbox_sweep(&box);
}

static void object_name(char out[static 33], uint8_t first)
{
	uint8_t id[16] = { first };

	hex_put(out, id, sizeof(id));
}

static void make_object(uint8_t first)
{
	char name[33], path[64];

	object_name(name, first);
	snprintf(path, sizeof(path), "objects/%s", name);
	tmpdir_write(path, "object", 6, 0600);
}

static bool object_there(uint8_t first)
{
	char name[33];

	object_name(name, first);
	return faccessat(box.objects, name, F_OK, 0) == 0;
}

/* A transfer of that length, with its object; its manifest hash is its first id byte, repeated. */
static uint64_t add(const char *channel, uint64_t length, uint64_t expires_ms)
{
	const uint8_t first = (uint8_t)(outbox_rig_last + 1);
	struct outbox_new n = { .created_ms = 1, .files = 1, .bytes = length, .length = length, .expires_ms = expires_ms };

	memset(n.manifest, first, HASH_LEN);
	make_object(first);
	return outbox_rig_add(channel, n);
}

static void numbers_and_chain(void **state)
{
	uint8_t previous[HASH_LEN], zero[HASH_LEN] = { 0 }, want[HASH_LEN];
	uint64_t number;

	(void)state;
	outbox_begin(&box, "eltax", &number, previous);
	assert_int_equal(number, 1);
	assert_memory_equal(previous, zero, HASH_LEN);
	outbox_rollback(&box); /* a number that was not committed is not used up */
	for (uint64_t i = 1; i <= 5; i++)
		assert_int_equal(add("eltax", 10, 1000), i);
	assert_int_equal(add("pittari", 10, 1000), 1); /* channels count apart */
	reopen(0);
	outbox_begin(&box, "eltax", &number, previous);
	assert_int_equal(number, 6);
	memset(want, 5, sizeof(want));
	assert_memory_equal(previous, want, HASH_LEN);
	outbox_rollback(&box);
}

static void one_generation_a_life(void **state)
{
	uint8_t before[SEAL_GENERATION_LEN];

	(void)state;
	memcpy(before, box.generation, sizeof(before));
	reopen(0);
	assert_memory_equal(before, box.generation, sizeof(before));
	outbox_close(&box);
	assert_int_equal(unlink(tmpdir_path("outbox.db")), 0);
	outbox_open(&box, tmpdir, 0);
	assert_memory_not_equal(before, box.generation, sizeof(before));
}

/* The moments at which a machine may die around a commit, and what the next start makes of each. */
static void what_a_crash_leaves(void **state)
{
	uint8_t previous[HASH_LEN];
	uint64_t number;

	(void)state;
	/* while sealing: HEX.tmp */
	tmpdir_write("objects/00000000000000000000000000000099.tmp", "half", 4, 0600);
	/* after the rename, before the commit: an object without a row */
	make_object(99);
	/* after the commit: object, row and claim */
	add("eltax", 10, 1000);
	/* in the middle of the transaction */
	outbox_begin(&box, "eltax", &number, previous);
	assert_int_equal(number, 2);
	make_object(98);
	reopen(0); /* closing without COMMIT is what dying is to the database */
	assert_false(object_there(99));
	assert_false(object_there(98));
	assert_true(object_there(1));
	assert_int_equal(access(tmpdir_path("objects/00000000000000000000000000000099.tmp"), F_OK), -1);
	assert_true(outbox_has_claim(&box, "claim1"));
	assert_false(outbox_has_claim(&box, "claim2"));
	outbox_begin(&box, "eltax", &number, previous);
	assert_int_equal(number, 2);
	outbox_rollback(&box);
}

/* The same, by a process that really dies in the transaction. */
static void killed_before_the_commit(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	add("eltax", 10, 1000);
	outbox_close(&box);
	pid = fork();
	if (pid == 0) {
		uint8_t previous[HASH_LEN];
		uint64_t number;
		outbox_open(&box, tmpdir, 0);
		outbox_begin(&box, "eltax", &number, previous);
		db_exec(&box.db, "UPDATE object SET rounds = 77");
		_exit(0); /* no destructor, no rollback */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	outbox_open(&box, tmpdir, 0);
	assert_int_equal(db_int(&box.db, "SELECT rounds FROM object", ""), 0);
	assert_int_equal(add("eltax", 10, 1000), 2);
}

static void a_claim_is_numbered_once(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	add("eltax", 10, 1000);
	pid = fork(); /* db.h: fatal, so in a process of its own */
	if (pid == 0) {
		uint8_t previous[HASH_LEN];
		struct outbox_new n = { .id = { 9 }, .claim = "claim1", .channel = "eltax" };
		int null = open("/dev/null", O_WRONLY);
		dup2(null, 2);
		outbox_begin(&box, "eltax", &n.number, previous);
		outbox_commit(&box, &n);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
}

static bool skip_rows(const void *ctx, int64_t row)
{
	const int64_t *skip = ctx;

	for (; *skip != 0; skip++)
		if (*skip == row)
			return true;
	return false;
}

static uint64_t pick(enum outbox_order order, uint64_t service_ms, const int64_t *skip)
{
	struct outbox_object o;

	if (!outbox_pick(&box, order, service_ms, skip_rows, skip, &o))
		return 0;
	assert_true(o.layout_ok);
	return o.number;
}

static void what_is_sent_next(void **state)
{
	static const int64_t none[] = { 0 }, first[] = { 1, 0 }, all[] = { 1, 2, 3, 0 };

	(void)state;
	assert_int_equal(pick(OUTBOX_OLDEST, 0, none), 0);
	add("eltax", 5000, 100000);
	add("eltax", 300, 100000);
	add("eltax", 40000, 100000);
	assert_int_equal(pick(OUTBOX_OLDEST, 0, none), 1);
	assert_int_equal(pick(OUTBOX_OLDEST, 0, first), 2);
	assert_int_equal(pick(OUTBOX_SMALLEST, 0, none), 2);
	assert_int_equal(pick(OUTBOX_SMALLEST, 0, all), 0);
	assert_int_equal(pick(OUTBOX_DUE, 0, none), 0); /* not sent once: nothing to repeat */
	outbox_round(&box, 1, 1, 60000);
	outbox_round(&box, 2, 1, 50000);
	assert_int_equal(pick(OUTBOX_OLDEST, 0, none), 3);
	assert_int_equal(pick(OUTBOX_DUE, 49999, none), 0);
	assert_int_equal(pick(OUTBOX_DUE, 50000, none), 2);
	assert_int_equal(pick(OUTBOX_DUE, 60000, none), 2);
	outbox_lost(&box, 2);
	assert_int_equal(pick(OUTBOX_DUE, 60000, none), 1);
	reopen(0);
	assert_int_equal(pick(OUTBOX_DUE, 60000, none), 1);
}

static void retention(void **state)
{
	static const int64_t none[] = { 0 }, first[] = { 1, 0 };
	uint64_t newest, oldest;

	(void)state;
	add("eltax", 10, 1000);
	add("eltax", 10, 2000);
	outbox_bounds(&box, "eltax", &newest, &oldest);
	assert_int_equal(newest, 2);
	assert_int_equal(oldest, 1);
	assert_false(outbox_expire(&box, 999, skip_rows, none));
	assert_false(outbox_expire(&box, 1000, skip_rows, first)); /* in flight: later */
	assert_true(outbox_expire(&box, 1000, skip_rows, none));
	assert_false(outbox_expire(&box, 1000, skip_rows, none));
	assert_false(object_there(1));
	assert_true(object_there(2));
	outbox_bounds(&box, "eltax", &newest, &oldest);
	assert_int_equal(newest, 2);
	assert_int_equal(oldest, 2);
	assert_true(outbox_expire(&box, 2000, skip_rows, none));
	outbox_bounds(&box, "eltax", &newest, &oldest);
	assert_int_equal(newest, 2); /* rows stay: the chain goes on */
	assert_int_equal(oldest, 0);
	assert_int_equal(add("eltax", 10, 3000), 3);
	outbox_bounds(&box, "other", &newest, &oldest);
	assert_int_equal(newest, 0);
	/* Expired, but the machine died before the unlink. */
	make_object(1);
	reopen(0);
	assert_false(object_there(1));
}

static void epochs_only_grow(void **state)
{
	(void)state;
	assert_int_equal(outbox_epoch(&box, 0, 1700000000), 1700000000);
	assert_int_equal(outbox_epoch(&box, 0, 1700000000), 1700000001);
	assert_int_equal(outbox_epoch(&box, 0, 5), 1700000002);          /* the clock was put back */
	reopen(0);
	assert_int_equal(outbox_epoch(&box, 0, 4102444800u), 1700000003); /* year 2100: not believed */
	assert_int_equal(outbox_epoch(&box, 0, 4102444799u), 4102444799u);
	assert_int_equal(outbox_epoch(&box, 0, 1700000000), 4102444800u);
	assert_int_equal(outbox_epoch(&box, 1, 7), 7);                    /* lanes count apart */
	assert_int_equal(outbox_epoch(&box, 2, 0), 1);
}

static void beats_only_grow(void **state)
{
	uint64_t last = 0, v;

	(void)state;
	for (unsigned i = 0; i < 3 * OUTBOX_COUNTER_STEP; i++) {
		v = outbox_counter(&box);
		assert_true(v > last);
		last = v;
		if (i % 701 == 0)
			reopen(0);
	}
	assert_true(last < 12 * OUTBOX_COUNTER_STEP); /* a restart costs a step at most */
}

static void service_time_is_kept(void **state)
{
	(void)state;
	assert_int_equal(outbox_service_ms(&box, 10 * S), 10000);
	outbox_tick(&box, 10 * S);
	/* Another boot: the monotonic clock begins anew, service time does not. */
	reopen(3 * S);
	assert_int_equal(outbox_service_ms(&box, 3 * S), 10000);
	assert_int_equal(outbox_service_ms(&box, 5 * S), 12000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers_and_chain, outbox_rig_make, outbox_rig_remove),
		cmocka_unit_test_setup_teardown(one_generation_a_life, outbox_rig_make, outbox_rig_remove),
		cmocka_unit_test_setup_teardown(what_a_crash_leaves, outbox_rig_make, outbox_rig_remove),
		cmocka_unit_test_setup_teardown(killed_before_the_commit, outbox_rig_make, outbox_rig_remove),
		cmocka_unit_test_setup_teardown(a_claim_is_numbered_once, outbox_rig_make, outbox_rig_remove),
		cmocka_unit_test_setup_teardown(what_is_sent_next, outbox_rig_make, outbox_rig_remove),
		cmocka_unit_test_setup_teardown(retention, outbox_rig_make, outbox_rig_remove),
		cmocka_unit_test_setup_teardown(epochs_only_grow, outbox_rig_make, outbox_rig_remove),
		cmocka_unit_test_setup_teardown(beats_only_grow, outbox_rig_make, outbox_rig_remove),
		cmocka_unit_test_setup_teardown(service_time_is_kept, outbox_rig_make, outbox_rig_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
