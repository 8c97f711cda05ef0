/* claim.h: files taken out of a folder, put back, refused; nothing overwritten,
 * nothing lost, whatever state a crash left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/crypto.h"
#include "host/log.h"
#include "sender/claim.h"
#include "tests/unit/tmpdir.h"

static struct claim_folder folder;

static int setup(void **state)
{
	static char path[300];

	if (crypto_init() != 0 || tmpdir_make(state) != 0)
		return -1;
	snprintf(path, sizeof(path), "%s", tmpdir);
	log_init("test", NULL);
	return claim_open(&folder, path, "eltax");
}

static int teardown(void **state)
{
	claim_close(&folder);
	return tmpdir_remove(state);
}

static void put(const char *name, const char *text)
{
	tmpdir_write(name, text, strlen(text), 0644);
}

static void expect(const char *name, const char *text)
{
	char have[4096];
	FILE *f = fopen(tmpdir_path(name), "r");
	size_t n;

	if (f == NULL)
		fail_msg("%s is not there", name);
	n = fread(have, 1, sizeof(have) - 1, f);
	fclose(f);
	have[n] = '\0';
	assert_string_equal(have, text);
}

static void expect_none(const char *name)
{
	struct stat st;

	if (lstat(tmpdir_path(name), &st) == 0)
		fail_msg("%s is there", name);
	assert_int_equal(errno, ENOENT);
}

static void taken_and_erased(void **state)
{
	char in_claim[200];
	struct claim c;
	int fd;

	(void)state;
	put("a.csv", "one");
	put("\x95\x5c.csv", "two"); /* 0x5C trailing byte */
	assert_int_equal(claim_begin(&c, &folder), 0);
	assert_int_equal(claim_take(&c, &folder, "a.csv", -1), 0);
	assert_int_equal(claim_take(&c, &folder, "\x95\x5c.csv", -1), 0);
	assert_int_equal(claim_take(&c, &folder, "missing", -1), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(c.count, 2);
	assert_int_equal(c.bytes, 6);
	expect_none("a.csv");
	snprintf(in_claim, sizeof(in_claim), ".taken/%s/a.csv", c.id);
	expect(in_claim, "one");
	fd = claim_reopen(&c, 0);
	assert_true(fd >= 0);
	assert_true(claim_same(&c.file[0], fd));
	close(fd);
	int error = 0;
	claim_sync(&c, &folder, NULL, &error);
	assert_int_equal(error, 0);
	assert_int_equal(claim_erase(&c, &folder), 0);
	claim_end(&c, &folder);
	expect_none(in_claim);
	*strrchr(in_claim, '/') = '\0';
	expect_none(in_claim);
}

/* As a crash leaves it: the directory and the files, no memory of them. */
static void found_again(void **state)
{
	struct claim c, again;

	(void)state;
	put("b.csv", "bbb");
	put("c.csv", "");
	assert_int_equal(claim_begin(&c, &folder), 0);
	assert_int_equal(claim_take(&c, &folder, "b.csv", -1), 0);
	assert_int_equal(claim_take(&c, &folder, "c.csv", -1), 0);
	assert_int_equal(claim_load(&again, &folder, c.id), 0);
	assert_int_equal(again.count, 2);
	assert_int_equal(again.bytes, 3);
	/* Erased in part, then another crash: what is left is erased by the next start. */
	assert_int_equal(unlinkat(c.dir, "b.csv", 0), 0);
	assert_int_equal(claim_erase(&again, &folder), 0);
	claim_end(&again, &folder);
	claim_end(&c, &folder);
	assert_int_equal(claim_load(&again, &folder, "00000000000000000000000000000000"), -1);
}

/* What was sent is told by its name, before and after a crash. */
static void sent_and_found_again(void **state)
{
	static const struct { const char *tail; bool ours; } name[] = {
		{ "", true }, { ".sent", true }, { ".sen", false }, { ".sent2", false }, { "0", false }, { "/", false },
	};
	char path[200];
	struct claim c, again;

	(void)state;
	put("d.csv", "ddd");
	assert_int_equal(claim_begin(&c, &folder), 0);
	assert_int_equal(claim_take(&c, &folder, "d.csv", -1), 0);
	claim_sent(&c, &folder);
	claim_sent(&c, &folder); /* nothing more to do */
	assert_int_equal(claim_load(&again, &folder, c.id), -1);
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", c.id, name[i].tail);
		assert_int_equal(claim_named(path), name[i].ours);
	}
	assert_false(claim_named("sent"));
	assert_false(claim_named(""));
	snprintf(path, sizeof(path), "%s.sent", c.id);
	assert_int_equal(claim_load(&again, &folder, path), 0);
	assert_true(again.sent);
	assert_string_equal(again.id, c.id);
	assert_int_equal(again.count, 1);
	assert_int_equal(claim_erase(&again, &folder), 0);
	claim_end(&again, &folder);
	assert_int_equal(faccessat(folder.taken, path, F_OK, 0), -1);
	claim_end(&c, &folder); /* it is gone, and that is no trouble */
}

