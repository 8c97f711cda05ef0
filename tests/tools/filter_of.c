/* filter_of.c - the call filter that a process is really under, as the kernel has it: filter_of PID.
 *
 * JSON: {"arch": AUDIT_ARCH, "filters": [[[code, jt, jf, k], ...]], "calls": {"NAME": number}}.  Needs CAP_SYS_ADMIN and a
 * kernel with CONFIG_CHECKPOINT_RESTORE; exit code 77 where that is not so. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PTRACE_SECCOMP_GET_FILTER /* in the enum of newer headers */
#define PTRACE_SECCOMP_GET_FILTER 0x420c
#endif

enum { CALLS_MAX = 600, SKIPPED = 77 };

static void print_filters(pid_t pid)
{
	static struct sock_filter f[4096];

	for (long i = 0;; i++) {
		long n = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, (void *)i, NULL);
		if (n < 0 && errno == ENOENT)
			return;
		if (n < 0 || n > 4096 || ptrace(PTRACE_SECCOMP_GET_FILTER, pid, (void *)i, f) != n) {
			perror("PTRACE_SECCOMP_GET_FILTER");
			exit(SKIPPED);
		}
		printf("%s[", i > 0 ? "," : "");
		for (long j = 0; j < n; j++)
			printf("%s[%u,%u,%u,%u]", j > 0 ? "," : "", f[j].code, f[j].jt, f[j].jf, f[j].k);
		printf("]");
	}
}

int main(int argc, char **argv)
{
	pid_t pid = argc == 2 ? (pid_t)atoi(argv[1]) : 0;
	int first = 1;

	if (pid <= 0 || ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0 || ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) != 0 ||
	    waitpid(pid, NULL, __WALL) != pid) {
		perror("filter_of");
		return 1;
	}
	printf("{\"arch\": %u, \"filters\": [", seccomp_arch_native());
	print_filters(pid);
	printf("], \"calls\": {");
	for (int i = 0; i < CALLS_MAX; i++) {
		char *name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(), i);
		if (name == NULL)
			continue;
		printf("%s\"%s\": %d", first ? "" : ", ", name, i);
		first = 0;
		free(name);
	}
	printf("}}\n");
	return ptrace(PTRACE_DETACH, pid, NULL, NULL) != 0;
}
