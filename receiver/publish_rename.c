/* publish_rename.c - step 3 of publishing (publish.h): what was built gets its place. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/hex.h"
#include "host/durable.h"
#include "host/exits.h"
#include "host/log.h"
#include "receiver/publish_private.h"

enum { PLACES_MAX = 9 };

/* Is what stands there already this very transfer?  (Published, and then the
 * database was restored from an older copy.) */
static bool stands_there(int base, const struct publish_item *it)
{
	char path[PUBLISH_DIR_MAX + 32], hex[2 * HASH_LEN + 1];
	uint8_t buf[65536], digest[HASH_LEN];
	struct crypto_hasher *h;
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/MANIFEST.json", it->dir);
	if ((fd = openat(base, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		return false;
	if ((h = crypto_hasher_new()) == NULL)
		goto close_it;
	crypto_hasher_reset(h);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		crypto_hasher_add(h, buf, (size_t)n);
	crypto_hasher_end(h, digest);
	crypto_hasher_free(h);
	hex_put(hex, digest, HASH_LEN);
close_it:
	close(fd);
	return n == 0 && strcmp(hex, it->manifest) == 0;
}

static void rename_one(struct publish *p, struct publish_item *it)
{
	int base = publish_base_fd(p, it->base), source = publish_source_fd(p, it->base);

	for (int turn = 1; turn <= PLACES_MAX; turn++) {
		if (renameat2(source, it->work, base, it->dir, RENAME_NOREPLACE) == 0) {
			it->placed = true;
			return;
		}
		if (errno != EEXIST && errno != ENOTEMPTY)
			break;
		/* Something stands there that the ledger does not know. */
		if (it->manifest[0] != '\0' && it->base != PUBLISH_RELEASE && stands_there(base, it)) {
			if (durable_remove_tree(p->work_fd, it->work) != 0)
				break;
			it->placed = true;
			return;
		}
		log_warn("%s %llu: %s exists already and is something else; it is left as it is", it->stream.channel,
		    (unsigned long long)it->number, it->dir);
		if (it->base == PUBLISH_QUARANTINE)
			snprintf(it->dir, sizeof(it->dir), "%s-%08llu-%.8s-%u.%d", it->stream.channel,
			    (unsigned long long)it->number, it->object, it->index, turn + 1);
		else if (it->kept_file)
			snprintf(it->dir, sizeof(it->dir), RELEASED_FILE ".%d", it->stream.channel, (unsigned long long)it->number,
			    it->object, it->index, turn + 1);
		else
			snprintf(it->dir, sizeof(it->dir), turn == 1 ? "%s/%08llu.m-%.8s" : "%s/%08llu.m-%.8s-%d",
			    it->stream.channel, (unsigned long long)it->number, it->manifest, turn);
		db_exec(&p->ledger->db, "BEGIN IMMEDIATE");
		publish_write_intent(p, it);
		db_exec(&p->ledger->db, "COMMIT");
	}
	int error = errno;
	db_run(&p->ledger->db, "DELETE FROM intent WHERE work = ?", "t", it->work);
	publish_give_up(p, it, error);
}

static void sync_parent(const struct publish *p, const struct publish_item *it, int *error)
{
	char parent[PUBLISH_DIR_MAX];
	char *slash;
	int fd, base = publish_base_fd(p, it->base);

	strcpy(parent, it->dir);
	if ((slash = strchr(parent, '/')) == NULL) {
		syncs_add(p->syncs, base, false, error);
		return;
	}
	*slash = '\0';
	if ((fd = openat(base, parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		*error = errno;
	else
		syncs_add(p->syncs, fd, true, error);
}

/* The files that did not pass, into the quarantine, durably: only then may the rest be seen, for what is
 * seen is never opened again. */
static void rename_parts(struct publish *p, struct publish_item *it)
{
	char path[TRANSFER_NAME_MAX + sizeof("/" TRANSFER_HELD)];

	if (it->parts == 0)
		return;
	for (uint32_t k = 0; k < it->parts && it->error == 0; k++)
		if (!publish_out(&it->part[k])) {
			rename_one(p, &it->part[k]);
			it->error = it->part[k].error;
		}
	if (fsync(p->quarantine_fd) != 0)
		log_die(durable_exit(errno), "quarantine: cannot be made durable: %s", strerror(errno));
	snprintf(path, sizeof(path), "%s/" TRANSFER_HELD, it->work);
	if (it->error == 0 && durable_remove_tree(p->work_fd, path) != 0)
		it->error = errno;
	if (it->error == 0)
		return;
	db_run(&p->ledger->db, "DELETE FROM intent WHERE work = ?", "t", it->work);
	for (uint32_t k = 0; k < it->parts; k++)
		if (!it->part[k].placed)
			db_run(&p->ledger->db, "DELETE FROM intent WHERE work = ?", "t", it->part[k].work);
	publish_give_up(p, it, it->error);
}

void publish_rename(struct publish *p, struct publish_item *it, unsigned n)
{
	const struct publish_item *last = NULL;
	int error = 0;

	for (unsigned i = 0; i < n; i++)
		if (!publish_out(&it[i]))
			rename_parts(p, &it[i]);
	for (unsigned i = 0; i < n; i++)
		if (!publish_out(&it[i]))
			rename_one(p, &it[i]);
	/* A parent once for each run of items of one channel. */
	for (unsigned i = 0; i < n; i++) {
		if (publish_out(&it[i]))
			continue;
		if (last != NULL && last->base == it[i].base &&
		    (it[i].base == PUBLISH_QUARANTINE || strcmp(last->stream.channel, it[i].stream.channel) == 0))
			continue;
		last = &it[i];
		sync_parent(p, last, &error);
	}
	if (last == NULL)
		return;
	syncs_add(p->syncs, p->work_fd, false, &error);
	if (last->base == PUBLISH_RELEASE)
		syncs_add(p->syncs, p->quarantine_fd, false, &error);
	syncs_wait(p->syncs);
	/* Renamed, but whether it stays after a power cut nobody knows: stop here; the next start looks. */
	if (error != 0)
		log_die(durable_exit(error), "%s: cannot be made durable: %s", last->dir, strerror(error));
}
