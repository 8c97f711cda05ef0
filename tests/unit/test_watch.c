/* watch.h: when an entry of a folder is finished.  Time is the test's own,
 * except for what inotify and the leases see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/log.h"
#include "sender/claim.h"
#include "sender/watch.h"
#include "tests/unit/tmpdir.h"

#define S 1000000000ull
#define QUIET (2 * S)

static struct watch *watch;
static int dir;
static char seen[4096]; /* names that were offered, each followed by a blank */
static enum watch_answer reply;
static unsigned unseen, looked; /* how often something was offered without having been looked at, and looked at */

static int setup(void **state)
{
	if (tmpdir_make(state) != 0)
		return -1;
	log_init("test", NULL);
	dir = open(tmpdir, O_RDONLY | O_DIRECTORY);
	watch = watch_new();
	return watch == NULL ? -1 : watch_add(watch, dir, tmpdir, QUIET);
}

static int teardown(void **state)
{
	watch_free(watch);
	close(dir);
	return tmpdir_remove(state);
}

/* Of what nobody has looked at: what it is.  -1 and *fd, or the answer. */
static int hold(const char *name, const struct stat *st, int *fd)
{
	struct stat own;

	*fd = st == NULL || S_ISREG(st->st_mode) ? claim_hold(dir, name) : -1;
	if (*fd < 0 && (st == NULL || S_ISREG(st->st_mode)) && errno == EAGAIN)
		return WATCH_HELD;
	if (*fd < 0 && st == NULL)
		return errno == ENOENT ? WATCH_TAKEN : WATCH_LOOK;
	if (st != NULL || (fstat(*fd, &own) == 0 && S_ISREG(own.st_mode)))
		return -1;
	close(*fd);
	return WATCH_LOOK;
}

static enum watch_answer offered(void *ctx, const char *name, const struct stat *st)
{
	int fd, answer;

	(void)ctx;
	*(st == NULL ? &unseen : &looked) += 1;
	answer = hold(name, st, &fd);
	if (answer >= 0)
		return (enum watch_answer)answer;
	if (fd >= 0)
		close(fd);
	strcat(strcat(seen, name), " ");
	if (reply == WATCH_TAKEN)
		unlinkat(dir, name, 0);
	return reply;
}

static const char *at(uint64_t now)
{
	seen[0] = '\0';
	watch_read(watch, now);
	watch_offer(watch, 0, now, offered, NULL);
	return seen;
}

static void renamed_in_at_once(void **state)
{
	(void)state;
	reply = WATCH_TAKEN;
	tmpdir_write(".tmp", "x", 1, 0644);
	assert_string_equal(at(1 * S), ""); /* a dot: nobody's business */
	assert_int_equal(watch_count(watch, 0), 0);
	assert_int_equal(rename(tmpdir_path(".tmp"), tmpdir_path("a")), 0);
	assert_string_equal(at(1 * S), "a ");
	assert_int_equal(watch_count(watch, 0), 0);
}

/* A file that was taken comes back, by a rename: it is not offered again at once. */
static void back_and_not_at_once(void **state)
{
	(void)state;
	reply = WATCH_TAKEN;
	tmpdir_write(".tmp", "x", 1, 0644);
	watch_back(watch, 0, "b", 8 * S);
	assert_int_equal(rename(tmpdir_path(".tmp"), tmpdir_path("b")), 0);
	assert_string_equal(at(3 * S), "");
	assert_true(watch_next(watch, 0, 3 * S) <= 8 * S);
	assert_string_equal(at(8 * S - 1), "");
	assert_string_equal(at(8 * S), "b ");
	assert_int_equal(watch_count(watch, 0), 0);
	watch_back(watch, 0, "gone", 9 * S); /* it is taken away meanwhile */
	assert_string_equal(at(9 * S), "");
	assert_int_equal(watch_count(watch, 0), 0);
}

