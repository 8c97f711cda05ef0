/* main.c - katamichi-receiver: checks everything that can be wrong, makes every
 * descriptor, starts the four processes and ends them together.  It touches no
 * datagram and no file of a transfer. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/crypto.h"
#include "host/big.h"
#include "host/clock.h"
#include "host/exits.h"
#include "host/ipc_send.h"
#include "host/keyfile.h"
#include "host/i18n.h"
#include "host/log.h"
#include "host/limits.h"
#include "host/proc.h"
#include "host/sandbox.h"
#include "host/sealed.h"
#include "host/window.h"
#include "receiver/harden.h"
#include "receiver/listen.h"
#include "receiver/pipeframe.h"
#include "receiver/proc_link.h"
#include "receiver/receiver_conf.h"
#include "receiver/receiver_proc.h"

#ifndef KM_VERSION
#define KM_VERSION "0"
#endif

enum { FILES_WANTED = 16384, RETRY_MS = 1500, RETRY_STEP_MS = 50 };

static const char usage[] = N_(
    "usage: katamichi-receiver -c FILE [--degraded]\n"
    "Receives files from a one-way link, checks them and puts them down.  Never sends.\n"
    "  -c, --config FILE  configuration (see katamichi-receiver(8))\n"
    "      --degraded     start although the kernel gives a smaller socket buffer than configured\n"
    "      --check        check configuration, keys, directories and port, then exit\n"
    "      --harden-print print the rules by which this host's kernel, too, says nothing on the link\n"
    "      --no-sandbox   leave the processes free to ask the kernel for anything (to find faults)\n"
    "      --sandbox-print what each process may ask the kernel for\n"
    "      --help         this text\n"
    "      --version      version\n"
    "Stop it with SIGTERM or SIGINT.\n"
    "Exit codes: 0 stopped, 2 usage, 3 configuration, 4 keys, 5 system (port, directory, memory),\n"
    "6 ledger or state damaged, 70 a bug or a process that died.\n");

static int role_main(const char *role, const char *config)
{
	static const struct {
		const char *role;
		unsigned fds;
		int (*run)(const char *config);
	} roles[] = {
		{ "open", OPEN_FD_END - PROC_FD_FIRST, receiver_open_run },
		{ "check", CHECK_FD_END - PROC_FD_FIRST, receiver_check_run },
		{ "scan", SCAN_FD_END - PROC_FD_FIRST, receiver_scan_run },
		{ "store", STORE_FD_END - PROC_FD_FIRST, receiver_store_run },
	};

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(role, roles[i].role) != 0)
			continue;
		log_init("katamichi-receiver", roles[i].role);
		proc_child_init(roles[i].role, roles[i].fds);
		if (crypto_init() != 0)
			log_die(EXIT_SYSTEM, "the cryptographic libraries do not start");
		return roles[i].run(config);
	}
	log_error("unknown role %s", role);
	return EXIT_USAGE;
}

/* --- checks --- */
/* Readable, ours, 0600, and of the right kind; nothing of it is kept here. */
static int check_keys(struct receiver_conf *c)
{
	struct party_secret *s = crypto_secret_alloc(sizeof(*s));
	uint8_t *psk = crypto_secret_alloc(KEY_LEN);
	int code;

	if (s == NULL || psk == NULL)
		log_die(EXIT_SYSTEM, "no locked memory for the keys (see RLIMIT_MEMLOCK)");
	code = keyfile_read_secret(s, c->keys, PARTY_RECEIVER);
	if (code == 0 && c->psk[0] != '\0')
		code = keyfile_read_psk(psk, c->psk);
	for (unsigned i = 0; code == 0 && i < c->retireds; i++) {
		struct party p;
		code = receiver_retired_is_secret(&c->retired[i]) ? keyfile_read_secret(s, c->retired[i].key, PARTY_RECEIVER) :
		    keyfile_read_public(&p, c->retired[i].key, PARTY_RECEIVER);
	}
	crypto_secret_free(s);
	crypto_secret_free(psk);
	return code != 0 ? code : receiver_conf_peers(c);
}

static void check_directory(const char *path, const char *key, dev_t *dev)
{
	struct stat st;

	if (stat(path, &st) != 0)
		log_die(EXIT_SYSTEM, "%s (%s): %s; make the directory, owned by the user who runs this", path, key,
		    strerror(errno));
	if (!S_ISDIR(st.st_mode))
		log_die(EXIT_SYSTEM, "%s (%s): is not a directory", path, key);
	if (access(path, R_OK | W_OK | X_OK) != 0)
		log_die(EXIT_SYSTEM, "%s (%s): %s; it has to be readable and writable", path, key, strerror(errno));
	*dev = st.st_dev;
}

