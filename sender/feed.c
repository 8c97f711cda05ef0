/* feed.c - a channel's folder: finished files become claimed batches (spool.h).
 *
 * A batch takes all files that are ready when it is formed, within the
 * channel's limits (files, bytes, and the time that taking them may last: a
 * slow folder of thousands does not hold up the first), and never waits for
 * more.  Of small files the next one is gathered and checked while the one
 * before it is sealed and made durable. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/durable.h"
#include "host/exits.h"
#include "host/i18n.h"
#include "host/log.h"
#include "host/reason.h"
#include "sender/admit.h"
#include "sender/spool.h"

#define COMPLAIN_NS 60000000000ull /* a minute */

_Static_assert((int)WATCH_FOLDERS_MAX >= (int)SENDER_CHANNELS_MAX, "each channel has a folder");

struct forming {
	struct spool *s;
	unsigned feed;
	uint64_t now_ns;
	struct batch *batch[TRACKS];
};

void feed_open(struct spool *s, unsigned i)
{
	struct feed *f = &s->feed[i];

	f->conf = &s->conf.channel[i];
	if (claim_open(&f->folder, f->conf->folder, f->conf->name) != 0 ||
	    watch_add(s->watch, f->folder.folder, f->conf->folder, f->conf->quiet_ns) != 0)
		log_die(durable_exit(errno), "%s: the folder of channel %s cannot be used: %s", f->conf->folder, f->conf->name,
		    strerror(errno));
}

void feed_complain(struct feed *f, const char *name, const char *what, int error, uint64_t now_ns)
{
	f->trouble_ns = now_ns;
	f->trouble = what;
	f->trouble_error = error;
	(void)log_show(f->trouble_name, sizeof(f->trouble_name), name, strlen(name));
	if (f->quiet_until_ns > now_ns)
		return;
	f->quiet_until_ns = now_ns + COMPLAIN_NS;
	log_error("%s: %s %s: %s; trying again", f->conf->folder, f->trouble_name, _(what), strerror(error));
}

static void complain(struct forming *g, const char *name, const char *what, int error)
{
	feed_complain(&g->s->feed[g->feed], name, what, error, g->now_ns);
}

static enum watch_answer refuse(struct forming *g, const char *name, const char *why, const char *what)
{
	struct feed *f = &g->s->feed[g->feed];

	if (claim_refuse(&f->folder, f->folder.folder, name, why, what) == 0) {
		f->refused++;
		return WATCH_TAKEN;
	}
	complain(g, name, FEED_STUCK, errno);
	return WATCH_FAULT;
}

/* One more batch of this track? */
static bool takes(const struct feed *f, enum track t)
{
	return f->batches[t] < (t == TRACK_QUICK ? QUICK_AHEAD : 1);
}

bool feed_takes_any(const struct feed *f)
{
	return takes(f, TRACK_QUICK) || takes(f, TRACK_BULK);
}

/* Is there a batch that a file of this track goes into now? */
static bool has_room(const struct forming *g, enum track t, uint64_t size)
{
	const struct feed *f = &g->s->feed[g->feed];
	const struct batch *b = g->batch[t];

	if (b == NULL)
		return takes(f, t);
	return b->claim.count < f->conf->batch_files && b->claim.bytes + size <= f->conf->batch_bytes &&
	    clock_mono_ns() - b->since_ns < f->conf->batch_age_ns;
}

/* It; NULL: the disk takes none. */
static struct batch *batch_for(struct forming *g, enum track t)
{
	struct feed *f = &g->s->feed[g->feed];
	struct batch *b = g->batch[t];

	if (b != NULL)
		return b;
	b = batch_new(g->s, g->feed, t);
	b->since_ns = clock_mono_ns();
	if (claim_begin(&b->claim, &f->folder) != 0) {
		complain(g, ".taken", N_("takes no new claim"), errno);
		batch_drop(g->s, b);
		f->not_before_ns = g->now_ns + SPOOL_RETRY_NS;
		reason_put(g->s->disk_why, sizeof(g->s->disk_why), "%s: .taken takes no new claim", f->conf->name);
		return NULL;
	}
	return g->batch[t] = b;
}

