/* admit.c - see admit.h. */
#include "sender/admit.h"

#include <stdio.h>
#include <string.h>

#include "core/name.h"
#include "host/i18n.h"

static const char *kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "it is a folder";
	case S_IFLNK:
		return "it is a symbolic link";
	case S_IFIFO:
		return "it is a pipe (FIFO)";
	case S_IFSOCK:
		return "it is a socket";
	default:
		return "it is a device";
	}
}

enum admit admit_file(const char *name, const struct stat *st, uint64_t max_file, char *why, size_t why_size,
    const char **what)
{
	enum name_err bad = name_check((const uint8_t *)name, strlen(name));

	if (!S_ISREG(st->st_mode)) {
		snprintf(why, why_size, "%s", kind_of(st->st_mode));
		*what = S_ISDIR(st->st_mode) ? N_("put the files themselves into the channel's folder, or pack them into one zip") :
		    N_("put the file itself into the channel's folder");
		return ADMIT_KIND;
	}
	if (bad != NAME_OK) {
		snprintf(why, why_size, "%s", name_strerror(bad));
		*what = "give the file another name and put it in again";
		return ADMIT_NAME;
	}
	if (st->st_nlink > 1) {
		snprintf(why, why_size, N_("it has %lu names (hard links)"), (unsigned long)st->st_nlink);
		*what = "put a copy into the channel's folder";
		return ADMIT_LINKS;
	}
	if ((st->st_mode & (S_ISUID | S_ISGID)) != 0) {
		snprintf(why, why_size, N_("it is a set-user-ID or set-group-ID file"));
		*what = "put a copy without that mode into the channel's folder";
		return ADMIT_SETUID;
	}
	if ((uint64_t)st->st_size > max_file) {
		snprintf(why, why_size, N_("it has %llu bytes and the channel takes at most %llu"),
		    (unsigned long long)st->st_size, (unsigned long long)max_file);
		*what = "split the file, or raise max_file of this channel on both sides";
		return ADMIT_SIZE;
	}
	return ADMIT_OK;
}
