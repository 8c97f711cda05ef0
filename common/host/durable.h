/* durable.h - the one helper for files that must survive a power cut.
 * Order everywhere: write, fsync, rename, fsync of the directory; then the record.
 * All return 0 or -1 with errno. */
#ifndef KM_DURABLE_H
#define KM_DURABLE_H

#include <stddef.h>

/* Whole file, atomically: NAME.tmp in dirfd, fsync, rename over NAME, fsync of dirfd. */
int durable_write(int dirfd, const char *name, const void *data, size_t n, unsigned mode) __attribute__((warn_unused_result));
/* The same in pieces, for what is too much for memory: a descriptor of dirfd/tmp, made anew, then either commit (fsync, rename over
 * name, fsync of dirfd) or unlinkat().  Commit closes it, and removes tmp where it fails. */
int durable_begin(int dirfd, const char *tmp) __attribute__((warn_unused_result));
int durable_commit(int fd, int dirfd, const char *tmp, const char *name, unsigned mode) __attribute__((warn_unused_result));
/* A note for readers, NAME.tmp and rename, that nothing is lost with: not synced; on a full disk it is written over the
 * old one, which a reader may then see half (it is to read again). */
int durable_note(int dirfd, const char *name, const void *data, size_t n, unsigned mode) __attribute__((warn_unused_result));
/* fsync, then rename(olddir/old, newdir/new) without replacing, then fsync of both directories. fd -1: not synced here. */
int durable_rename(int fd, int olddir, const char *old, int newdir, const char *new_) __attribute__((warn_unused_result));
int durable_mkdir(int dirfd, const char *name, unsigned mode) __attribute__((warn_unused_result)); /* exists already = 0 */
/* Remove a directory tree below dirfd without following links; missing = 0. */
int durable_remove_tree(int dirfd, const char *name) __attribute__((warn_unused_result));
int durable_write_all(int fd, const void *data, size_t n) __attribute__((warn_unused_result)); /* write() until all is out */
int durable_pwrite_all(int fd, const void *data, size_t n, long long off) __attribute__((warn_unused_result));
/* What a process ends with that cannot go on after this errno: EXIT_DISK for a full, read-only or broken disk, else EXIT_SYSTEM. */
int durable_exit(int error);
int durable_open_dir(const char *path) __attribute__((warn_unused_result)); /* O_DIRECTORY | O_CLOEXEC, descriptor or -1 */

#endif
