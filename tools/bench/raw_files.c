/* raw_files.c - the ceiling of small files: from one directory into another by way of one file, with no work on them,
 * durable at both ends.
 *
 *   raw_files DIR COUNT BATCH    COUNT files of 4 KB, BATCH at a time
 *
 * What both ends cannot do without, by a process each that does it in a row, the second at one batch while the first is
 * at the next:
 *
 *   first    rename each file into the batch's directory, read it, add it to one file; fsync that file, the batch's directory
 *            and the one the files came from; rename the file, fsync its directory; 4 KB of a record, fdatasync
 *   second   create and write each file in a new directory; one syncfs; a record, fdatasync; rename the directory to where
 *            it is seen, fsync both directories above it
 *   third    erase the files of the first; nobody waits for it
 *
 * One line of JSON: seconds from the first rename until all are seen, and durable there.  What was made is removed. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/durable.h"

enum { SMALL = 4096, COUNT_MAX = 1000000, PATH = 64 };
static const char top[] = "raw_files.tmp";

struct batch {
	unsigned number, first, end; /* its files */
};

static void die(const char *what)
{
	fprintf(stderr, "raw_files: %s: %s\n", what, strerror(errno));
	_exit(5);
}

static void put(int dir, unsigned file, const uint8_t *data)
{
	char path[PATH];

	snprintf(path, sizeof(path), "%u", file);
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, data, SMALL) != SMALL || close(fd) != 0)
		die(path);
}

static int directory(const char *path)
{
	int fd = mkdir(path, 0700) == 0 || errno == EEXIST ? durable_open_dir(path) : -1;

	if (fd < 0)
		die(path);
	return fd;
}

static void sync_directory(const char *path)
{
	int fd = directory(path);

	if (fsync(fd) != 0)
		die(path);
	close(fd);
}

static void note(const char *record, const uint8_t *data)
{
	int fd = open(record, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, SMALL) != SMALL || fdatasync(fd) != 0)
		die(record);
	close(fd);
}

static void first_end(const struct batch *b, uint8_t *data)
{
	char taken[PATH], object[PATH], done[PATH], from[PATH], to[PATH];

	snprintf(taken, sizeof(taken), "taken/%u", b->number);
	snprintf(object, sizeof(object), "objects/%u.tmp", b->number);
	snprintf(done, sizeof(done), "objects/%u", b->number);
	int dir = directory(taken), whole = open(object, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	for (unsigned i = b->first; i < b->end; i++) {
		snprintf(from, sizeof(from), "out/%u", i);
		snprintf(to, sizeof(to), "taken/%u/%u", b->number, i);
		int fd = rename(from, to) == 0 ? open(to, O_RDONLY | O_CLOEXEC) : -1;
		if (fd < 0 || read(fd, data, SMALL) != SMALL || write(whole, data, SMALL) != SMALL)
			die(to);
		close(fd);
	}
	if (fsync(whole) != 0 || fsync(dir) != 0)
		die(object);
	sync_directory("out");
	if (rename(object, done) != 0)
		die(done);
	sync_directory("objects");
	note("first.record", data);
	close(whole);
	close(dir);
}

static void second_end(const struct batch *b, uint8_t *data)
{
	char work[PATH], seen[PATH];

	snprintf(work, sizeof(work), "work/%u", b->number);
	snprintf(seen, sizeof(seen), "inbox/%u", b->number);
	int dir = directory(work);
	for (unsigned i = b->first; i < b->end; i++)
		put(dir, i, data);
	if (syncfs(dir) != 0)
		die("syncfs");
	note("second.record", data);
	if (rename(work, seen) != 0)
		die(seen);
	sync_directory("inbox");
	sync_directory("work");
	close(dir);
}

static void erase(const struct batch *b, uint8_t *data)
{
	char taken[PATH];

	(void)data;
	snprintf(taken, sizeof(taken), "%u", b->number);
	int dir = directory("taken");
	if (durable_remove_tree(dir, taken) != 0)
		die(taken);
	close(dir);
}

/* A process that does this with every batch, as soon as `from` says that there is one; then it says so to the others. */
static pid_t start(void (*act)(const struct batch *, uint8_t *), int from, const int to[2], unsigned count, unsigned size)
{
	uint8_t data[SMALL];
	struct batch b = { 0, 0, 0 };
	char token = 0;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid != 0)
		return pid;
	if (getrandom(data, sizeof(data), 0) != sizeof(data))
		die("getrandom");
	for (; b.end < count; b.number++) {
		b.first = b.end;
		b.end = count - b.first < size ? count : b.first + size;
		if (from >= 0 && read(from, &token, 1) != 1)
			die("the process before ended");
		act(&b, data);
		for (int i = 0; from < 0 && i < 2; i++)
			if (write(to[i], &token, 1) != 1)
				die("pipe");
	}
	_exit(0);
}

static void ended(pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, 0) != pid || status != 0)
		_exit(5); /* it said why */
}

static double run(unsigned count, unsigned size)
{
	int files[2], gone[2], out = directory("out");
	uint8_t data[SMALL];

	if (pipe(files) != 0 || pipe(gone) != 0 || getrandom(data, sizeof(data), 0) != sizeof(data))
		die("pipe");
	for (const char *const *d = (const char *const[]){ "taken", "objects", "work", "inbox", NULL }; *d != NULL; d++)
		close(directory(*d));
	for (unsigned i = 0; i < count; i++)
		put(out, i, data);
	sync();
	uint64_t begun = clock_mono_ns();
	pid_t third = start(erase, gone[0], NULL, count, size), second = start(second_end, files[0], NULL, count, size);
	ended(start(first_end, -1, (const int[]){ files[1], gone[1] }, count, size));
	ended(second);
	double seconds = (double)(clock_mono_ns() - begun) / 1e9;
	ended(third);
	return seconds;
}

int main(int argc, char **argv)
{
	unsigned long count = argc == 4 ? strtoul(argv[2], NULL, 10) : 0, size = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	int above;

	if (count == 0 || count > COUNT_MAX || size == 0) {
		fputs("usage: raw_files DIR COUNT BATCH\n", stderr);
		return 2;
	}
	if ((above = durable_open_dir(argv[1])) < 0 || fchdir(above) != 0 || durable_remove_tree(above, top) != 0 ||
	    mkdir(top, 0700) != 0 || chdir(top) != 0)
		die(argv[1]);
	double seconds = run((unsigned)count, (unsigned)size);
	printf("{\"files\": %lu, \"batch\": %lu, \"seconds\": %.4f}\n", count, size, seconds);
	return durable_remove_tree(above, top) == 0 ? 0 : 5;
}
