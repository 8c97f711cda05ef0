/* drops.h - datagrams that the kernel did not put into a socket's full buffer, for the programs that measure without the product. */
#ifndef KM_BENCH_DROPS_H
#define KM_BENCH_DROPS_H

#include <linux/sock_diag.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static inline uint32_t drops_of(int fd)
{
	uint32_t v[SK_MEMINFO_VARS] = { 0 };
	socklen_t n = sizeof(v);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, v, &n) != 0) {
		perror("SO_MEMINFO");
		exit(5);
	}
	return v[SK_MEMINFO_DROPS];
}

#endif
