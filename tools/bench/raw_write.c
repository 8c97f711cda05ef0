/* raw_write.c - the ceiling of a disk: bytes with no work on them, synced.
 *
 *   raw_write DIR bulk BYTES     one file, buffered with its writing-back begun at once, and one with O_DIRECT:
 *                                seconds until fdatasync has returned (below 0: the file system has no O_DIRECT)
 *   raw_write DIR direct BYTES   the second of these only
 *   raw_write DIR small COUNT    COUNT files of 4 KB, each written, synced and renamed: microseconds of the fsync
 *
 * One line of JSON.  The files are removed. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 4 << 20, SMALL = 4096 };
static const char name[] = "raw_write.tmp", renamed[] = "raw_write.done";

static void die(const char *what)
{
	fprintf(stderr, "raw_write: %s: %s\n", what, strerror(errno));
	unlink(name);
	unlink(renamed);
	exit(5);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds; below 0 where the file system has no O_DIRECT. */
static double write_bulk(const uint8_t *block, uint64_t bytes, int flags)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | flags, 0600);
	double start = now();

	if (fd < 0 && errno == EINVAL)
		return -1;
	if (fd < 0)
		die(name);
	for (uint64_t at = 0; at < bytes; at += BLOCK) {
		if (write(fd, block, BLOCK) != BLOCK)
			die("write");
		if (flags == 0 && sync_file_range(fd, (off_t)at, BLOCK, SYNC_FILE_RANGE_WRITE) != 0)
			die("sync_file_range");
	}
	if (fdatasync(fd) != 0)
		die("fdatasync");
	start = now() - start;
	close(fd);
	unlink(name);
	return start;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void write_small(const uint8_t *block, unsigned count)
{
	double *us = calloc(count, sizeof(*us));

	if (us == NULL)
		die("memory");
	for (unsigned i = 0; i < count; i++) {
		int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd < 0 || write(fd, block, SMALL) != SMALL)
			die(name);
		double start = now();
		if (fsync(fd) != 0)
			die("fsync");
		us[i] = (now() - start) * 1e6;
		close(fd);
		if (rename(name, renamed) != 0)
			die("rename");
	}
	unlink(renamed);
	qsort(us, count, sizeof(*us), compare);
	printf("{\"fsync_us_p50\": %.1f, \"fsync_us_p99\": %.1f, \"files\": %u}\n", us[count / 2], us[count * 99ull / 100], count);
	free(us);
}

int main(int argc, char **argv)
{
	uint64_t n = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;
	uint8_t *block = aligned_alloc(4096, BLOCK);

	if (n == 0 || block == NULL) {
		fputs("usage: raw_write DIR bulk|direct BYTES | raw_write DIR small COUNT\n", stderr);
		return 2;
	}
	for (size_t at = 0; at < BLOCK; at += 256)
		if (getrandom(block + at, 256, 0) != 256)
			die("getrandom");
	if (chdir(argv[1]) != 0)
		die(argv[1]);
	if (strcmp(argv[2], "small") == 0) {
		write_small(block, (unsigned)(n < 100000 ? n : 100000));
	} else {
		n = (n + BLOCK - 1) / BLOCK * BLOCK;
		double buffered = strcmp(argv[2], "bulk") == 0 ? write_bulk(block, n, 0) : -1, direct = write_bulk(block, n, O_DIRECT);
		printf("{\"bytes\": %llu, \"buffered\": %.4f, \"direct\": %.4f}\n", (unsigned long long)n, buffered, direct);
	}
	free(block);
	return 0;
}
