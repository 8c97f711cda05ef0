/* identity.h: an outbox that was moved, copied, restored or cloned begins a new generation; one that just ran on does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/durable.h"
#include "sender/identity.h"
#include "sender/unfinished.h"
#include "tests/unit/outbox_rig.h"

#define S UINT64_C(1000000000)

static char state_dir[300], machine[300], witness[300];
static uint8_t before[SEAL_GENERATION_LEN];

static void start_with(unsigned unfinished)
{
	outbox_open(&box, state_dir, 0);
	identity_check(&box, machine, witness, unfinished, 0);
}

static void start(void)
{
	start_with(0);
}

static void stop(uint64_t now_ns)
{
	memcpy(before, box.generation, sizeof(before));
	outbox_tick(&box, now_ns);
	identity_tell(&box, true, now_ns);
	outbox_close(&box);
}

static int fresh(void **state)
{
	if (crypto_init() != 0 || tmpdir_make(state) != 0)
		return -1;
	log_init("test", NULL);
	snprintf(state_dir, sizeof(state_dir), "%s/state", tmpdir);
	snprintf(machine, sizeof(machine), "%s/machine-id", tmpdir);
	snprintf(witness, sizeof(witness), "%s/witness", tmpdir);
	tmpdir_write("machine-id", "0123456789abcdef\n", 17, 0644);
	outbox_rig_last = 0;
	if (mkdir(state_dir, 0700) != 0)
		return -1;
	start();
	return 0;
}

static int gone(void **state)
{
	outbox_close(&box);
	return tmpdir_remove(state);
}

static void add(void)
{
	outbox_rig_add("eltax", (struct outbox_new){ .length = 1, .expires_ms = 1000 });
	identity_tell(&box, false, 5 * S);
}

static void expect(bool renewed, const char *why)
{
	bool is = memcmp(before, box.generation, sizeof(before)) != 0;

	if (is != renewed)
		fail_msg("%s: %s generation", why, is ? "a new" : "the same");
	if (renewed && db_int(&box.db, "SELECT COUNT(*) FROM generation", "") == 0)
		fail_msg("%s: no row says so", why);
}

/* The bytes of a file, put into another: the inode of that stays. */
static void copy(const char *from, const char *to)
{
	static char buf[1 << 20];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n;

	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		assert_int_equal(durable_write_all(out, buf, (size_t)n), 0);
	assert_int_equal(n, 0);
	close(in);
	close(out);
}

static const char *at(const char *name)
{
	static char path[2][700];
	static unsigned turn;

	snprintf(path[++turn % 2], sizeof(path[0]), "%s/%s", state_dir, name);
	return path[turn % 2];
}

static void it_ran_on(void **state)
{
	(void)state;
	stop(10 * S);
	start();
	expect(false, "stopped and started");
	add();
	memcpy(before, box.generation, sizeof(before));
	outbox_close(&box); /* killed: the witness knows the row, but not the time */
	start();
	expect(false, "killed and started");
	stop(10 * S);
	witness[0] = '\0';
	start();
	expect(false, "the witness was taken out of the configuration");
	stop(10 * S);
	snprintf(witness, sizeof(witness), "%s/witness2", tmpdir);
	start();
	expect(false, "and another put into it");
}

static void another_machine(void **state)
{
	(void)state;
	stop(10 * S);
	tmpdir_write("machine-id", "fedcba9876543210\n", 17, 0644);
	start();
	expect(true, "another machine");
	stop(10 * S);
	start();
	expect(false, "once is enough");
	stop(10 * S);
	assert_int_equal(unlink(machine), 0);
	start();
	expect(true, "no machine id any more");
}

static void copied(void **state)
{
	(void)state;
	stop(10 * S);
	copy(at("outbox.db"), at("copy"));
	assert_int_equal(rename(at("copy"), at("outbox.db")), 0); /* as a restore does: the same bytes in a new file */
	start();
	expect(true, "another inode");
}

