/* wall.c - the wall clock of a daemon, set by a test while it runs (LD_PRELOAD).
 *
 * KATAMICHI_WALL names a file of 8 bytes, an int64_t in host order: seconds that CLOCK_REALTIME is to be off by.  It is mapped, so
 * a test that writes it moves the clocks of all processes at once.  A child's environment is cleared of LD_PRELOAD: it is put back. */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *off;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("KATAMICHI_WALL");
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	void *p = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*off), PROT_READ, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	if (p != MAP_FAILED)
		off = p;
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	long r = syscall(SYS_clock_gettime, id, t);

	if (r == 0 && id == CLOCK_REALTIME && off != NULL)
		t->tv_sec += *off;
	return (int)r;
}

int execve(const char *path, char *const argv[], char *const env[])
{
	static char preload[PATH_MAX + 16];
	char *more[256];
	Dl_info me;
	size_t n = 0;

	for (; env != NULL && env[n] != NULL && n < 254; n++)
		more[n] = env[n];
	if (off != NULL && dladdr((void *)(uintptr_t)&begin, &me) != 0) {
		snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", me.dli_fname);
		more[n++] = preload;
	}
	more[n] = NULL;
	return (int)syscall(SYS_execve, path, argv, more);
}
