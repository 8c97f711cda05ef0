/* asking.c - see asking.h */
#include "tools/asking.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "host/exits.h"
#include "host/log.h"
#include "receiver/checkpoints.h"
#include "receiver/peers_ask.h"
#include "receiver/quarantine.h"

int asking_open(struct db *db, const struct receiver_conf *c)
{
	static char path[RECEIVER_PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/ledger/ledger.db", c->state);
	if (access(path, R_OK | W_OK) != 0) {
		log_error("%s: %s; run this as the receiver's user, on the receiving host", path, strerror(errno));
		return EXIT_SYSTEM;
	}
	db_open(db, path, QUARANTINE_SCHEMA CHECKPOINTS_SCHEMA PEERS_ASK_SCHEMA);
	return EXIT_OK;
}

int asking_receiver_runs(const struct receiver_conf *c)
{
	static char path[RECEIVER_PATH_MAX + 8];
	int fd, r;

	snprintf(path, sizeof(path), "%s/lock", c->state);
	if ((fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		return 0;
	r = flock(fd, LOCK_EX | LOCK_NB) != 0;
	close(fd);
	return r;
}

const char *asking_login(void)
{
	static char name[64];
	unsigned uid = (unsigned)getuid(), login;
	FILE *f = fopen("/proc/self/loginuid", "re");
	const struct passwd *p;

	if (f != NULL) {
		if (fscanf(f, "%u", &login) == 1 && login != (unsigned)-1)
			uid = login;
		fclose(f);
	}
	p = getpwuid((uid_t)uid);
	if (p != NULL)
		snprintf(name, sizeof(name), "%s", p->pw_name);
	else
		snprintf(name, sizeof(name), "uid %u", uid);
	return name;
}