/* Of a plain file nobody asks by its name; what else was renamed in is offered once more, looked at. */
static void renamed_in_and_no_plain_file(void **state)
{
	(void)state;
	reply = WATCH_TAKEN;
	unseen = looked = 0;
	tmpdir_write(".plain", "x", 1, 0644);
	assert_int_equal(symlink("/etc/passwd", tmpdir_path(".link")), 0);
	assert_int_equal(mkfifo(tmpdir_path(".pipe"), 0644), 0);
	assert_int_equal(mkdir(tmpdir_path(".sub"), 0755), 0);
	for (unsigned i = 0; i < 4; i++) {
		const char *name = (const char *const[]){ ".plain", ".link", ".pipe", ".sub" }[i];
		assert_int_equal(rename(tmpdir_path(name), tmpdir_path(name + 1)), 0);
	}
	assert_string_equal(at(2 * S), "plain link pipe ");
	assert_int_equal(unseen, 3);
	assert_int_equal(looked, 2);
	assert_string_equal(at(2 * S + QUIET), "sub "); /* a folder is looked at from the first */
	assert_int_equal(unseen, 3);
	assert_int_equal(rmdir(tmpdir_path("sub")), 0);
	assert_int_equal(watch_count(watch, 0), 0);
	/* Put off without a look, and then it is something else, or gone. */
	tmpdir_write(".a", "x", 1, 0644);
	tmpdir_write(".b", "x", 1, 0644);
	assert_int_equal(rename(tmpdir_path(".a"), tmpdir_path("a")), 0);
	assert_int_equal(rename(tmpdir_path(".b"), tmpdir_path("b")), 0);
	reply = WATCH_LATER;
	looked = 0;
	assert_string_equal(at(5 * S), "a b ");
	assert_int_equal(looked, 0);
	assert_int_equal(unlink(tmpdir_path("a")), 0);
	assert_int_equal(unlink(tmpdir_path("b")), 0);
	assert_int_equal(symlink("/etc/passwd", tmpdir_path("b")), 0);
	reply = WATCH_TAKEN;
	watch_again(watch, 0, 0);
	assert_string_equal(at(6 * S), "b ");
	assert_int_equal(looked, 1);
	assert_int_equal(watch_count(watch, 0), 0);
}

static void written_in_place_after_a_while(void **state)
{
	(void)state;
	reply = WATCH_TAKEN;
	tmpdir_write("b", "x", 1, 0644);
	assert_string_equal(at(10 * S), "");
	assert_int_equal(watch_next(watch, 0, 10 * S), 10 * S + QUIET);
	assert_string_equal(at(10 * S + QUIET - 1), "");
	assert_string_equal(at(10 * S + QUIET), "b ");
}

/* Every change begins the quiet time anew, also one that leaves the size alone. */
static void still_changing(void **state)
{
	int fd;

	(void)state;
	reply = WATCH_TAKEN;
	tmpdir_write("c", "x", 1, 0644);
	assert_string_equal(at(20 * S), "");
	usleep(20000);
	fd = open(tmpdir_path("c"), O_WRONLY);
	assert_int_equal(pwrite(fd, "y", 1, 0), 1);
	close(fd);
	assert_string_equal(at(21 * S), "");
	assert_string_equal(at(22 * S), "");
	assert_string_equal(at(23 * S), "c ");
}

static void held_by_a_writer(void **state)
{
	int fd = open(tmpdir_path("d"), O_WRONLY | O_CREAT, 0644);

	(void)state;
	reply = WATCH_TAKEN;
	for (uint64_t t = 30; t < 60; t++)
		assert_string_equal(at(t * S), "");
	close(fd);
	assert_string_equal(at(60 * S), ""); /* closed: now its quiet time runs */
	assert_string_equal(at(62 * S), "d ");
	/* renamed in while it is still open: not before it is closed */
	fd = open(tmpdir_path(".d"), O_WRONLY | O_CREAT, 0644);
	assert_int_equal(rename(tmpdir_path(".d"), tmpdir_path("d")), 0);
	assert_string_equal(at(70 * S), "");
	close(fd);
	assert_string_equal(at(73 * S), "");
	assert_string_equal(at(75 * S), "d ");
}

