/* part_store.c - the directory parts/ (part_store.h). */
#include "receiver/part_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/durable.h"
#include "host/erase.h"
#include "host/log.h"

enum { NAME_ROOM = 32 };

static const char *part_name(char out[static NAME_ROOM], uint32_t slot, const char *kind)
{
	snprintf(out, NAME_ROOM, "%010u.%s", slot, kind);
	return out;
}

static int open_part(const struct part_store *p, uint32_t slot, const char *kind, int flags)
{
	char name[NAME_ROOM];

	return openat(p->dir, part_name(name, slot, kind), flags | O_NOFOLLOW | O_CLOEXEC, 0600);
}

int part_store_data(const struct part_store *p, uint32_t slot, int flags)
{
	return open_part(p, slot, "data", flags);
}

int part_store_map(const struct part_store *p, uint32_t slot, int flags)
{
	return open_part(p, slot, "map", flags);
}

/* The number of "0000000007.map", or -1: no name of ours. */
static int64_t number_of(const char *name)
{
	char *end, again[NAME_ROOM];
	unsigned long n = strtoul(name, &end, 10);

	if (n >= UINT32_MAX || (strcmp(end, ".map") != 0 && strcmp(end, ".data") != 0))
		return -1;
	return strcmp(part_name(again, (uint32_t)n, end + 1), name) == 0 ? (int64_t)n : -1;
}

static int keep_pair(const struct part_store *p, uint32_t slot, int (*found)(void *, uint32_t, const struct parts_head *), void *ctx)
{
	struct parts_head h;
	int map = part_store_map(p, slot, O_RDONLY), data = part_store_data(p, slot, O_RDONLY), keep = 0;

	if (map >= 0 && data >= 0 && parts_read_head(&h, map))
		keep = found(ctx, slot, &h) == 0;
	if (map >= 0)
		close(map);
	if (data >= 0)
		close(data);
	return keep;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Numbers of all .map files; removes what has no name of ours and .data without .map. */
static uint32_t *list(struct part_store *p, size_t *count)
{
	int fd = openat(p->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	uint32_t *all = NULL, *more;
	size_t room = 0;
	struct dirent *e;

	*count = 0;
	if (d == NULL)
		return NULL;
	while ((e = readdir(d)) != NULL) {
		int64_t n = number_of(e->d_name);
		if (n < 0)
			continue;
		if ((uint32_t)n >= p->next)
			p->next = (uint32_t)n + 1;
		if (*count == room) {
			room = room * 2 + 64;
			if ((more = realloc(all, room * sizeof(*all))) == NULL) {
				free(all);
				closedir(d);
				return NULL;
			}
			all = more;
		}
		all[(*count)++] = (uint32_t)n;
	}
	closedir(d);
	if (all == NULL)
		return malloc(1);
	qsort(all, *count, sizeof(*all), by_number);
	return all;
}

int part_store_open(struct part_store *p, int dir, int (*found)(void *, uint32_t, const struct parts_head *), void *ctx)
{
	size_t n;
	uint32_t *all;

	p->dir = dir;
	p->next = 1;
	if ((all = list(p, &n)) == NULL)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && all[i] == all[i - 1])
			continue; /* its other half */
		if (!keep_pair(p, all[i], found, ctx))
			part_store_remove(p, all[i]);
	}
	free(all);
	return 0;
}

int part_store_create(struct part_store *p, uint32_t *slot, int *data_fd, int *map_fd)
{
	uint32_t n = p->next;

	if (n == UINT32_MAX) {
		errno = EOVERFLOW;
		return -1;
	}
	if ((*data_fd = part_store_data(p, n, O_RDWR | O_CREAT | O_EXCL)) < 0)
		return -1;
	if ((*map_fd = part_store_map(p, n, O_RDWR | O_CREAT | O_EXCL)) < 0) {
		int kept = errno;
		close(*data_fd);
		part_store_remove(p, n);
		errno = kept;
		return -1;
	}
	*slot = n;
	p->next = n + 1;
	return 0;
}

void part_store_remove(const struct part_store *p, uint32_t slot)
{
	char name[NAME_ROOM];

	/* The map first: data without a map is nothing. */
	if ((unlinkat(p->dir, part_name(name, slot, "map"), 0) != 0 && errno != ENOENT) ||
	    (erase_file(p->dir, part_name(name, slot, "data")) != 0 && errno != ENOENT))
		log_warn("parts/%s: cannot be removed: %s; the next start tries again", name, strerror(errno));
}

int part_store_move(const struct part_store *p, uint32_t slot, int dir, const char *name)
{
	char mine[NAME_ROOM];
	int fd = part_store_data(p, slot, O_RDONLY), r;

	if (fd < 0)
		return -1;
	r = durable_rename(fd, p->dir, part_name(mine, slot, "data"), dir, name);
	close(fd);
	return r;
}