/* fd: the file, or -1 with errno if it cannot be opened: then it is not taken, and whatever is done about it, it is tried again. */
static enum watch_answer take_open(struct forming *g, enum track t, const char *name, const struct stat *st, int fd)
{
	struct feed *f = &g->s->feed[g->feed];
	const char *what = NULL;
	int unread = fd < 0 ? errno : 0;
	struct batch *b;
	char why[160];

	if (admit_file(name, st, f->conf->max_file, why, sizeof(why), &what) != ADMIT_OK)
		return refuse(g, name, why, what);
	if (fd < 0) {
		complain(g, name, N_("cannot be read"), unread);
		return WATCH_FAULT;
	}
	b = batch_for(g, t);
	if (b == NULL)
		return WATCH_STOP;
	if (claim_take(&b->claim, &f->folder, name, fd) == 0) {
		claim_keep(&b->claim, fd, &g->s->kept);
		batch_ask_full(g->s, b);
		return WATCH_TAKEN;
	}
	if (errno == ENOENT)
		return WATCH_TAKEN; /* taken away meanwhile */
	complain(g, name, N_("cannot be claimed"), errno);
	return WATCH_FAULT;
}

static enum track track_of(const struct stat *st)
{
	return st->st_size >= TRACK_BULK_FROM ? TRACK_BULK : TRACK_QUICK;
}

/* One that nobody has looked at: what it is its descriptor tells.  As long as no small file would be taken it waits with them,
 * large or small; what is anything but a plain file with room for it is looked at by its name (WATCH_LOOK). */
static enum watch_answer take_unseen(struct forming *g, const char *name)
{
	enum watch_answer answer = WATCH_LOOK;
	struct stat st;
	int fd;

	if (!has_room(g, TRACK_QUICK, 0)) /* asked first: thousands may wait */
		return (enum watch_answer)(WATCH_LATER + TRACK_QUICK);
	fd = claim_hold(g->s->feed[g->feed].folder.folder, name);
	if (fd < 0)
		return errno == EAGAIN ? WATCH_HELD : errno == ENOENT ? WATCH_TAKEN : WATCH_LOOK;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && has_room(g, track_of(&st), (uint64_t)st.st_size))
		answer = take_open(g, track_of(&st), name, &st, fd);
	close(fd);
	return answer;
}

static enum watch_answer take(void *ctx, const char *name, const struct stat *st)
{
	struct forming *g = ctx;
	enum watch_answer answer;
	int fd = -1;

	if (st == NULL)
		return take_unseen(g, name);
	if (!has_room(g, track_of(st), (uint64_t)st->st_size))
		return (enum watch_answer)(WATCH_LATER + track_of(st));
	if (S_ISREG(st->st_mode) && (fd = claim_hold(g->s->feed[g->feed].folder.folder, name)) < 0 && (errno == EAGAIN || errno == ENOENT))
		return errno == EAGAIN ? WATCH_HELD : WATCH_TAKEN;
	answer = take_open(g, track_of(st), name, st, fd);
	if (fd >= 0)
		close(fd);
	return answer;
}

/* Batches of what is ready, one of each track at most. */
static void form(struct spool *s, unsigned i, uint64_t now_ns)
{
	struct forming g = { .s = s, .feed = i, .now_ns = now_ns };

	for (unsigned t = 0; t < TRACKS; t++)
		if (takes(&s->feed[i], t))
			watch_again(s->watch, i, t);
	watch_offer(s->watch, i, now_ns, take, &g);
	for (unsigned t = 0; t < TRACKS; t++)
		if (g.batch[t] != NULL && g.batch[t]->claim.count == 0)
			batch_drop(s, g.batch[t]);
}

