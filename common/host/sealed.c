/* sealed.c - see sealed.h */
#include "host/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 512 }; /* the unit of st_blocks */
#define SMALL_PAGE ((size_t)4096)
#define LARGE_PAGE ((size_t)2 << 20)
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* since Linux 6.1 */
#endif

int sealed_create(const char *name, size_t bytes)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)bytes) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return fd;
	int kept = errno;
	(void)close(fd);
	errno = kept;
	return -1;
}

off_t sealed_size(int memfd)
{
	const int wanted = F_SEAL_SHRINK | F_SEAL_GROW;
	int seals = fcntl(memfd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || fstat(memfd, &st) != 0)
		return -1;
	if ((seals & wanted) != wanted) {
		errno = EINVAL;
		return -1;
	}
	return st.st_size;
}

/* So many bytes of address space at the beginning of a large page: only there a mapping can have any.  MAP_FAILED, and errno. */
static void *reserve(size_t bytes)
{
	size_t all = bytes + LARGE_PAGE;
	uint8_t *p = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return MAP_FAILED;
	size_t before = -(uintptr_t)p % LARGE_PAGE, end = before + (bytes + SMALL_PAGE - 1) / SMALL_PAGE * SMALL_PAGE;
	if (before > 0)
		(void)munmap(p, before);
	(void)munmap(p + end, all - end);
	return p + before;
}

static void *map(int memfd, size_t bytes, int prot)
{
	void *room = reserve(bytes), *p;

	if (room == MAP_FAILED)
		return NULL;
	p = mmap(room, bytes, prot, MAP_SHARED | MAP_FIXED, memfd, 0);
	if (p != MAP_FAILED)
		return p;
	int kept = errno;
	(void)munmap(room, bytes);
	errno = kept;
	return NULL;
}

void sealed_make(int memfd)
{
	off_t size = sealed_size(memfd);
	void *p;

	if (size <= 0 || fallocate(memfd, 0, 0, size) != 0 || (p = map(memfd, (size_t)size, PROT_READ | PROT_WRITE)) == NULL)
		return;
	(void)madvise(p, (size_t)size, MADV_COLLAPSE); /* a wish; not of shmem_enabled, which is never unless somebody changed it */
	(void)munmap(p, (size_t)size);
}

void *sealed_map(int memfd, size_t bytes, int prot)
{
	void *p = map(memfd, bytes, prot);
	struct stat st;

	if (p == NULL)
		return NULL;
	if (fstat(memfd, &st) == 0 && (uint64_t)st.st_blocks * BLOCK >= bytes)
		(void)madvise(p, bytes, (prot & PROT_WRITE) != 0 ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
	return p;
}