/* Something that is no plain file got into the claim: out of it, with a note. */
static void a_foreign_entry(void **state)
{
	struct claim c, again;

	(void)state;
	assert_int_equal(claim_begin(&c, &folder), 0);
	assert_int_equal(symlinkat("/etc/passwd", c.dir, "link"), 0);
	assert_int_equal(claim_load(&again, &folder, c.id), 0);
	assert_int_equal(again.count, 0);
	claim_end(&again, &folder);
	claim_end(&c, &folder);
	assert_int_equal(unlink(tmpdir_path("refused/link")), 0);
	assert_int_equal(unlink(tmpdir_path("refused/link.reason.txt")), 0);
}

static void changed_after_the_claim(void **state)
{
	enum { APPEND, REWRITE_SAME_SIZE, HARD_LINK, REPLACE, SHRINK, UNLINK, CASES };

	(void)state;
	for (int what = 0; what < CASES; what++) {
		struct claim c;
		struct stat st;
		int fd;
		put("x", "12345");
		assert_int_equal(claim_begin(&c, &folder), 0);
		assert_int_equal(claim_take(&c, &folder, "x", -1), 0);
		fd = openat(c.dir, "x", O_RDWR);
		usleep(20000); /* longer than a tick of the file system's clock */
		switch (what) {
		case APPEND:
			assert_int_equal(pwrite(fd, "6", 1, 5), 1);
			break;
		case REWRITE_SAME_SIZE:
			assert_int_equal(pwrite(fd, "9", 1, 0), 1);
			break;
		case HARD_LINK:
			assert_int_equal(linkat(c.dir, "x", folder.folder, "other", 0), 0);
			break;
		case REPLACE: /* the same size and times, another file */
			assert_int_equal(fstat(fd, &st), 0);
			assert_int_equal(renameat(c.dir, "x", folder.folder, "away"), 0);
			close(fd);
			fd = openat(c.dir, "x", O_RDWR | O_CREAT, 0644);
			assert_int_equal(write(fd, "12345", 5), 5);
			futimens(fd, (struct timespec[2]){ st.st_atim, st.st_mtim });
			assert_int_equal(unlink(tmpdir_path("away")), 0);
			break;
		case SHRINK:
			assert_int_equal(ftruncate(fd, 1), 0);
			break;
		case UNLINK:
			assert_int_equal(unlinkat(c.dir, "x", 0), 0);
			break;
		}
		assert_false(claim_same(&c.file[0], fd));
		close(fd);
		assert_int_equal(claim_reopen(&c, 0), -1);
		assert_int_equal(errno, what == UNLINK ? ENOENT : ESTALE);
		assert_int_equal(claim_back(&c, &folder, 0), 0);
		assert_int_equal(c.count, 0);
		claim_end(&c, &folder);
		(void)unlink(tmpdir_path("x"));
		(void)unlink(tmpdir_path("other"));
	}
}

static void back_beside_a_new_one(void **state)
{
	struct claim c;

	(void)state;
	put("r.csv", "old");
	assert_int_equal(claim_begin(&c, &folder), 0);
	assert_int_equal(claim_take(&c, &folder, "r.csv", -1), 0);
	put("r.csv", "new");
	put("r.1.csv", "also there");
	assert_int_equal(claim_back(&c, &folder, 0), 0);
	claim_end(&c, &folder);
	expect("r.csv", "new");
	expect("r.1.csv", "also there");
	expect("r.2.csv", "old");
	unlink(tmpdir_path("r.csv"));
	unlink(tmpdir_path("r.1.csv"));
	unlink(tmpdir_path("r.2.csv"));
}

static void back_with_a_long_name(void **state)
{
	char name[256], taken[256];
	struct claim c;

	(void)state;
	memset(name, 'n', 251);
	strcpy(name + 251, ".csv");
	memset(taken, 'n', 249);
	strcpy(taken + 249, ".1.csv");
	put(name, "old");
	assert_int_equal(claim_begin(&c, &folder), 0);
	assert_int_equal(claim_take(&c, &folder, name, -1), 0);
	put(name, "new");
	assert_int_equal(claim_back(&c, &folder, 0), 0);
	claim_end(&c, &folder);
	expect(name, "new");
	expect(taken, "old");
	unlink(tmpdir_path(name));
	unlink(tmpdir_path(taken));
}

