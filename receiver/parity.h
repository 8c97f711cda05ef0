/* parity.h - memory for repair symbols: one bounded pool, slabs of 1 MiB.
 *
 * A slab serves symbols of one length at a time and goes back to the pool when
 * the last of them is given up, so a change of the datagram length needs no
 * restart.  Memory is touched when first used and kept. */
#ifndef KM_PARITY_H
#define KM_PARITY_H

#include <stddef.h>
#include <stdint.h>

struct parity_pool;

struct parity_pool *parity_new(size_t bytes); /* rounded down to slabs, at least one; NULL: no memory */
void parity_free(struct parity_pool *p);
/* Room for a symbol of len bytes, aligned to 64, or NULL: the pool is full. */
uint8_t *parity_get(struct parity_pool *p, uint32_t len);
void parity_put(struct parity_pool *p, uint8_t *symbol);
size_t parity_used(const struct parity_pool *p); /* bytes of slabs in use */

#endif
