/* durable.h: what is on disk afterwards, and what is left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include "host/durable.h"
#include "tests/unit/child.h"

static char path[256];
static int dir;

static int setup(void **state)
{
	(void)state;
	child_mkdir(path);
	dir = durable_open_dir(path);
	return dir >= 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	close(dir);
	child_rmdir(path);
	return 0;
}

static void put(int at, const char *name, const char *text)
{
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(durable_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void holds(int at, const char *name, const char *text)
{
	char got[256];
	int fd = openat(at, name, O_RDONLY | O_NOFOLLOW);

	assert_true(fd >= 0);
	ssize_t n = read(fd, got, sizeof got - 1);
	assert_true(n >= 0);
	got[n] = '\0';
	assert_string_equal(got, text);
	close(fd);
}

static int exists(int at, const char *name)
{
	struct stat st;

	return fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static unsigned mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static void whole_files(void **state)
{
	(void)state;
	umask(077);
	assert_int_equal(durable_write(dir, "status.json", "one", 3, 0644), 0);
	umask(022);
	holds(dir, "status.json", "one");
	assert_int_equal(mode_of("status.json"), 0644); /* whatever the umask */
	assert_int_equal(durable_write(dir, "status.json", "two", 3, 0600), 0);
	holds(dir, "status.json", "two");
	assert_int_equal(mode_of("status.json"), 0600);
	assert_int_equal(durable_write(dir, "status.json", "", 0, 0600), 0);
	holds(dir, "status.json", "");
	assert_false(exists(dir, "status.json.tmp"));
}

/* What a crash left, or an enemy laid, under the temporary name. */
static void temporary_name(void **state)
{
	(void)state;
	put(dir, "f.tmp", "left behind, and longer than the new text");
	assert_int_equal(durable_write(dir, "f", "new", 3, 0600), 0);
	holds(dir, "f", "new");
	put(dir, "victim", "untouched");
	assert_int_equal(symlinkat("victim", dir, "g.tmp"), 0);
	assert_int_equal(durable_write(dir, "g", "new", 3, 0600), 0);
	holds(dir, "victim", "untouched");
	holds(dir, "g", "new");
	assert_int_equal(mkdirat(dir, "h.tmp", 0700), 0);
	assert_int_equal(durable_write(dir, "h", "new", 3, 0600), -1);
	assert_false(exists(dir, "h"));
	assert_int_equal(mkdirat(dir, "d", 0700), 0); /* a directory stands under the name itself */
	assert_int_equal(durable_write(dir, "d", "new", 3, 0600), -1);
	assert_false(exists(dir, "d.tmp"));
	char name[300];
	memset(name, 'n', 252);
	name[252] = '\0';
	assert_int_equal(durable_write(dir, name, "x", 1, 0600), -1); /* no room for ".tmp" */
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(durable_write(-1, "f", "x", 1, 0600), -1);
	assert_int_equal(errno, EBADF);
}

