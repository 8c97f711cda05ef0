/* huge_files.h - files in memory, for both halves of the link benchmark.
 *
 * They lie in a folder that bench.py gives (huge_memory.py): a tmpfs that no path shows, with pages of 2 MB.  What has a name in it
 * stays from run to run, so that its memory is not fresh in any but the first. */
#ifndef KM_BENCH_HUGE_FILES_H
#define KM_BENCH_HUGE_FILES_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "host/exits.h"
#include "host/log.h"

static inline int huge_folder(const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		log_die(EXIT_SYSTEM, "%s: %s", path, strerror(errno));
	return fd;
}

/* The file of this name, or with NULL one without any. */
static inline int huge_file(int folder, const char *name)
{
	int fd = openat(folder, name ? name : ".", (name ? O_CREAT : O_TMPFILE) | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		log_die(EXIT_SYSTEM, "a file in memory: %s", strerror(errno));
	return fd;
}

#endif
