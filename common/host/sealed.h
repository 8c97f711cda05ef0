/* sealed.h - memory that processes share, as a memfd whose size can change no more: nobody who has it can make another's
 * access fault.  What lies in it is ring.h's and window.h's matter. */
#ifndef KM_SEALED_H
#define KM_SEALED_H

#include <stddef.h>
#include <sys/types.h>

/* So many bytes of zeros; name is for people who look into /proc.  A descriptor, or -1 and errno. */
int sealed_create(const char *name, size_t bytes) __attribute__((warn_unused_result));
/* Its bytes, or -1 and errno: EINVAL if it could still become shorter or longer, as what is no memfd can. */
off_t sealed_size(int memfd) __attribute__((warn_unused_result));

/* Its pages made now, and not by who first writes to them amid the first large file (big.h, BIG_EARLY_RATE), and joined to
 * large ones where the kernel does that: the disk's reads and writes pin them page by page, and the erasure code goes
 * through thousands of rows side by side.  No room now: then later, and small ones. */
void sealed_make(int memfd);
/* All of it, shared; prot as mmap has it.  Pages that were made are there without a fault.  NULL, and errno. */
void *sealed_map(int memfd, size_t bytes, int prot) __attribute__((warn_unused_result));

#endif
