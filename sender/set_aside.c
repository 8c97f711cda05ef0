/* set_aside.c - see set_aside.h. */
#include "sender/set_aside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/hex.h"
#include "host/durable.h"

static bool is_unknown(struct db *db, const char *name)
{
	uint8_t id[SEAL_ID_LEN];

	return hex_get(id, sizeof(id), name, strlen(name)) == 0 &&
	    db_int(db, "SELECT count(*) FROM object WHERE id = ?", "b", id, sizeof(id)) == 0;
}

unsigned set_aside_count(struct outbox *o)
{
	int fd = openat(o->objects, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	unsigned n = 0;

	while (d != NULL && (e = readdir(d)) != NULL)
		n += is_unknown(&o->db, e->d_name);
	if (d != NULL)
		closedir(d);
	return n;
}

/* Made when first needed; of the owner of objects/, since `katamichi restore` is run by root.  A descriptor, or -1 with errno. */
static int open_aside(int objects)
{
	struct stat st;
	int state = openat(objects, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;

	if (state < 0)
		return -1;
	if (durable_mkdir(state, SET_ASIDE, 0700) == 0)
		fd = openat(state, SET_ASIDE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	close(state);
	if (fd >= 0 && geteuid() == 0 && (fstat(objects, &st) != 0 || fchown(fd, st.st_uid, st.st_gid) != 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

int set_aside_unknown(struct outbox *o)
{
	int fd = openat(o->objects, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), to = -1, moved = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (d == NULL)
		return -1;
	while (moved >= 0 && (e = readdir(d)) != NULL) {
		if (!is_unknown(&o->db, e->d_name))
			continue;
		if ((to < 0 && (to = open_aside(o->objects)) < 0) || durable_rename(-1, o->objects, e->d_name, to, e->d_name) != 0)
			moved = -1;
		else
			moved++;
	}
	closedir(d);
	if (to >= 0)
		close(to);
	return moved;
}