/* What was kept is what the file was when it was taken; a file that is another by now is seen. */
static void kept_and_still_the_same(void **state)
{
	struct kept_room room = { 0 };
	struct claim c;
	int fd;

	(void)state;
	put("k1", "kept");
	put("k2", "changes");
	put("k3", "");
	assert_int_equal(claim_begin(&c, &folder), 0);
	for (unsigned i = 0; i < 3; i++) {
		const char *name = (const char *const[]){ "k1", "k2", "k3" }[i];
		fd = claim_hold(folder.folder, name);
		assert_true(fd >= 0);
		assert_int_equal(claim_take(&c, &folder, name, fd), 0);
		claim_keep(&c, fd, &room);
		close(fd);
	}
	assert_memory_equal(c.file[0].bytes, "kept", 4);
	assert_memory_equal(c.file[1].bytes, "changes", 7);
	assert_null(c.file[2].bytes); /* nothing to keep */
	fd = openat(c.dir, "k2", O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "!", 1), 1);
	close(fd);
	assert_true(claim_still(&c, 0));
	assert_false(claim_still(&c, 1));
	assert_int_equal(errno, ESTALE);
	claim_forget_kept(&c);
	assert_null(c.file[0].bytes);
	assert_true(claim_still(&c, 0));
	assert_int_equal(unlinkat(c.dir, "k1", 0), 0);
	assert_false(claim_still(&c, 0));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(claim_erase(&c, &folder), 0);
	claim_end(&c, &folder);
	kept_room_end(&room);
}

/* Between the look at a file and the rename another one gets its name: what was read is not what would be erased. */
static void another_of_that_name(void **state)
{
	struct kept_room room = { 0 };
	struct claim c;
	int fd;

	(void)state;
	put("n", "first");
	put(".n", "second");
	assert_int_equal(claim_begin(&c, &folder), 0);
	fd = claim_hold(folder.folder, "n");
	assert_int_equal(rename(tmpdir_path(".n"), tmpdir_path("n")), 0);
	assert_int_equal(claim_take(&c, &folder, "n", fd), 0);
	claim_keep(&c, fd, &room);
	close(fd);
	assert_false(claim_still(&c, 0));
	assert_int_equal(claim_reopen(&c, 0), -1);
	assert_int_equal(errno, ESTALE);
	assert_int_equal(claim_back(&c, &folder, 0), 0);
	expect("n", "second");
	claim_end(&c, &folder);
	kept_room_end(&room);
	assert_int_equal(unlink(tmpdir_path("n")), 0);
}

/* 1 it can be taken, 0 held, -1 with errno. */
static int is_free(const char *name)
{
	int fd = claim_hold(folder.folder, name), held = errno == EAGAIN;

	if (fd < 0)
		return held ? 0 : -1;
	close(fd);
	return 1;
}