/* A failed write leaves the old file and no rubbish. */
static void disk_full(void **state)
{
	(void)state;
	int full = open("/dev/full", O_WRONLY);
	assert_true(full >= 0);
	assert_int_equal(durable_write_all(full, "x", 1), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(durable_pwrite_all(full, "x", 1, 0), -1);
	assert_int_equal(errno, ENOSPC);
	close(full);
	assert_int_equal(durable_write_all(-1, NULL, 0), 0);
}

static void pwrites(void **state)
{
	(void)state;
	int fd = openat(dir, "p", O_RDWR | O_CREAT, 0600);
	assert_int_equal(durable_pwrite_all(fd, "world", 5, 6), 0);
	assert_int_equal(durable_pwrite_all(fd, "hello ", 6, 0), 0);
	close(fd);
	holds(dir, "p", "hello world");
}

static void renames(void **state)
{
	(void)state;
	assert_int_equal(durable_mkdir(dir, "inbox", 0755), 0);
	int inbox = openat(dir, "inbox", O_RDONLY | O_DIRECTORY);
	put(dir, "a", "first");
	int fd = openat(dir, "a", O_RDONLY);
	assert_int_equal(durable_rename(fd, dir, "a", inbox, "1"), 0);
	close(fd);
	holds(inbox, "1", "first");
	assert_false(exists(dir, "a"));
	put(dir, "b", "second");
	assert_int_equal(durable_rename(-1, dir, "b", inbox, "1"), -1); /* nothing is ever overwritten */
	assert_int_equal(errno, EEXIST);
	holds(inbox, "1", "first");
	holds(dir, "b", "second");
	assert_int_equal(durable_rename(-1, dir, "b", dir, "c"), 0);
	holds(dir, "c", "second");
	assert_int_equal(durable_rename(-1, dir, "nothing", dir, "d"), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(durable_rename(-1, dir, "inbox", dir, "inbox2"), 0); /* directories as well */
	assert_true(exists(dir, "inbox2/1"));
	close(inbox);
}

static void mkdirs(void **state)
{
	(void)state;
	umask(077);
	assert_int_equal(durable_mkdir(dir, "d", 0755), 0);
	umask(022);
	assert_int_equal(mode_of("d"), 0755);
	assert_int_equal(durable_mkdir(dir, "d", 0700), 0);
	assert_int_equal(mode_of("d"), 0755); /* as it was */
	put(dir, "f", "");
	assert_int_equal(durable_mkdir(dir, "f", 0755), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(symlinkat("d", dir, "l"), 0);
	assert_int_equal(durable_mkdir(dir, "l", 0755), -1); /* a link to a directory is none */
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(durable_mkdir(dir, "no/such", 0755), -1);
	assert_int_equal(errno, ENOENT);
}

static void trees(void **state)
{
	char name[64];

	(void)state;
	assert_int_equal(durable_remove_tree(dir, "missing"), 0);
	assert_int_equal(mkdirat(dir, "keep", 0700), 0);
	put(dir, "keep/precious", "still here");
	assert_int_equal(mkdirat(dir, "work", 0700), 0);
	assert_int_equal(mkdirat(dir, "work/files", 0700), 0);
	for (unsigned i = 0; i < 500; i++) {
		(void)snprintf(name, sizeof name, "work/files/%u", i);
		put(dir, name, "x");
	}
	put(dir, "work/.hidden", "x");
	assert_int_equal(symlinkat("../../keep", dir, "work/files/link"), 0);
	assert_int_equal(mkfifoat(dir, "work/pipe", 0600), 0);
	assert_int_equal(durable_remove_tree(dir, "work"), 0);
	assert_false(exists(dir, "work"));
	holds(dir, "keep/precious", "still here"); /* links are removed, not followed */
	put(dir, "file", "x");
	assert_int_equal(durable_remove_tree(dir, "file"), 0);
	assert_false(exists(dir, "file"));
	assert_int_equal(symlinkat("keep", dir, "link"), 0);
	assert_int_equal(durable_remove_tree(dir, "link"), 0);
	assert_false(exists(dir, "link"));
	holds(dir, "keep/precious", "still here");
	static const char *const refused[] = { "", ".", ".." };
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(durable_remove_tree(dir, refused[i]), -1);
		assert_int_equal(errno, EINVAL);
	}
	holds(dir, "keep/precious", "still here");
}

/* Deeper than anything of ours: an error, not a stack or all descriptors. */
static void too_deep(void **state)
{
	(void)state;
	int at = dup(dir);
	for (unsigned i = 0; i < 40; i++) {
		assert_int_equal(mkdirat(at, "d", 0700), 0);
		int next = openat(at, "d", O_RDONLY | O_DIRECTORY);
		close(at);
		at = next;
	}
	close(at);
	assert_int_equal(durable_remove_tree(dir, "d"), -1);
	assert_int_equal(errno, ELOOP);
	at = open("/dev/null", O_RDONLY); /* and no descriptor is left open */
	assert_true(at < dir + 8);
	close(at);
}

static void directories(void **state)
{
	(void)state;
	put(dir, "f", "");
	char name[300];
	(void)snprintf(name, sizeof name, "%s/f", path);
	assert_int_equal(durable_open_dir(name), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_true((fcntl(dir, F_GETFD) & FD_CLOEXEC) != 0);
}

#define WITH_DIR(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DIR(whole_files), WITH_DIR(temporary_name), WITH_DIR(disk_full), WITH_DIR(pwrites), WITH_DIR(renames),
		WITH_DIR(mkdirs), WITH_DIR(trees), WITH_DIR(too_deep), WITH_DIR(directories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
