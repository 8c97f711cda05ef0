/* parts.h - the two files of an object being gathered.
 *
 * NUMBER.data holds the sealed object, each source symbol at its place.
 * NUMBER.map says which symbols are there: 64 bytes of head, then one bit for
 * each source symbol of the object in order (bit i of byte j: symbol 8j + i).
 * Rule: a bit reaches the disk only after the bytes that it stands for; so
 * after a power cut the map may know less than there is, never more.
 *
 *   at 0   "KMPART01"            at 40  object length u64, 0 = not known
 *   at 8   sender's key id, 8    at 48  check: FNV-1a of bytes 0 to 47, u64
 *   at 16  object id, 16         at 56  attempts u32 (store's, see poison.c)
 *   at 32  symbol length u32     at 60  0, u32
 *   at 36  kfull u16, 0 u16
 * Big-endian.  The link process writes bytes 0 to 55 and the bits; the store
 * process writes only the attempts. */
#ifndef KM_PARTS_H
#define KM_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "core/geometry.h"

enum { PARTS_HEAD_LEN = 64, PARTS_LINK_LEN = 56, PARTS_ATTEMPTS_AT = 56 };

struct parts_head {
	uint8_t sender[8]; /* key id */
	uint8_t id[16];
	struct geometry geo;
};

void parts_put_head(uint8_t out[static PARTS_LINK_LEN], const struct parts_head *h);
/* -1 if these bytes are not a head (a fresh file among them). */
int parts_get_head(struct parts_head *h, const uint8_t *in, size_t n) __attribute__((warn_unused_result));
/* Read the head of a map file: 1 there, 0 fresh or not readable as one. */
int parts_read_head(struct parts_head *h, int map_fd) __attribute__((warn_unused_result));

/* How often the processes behind it died on this object. */
uint32_t parts_attempts(int map_fd);
void parts_set_attempts(int map_fd, uint32_t n);

#endif