static void a_writer_holds_it(void **state)
{
	int fd;

	(void)state;
	put("w", "x");
	assert_int_equal(is_free("w"), 1);
	fd = open(tmpdir_path("w"), O_WRONLY | O_APPEND);
	assert_int_equal(is_free("w"), 0);
	close(fd);
	assert_int_equal(is_free("w"), 1);
	fd = open(tmpdir_path("w"), O_RDONLY); /* a reader does no harm */
	assert_int_equal(is_free("w"), 1);
	close(fd);
	assert_int_equal(unlink(tmpdir_path("w")), 0);
	assert_int_equal(is_free("w"), -1);
	assert_int_equal(symlink("/etc/passwd", tmpdir_path("w")), 0);
	assert_int_equal(is_free("w"), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(unlink(tmpdir_path("w")), 0);
}

/* While it is held nobody begins to write it. */
static void held_against_writers(void **state)
{
	int fd;

	(void)state;
	assert_true(signal(SIGIO, SIG_IGN) != SIG_ERR); /* as the spool process does */
	put("w", "x");
	fd = claim_hold(folder.folder, "w");
	assert_true(fd >= 0);
	assert_int_equal(open(tmpdir_path("w"), O_WRONLY | O_NONBLOCK), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	close(fd);
	fd = open(tmpdir_path("w"), O_WRONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(unlink(tmpdir_path("w")), 0);
}

static void refused_with_a_reason(void **state)
{
	char text[2000];
	FILE *f;

	(void)state;
	put("bad.pdf", "1");
	assert_int_equal(claim_refuse(&folder, folder.folder, "bad.pdf", "it is a program (ELF)", "send something else"), 0);
	put("bad.pdf", "2");
	assert_int_equal(claim_refuse(&folder, folder.folder, "bad.pdf", "again", "nothing"), 0);
	expect("refused/bad.pdf", "1");
	expect("refused/bad.pdf.1", "2");
	expect_none("bad.pdf");
	f = fopen(tmpdir_path("refused/bad.pdf.reason.txt"), "r");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	assert_non_null(strstr(text, "bad.pdf\n"));
	assert_non_null(strstr(text, "eltax"));
	assert_non_null(strstr(text, "it is a program (ELF)."));
	assert_non_null(strstr(text, "send something else."));
	f = fopen(tmpdir_path("refused/bad.pdf.1.reason.txt"), "r");
	assert_non_null(f);
	fclose(f);
}

/* Names that leave no room for a suffix, names that would forge lines, folders with all that is in them. */
static void refused_whatever_its_name(void **state)
{
	char name[256], pattern[600];

	(void)state;
	memset(name, 'x', 255);
	name[255] = '\0';
	for (int i = 0; i < 2; i++) {
		put(name, "1");
		assert_int_equal(claim_refuse(&folder, folder.folder, name, "why", "what"), 0);
		expect_none(name);
	}
	snprintf(pattern, sizeof(pattern), "ls '%s/refused' | grep -c '^x.*reason.txt$' | grep -qx 2", tmpdir);
	assert_int_equal(system(pattern), 0);
	put("a\nReason: none", "1");
	assert_int_equal(claim_refuse(&folder, folder.folder, "a\nReason: none", "why", "what"), 0);
	snprintf(pattern, sizeof(pattern), "grep -q '^File: *a.x0aReason: none$' '%s/refused/'a*reason.txt", tmpdir);
	assert_int_equal(system(pattern), 0);
	assert_int_equal(mkdir(tmpdir_path("sub"), 0755), 0);
	put("sub/inner", "kept");
	assert_int_equal(claim_refuse(&folder, folder.folder, "sub", "it is a folder", "what"), 0);
	expect("refused/sub/inner", "kept");
}

/* The reason was written, the machine died, the file still stands in the folder. */
static void refused_again_after_a_crash(void **state)
{
	(void)state;
	put("refused/late.reason.txt", "from before the crash");
	put("late", "1");
	assert_int_equal(claim_refuse(&folder, folder.folder, "late", "why", "what"), 0);
	expect("refused/late", "1");
	expect_none("refused/late.1");
}

/* A file whose name is that of another's reason, or of the file that becomes it. */
static void refused_and_not_written_over(void **state)
{
	(void)state;
	put("one.csv.reason.txt", "a file of somebody");
	put("one.csv.reason.txt.tmp", "another");
	put("one.csv", "1");
	assert_int_equal(claim_refuse(&folder, folder.folder, "one.csv.reason.txt", "why", "what"), 0);
	assert_int_equal(claim_refuse(&folder, folder.folder, "one.csv.reason.txt.tmp", "why", "what"), 0);
	assert_int_equal(claim_refuse(&folder, folder.folder, "one.csv", "why", "what"), 0);
	expect("refused/one.csv.reason.txt.1", "a file of somebody");
	expect("refused/one.csv.reason.txt.tmp.1", "another");
	expect("refused/one.csv", "1");
}

/* Somebody cleared refused/ by taking all of it away. */
static void refused_when_the_folder_is_gone(void **state)
{
	(void)state;
	assert_int_equal(rename(tmpdir_path("refused"), tmpdir_path("away")), 0);
	put("next", "2");
	assert_int_equal(claim_refuse(&folder, folder.folder, "next", "why", "what"), 0);
	expect("refused/next", "2");
	expect_none("away/next");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken_and_erased), cmocka_unit_test(found_again), cmocka_unit_test(sent_and_found_again), cmocka_unit_test(a_foreign_entry),
		cmocka_unit_test(changed_after_the_claim), cmocka_unit_test(back_beside_a_new_one),
		cmocka_unit_test(back_with_a_long_name), cmocka_unit_test(a_writer_holds_it), cmocka_unit_test(held_against_writers),
		cmocka_unit_test(kept_and_still_the_same), cmocka_unit_test(another_of_that_name),
		cmocka_unit_test(refused_with_a_reason), cmocka_unit_test(refused_whatever_its_name),
		cmocka_unit_test(refused_again_after_a_crash), cmocka_unit_test(refused_and_not_written_over),
		cmocka_unit_test(refused_when_the_folder_is_gone),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
