/* watch.h - which entries of the channels' folders are finished.
 *
 * An entry becomes known by inotify or by a scan of its folder (at the start,
 * every few seconds, after an overflow), and is finished when nobody holds it
 * open for writing (whoever takes it looks: WATCH_HELD) and
 *   - it was renamed into the folder: at once;
 *   - it was written in place: its size and times have not changed for the
 *     channel's quiet time;
 *   - it is a subfolder: nothing below it has changed for the quiet time;
 *   - it is anything else (a link, a pipe): at once, since it is refused anyway.
 * Names that begin with a dot are nobody's business: temporary files, .taken.
 * So is `refused`, and a folder `lost+found`, which a disk has that is mounted there.
 *
 * The table of a folder is bounded; what does not fit is found by a scan once half of it is free.
 * Time is a parameter (monotonic ns). */
#ifndef KM_WATCH_H
#define KM_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

enum { WATCH_ENTRIES_MAX = 32768, WATCH_FOLDERS_MAX = 64 + 1 /* channels, and the program's own */ };
#define WATCH_SCAN_NS 5000000000ull

struct watch; /* opaque */

struct watch *watch_new(void); /* NULL with errno */
void watch_free(struct watch *w);
int watch_fd(const struct watch *w); /* inotify: readable = call watch_read() */
/* Folder number 0, 1, ...; dir stays the caller's.  0, or -1 with errno. */
int watch_add(struct watch *w, int dir, const char *path, uint64_t quiet_ns) __attribute__((warn_unused_result));
void watch_read(struct watch *w, uint64_t now_ns);
/* Scan the folders whose time has come. */
void watch_scan(struct watch *w, uint64_t now_ns);
int watch_error(const struct watch *w, unsigned folder); /* errno of its last scan; 0: it could be read */

enum { WATCH_CLASSES = 2 }; /* of entries that the caller puts off, by what they wait for */

enum watch_answer {
	WATCH_TAKEN, /* the entry is dealt with: forget it */
	WATCH_HELD,  /* somebody has it open for writing: ask again */
	WATCH_FAULT, /* ask again in some seconds */
	WATCH_STOP,  /* offer no more entries now */
	WATCH_LOOK,  /* no plain file that could be opened: offer it once more, looked at */
	WATCH_LATER, /* put off: WATCH_LATER + class; offered again after watch_again() of that class, in this order */
};
/* st: what the entry is, not following a link.  NULL: something that was renamed in, most likely a plain file, which nobody
 * has looked at, since whoever opens it learns the same of its descriptor at a third of the cost. */
typedef enum watch_answer watch_ready(void *ctx, const char *name, const struct stat *st);
/* Offer the finished entries of a folder until STOP: those put off whose class is open (until one is put off once
 * more, which stays the first), then the others; each list in its order. */
void watch_offer(struct watch *w, unsigned folder, uint64_t now_ns, watch_ready *ready, void *ctx);
/* A file that was taken comes back under this name: until then it is not offered, whatever says that it was renamed in. */
void watch_back(struct watch *w, unsigned folder, const char *name, uint64_t until_ns);
/* What was put off in this class may be taken now. */
void watch_again(struct watch *w, unsigned folder, unsigned class);
/* When an entry of this folder may be finished, or a scan is due. */
uint64_t watch_next(const struct watch *w, unsigned folder, uint64_t now_ns);
uint32_t watch_count(const struct watch *w, unsigned folder); /* entries known and not dealt with */

#endif