void feed_run(struct spool *s, unsigned i, uint64_t now_ns)
{
	const struct feed *f = &s->feed[i];

	for (unsigned n = 0; n < QUICK_AHEAD && f->not_before_ns <= now_ns && feed_takes_any(f); n++)
		form(s, i, now_ns);
}

/* Made anew by somebody, or a disk was mounted or unmounted there: nobody would ever see what is put in now.  What is
 * claimed goes first. */
void feed_look_at_place(struct spool *s, unsigned i, uint64_t now_ns)
{
	struct feed *f = &s->feed[i];
	const char *path = f->conf->folder;
	int unread = watch_error(s->watch, i);
	struct stat now, ours;

	if (unread != 0)
		feed_complain(f, ".", N_("cannot be read"), unread, now_ns);
	if (stat(path, &now) == 0 && fstat(f->folder.folder, &ours) == 0 && now.st_dev == ours.st_dev && now.st_ino == ours.st_ino)
		return;
	if (access(path, R_OK | W_OK | X_OK) != 0) {
		feed_complain(f, f->conf->name, N_("has lost its folder, and what is there now cannot be used"), errno, now_ns);
		reason_put(s->disk_why, sizeof(s->disk_why), "%s: its folder cannot be used", f->conf->name);
		f->not_before_ns = now_ns + SPOOL_RETRY_NS;
		return;
	}
	for (unsigned t = 0; t < TRACKS; t++)
		if (f->batches[t] > 0)
			return;
	log_die(EXIT_DISK, "%s: the folder of channel %s is another than at the start: it was made anew, or a disk was mounted or unmounted"
	    " there; starting anew", path, f->conf->name);
}

/* --- after a restart --- */

/* Its files are in the outbox already: what a crash kept from being erased. */
static void erase_finished(struct feed *f, struct claim *c)
{
	if (claim_erase(c, &f->folder) != 0)
		log_warn("%s: .taken/%s was sent but cannot be erased: %s", f->conf->folder, c->id, strerror(errno));
	claim_end(c, &f->folder);
}

static void recover_claim(struct spool *s, unsigned i, const char *name)
{
	struct feed *f = &s->feed[i];
	struct batch *b;
	struct claim c;

	if (claim_load(&c, &f->folder, name) != 0)
		log_die(durable_exit(errno), "%s/.taken/%s: cannot be read: %s", f->conf->folder, name, strerror(errno));
	if (c.sent || outbox_has_claim(&s->outbox, c.id)) {
		erase_finished(f, &c);
		return;
	}
	if (c.count == 0) {
		claim_end(&c, &f->folder);
		return;
	}
	b = batch_new(s, i, c.bytes >= TRACK_BULK_FROM ? TRACK_BULK : TRACK_QUICK);
	b->claim = c;
	log_info("%s: %u files that an earlier run had taken are sent now", f->conf->name, c.count);
}

void feed_recover(struct spool *s, unsigned i)
{
	struct feed *f = &s->feed[i];
	int fd = openat(f->folder.taken, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (d == NULL)
		log_die(durable_exit(errno), "%s/.taken: %s", f->conf->folder, strerror(errno));
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (claim_named(e->d_name))
			recover_claim(s, i, e->d_name);
		else
			log_warn("%s/.taken holds something that is not ours; it is left alone", f->conf->folder);
	}
	closedir(d);
	feed_count_refused(s, i);
}

void feed_count_refused(struct spool *s, unsigned i)
{
	static const char suffix[] = ".reason.txt";
	struct feed *f = &s->feed[i];
	int fd = openat(f->folder.folder, "refused", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	uint32_t notes = 0;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		else if (errno == ENOENT)
			f->refused = 0; /* cleared, folder and all */
		return;
	}
	while ((e = readdir(d)) != NULL) {
		size_t n = strlen(e->d_name);
		notes += n > sizeof(suffix) - 1 && strcmp(e->d_name + n - (sizeof(suffix) - 1), suffix) == 0;
	}
	closedir(d);
	f->refused = notes; /* a note for each, until somebody clears the folder */
}
