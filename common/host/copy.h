/* copy.h - copying what no processor of ours reads again soon, as a buffer that
 * a disk fetches (O_DIRECT).
 *
 * A plain copy first fetches the lines that it overwrites, and has them taken
 * away from another core that read them last; these stores go past the caches
 * and do neither.  To be read soon, use memcpy(). */
#ifndef KM_COPY_H
#define KM_COPY_H

#include <stddef.h>

/* As memcpy(), for this thread. */
void copy_away(void *to, const void *from, size_t n);
/* Before others are told of what was copied: till then they may find what was there before.  Once for many copies: it waits until
 * the stores are out, 0.05 s a GB after each 1,360 bytes. */
void copy_away_done(void);

#endif
