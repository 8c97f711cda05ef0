/* delivered.h - which objects need not be gathered again.
 *
 * A bounded set: when it is full, the oldest entry makes room.  An object that
 * fell out is gathered once more and then found to be a duplicate, so the
 * bound costs work and never a file. */
#ifndef KM_DELIVERED_H
#define KM_DELIVERED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct delivered;

struct delivered *delivered_new(uint32_t room); /* NULL: no memory */
void delivered_free(struct delivered *d);
bool delivered_has(const struct delivered *d, uint32_t sender, const uint8_t id[static 16]);
void delivered_add(struct delivered *d, uint32_t sender, const uint8_t id[static 16]);
void delivered_remove(struct delivered *d, uint32_t sender, const uint8_t id[static 16]);

#endif