static void check_directories(const struct receiver_conf *c)
{
	dev_t state, inbox;

	check_directory(c->state, "state", &state);
	check_directory(c->inbox, "inbox", &inbox);
	if (state != inbox)
		log_die(EXIT_SYSTEM, "inbox %s and state %s are on different file systems; deliveries are renamed from one to "
		    "the other, so put both on one", c->inbox, c->state);
	if (receiver_conf_nested(c))
		log_die(EXIT_SYSTEM, "state %s lies in the inbox %s; whoever reads the inbox must not see it", c->state, c->inbox);
}

/* Retried for a moment: of an instance that was killed the lock stays until
 * its last process has ended. */
static int lock_state(const struct receiver_conf *c)
{
	char path[RECEIVER_PATH_MAX + 8];
	int fd;

	snprintf(path, sizeof(path), "%s/lock", c->state);
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		log_die(EXIT_SYSTEM, "%s: %s", path, strerror(errno));
	for (int ms = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; ms += RETRY_STEP_MS) {
		if (errno != EWOULDBLOCK || ms >= RETRY_MS)
			log_die(EXIT_SYSTEM, "%s: %s", path, errno == EWOULDBLOCK
			    ? _("another katamichi-receiver runs with this state directory") : strerror(errno));
		clock_sleep_ns(RETRY_STEP_MS * 1000000ull);
	}
	return fd;
}

/* --- start --- */
static int open_config(const char *config)
{
	int fd = open(config, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); /* a FIFO is an error, not a wait */

	if (fd < 0)
		log_die(EXIT_SYSTEM, "%s: %s", config, strerror(errno));
	return fd;
}

/* What the open process must not forget: a file of its own in the state directory. */
static int open_floors(const struct receiver_conf *c, const char *name)
{
	char path[RECEIVER_PATH_MAX + 16];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", c->state, name);
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		log_die(EXIT_SYSTEM, "%s: %s", path, strerror(errno));
	return fd;
}

/* Part files are passed by descriptor, some hundreds ahead. */
static void allow_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return;
	if (r.rlim_cur < FILES_WANTED) {
		r.rlim_cur = r.rlim_max < FILES_WANTED ? r.rlim_max : FILES_WANTED;
		if (setrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur < 4096)
			log_die(EXIT_SYSTEM, "at most %llu open files are allowed, 4096 are needed (LimitNOFILE, ulimit -n)",
			    (unsigned long long)r.rlim_cur);
	}
}

/* Each process has its own, as close_all() expects. */
static int dup_of(int fd)
{
	int r = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (r < 0)
		log_die(EXIT_SYSTEM, "descriptors: %s", strerror(errno));
	return r;
}

static void give(struct proc_spec *to, int fd)
{
	to->fd[to->fds++] = fd;
}

/* The descriptors of a lane, in the order of receiver_proc.h. */
static void make_lane(size_t ring, bool fast, struct proc_spec *open_, struct proc_spec *check, struct proc_spec *store)
{
	struct pipeframe_fds in, out;
	int talk[2];

	ipc_pair(talk);
	pipeframe_pair(&in, ring);
	pipeframe_pair(&out, ring);
	if (fast) {
		sealed_make(in.memory);
		sealed_make(out.memory);
	}
	give(open_, talk[0]);
	give(open_, in.writer);
	give(open_, in.memory);
	give(check, in.reader);
	give(check, dup_of(in.memory));
	give(check, out.writer);
	give(check, out.memory);
	give(store, talk[1]);
	give(store, out.reader);
	give(store, dup_of(out.memory));
	give(store, dup_of(in.memory));
}

static void close_all(const struct proc_spec *spec, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j < spec[i].fds; j++)
			close(spec[i].fd[j]);
}

static int again(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0)
		log_die(EXIT_SYSTEM, "no more descriptors: %s", strerror(errno));
	return copy;
}

static int wants_scanner(const struct receiver_conf *c)
{
	for (unsigned i = 0; i < c->channels; i++)
		if (c->channel[i].antivirus[0] != '\0')
			return 1;
	return 0;
}

