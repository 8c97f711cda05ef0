/* sandbox.c - see sandbox.h. */
#include "host/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sock_diag.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/exits.h"
#include "host/landlock.h"
#include "host/log.h"
#include "host/log_private.h"
#include "host/proc.h"
#include "host/sandbox_table.h"

/* In libc, but in no header of it. */
int capset(struct __user_cap_header_struct *head, const struct __user_cap_data_struct *data);
int capget(struct __user_cap_header_struct *head, struct __user_cap_data_struct *data);

#ifdef KM_ESCAPE
#include "tests/escape/escape.h" /* a test's build, whose processes try to break out */
#define REFUSAL escape_refusal()
#define SEALED(id) escape_run(id)
#else
#define REFUSAL SCMP_ACT_KILL_PROCESS
#define SEALED(id) ((void)(id))
#endif

enum { ABI_NEEDED = 2 };

static int off;

void sandbox_off(void)
{
	off = 1;
}

int sandbox_is_off(void)
{
	return off;
}

/* --- privileges --- */
static void drop_capabilities(uint64_t keeps)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	/* Refused without CAP_SETPCAP, and beyond the last that this kernel has; no_new_privs holds either way. */
	for (int i = 0; i <= 63 && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0; i++)
		;
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (capget(&head, d) != 0)
		log_die(EXIT_SYSTEM, "capabilities cannot be read: %m");
	for (int i = 0; i < 2; i++) {
		d[i].permitted &= (uint32_t)(keeps >> (32 * i));
		d[i].effective = d[i].permitted;
		d[i].inheritable = 0;
	}
	if (capset(&head, d) != 0)
		log_die(EXIT_SYSTEM, "capabilities cannot be given up: %m");
}

void sandbox_begin(enum sandbox_id id, const struct sandbox_path *path, unsigned count)
{
	static int warned;

	if (off)
		return;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		log_die(EXIT_SYSTEM, "privileges cannot be given up: %m");
	drop_capabilities(sandbox_row[id].keeps);
	if (landlock_abi() < ABI_NEEDED) {
		if (!warned++)
			log_warn("this kernel has no Landlock of ABI %d or later (Linux 5.19): paths are kept from this process by its "
			    "call filter and its user only", ABI_NEEDED);
		return;
	}
	if (landlock_confine(path, count) != 0)
		log_die(EXIT_SYSTEM, "Landlock: %m; --no-sandbox starts without it");
}

/* --- calls --- */
static void rule(scmp_filter_ctx f, const char *name, uint32_t action, unsigned count, const struct scmp_arg_cmp *args)
{
	int number = seccomp_syscall_resolve_name(name), r;

	if (number == __NR_SCMP_ERROR || number < 0)
		return; /* not on this architecture */
	r = seccomp_rule_add_array(f, action, number, count, args);
	if (r != 0)
		log_die(EXIT_INTERNAL, "call filter, %s: %s", name, strerror(-r));
}

static void rule_1(scmp_filter_ctx f, const char *name, uint32_t action, struct scmp_arg_cmp a)
{
	rule(f, name, action, 1, &a);
}

static struct scmp_arg_cmp when(unsigned argument, enum scmp_compare how, scmp_datum_t a, scmp_datum_t b)
{
	return (struct scmp_arg_cmp){ argument, how, a, b };
}

static void rule_listed(scmp_filter_ctx f, const char *name, const int *fd, unsigned count)
{
	int log[LOG_FDS_MAX];
	unsigned logs = log_sinks(log);

	rule_1(f, name, SCMP_ACT_ALLOW, when(0, SCMP_CMP_EQ, STDERR_FILENO, 0));
	for (unsigned i = 0; i < logs; i++)
		rule_1(f, name, SCMP_ACT_ALLOW, when(0, SCMP_CMP_EQ, (scmp_datum_t)log[i], 0));
	for (unsigned i = 0; i < count; i++)
		if (fd[i] >= 0 && fd[i] != STDERR_FILENO)
			rule_1(f, name, SCMP_ACT_ALLOW, when(0, SCMP_CMP_EQ, (scmp_datum_t)fd[i], 0));
}

static void rule_fcntl(scmp_filter_ctx f, const char *name)
{
	static const int commands[] = { F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_GETLK,
		F_SETLEASE, F_GETLEASE, F_GET_SEALS };

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		rule_1(f, name, SCMP_ACT_ALLOW, when(1, SCMP_CMP_EQ, (scmp_datum_t)commands[i], 0));
}

