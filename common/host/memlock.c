/* memlock.c - see memlock.h */
#include "host/memlock.h"

#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "host/log.h"

int memlock_check(void)
{
	/* Tried, not computed: a privilege lifts the limit, and a sandbox may forbid the call. */
	void *p = mmap(NULL, MEMLOCK_NEED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct rlimit r = { 0, 0 };
	int failed = p == MAP_FAILED || mlock(p, MEMLOCK_NEED) != 0;

	if (p != MAP_FAILED)
		munmap(p, MEMLOCK_NEED);
	if (!failed)
		return 0;
	(void)getrlimit(RLIMIT_MEMLOCK, &r);
	log_error("keys cannot be kept out of swap: %llu bytes of memory may be locked, %d are needed; "
	    "raise LimitMEMLOCK= (systemd) or `ulimit -l`", (unsigned long long)r.rlim_cur, MEMLOCK_NEED);
	return -1;
}
