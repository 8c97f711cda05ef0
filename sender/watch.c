/* watch.c - see watch.h. */
#include "sender/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "sender/mark.h"

enum { BUCKETS = 16384 };
#define HELD_NS 100000000ull   /* when to ask again about an entry that a writer holds */
#define FAULT_NS 5000000000ull /* one that could not be taken */

struct entry {
	struct entry *hash_next;
	struct list *in;
	struct entry *prev, *next; /* in it */
	bool renamed;
	bool seen;                 /* looked at: mark is valid */
	uint64_t mark;             /* of size and times: changes when they do */
	uint64_t since_ns;         /* when the mark was first seen */
	uint64_t look_ns;          /* when to look again */
	uint64_t back_ns;          /* it came back (watch_back()): not before */
	char name[];
};

struct list {
	struct entry *head, *tail; /* in the order they became known, or were put off */
};

struct folder {
	int dir, wd;
	uint64_t quiet_ns, scan_ns;
	bool missed;               /* something did not fit into the table */
	int error;                 /* errno of the last scan, or 0 */
	struct entry *bucket[BUCKETS];
	struct list fresh;         /* looked at in time */
	struct list later[WATCH_CLASSES]; /* put off: not looked at until their class is open again */
	bool open[WATCH_CLASSES];
	uint32_t count;
};

struct watch {
	int fd;
	unsigned folders;
	struct folder folder[WATCH_FOLDERS_MAX];
};

static uint32_t bucket_of(const char *name)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * 0x100000001b3u;
	return (uint32_t)(h ^ h >> 32) % BUCKETS;
}

struct watch *watch_new(void)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0) {
		free(w);
		return NULL;
	}
	return w;
}

static void append(struct list *l, struct entry *e)
{
	e->in = l;
	e->next = NULL;
	e->prev = l->tail;
	*(l->tail != NULL ? &l->tail->next : &l->head) = e;
	l->tail = e;
}

static void take_out(struct entry *e)
{
	*(e->prev != NULL ? &e->prev->next : &e->in->head) = e->next;
	*(e->next != NULL ? &e->next->prev : &e->in->tail) = e->prev;
}

static void forget(struct folder *f, struct entry *e)
{
	struct entry **at = &f->bucket[bucket_of(e->name)];

	while (*at != e)
		at = &(*at)->hash_next;
	*at = e->hash_next;
	take_out(e);
	f->count--;
	free(e);
}

static void forget_all(struct folder *f, struct list *l)
{
	while (l->head != NULL)
		forget(f, l->head);
}

void watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	for (unsigned i = 0; i < w->folders; i++) {
		forget_all(&w->folder[i], &w->folder[i].fresh);
		for (unsigned c = 0; c < WATCH_CLASSES; c++)
			forget_all(&w->folder[i], &w->folder[i].later[c]);
	}
	close(w->fd);
	free(w);
}

int watch_fd(const struct watch *w)
{
	return w->fd;
}

int watch_add(struct watch *w, int dir, const char *path, uint64_t quiet_ns)
{
	struct folder *f;

	if (w->folders == WATCH_FOLDERS_MAX) {
		errno = ENOSPC;
		return -1;
	}
	f = &w->folder[w->folders];
	f->wd = inotify_add_watch(w->fd, path, IN_MOVED_TO | IN_CLOSE_WRITE | IN_CREATE | IN_ONLYDIR);
	if (f->wd < 0)
		return -1;
	f->dir = dir;
	f->quiet_ns = quiet_ns;
	w->folders++;
	return 0;
}

/* Hidden, our own, or that of a disk that is mounted there. */
static bool nobodys(const struct folder *f, const char *name)
{
	struct stat st;

	return name[0] == '.' || strcmp(name, "refused") == 0 ||
	    (strcmp(name, "lost+found") == 0 && fstatat(f->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode));
}

/* The entry of that name, made if it is new; NULL if it is not to be known or the table is full. */
static struct entry *know(struct folder *f, const char *name, uint64_t now_ns)
{
	struct entry **at = &f->bucket[bucket_of(name)], *e;

	if (nobodys(f, name))
		return NULL;
	for (e = *at; e != NULL; e = e->hash_next)
		if (strcmp(e->name, name) == 0)
			return e;
	if (f->count == WATCH_ENTRIES_MAX || (e = calloc(1, sizeof(*e) + strlen(name) + 1)) == NULL) {
		f->missed = true;
		return NULL;
	}
	strcpy(e->name, name);
	e->hash_next = *at;
	*at = e;
	append(&f->fresh, e);
	f->count++;
	e->look_ns = now_ns;
	return e;
}

static void take_event(struct watch *w, const struct inotify_event *ev, uint64_t now_ns)
{
	struct entry *e;

	for (unsigned i = 0; i < w->folders; i++) {
		struct folder *f = &w->folder[i];
		if ((ev->mask & IN_Q_OVERFLOW) != 0)
			f->scan_ns = 0;
		if (ev->wd != f->wd || ev->len == 0 || (e = know(f, ev->name, now_ns)) == NULL)
			continue;
		e->renamed = (ev->mask & (IN_MOVED_TO | IN_ISDIR)) == IN_MOVED_TO;
		e->look_ns = now_ns > e->back_ns ? now_ns : e->back_ns;
		if ((ev->mask & IN_CLOSE_WRITE) != 0)
			e->seen = false; /* its quiet time begins here, changed or not */
	}
}

