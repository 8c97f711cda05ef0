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

#endif