/* Put back into the same file: only the witness can tell. */
static void restored_in_place(void **state)
{
	(void)state;
	stop(10 * S);
	copy(at("outbox.db"), at("backup"));
	start();
	add();
	stop(10 * S);
	copy(at("backup"), at("outbox.db"));
	start();
	expect(true, "a number was given since the backup");
	stop(10 * S);
	copy(at("outbox.db"), at("backup"));
	start();
	stop(10 * S);
	copy(at("backup"), at("outbox.db"));
	start();
	expect(true, "only time went by since the backup");
	stop(10 * S);
	copy(at("outbox.db"), at("backup"));
	start();
	add();
	memcpy(before, box.generation, sizeof(before));
	outbox_close(&box); /* killed at once: no time went by, but a number was given */
	copy(at("backup"), at("outbox.db"));
	start();
	expect(true, "a number was given within the second after the backup");
	stop(10 * S);
	copy(at("outbox.db"), at("backup"));
	witness[0] = '\0';
	start();
	add();
	stop(10 * S);
	copy(at("backup"), at("outbox.db"));
	start();
	expect(false, "without a witness this is not seen here: the receiver sees the fork");
}

static void the_witness_itself(void **state)
{
	char other[96];

	(void)state;
	stop(10 * S);
	assert_int_equal(unlink(witness), 0);
	start();
	expect(true, "its witness is gone");
	stop(10 * S);
	tmpdir_write("witness", "something else", 14, 0600);
	start();
	expect(true, "its witness cannot be read");
	stop(10 * S);
	start();
	expect(false, "it was written anew");
	stop(10 * S);
	memset(other, ' ', sizeof(other));
	memcpy(other, "katamichi-witness-1 00112233445566778899aabbccddeeff 0 0", 56);
	tmpdir_write("witness", other, sizeof(other), 0600);
	start();
	expect(true, "it speaks of another outbox, which is behind this one");
}

static void asked_for(void **state)
{
	struct outbox_stream old[2];
	uint64_t number;
	uint8_t previous[HASH_LEN], zero[HASH_LEN] = { 0 };

	(void)state;
	add();
	memcpy(before, box.generation, sizeof(before));
	identity_renew(&box, "asked");
	expect(true, "asked for");
	outbox_begin(&box, "eltax", &number, previous);
	assert_int_equal(number, 1);
	assert_memory_equal(previous, zero, HASH_LEN);
	outbox_rollback(&box);
	assert_int_equal(db_int(&box.db, "SELECT COUNT(*) FROM object WHERE state = 0", ""), 1); /* still sent */
	assert_int_equal(db_int(&box.db, "SELECT COUNT(*) FROM generation WHERE reason = 'asked'", ""), 1);
	/* and beats tell of it */
	assert_int_equal(outbox_earlier(&box, old, 2), 1);
	assert_memory_equal(old[0].generation, before, sizeof(before));
	assert_string_equal(old[0].channel, "eltax");
	assert_int_equal(old[0].newest, 1);
	assert_int_equal(old[0].oldest, 1);
	db_exec(&box.db, "UPDATE object SET state = 1");
	assert_int_equal(outbox_earlier(&box, old, 2), 1);
	assert_int_equal(old[0].oldest, 0); /* nothing of it is kept: a gap there will not heal */
}

/* --- sealed objects that the database does not know (set_aside.h) --- */

#define UNKNOWN "00112233445566778899aabbccddeeff"

static bool there(const char *dir)
{
	return access(at(dir), F_OK) == 0;
}

