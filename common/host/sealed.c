/* sealed.c - see sealed.h */
#include "host/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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
