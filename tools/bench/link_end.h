/* link_end.h - what both halves of the link benchmark agree on (bench_link_send.c). */
#ifndef KM_BENCH_LINK_END_H
#define KM_BENCH_LINK_END_H

#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { LINK_END_EPOCH = 1, LINK_END_KEY = 0x4B };

/* End the process under test: what it cost.  Seconds of CPU, user and system, and the highest resident set, bytes. */
struct link_end_cost {
	double user, system;
	uint64_t peak;
};

static inline struct link_end_cost link_end_cost(pid_t pid)
{
	struct link_end_cost c = { 0 };
	struct rusage u = { 0 };
	int status;

	if (wait4(pid, &status, 0, &u) == pid) {
		c.user = (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6;
		c.system = (double)u.ru_stime.tv_sec + (double)u.ru_stime.tv_usec / 1e6;
		c.peak = (uint64_t)u.ru_maxrss * 1024;
	}
	return c;
}

#endif
