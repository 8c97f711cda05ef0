/* huge_files.h - nameless files in memory, for both halves of the link benchmark.
 *
 * They lie on a tmpfs of the program's own that takes pages of 2 MB (huge=always), which no folder shows and which is gone with
 * the program: from memory to memory the link is measured then, and not what a kernel does for each page of 4 KB of a file.
 * A kernel that has no such pages gives small ones. */
#ifndef KM_BENCH_HUGE_FILES_H
#define KM_BENCH_HUGE_FILES_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "host/exits.h"
#include "host/log.h"

/* The folder that huge_file() makes them in. */
static inline int huge_files(void)
{
	int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), folder;

	if (fs >= 0)
		(void)fsconfig(fs, FSCONFIG_SET_STRING, "huge", "always", 0);
	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0 || (folder = fsmount(fs, FSMOUNT_CLOEXEC, 0)) < 0)
		log_die(EXIT_SYSTEM, "a tmpfs (which needs root): %s", strerror(errno));
	close(fs);
	return folder;
}

static inline int huge_file(int folder)
{
	int fd = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		log_die(EXIT_SYSTEM, "a file in memory: %s", strerror(errno));
	return fd;
}

#endif
