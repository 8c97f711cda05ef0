/* reserve.c - disk space that is kept free (reserve.h). */
#include "receiver/reserve.h"

#include <sys/statvfs.h>

enum { RESERVE_MIN = 4 << 20, RESERVE_MAX = 128 << 20, INODES_MIN = 64 };

bool reserve_reached(int fd, enum reserve_use use, uint64_t more)
{
	struct statvfs v;
	uint64_t reserve, there;

	if (fstatvfs(fd, &v) != 0)
		return false; /* the write itself will tell */
	reserve = (uint64_t)v.f_blocks * v.f_frsize / 50;
	if (reserve < RESERVE_MIN)
		reserve = RESERVE_MIN;
	if (reserve > RESERVE_MAX)
		reserve = RESERVE_MAX;
	there = (uint64_t)v.f_bavail * v.f_frsize;
	if (there < reserve * (unsigned)use || there - reserve * (unsigned)use < more)
		return true;
	/* f_files 0: the file system has no fixed number of inodes. */
	return v.f_files != 0 && v.f_favail < INODES_MIN * (unsigned)use;
}

bool reserve_below(int fd, uint64_t bytes)
{
	struct statvfs v;

	return bytes != 0 && fstatvfs(fd, &v) == 0 && (uint64_t)v.f_bavail * v.f_frsize < bytes;
}
