/* mark.c - see mark.h. */
#include "sender/mark.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { TREE_ENTRIES_MAX = 4096, TREE_DEPTH_MAX = 16 };

static uint64_t mix(uint64_t h, uint64_t v)
{
	for (unsigned i = 0; i < 8; i++, v >>= 8)
		h = (h ^ (v & 0xff)) * 0x100000001b3u; /* FNV-1a */
	return h;
}

uint64_t mark_of(const struct stat *st)
{
	uint64_t h = mix(mix(0xcbf29ce484222325u, st->st_ino), (uint64_t)st->st_size);

	h = mix(mix(h, (uint64_t)st->st_mtim.tv_sec), (uint64_t)st->st_mtim.tv_nsec);
	return mix(mix(h, (uint64_t)st->st_ctim.tv_sec), (uint64_t)st->st_ctim.tv_nsec);
}

/* The marks of everything below a folder, as far as the budget goes, added up. */
static uint64_t tree_mark(int dir, const char *name, unsigned depth, unsigned *budget)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	uint64_t sum = 0;
	struct dirent *e;
	struct stat st;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (*budget > 0 && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		(*budget)--;
		sum += mark_of(&st);
		if (S_ISDIR(st.st_mode) && depth < TREE_DEPTH_MAX)
			sum += tree_mark(fd, e->d_name, depth + 1, budget);
	}
	closedir(d);
	return sum;
}

uint64_t mark_of_tree(int dir, const char *name)
{
	unsigned budget = TREE_ENTRIES_MAX;

	return tree_mark(dir, name, 0, &budget);
}