static void rule_of(scmp_filter_ctx f, const struct sandbox_call *c, const int *fd, unsigned count)
{
	const struct scmp_arg_cmp abort_[] = { when(0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0), when(2, SCMP_CMP_EQ, SIGABRT, 0) };
	const struct scmp_arg_cmp meminfo[] = { when(1, SCMP_CMP_EQ, SOL_SOCKET, 0), when(2, SCMP_CMP_EQ, SO_MEMINFO, 0) };
	const scmp_datum_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
	const struct scmp_arg_cmp empty = when(3, SCMP_CMP_MASKED_EQ, 0x1000 /* AT_EMPTY_PATH */, 0x1000);
	const struct scmp_arg_cmp named = when(3, SCMP_CMP_MASKED_EQ, 0x1000, 0);

	switch (c->only) {
	case CALL_ANY:
		rule(f, c->name, SCMP_ACT_ALLOW, 0, NULL);
		break;
	case CALL_LISTED:
		rule_listed(f, c->name, fd, count);
		break;
	case CALL_NOT_SOCKET:
		rule_1(f, c->name, SCMP_ACT_ALLOW, when(0, SCMP_CMP_NE, PROC_FD_FIRST, 0));
		break;
	case CALL_NO_CODE:
		rule_1(f, c->name, SCMP_ACT_ALLOW, when(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
		break;
	case CALL_THREAD:
		rule_1(f, c->name, SCMP_ACT_ALLOW, when(0, SCMP_CMP_MASKED_EQ, thread, thread));
		break;
	case CALL_OWN_ABORT:
		rule(f, c->name, SCMP_ACT_ALLOW, 2, abort_);
		break;
	case CALL_NO_PATH:
		rule_1(f, c->name, SCMP_ACT_ALLOW, empty);
		rule_1(f, c->name, SCMP_ACT_ERRNO(EACCES), named);
		break;
	case CALL_FCNTL:
		rule_fcntl(f, c->name);
		break;
	case CALL_EACCES:
		rule(f, c->name, SCMP_ACT_ERRNO(EACCES), 0, NULL);
		break;
	case CALL_ENOSYS:
		rule(f, c->name, SCMP_ACT_ERRNO(ENOSYS), 0, NULL);
		break;
	case CALL_LOCAL:
		rule_1(f, c->name, SCMP_ACT_ALLOW, when(0, SCMP_CMP_EQ, AF_UNIX, 0));
		break;
	case CALL_MEMINFO:
		rule(f, c->name, SCMP_ACT_ALLOW, 2, meminfo);
		break;
	}
}

void sandbox_seal(enum sandbox_id id, const int *fd, unsigned count)
{
	const struct sandbox_row *row = &sandbox_row[id];
	scmp_filter_ctx f;
	int r;

	if (off) {
		SEALED(id);
		return;
	}
	if ((f = seccomp_init(REFUSAL)) == NULL)
		log_die(EXIT_SYSTEM, "no memory for the call filter");
	for (size_t g = 0; g < sizeof(row->calls) / sizeof(row->calls[0]) && row->calls[g] != NULL; g++)
		for (const struct sandbox_call *c = row->calls[g]; c->name != NULL; c++)
			rule_of(f, c, fd, count);
	/* All threads; calls of another word size kill as well. */
	if ((r = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1)) != 0 ||
	    (r = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS)) != 0 ||
	    (r = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2)) != 0 || (r = seccomp_load(f)) != 0)
		log_die(EXIT_SYSTEM, "the call filter cannot be set: %s; --no-sandbox starts without it", strerror(-r));
	seccomp_release(f);
	SEALED(id);
}

/* --- for people --- */
static const char *said(enum sandbox_only only)
{
	switch (only) {
	case CALL_LISTED: return "(log, own processes)";
	case CALL_NOT_SOCKET: return "(not the socket)";
	case CALL_NO_CODE: return "(not executable)";
	case CALL_THREAD: return "(a thread)";
	case CALL_OWN_ABORT: return "(abort)";
	case CALL_NO_PATH: return "(of a descriptor)";
	case CALL_FCNTL: return "(flags, locks)";
	case CALL_LOCAL: return "(local)";
	case CALL_MEMINFO: return "(its fill)";
	case CALL_EACCES:
	case CALL_ENOSYS: return NULL; /* not allowed */
	default: return "";
	}
}

void sandbox_print(FILE *out)
{
	for (int i = 0; i < SANDBOX_COUNT; i++) {
		const struct sandbox_row *row = &sandbox_row[i];
		fprintf(out, "%s\n  paths: %s\n  calls:", row->name, row->paths);
		for (size_t g = 0; g < sizeof(row->calls) / sizeof(row->calls[0]) && row->calls[g] != NULL; g++)
			for (const struct sandbox_call *c = row->calls[g]; c->name != NULL; c++)
				if (said(c->only) != NULL)
					fprintf(out, " %s%s", c->name, said(c->only));
		fputc('\n', out);
	}
}
