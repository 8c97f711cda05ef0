/* without.c - run a program on a kernel that lacks something.
 *
 *   without segments PROGRAM [ARG...]     UDP_SEGMENT is not known (ENOPROTOOPT)
 *   without io_uring PROGRAM [ARG...]     io_uring_setup() is not there (ENOSYS)
 *
 * A system-call filter says so to the program and to all that it starts. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
/* The low half of an argument: that of a little-endian machine, which all are that this runs on. */
#define LOAD_ARG(i) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (i))
/* Over so many instructions unless equal. */
#define UNLESS(value, over) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, over)
#define SAY(what) BPF_STMT(BPF_RET | BPF_K, what)

int main(int argc, char **argv)
{
	struct sock_filter segments[] = {
		LOAD(nr), UNLESS(SYS_setsockopt, 5), LOAD_ARG(1), UNLESS(IPPROTO_UDP, 3), LOAD_ARG(2), UNLESS(UDP_SEGMENT, 1),
		SAY(SECCOMP_RET_ERRNO | ENOPROTOOPT), SAY(SECCOMP_RET_ALLOW),
	};
	struct sock_filter io_uring[] = {
		LOAD(nr), UNLESS(SYS_io_uring_setup, 1), SAY(SECCOMP_RET_ERRNO | ENOSYS), SAY(SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = { 0 };

	if (argc >= 3 && strcmp(argv[1], "segments") == 0)
		p = (struct sock_fprog){ sizeof(segments) / sizeof(segments[0]), segments };
	else if (argc >= 3 && strcmp(argv[1], "io_uring") == 0)
		p = (struct sock_fprog){ sizeof(io_uring) / sizeof(io_uring[0]), io_uring };
	if (p.filter == NULL) {
		fputs("usage: without segments|io_uring PROGRAM [ARG...]\n", stderr);
		return 2;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p, 0, 0) != 0) {
		perror("without: no system-call filter");
		return 5;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 5;
}