static void seal_unknown(void)
{
	int fd = openat(box.objects, UNKNOWN, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	close(fd);
}

/* A kill between an object's name and its row: its source is still claimed, and it is removed. */
static void unknown_after_a_kill(void **state)
{
	(void)state;
	seal_unknown();
	stop(S);
	start_with(1);
	expect(false, "one object for one claim");
	outbox_sweep(&box);
	assert_false(there("objects/" UNKNOWN));
	assert_false(there("set-aside"));
}

/* A disk is not mounted: who knows what is claimed there?  No sign of a restored database, but nothing is removed either. */
static void unknown_and_a_disk_not_there(void **state)
{
	(void)state;
	seal_unknown();
	stop(S);
	start_with(UNFINISHED_UNSEEN);
	expect(false, "an object whose claim may be on a disk that is not there");
	outbox_sweep(&box);
	assert_false(there("objects/" UNKNOWN));
	assert_true(there("set-aside/" UNKNOWN));
}

/* Where claims are looked for: what was configured before counts until it was seen that nothing is left in it. */
static void claims_of_earlier_folders(void **state)
{
#define CLAIM "/.taken/0123456789abcdef0123456789abcdef"
	static struct sender_conf c = { .channels = 2 };
	static const struct {
		const char *folder[2], *made, *removed; /* configured; what appears or goes before the start; both: is renamed */
		unsigned unfinished;
		int64_t noted;
		const char *why;
	} row[] = {
		{ { "a", "b" }, NULL, NULL, 0, 2, "new ones: that there is nothing of ours in them is no wonder" },
		{ { "a", "b" }, "b" CLAIM, NULL, 1, 2, "of a channel that is there" },
		{ { "a", "c" }, NULL, NULL, 1, 3, "of one that has another folder now" },
		{ { "a", "c" }, "b" CLAIM ".sent", NULL, 1, 3, "what was sent is finished" },
		{ { "c", "d" }, NULL, NULL, 1, 3, "a, in which there is nothing, is forgotten" },
		{ { "c", "d" }, "away", "b", UNFINISHED_UNSEEN, 3, "the disk of b is not there: it is not forgotten" },
		{ { "c", "b" }, "b", NULL, UNFINISHED_UNSEEN, 2, "nor is it empty, where it was mounted, when it is configured again" },
		{ { "c", "d" }, NULL, "b", UNFINISHED_UNSEEN, 3, "nor where there is not even that" },
		{ { "c", "d" }, "b", "away", 1, 3, "it is back" },
		{ { "c", "d" }, NULL, "b" CLAIM, 0, 2, "b, too, is forgotten when somebody took out what was in it" },
		{ { "c", "b" }, NULL, NULL, 0, 2, "it is a folder as any" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		if (row[i].made != NULL && row[i].removed != NULL)
			assert_int_equal(rename(at(row[i].removed), at(row[i].made)), 0);
		else if (row[i].made != NULL)
			assert_int_equal(mkdir(at(row[i].made), 0700), 0);
		else if (row[i].removed != NULL)
			assert_int_equal(rmdir(at(row[i].removed)), 0);
		for (unsigned k = 0; k < c.channels; k++)
			snprintf(c.channel[k].folder, sizeof(c.channel[k].folder), "%s", at(row[i].folder[k]));
		unsigned n = unfinished_claims(&box, &c);
		for (const char *f = i == 0 ? "abcd" : ""; *f != '\0'; f++) { /* feed_open() */
			char dir[16];
			snprintf(dir, sizeof(dir), "%c", *f);
			assert_int_equal(mkdir(at(dir), 0700), 0);
			snprintf(dir, sizeof(dir), "%c/.taken", *f);
			assert_int_equal(mkdir(at(dir), 0700), 0);
		}
		unfinished_note(&box, &c);
		if (n != row[i].unfinished || db_int(&box.db, "SELECT count(*) FROM folder", "") != row[i].noted)
			fail_msg("%s: %u unfinished, %lld folders noted", row[i].why, n,
			    (long long)db_int(&box.db, "SELECT count(*) FROM folder", ""));
	}
}

static void swap(const char *now, const char *keep_as, const char *instead)
{
	assert_int_equal(rename(at(now), at(keep_as)), 0);
	if (instead != NULL)
		assert_int_equal(rename(at(instead), at(now)), 0);
	else
		assert_int_equal(mkdir(at(now), 0700), 0);
}

/* A kill, a start without the folder's disk, another kill: the claim in the mount point's own .taken is hidden once the disk is back. */
static void claims_under_a_mount(void **state)
{
	static struct sender_conf c = { .channels = 1 };
	struct statx st;

	(void)state;
	assert_int_equal(mkdir(at("a"), 0700), 0);
	assert_int_equal(mkdir(at("a/.taken"), 0700), 0);
	assert_int_equal(statx(AT_FDCWD, at("a/.taken"), 0, STATX_BTIME, &st), 0);
	if (!(st.stx_mask & STATX_BTIME))
		skip(); /* then nothing tells them apart */
	snprintf(c.channel[0].folder, sizeof(c.channel[0].folder), "%s", at("a"));
	assert_int_equal(unfinished_claims(&box, &c), 0);
	unfinished_note(&box, &c);
	assert_int_equal(mkdir(at("a" CLAIM), 0700), 0);
	assert_int_equal(unfinished_claims(&box, &c), 1);
	unfinished_note(&box, &c);

	swap("a", "disk", NULL);
	assert_int_equal(unfinished_claims(&box, &c), UNFINISHED_UNSEEN);
	assert_int_equal(mkdir(at("a/.taken"), 0700), 0); /* feed_open() */
	unfinished_note(&box, &c);
	assert_int_equal(unfinished_claims(&box, &c), 0); /* the disk is still away, which was said */
	assert_int_equal(mkdir(at("a" CLAIM), 0700), 0);

	swap("a", "under", "disk");
	assert_int_equal(unfinished_claims(&box, &c), UNFINISHED_UNSEEN);
	unfinished_note(&box, &c);
	assert_int_equal(unfinished_claims(&box, &c), 1); /* said once */
	swap("a", "disk", "under"); /* where there is a .taken already */
	assert_int_equal(unfinished_claims(&box, &c), UNFINISHED_UNSEEN);
}

/* The database was written over in its place: only the object tells of it. */
static void unknown_without_a_claim(void **state)
{
	(void)state;
	seal_unknown();
	stop(S);
	start();
	expect(true, "an object whose source is claimed no more");
	outbox_sweep(&box);
	assert_false(there("objects/" UNKNOWN));
	assert_true(there("set-aside/" UNKNOWN));
	stop(2 * S);
	start();
	expect(false, "once");
}

/* The database came back, and the object was sealed since; or there is none any more.  Whatever else is known stays. */
static void unknown_after_a_restore(void **state)
{
	static const char *const names[] = { "outbox.db", "outbox.db-wal", "outbox.db-shm" };

	(void)state;
	for (unsigned lost = 0; lost < 2; lost++) {
		seal_unknown();
		stop(S);
		if (lost == 0) {
			copy(at("outbox.db"), at("backup"));
			assert_int_equal(rename(at("backup"), at("outbox.db")), 0);
		} else {
			for (unsigned i = 0; i < 3; i++)
				(void)unlink(at(names[i]));
		}
		start();
		outbox_sweep(&box);
		assert_false(there("objects/" UNKNOWN));
		assert_true(there("set-aside/" UNKNOWN));
		assert_int_equal(unlink(at("set-aside/" UNKNOWN)), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unknown_after_a_kill, fresh, gone),
		cmocka_unit_test_setup_teardown(unknown_and_a_disk_not_there, fresh, gone),
		cmocka_unit_test_setup_teardown(claims_of_earlier_folders, fresh, gone),
		cmocka_unit_test_setup_teardown(claims_under_a_mount, fresh, gone),
		cmocka_unit_test_setup_teardown(unknown_without_a_claim, fresh, gone),
		cmocka_unit_test_setup_teardown(unknown_after_a_restore, fresh, gone),
		cmocka_unit_test_setup_teardown(it_ran_on, fresh, gone), cmocka_unit_test_setup_teardown(another_machine, fresh, gone),
		cmocka_unit_test_setup_teardown(copied, fresh, gone), cmocka_unit_test_setup_teardown(restored_in_place, fresh, gone),
		cmocka_unit_test_setup_teardown(the_witness_itself, fresh, gone), cmocka_unit_test_setup_teardown(asked_for, fresh, gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
