/* powerloss_log.h - the memory that the layer (powerloss.c) shares with the test that drives it (powerloss.py):
 * a page of control words, and behind it the log.  Little endian, as the machine is. */
#ifndef KM_POWERLOSS_LOG_H
#define KM_POWERLOSS_LOG_H

#include <stdint.h>

#define POWERLOSS_MAGIC 0x504c4f47u /* "GOLP" */
#define POWERLOSS_ENV "KATAMICHI_POWERLOSS" /* path of the file; the daemons hand KATAMICHI_* on to their children */
enum { POWERLOSS_PAGE = 4096, POWERLOSS_DEVS = 4 };

enum powerloss_kind { /* of an operation; also the bit of `fail` */
	PL_CREATE = 1, /* dir/name is the new file ino, of this mode */
	PL_MKDIR,      /* likewise a directory */
	PL_WRITE,      /* data at off */
	PL_TRUNC,      /* to size */
	PL_ALLOC,      /* size bytes at off exist; flag 1: the file's size stays */
	PL_SYNC,       /* of the file ino */
	PL_SYNC_DIR,   /* of the directory ino */
	PL_SYNC_ALL,   /* of the file system */
	PL_RENAME,     /* dir/name becomes dir2/name2 */
	PL_UNLINK,     /* dir/name goes (a file's or an empty directory's) */
	PL_LINK,       /* dir/name is one more name of ino */
	PL_CHMOD,
	PL_READ,       /* these two are never logged, but can be made to fail */
	PL_OPEN,       /* to read only */
};

struct powerloss_control {
	uint32_t magic, lock;    /* lock: the thread that has it */
	uint64_t ops;            /* done and logged */
	uint64_t kill_at;        /* after this one everything is killed; 0: never */
	uint32_t dead;           /* it was: no operation returns any more */
	uint32_t error;          /* errno of operations that are to fail; 0: none */
	uint32_t fail, pad;      /* kinds that fail */
	uint64_t failed;
	uint64_t only;           /* inode: reading fails of this file alone; 0: of all */
	uint64_t used, room;     /* bytes of the log */
	uint64_t dev[POWERLOSS_DEVS]; /* file systems that are looked after; 0: none */
};

struct powerloss_record { /* followed by name, name2 and data; the next one begins at a multiple of 8 */
	uint32_t len;            /* with all that follows, without the padding */
	uint16_t kind, flag;
	uint32_t pid, mode;
	uint64_t ino, dir, dir2, off, size;
	uint16_t name, name2;    /* lengths */
	uint32_t pad;
};

#endif
