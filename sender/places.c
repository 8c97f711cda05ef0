/* places.c - see places.h. */
#include "sender/places.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/exits.h"
#include "host/log.h"

/* The path without its last part, "/" in the end; false: it was that.  *hidden: nobody looks at that part (watch.h). */
static bool cut(char *path, bool *hidden)
{
	char *slash = strrchr(path, '/');

	if (slash == NULL || (slash == path && path[1] == '\0'))
		return false;
	*hidden = slash[1] == '.';
	slash[slash == path] = '\0';
	return true;
}

static bool lies_in(const char *path, const struct stat *folder)
{
	char given[PATH_MAX], real[PATH_MAX];
	bool hidden = false;
	struct stat st;

	snprintf(given, sizeof(given), "%s", path);
	while (realpath(given, real) == NULL) /* not made yet */
		if (!cut(given, &hidden))
			return false;
	do
		if (!hidden && stat(real, &st) == 0 && st.st_dev == folder->st_dev && st.st_ino == folder->st_ino)
			return true;
	while (cut(real, &hidden));
	return false;
}

static int check_folder(const struct sender_conf *c, unsigned i, const char *name)
{
	const char *own[] = { name, c->keys, c->receiver, c->recovery, c->psk, c->state, c->witness, c->metrics };
	enum { OWN = sizeof(own) / sizeof(own[0]) };
	const struct sender_channel *ch = &c->channel[i];
	struct stat folder;

	if (stat(ch->folder, &folder) != 0)
		return 0; /* the program's own, not made yet */
	for (unsigned k = 0; k < OWN + c->channels; k++) {
		const char *path = k < OWN ? own[k] : c->channel[k - OWN].folder;
		if (path[0] == '\0' || k == OWN + i || !lies_in(path, &folder))
			continue;
		log_error("%s: %s lies in the folder of channel %s (%s), where everything is sent or refused; give it a place of its own",
		    name, path, ch->name, ch->folder);
		return EXIT_CONFIG;
	}
	return 0;
}

int places_check(const struct sender_conf *c, const char *name)
{
	char objects[SENDER_PATH_MAX + sizeof("/objects")];
	struct stat st;
	int code = 0;

	for (unsigned i = 0; i < c->channels && code == 0; i++)
		code = check_folder(c, i, name);
	snprintf(objects, sizeof(objects), "%s/objects", c->state);
	for (unsigned i = 0; i < c->channels && code == 0 && stat(objects, &st) == 0; i++) {
		if (!lies_in(c->channel[i].folder, &st))
			continue;
		log_error("%s: the folder of channel %s (%s) lies in the outbox, which removes what is not its own; give it a place of its own",
		    name, c->channel[i].name, c->channel[i].folder);
		code = EXIT_CONFIG;
	}
	return code;
}
