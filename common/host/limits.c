/* limits.c - see limits.h */
#include "host/limits.h"

#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "host/log.h"

static int check_locked(void)
{
	/* Tried, not computed: a privilege lifts the limit, and a sandbox may forbid the call. */
	void *p = mmap(NULL, LIMITS_LOCKED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct rlimit r = { 0, 0 };
	int failed = p == MAP_FAILED || mlock(p, LIMITS_LOCKED) != 0;

	if (p != MAP_FAILED)
		munmap(p, LIMITS_LOCKED);
	if (!failed)
		return 0;
	(void)getrlimit(RLIMIT_MEMLOCK, &r);
	log_error("keys cannot be kept out of swap: %llu bytes of memory may be locked, %d are needed; "
	    "raise LimitMEMLOCK= (systemd) or `ulimit -l`", (unsigned long long)r.rlim_cur, LIMITS_LOCKED);
	return -1;
}

static int check_file_size(uint64_t object)
{
	uint64_t needed = object > LIMITS_DATABASE ? object : LIMITS_DATABASE;
	struct rlimit r;

	(void)signal(SIGXFSZ, SIG_IGN);
	if (getrlimit(RLIMIT_FSIZE, &r) != 0)
		return 0;
	r.rlim_cur = r.rlim_max;
	if (r.rlim_max >= needed && setrlimit(RLIMIT_FSIZE, &r) == 0) /* no limit is the largest of all */
		return 0;
	log_error("no file may grow beyond %llu bytes here, and transfers as configured, or the database, may need %llu; raise or take away"
	    " LimitFSIZE= (systemd) or `ulimit -f`", (unsigned long long)r.rlim_max, (unsigned long long)needed);
	return -1;
}

int limits_check(uint64_t object)
{
	return check_locked() != 0 || check_file_size(object) != 0 ? -1 : 0;
}