static void found_by_a_scan(void **state)
{
	(void)state;
	reply = WATCH_TAKEN;
	tmpdir_write("e", "x", 1, 0644);
	(void)mkdir(tmpdir_path("refused"), 0755);
	(void)mkdir(tmpdir_path(".taken"), 0755);
	/* A watch that saw no event: as after a start or an overflow. */
	struct watch *late = watch_new();
	assert_int_equal(watch_add(late, dir, tmpdir, QUIET), 0);
	watch_scan(late, 100 * S);
	assert_int_equal(watch_count(late, 0), 1);
	seen[0] = '\0';
	watch_offer(late, 0, 100 * S, offered, NULL);
	assert_string_equal(seen, "");
	watch_offer(late, 0, 100 * S + QUIET, offered, NULL);
	assert_string_equal(seen, "e ");
	/* The next scan is not due at once. */
	tmpdir_write("e2", "x", 1, 0644);
	watch_scan(late, 101 * S);
	assert_int_equal(watch_count(late, 0), 0);
	watch_scan(late, 100 * S + WATCH_SCAN_NS);
	assert_int_equal(watch_count(late, 0), 1);
	watch_free(late);
	(void)at(110 * S);
	assert_string_equal(at(120 * S), "e2 ");
}

static void links_and_folders(void **state)
{
	(void)state;
	reply = WATCH_LATER;
	assert_int_equal(symlink("nowhere", tmpdir_path("link")), 0);
	assert_int_equal(mkfifo(tmpdir_path("pipe"), 0644), 0);
	assert_int_equal(mkdir(tmpdir_path("sub"), 0755), 0);
	assert_string_equal(at(200 * S), "link pipe "); /* opening the pipe would hang */
	tmpdir_write("sub/inner", "x", 1, 0644);
	assert_string_equal(at(201 * S), "");
	usleep(20000);
	tmpdir_write("sub/inner", "y", 1, 0644); /* something below still changes */
	assert_string_equal(at(202 * S), "");
	assert_string_equal(at(205 * S), "sub ");
	watch_again(watch, 0, 0);
	unlink(tmpdir_path("sub/inner"));
	rmdir(tmpdir_path("sub"));
	unlink(tmpdir_path("link"));
	unlink(tmpdir_path("pipe"));
	assert_string_equal(at(210 * S), "");
	assert_int_equal(watch_count(watch, 0), 0);
}

/* A disk that is mounted there has a folder of its own, which is nobody's to send or to refuse. */
static void the_disks_own(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(dir, "lost+found", 0700), 0);
	assert_string_equal(at(1 * S), "");
	watch_scan(watch, 1 * S);
	assert_string_equal(at(1 * S), "");
	assert_int_equal(watch_count(watch, 0), 0);
	assert_string_equal(at(9 * S), "");
	assert_int_equal(unlinkat(dir, "lost+found", AT_REMOVEDIR), 0);
	reply = WATCH_TAKEN;
	tmpdir_write(".tmp", "x", 1, 0644);
	assert_int_equal(renameat(dir, ".tmp", dir, "lost+found"), 0);
	assert_string_equal(at(10 * S), "lost+found "); /* a file of this name is a file */
}

static void put_in(const char *hidden)
{
	tmpdir_write(hidden, "x", 1, 0644);
	assert_int_equal(rename(tmpdir_path(hidden), tmpdir_path(hidden + 1)), 0);
}

/* What is put off costs nothing until its class is open; then it comes in its order, before what is new. */
static void put_off_by_class(void **state)
{
	(void)state;
	reply = WATCH_LATER;
	put_in(".x1");
	put_in(".x2");
	put_in(".x3");
	assert_string_equal(at(300 * S), "x1 x2 x3 ");
	assert_string_equal(at(309 * S), "");
	reply = WATCH_LATER + 1;
	put_in(".y1");
	assert_string_equal(at(310 * S), "y1 ");
	assert_int_equal(watch_count(watch, 0), 4);
	watch_scan(watch, 310 * S);
	assert_true(watch_next(watch, 0, 310 * S) > 310 * S); /* nothing to do: no spinning */
	watch_again(watch, 0, 0);
	assert_int_equal(watch_next(watch, 0, 310 * S), 310 * S);
	reply = WATCH_LATER; /* still none: those behind are not even looked at */
	assert_string_equal(at(310 * S), "x1 ");
	assert_true(watch_next(watch, 0, 310 * S) > 310 * S);
	watch_again(watch, 0, 0);
	reply = WATCH_STOP; /* it stays open */
	assert_string_equal(at(310 * S), "x1 ");
	put_in(".x4");
	unlink(tmpdir_path("x2")); /* gone: forgotten without a word */
	reply = WATCH_TAKEN;
	assert_string_equal(at(311 * S), "x1 x3 x4 ");
	assert_int_equal(watch_count(watch, 0), 1);
	watch_again(watch, 0, 1);
	assert_string_equal(at(312 * S), "y1 ");
	assert_int_equal(watch_count(watch, 0), 0);
}

