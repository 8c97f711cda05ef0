/* tmpdir.h - a directory for one test program, removed with all that is in it. */
#ifndef KM_TMPDIR_H
#define KM_TMPDIR_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char tmpdir[256];

static int tmpdir_remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int tmpdir_remove(void **state)
{
	(void)state;
	return nftw(tmpdir, tmpdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int tmpdir_make(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	(void)snprintf(tmpdir, sizeof(tmpdir), "%s/katamichi-test-XXXXXX", base != NULL ? base : "/tmp");
	return mkdtemp(tmpdir) != NULL ? 0 : -1;
}

/* tmpdir/NAME; valid until the call after the next three. */
static const char *tmpdir_path(const char *name)
{
	static char path[4][600];
	static unsigned turn;
	char *p = path[turn++ % 4];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", tmpdir, name);
	return p;
}

static inline void tmpdir_write(const char *name, const void *data, size_t n, unsigned mode)
{
	const char *path = tmpdir_path(name);

	(void)unlink(path);
	FILE *f = fopen(path, "w");

	if (f == NULL || fwrite(data, 1, n, f) != n || fclose(f) != 0 || chmod(path, (mode_t)mode) != 0)
		abort();
}

#endif
