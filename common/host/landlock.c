/* landlock.c - see landlock.h.
 *
 * Debian 12's library has no functions for it.  The calls are made here by hand rather
 * than by syscall(), so that a program which must not be able to send does
 * not link a function that can make any call. */
#include "host/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ABI_REFER = 2, ABI_TRUNCATE = 3, ABI_NET = 4, ABI_IOCTL = 5, ABI_SCOPE = 6 };

/* What this header's version may not know yet. */
#define FS_TRUNCATE (1ull << 14)
#define FS_IOCTL_DEV (1ull << 15)
#define FS_ABI_2 ((1ull << 14) - 1)
#define NET_BIND_AND_CONNECT_TCP 3ull
#define SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS 3ull

struct ruleset { /* as of ABI 6; an older kernel takes the beginning */
	uint64_t fs, net, scoped;
};

static long call(long number, long a, long b, long c, long d)
{
#if defined(__x86_64__)
	long r;
	register long r10 __asm__("r10") = d;

	__asm__ volatile("syscall" : "=a"(r) : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c,
	    x3 __asm__("x3") = d;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	long r = x0;
#else
	long r = -ENOSYS;
	(void)number, (void)a, (void)b, (void)c, (void)d;
#endif
	if (r >= 0)
		return r;
	errno = (int)-r;
	return -1;
}

int landlock_abi(void)
{
	long r = call(SYS_landlock_create_ruleset, 0, 0, LANDLOCK_CREATE_RULESET_VERSION, 0);

	return r < 0 ? 0 : (int)r;
}

static uint64_t all_of(int abi)
{
	return FS_ABI_2 | (abi >= ABI_TRUNCATE ? FS_TRUNCATE : 0) | (abi >= ABI_IOCTL ? FS_IOCTL_DEV : 0);
}

/* What one path allows.  No execution.  Nothing of ours makes devices, sockets, pipes or links, and the call filter knows no
 * call that would; but for Landlock who moves one into another directory makes it there. */
static uint64_t rights(const struct sandbox_path *p, const struct stat *st, uint64_t known)
{
	const uint64_t odd = LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SOCK |
	    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK;
	const uint64_t file = LANDLOCK_ACCESS_FS_READ_FILE | (p->way == SANDBOX_READ ? 0 : LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE);
	const uint64_t directory = LANDLOCK_ACCESS_FS_READ_DIR | (p->way == SANDBOX_READ ? 0 :
	    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_DIR |
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REFER) | (p->way == SANDBOX_FOLDER ? odd : 0);

	return (S_ISDIR(st->st_mode) ? file | directory : file) & known;
}

static int allow(int rules, const struct sandbox_path *p, uint64_t known)
{
	struct landlock_path_beneath_attr a = { 0 };
	struct stat st;
	int fd, r = -1;

	if (p->path == NULL || p->path[0] == '\0')
		return 0;
	fd = open(p->path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (fstat(fd, &st) == 0) {
		a.allowed_access = rights(p, &st, known);
		a.parent_fd = fd;
		r = (int)call(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, (long)(uintptr_t)&a, 0);
	}
	int kept = errno;
	(void)close(fd);
	errno = kept;
	return r;
}

int landlock_confine(const struct sandbox_path *path, unsigned count)
{
	const int abi = landlock_abi();
	const struct ruleset a = { all_of(abi), abi >= ABI_NET ? NET_BIND_AND_CONNECT_TCP : 0,
		abi >= ABI_SCOPE ? SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS : 0 };
	const long size = abi >= ABI_SCOPE ? (long)sizeof(a) : abi >= ABI_NET ? (long)offsetof(struct ruleset, scoped) :
	    (long)offsetof(struct ruleset, net);
	int rules = (int)call(SYS_landlock_create_ruleset, (long)(uintptr_t)&a, size, 0, 0), r = 0;

	if (rules < 0)
		return -1;
	for (unsigned i = 0; i < count && r == 0; i++)
		r = allow(rules, &path[i], a.fs);
	if (r == 0)
		r = (int)call(SYS_landlock_restrict_self, rules, 0, 0, 0);
	int kept = errno;
	(void)close(rules);
	errno = kept;
	return r;
}
