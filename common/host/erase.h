/* erase.h - a large file is erased without anybody waiting for it.
 *
 * Where a file system is mounted with `discard`, the disk is told of every freed block while unlink() runs.  Of 2 GB that
 * took 0.7 s, and until it was over each sync of any other file took 80 ms instead of 0.3.  So the name goes at
 * once, and a thread gives the blocks back a piece at a time with pauses that leave the disk to the others; they are
 * shorter the more files wait, so that it cannot fall behind.  What a crash or the end of the process leaves has no name any more: the kernel frees it.
 *
 * One thread for the whole process, and any of its threads may erase. */
#ifndef KM_ERASE_H
#define KM_ERASE_H

void erase_start(void); /* fatal on failure; before it, and after erase_stop(), erase_file() is unlinkat() */
void erase_stop(void);  /* what is left goes at once */

/* Like unlinkat(dir, name, 0): 0, or -1 with errno.  A name of a file that has others is removed, and the file stays. */
int erase_file(int dir, const char *name) __attribute__((warn_unused_result));

#endif
