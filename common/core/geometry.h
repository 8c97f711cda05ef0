/* geometry.h - how an object is cut into blocks and symbols (PROTOCOL.md, section 3.3).
 * Freestanding and pure; every product is checked for overflow. */
#ifndef KM_GEOMETRY_H
#define KM_GEOMETRY_H

#include <stdint.h>

struct geometry {
	uint64_t len;     /* bytes of the object; 0 = not known yet */
	uint32_t slen;    /* bytes of a symbol, even */
	uint16_t kfull;   /* source symbols of a full block */
	uint64_t symbols; /* T: source symbols in all; 0 if len is 0 */
	uint32_t blocks;  /* B; 0 if len is 0 */
	uint16_t klast;   /* k of block B-1; 0 if len is 0 */
};

/* Fill *g; -1 (and *g untouched) if slen is 0 or odd, kfull is 0, or the
 * symbols of the object do not fit 2^32 (nor its blocks a uint32_t). */
int geometry_init(struct geometry *g, uint64_t len, uint32_t slen, uint16_t kfull)
    __attribute__((warn_unused_result));

/* Source symbols of block b; 0 if there is no such block.  While the length is
 * not known, every block that 2^32 symbols can reach is there, and full. */
uint16_t geometry_k(const struct geometry *g, uint32_t block);

/* Where source symbol i of block b begins in the object, and how many of its
 * bytes lie in the object (slen unless it is the very last).  The caller
 * vouches that i < geometry_k(g, b). */
uint64_t geometry_offset(const struct geometry *g, uint32_t block, uint32_t i);
uint32_t geometry_bytes(const struct geometry *g, uint32_t block, uint32_t i);

#endif