static int run(const struct receiver_conf *c, const char *config, int sock, int lock, int floors, int checkpoint)
{
	int link_open[2], link_store[2], witness[2], scan[2];
	unsigned count = 4 + (unsigned)wants_scanner(c);
	int window = window_create(LINK_CHUNKS);
	bool fast = c->rate >= BIG_EARLY_RATE;
	pid_t pid[5];

	if (window < 0)
		log_die(EXIT_SYSTEM, "shared memory: %s", strerror(errno));
	if (fast)
		sealed_make(window);
	ipc_pair(link_open);
	ipc_pair(link_store);
	ipc_pair(witness);
	ipc_pair(scan);
	struct proc_spec spec[5] = {
		{ .role = "link", .path = proc_beside("katamichi-receiver-link"), .config = config,
		    .fd = { again(sock), link_open[0], link_store[0], window }, .fds = LINK_FD_END - LINK_FD_SOCKET },
		{ .role = "open", .config = config,
		    .fd = { open_config(config), link_open[1], again(floors), again(checkpoint), witness[0], dup_of(window) }, .fds = OPEN_FD_LANES - OPEN_FD_CONFIG },
		{ .role = "check", .config = config, .fd = { open_config(config) }, .fds = CHECK_FD_LANES - CHECK_FD_CONFIG },
		{ .role = "store", .config = config,
		    .fd = { open_config(config), link_store[1], again(lock), witness[1], scan[0] }, .fds = STORE_FD_LANES - STORE_FD_CONFIG },
		{ .role = "scan", .config = config, .fd = { open_config(config), scan[1] }, .fds = SCAN_FD_END - SCAN_FD_CONFIG },
	};
	for (int i = 0; i < LANES; i++)
		make_lane(i == LANE_EARLY ? PIPEFRAME_RING_LARGE : PIPEFRAME_RING, i == LANE_EARLY && fast, &spec[1], &spec[2], &spec[3]);
	for (unsigned i = 0; i < count; i++) {
		spec[i].bare = sandbox_is_off();
		pid[i] = proc_start(&spec[i]);
	}
	close_all(spec, 5); /* so that the end of a process closes its pipes */
	return proc_supervise(spec, pid, count);
}

/* A disk in trouble ends the processes, not the service: what arrives meanwhile comes again in a later round. */
static int serve(const struct receiver_conf *c, const char *config, int sock, int lock)
{
	int floors = open_floors(c, "epochs"), checkpoint = open_floors(c, "checkpoint"), code;

	do
		code = run(c, config, sock, lock, floors, checkpoint);
	while (code == EXIT_DISK && proc_pause());
	return code == EXIT_DISK ? EXIT_OK : code;
}

enum only { ALL, ONLY_CHECK, ONLY_PRINT };

static int start(const char *config, int degraded, enum only only)
{
	static struct receiver_conf conf;
	int code, lock, sock;

	if (crypto_init() != 0)
		log_die(EXIT_SYSTEM, "the cryptographic libraries do not start");
	if ((code = receiver_conf_read(&conf, config, -1)) != 0)
		return code;
	if (only == ONLY_PRINT)
		return harden_print(&conf, stdout);
	if (limits_check(receiver_conf_object_max(&conf)) != 0)
		return EXIT_SYSTEM;
	if ((code = check_keys(&conf)) != 0)
		return code;
	allow_files();
	check_directories(&conf);
	sock = listen_socket(&conf, degraded); /* first: where the port is not to be had, no file is made */
	lock = lock_state(&conf);
	if (only == ONLY_CHECK) {
		puts(_("configuration, keys, directories and port are in order"));
		return EXIT_OK;
	}
	if (log_sinks_open(conf.syslog, conf.syslog_cef) != 0)
		return EXIT_SYSTEM;
	if (sandbox_is_off())
		log_warn("--no-sandbox: the processes may ask the kernel for anything; this is for finding faults");
	return serve(&conf, config, sock, lock);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
		{ "degraded", no_argument, NULL, 'd' }, { "check", no_argument, NULL, 'k' },
		{ "harden-print", no_argument, NULL, 'p' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' }, { "no-sandbox", no_argument, NULL, 'n' },
		{ "sandbox-print", no_argument, NULL, 's' }, { NULL, 0, NULL, 0 } };
	const char *config = NULL;
	enum only only = ALL;
	int o, degraded = 0;

	if (argc >= 4 && strcmp(argv[1], "--role") == 0) {
		if (argc > 4 && strcmp(argv[4], "--no-sandbox") == 0)
			sandbox_off();
		return role_main(argv[2], argv[3]);
	}
	log_init("katamichi-receiver", NULL);
	while ((o = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (o) {
		case 'c':
			config = optarg;
			break;
		case 'd':
			degraded = 1;
			break;
		case 'k':
			only = ONLY_CHECK;
			break;
		case 'p':
			only = ONLY_PRINT;
			break;
		case 'n':
			sandbox_off();
			break;
		case 's':
			sandbox_print(stdout);
			return EXIT_OK;
		case 'h':
			fputs(_(usage), stdout);
			return EXIT_OK;
		case 'V':
			puts("katamichi-receiver " KM_VERSION);
			return EXIT_OK;
		default:
			fputs(_("Try katamichi-receiver --help.\n"), stderr);
			return EXIT_USAGE;
		}
	}
	if (config == NULL || optind != argc) {
		fputs(config == NULL ? _("katamichi-receiver: -c FILE is missing\n") : _("katamichi-receiver: too many arguments\n"), stderr);
		fputs(_("Try katamichi-receiver --help.\n"), stderr);
		return EXIT_USAGE;
	}
	return start(config, degraded, only);
}
