/* force_buffer.c - a socket buffer as large as a program asks for, whatever net.core.rmem_max says (LD_PRELOAD).
 *
 * katamichi's receiver gets its buffer as root, past that limit.  Beside it the others are to have the same (bench_peers.py): their
 * SO_RCVBUF and SO_SNDBUF become SO_RCVBUFFORCE and SO_SNDBUFFORCE, which need CAP_NET_ADMIN. */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int setsockopt(int fd, int level, int name, const void *value, socklen_t n)
{
	if (level == SOL_SOCKET && name == SO_RCVBUF)
		name = SO_RCVBUFFORCE;
	else if (level == SOL_SOCKET && name == SO_SNDBUF)
		name = SO_SNDBUFFORCE;
	return (int)syscall(SYS_setsockopt, fd, level, name, value, n);
}