/* A writer that comes back while the file is put off. */
static void changed_while_put_off(void **state)
{
	int fd;

	(void)state;
	reply = WATCH_LATER;
	put_in(".z");
	assert_string_equal(at(320 * S), "z ");
	fd = open(tmpdir_path("z"), O_WRONLY);
	reply = WATCH_TAKEN;
	watch_again(watch, 0, 0);
	assert_string_equal(at(321 * S), "");
	close(fd);
	assert_string_equal(at(330 * S), "");
	assert_string_equal(at(330 * S + QUIET), "z ");
	assert_int_equal(watch_count(watch, 0), 0);
}

/* One more name of one empty file: names are what is many here. */
static void one_more(const char *name)
{
	if (faccessat(dir, ".one", F_OK, 0) != 0)
		tmpdir_write(".one", "", 0, 0644);
	assert_int_equal(linkat(dir, ".one", dir, name, 0), 0);
}

static enum watch_answer counted(void *ctx, const char *name, const struct stat *st)
{
	(void)name;
	*(unsigned *)ctx += st == NULL;
	return WATCH_TAKEN;
}

/* Ten thousand are put in while another batch is under way.  The table holds them all: of one that did not fit, a scan would not
 * know that it was renamed, and it would wait for the quiet time. */
static void many_renamed_in_at_once(void **state)
{
	enum { MANY = 10000 };
	unsigned got = 0;
	char from[32], to[32];

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(from, sizeof(from), ".many%u", i);
		snprintf(to, sizeof(to), "many%u", i);
		one_more(from);
		assert_int_equal(renameat(dir, from, dir, to), 0);
		if (i % 1000 == 0)
			watch_read(watch, 350 * S); /* the kernel's queue is short */
	}
	watch_read(watch, 350 * S);
	watch_offer(watch, 0, 350 * S, counted, &got);
	assert_int_equal(got, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(to, sizeof(to), "many%u", i);
		assert_int_equal(unlinkat(dir, to, 0), 0);
	}
}

/* More than the table holds: the rest is found as soon as half of it is free, none is lost. */
static void more_than_fit(void **state)
{
	enum { MANY = WATCH_ENTRIES_MAX + 300 };
	unsigned got = 0;
	char name[32];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "many%d", i);
		tmpdir_write(name, "", 0, 0644);
		if (i % 1000 == 0)
			watch_read(watch, 400 * S);
	}
	watch_read(watch, 400 * S);
	assert_int_equal(watch_count(watch, 0), WATCH_ENTRIES_MAX);
	reply = WATCH_TAKEN;
	for (unsigned turn = 0; got < MANY && turn < 4; turn++) {
		const uint64_t t = 402 + 2 * turn; /* sooner than scans are due otherwise */
		watch_scan(watch, t * S);
		for (struct stat st; watch_count(watch, 0) > 0;) {
			uint32_t before = watch_count(watch, 0);
			seen[0] = '\0';
			reply = WATCH_STOP;
			watch_offer(watch, 0, t * S, offered, NULL);
			if (seen[0] == '\0')
				break;
			seen[strlen(seen) - 1] = '\0';
			assert_int_equal(fstatat(dir, seen, &st, 0), 0);
			unlinkat(dir, seen, 0);
			seen[0] = '\0';
			watch_offer(watch, 0, t * S, offered, NULL); /* forgets it */
			got += before - watch_count(watch, 0);
		}
	}
	assert_int_equal(got, MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(renamed_in_at_once), cmocka_unit_test(back_and_not_at_once), cmocka_unit_test(renamed_in_and_no_plain_file),
		cmocka_unit_test(written_in_place_after_a_while),
		cmocka_unit_test(still_changing), cmocka_unit_test(held_by_a_writer), cmocka_unit_test(found_by_a_scan),
		cmocka_unit_test(links_and_folders), cmocka_unit_test(the_disks_own), cmocka_unit_test(put_off_by_class), cmocka_unit_test(changed_while_put_off),
		cmocka_unit_test(many_renamed_in_at_once), cmocka_unit_test(more_than_fit),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
