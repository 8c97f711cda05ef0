/* part_store.h - the directory parts/ of the store process: NUMBER.data and
 * NUMBER.map (parts.h).  A number is used once, so a late message about an old
 * one can never mean a new one. */
#ifndef KM_PART_STORE_H
#define KM_PART_STORE_H

#include <stdint.h>

#include "receiver/parts.h"

struct part_store {
	int dir;
	uint32_t next; /* number of the next fresh pair */
};

/* Looks at what is there: each pair of a known head goes to found(), which
 * returns 0 to keep it; everything else in the directory is removed.  -1 and errno: unreadable. */
int part_store_open(struct part_store *p, int dir, int (*found)(void *ctx, uint32_t slot, const struct parts_head *h),
    void *ctx) __attribute__((warn_unused_result));
/* A fresh pair, or -1 and errno. */
int part_store_create(struct part_store *p, uint32_t *slot, int *data_fd, int *map_fd) __attribute__((warn_unused_result));
int part_store_data(const struct part_store *p, uint32_t slot, int flags); /* descriptor or -1 */
int part_store_map(const struct part_store *p, uint32_t slot, int flags);
void part_store_remove(const struct part_store *p, uint32_t slot);
/* Keep the data under another directory and name (a sealed object for the quarantine). */
int part_store_move(const struct part_store *p, uint32_t slot, int dir, const char *name) __attribute__((warn_unused_result));

#endif