void watch_read(struct watch *w, uint64_t now_ns)
{
	_Alignas(struct inotify_event) char buf[16384];
	ssize_t n;

	while ((n = read(w->fd, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *ev = (const struct inotify_event *)(const void *)(buf + at);
			take_event(w, ev, now_ns);
			at += (ssize_t)(sizeof(*ev) + ev->len);
		}
	}
}

static void scan(struct folder *f, uint64_t now_ns)
{
	int fd = openat(f->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	f->error = d == NULL ? errno : 0;
	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	f->missed = false;
	while (!f->missed && (e = readdir(d)) != NULL)
		(void)know(f, e->d_name, now_ns);
	closedir(d);
}

void watch_scan(struct watch *w, uint64_t now_ns)
{
	for (unsigned i = 0; i < w->folders; i++) {
		struct folder *f = &w->folder[i];
		/* A full table is worked off first: a folder of a million files is not listed again and again. */
		if ((f->scan_ns > now_ns && !f->missed) || f->count > WATCH_ENTRIES_MAX / 2)
			continue;
		scan(f, now_ns);
		f->scan_ns = now_ns + WATCH_SCAN_NS;
	}
}

int watch_error(const struct watch *w, unsigned folder)
{
	return w->folder[folder].error;
}

/* 1 finished (*st filled), 0 not yet (look_ns set), -1 it is gone. */
static int look(struct folder *f, struct entry *e, uint64_t now_ns, struct stat *st)
{
	uint64_t mark;

	if (fstatat(f->dir, e->name, st, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return 1;
	mark = mark_of(st);
	if (S_ISDIR(st->st_mode))
		mark += mark_of_tree(f->dir, e->name);
	if (!e->seen || mark != e->mark) {
		e->seen = true;
		e->mark = mark;
		e->since_ns = now_ns;
	}
	if (!(e->renamed && S_ISREG(st->st_mode)) && now_ns - e->since_ns < f->quiet_ns) {
		e->look_ns = e->since_ns + f->quiet_ns;
		return 0;
	}
	return 1;
}

enum go_on { NEXT, NEXT_LIST, NO_MORE };

/* It is looked at in time again, wherever it was. */
static void to_fresh(struct folder *f, struct entry *e)
{
	if (e->in == &f->fresh)
		return;
	take_out(e);
	append(&f->fresh, e);
}

static enum go_on put_off(struct folder *f, struct entry *e, unsigned class)
{
	struct list *l = &f->later[class];

	f->open[class] = false;
	if (e->in == l)
		return NEXT_LIST; /* it stays the first, and those behind it wait for the same */
	take_out(e);
	append(l, e);
	return NEXT;
}

static enum go_on settle(struct folder *f, struct entry *e, uint64_t now_ns, enum watch_answer answer)
{
	switch (answer) {
	case WATCH_TAKEN:
		forget(f, e);
		return NEXT;
	case WATCH_HELD:
		e->since_ns = now_ns; /* quiet begins when it is closed */
		e->look_ns = now_ns + (f->quiet_ns < HELD_NS ? f->quiet_ns : HELD_NS);
		break;
	case WATCH_FAULT:
		e->look_ns = now_ns + FAULT_NS;
		break;
	case WATCH_STOP:
		return NO_MORE;
	default:
		return put_off(f, e, (unsigned)(answer - WATCH_LATER));
	}
	to_fresh(f, e);
	return NEXT;
}

static enum go_on offer(struct folder *f, struct entry *e, uint64_t now_ns, watch_ready *ready, void *ctx)
{
	enum watch_answer answer;
	struct stat st;
	int finished;

	if (e->renamed && !e->seen && (answer = ready(ctx, e->name, NULL)) != WATCH_LOOK)
		return settle(f, e, now_ns, answer);
	finished = look(f, e, now_ns, &st);
	if (finished < 0)
		forget(f, e);
	else if (finished == 0)
		to_fresh(f, e); /* it changed while it was put off */
	return finished <= 0 ? NEXT : settle(f, e, now_ns, ready(ctx, e->name, &st));
}

void watch_offer(struct watch *w, unsigned folder, uint64_t now_ns, watch_ready *ready, void *ctx)
{
	struct folder *f = &w->folder[folder];
	enum go_on go = NEXT;
	struct entry *next;

	for (unsigned c = 0; c < WATCH_CLASSES && go != NO_MORE; c++) {
		go = NEXT;
		while (go == NEXT && f->open[c] && f->later[c].head != NULL)
			go = offer(f, f->later[c].head, now_ns, ready, ctx);
	}
	for (struct entry *e = f->fresh.head; e != NULL && go != NO_MORE; e = next) {
		next = e->next;
		if (e->look_ns <= now_ns)
			go = offer(f, e, now_ns, ready, ctx);
	}
}

void watch_back(struct watch *w, unsigned folder, const char *name, uint64_t until_ns)
{
	struct entry *e = know(&w->folder[folder], name, until_ns);

	if (e != NULL)
		e->back_ns = e->look_ns = until_ns;
}

void watch_again(struct watch *w, unsigned folder, unsigned class)
{
	w->folder[folder].open[class] = true;
}

uint64_t watch_next(const struct watch *w, unsigned folder, uint64_t now_ns)
{
	const struct folder *f = &w->folder[folder];
	uint64_t at = f->scan_ns > now_ns ? f->scan_ns : now_ns + WATCH_SCAN_NS;

	for (unsigned c = 0; c < WATCH_CLASSES; c++)
		if (f->open[c] && f->later[c].head != NULL)
			return now_ns;
	if (f->missed && f->count <= WATCH_ENTRIES_MAX / 2)
		return now_ns;
	for (const struct entry *e = f->fresh.head; e != NULL && at > now_ns; e = e->next)
		at = e->look_ns < at ? e->look_ns : at;
	return at;
}

uint32_t watch_count(const struct watch *w, unsigned folder)
{
	return w->folder[folder].count;
}
