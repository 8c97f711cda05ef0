/* sealed.c - see sealed.h */
#include "host/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 512 }; /* the unit of st_blocks */

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

void sealed_make(int memfd)
{
	off_t size = sealed_size(memfd);

	if (size > 0)
		(void)fallocate(memfd, 0, 0, size);
}

void *sealed_map(int memfd, size_t bytes, int prot)
{
	void *p = mmap(NULL, bytes, prot, MAP_SHARED, memfd, 0);
	struct stat st;

	if (p == MAP_FAILED)
		return NULL;
	if (fstat(memfd, &st) == 0 && (uint64_t)st.st_blocks * BLOCK >= bytes)
		(void)madvise(p, bytes, (prot & PROT_WRITE) != 0 ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
	return p;
}
