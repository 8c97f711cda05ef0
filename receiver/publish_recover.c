/* publish_recover.c - what was being published when the process died (publish.h). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/durable.h"
#include "host/exits.h"
#include "host/log.h"
#include "receiver/publish_private.h"

static void read_intent(struct publish_item *it, sqlite3_stmt *s)
{
	memset(it, 0, sizeof(*it));
	db_text_to(it->work, sizeof(it->work), s, 0);
	it->base = publish_base_named((const char *)sqlite3_column_text(s, 1));
	db_text_to(it->dir, sizeof(it->dir), s, 2);
	it->entry = strdup((const char *)sqlite3_column_text(s, 3));
	db_text_to(it->stream.sender, sizeof(it->stream.sender), s, 4);
	db_text_to(it->stream.channel, sizeof(it->stream.channel), s, 5);
	db_text_to(it->stream.generation, sizeof(it->stream.generation), s, 6);
	it->number = (uint64_t)sqlite3_column_int64(s, 7);
	db_text_to(it->manifest, sizeof(it->manifest), s, 8);
	db_text_to(it->previous, sizeof(it->previous), s, 9);
	db_text_to(it->object, sizeof(it->object), s, 10);
	it->kept_file = it->entry != NULL && strstr(it->entry, "\"kept\":\"file\"") != NULL;
	if (it->entry == NULL)
		log_die(EXIT_SYSTEM, "no memory to recover with");
}

static bool exists(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool recover_one(struct publish *p, struct publish_item *it)
{
	if (!exists(publish_source_fd(p, it->base), it->work) && exists(publish_base_fd(p, it->base), it->dir)) {
		publish_record(p, it, 1);
		log_info("%s: was published before the last stop; the ledger has it now", it->dir);
		return true;
	}
	db_run(&p->ledger->db, "DELETE FROM intent WHERE work = ?", "t", it->work);
	return false;
}

/* What was being built is built again from its sealed object. */
static void clear_work(struct publish *p)
{
	int fd = openat(p->work_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (d == NULL)
		log_die(durable_exit(errno), "work: %s", strerror(errno));
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    durable_remove_tree(p->work_fd, e->d_name) != 0)
			log_warn("work/%s: cannot be removed: %s", e->d_name, strerror(errno));
	closedir(d);
}

unsigned publish_recover(struct publish *p)
{
	unsigned done = 0;
	struct publish_item it;

	for (;;) {
		sqlite3_stmt *s = db_query(&p->ledger->db, "SELECT work, base, dir, entry, sender, channel, generation, number,"
		    " manifest, previous, object FROM intent LIMIT 1", "");
		if (db_step(&p->ledger->db, s) == 0)
			break;
		read_intent(&it, s);
		db_done(s);
		done += recover_one(p, &it);
		free(it.entry);
	}
	clear_work(p);
	return done;
}
