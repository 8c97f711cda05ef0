/* main.c - katamichi-sender: checks everything, makes the descriptors, starts
 * the processes spool, check and link, and ends when one of them does. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
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
#include "sender/link_socket.h"
#include "sender/places.h"
#include "sender/sender_conf.h"
#include "sender/sender_proc.h"

#ifndef KM_VERSION
#define KM_VERSION "0.1"
#endif

enum {
	LOCK_TRIES = 30,
	WINDOW_PIECES = 80, /* two of the largest blocks (layout.h) that the link keeps, one that it comes to next, and what is under way */
};
#define LOCK_WAIT_NS 100000000ull /* 100 ms: a process of a killed run takes a moment to go */

static const char usage[] = N_(
    "usage: katamichi-sender -c FILE\n"
    "Takes finished files from the channels' folders and sends them over the one-way link.\n"
    "\n"
    "  -c, --config FILE   configuration (sender.conf)\n"
    "      --no-sandbox    leave the processes free to ask the kernel for anything (to find faults)\n"
    "      --sandbox-print what each process may ask the kernel for\n"
    "      --help          this text\n"
    "      --version       the version\n"
    "\n"
    "Runs in the foreground until SIGTERM or SIGINT.  `katamichi status -c FILE` shows what it does.\n"
    "\n"
    "Exit codes: 0 ended by a signal; 2 wrong option; 3 configuration (file:line is said); 4 a key is\n"
    "missing, malformed, or has the wrong owner or mode; 5 a folder, address, file or the memory is not\n"
    "to be had; 6 the database does not make sense; 70 a fault of this program.\n");

/* --- what has to be right before anything is started or made --- */

static int check_keys(const struct sender_conf *c)
{
	struct party_secret *me = crypto_secret_alloc(sizeof(*me));
	uint8_t *psk = crypto_secret_alloc(KEY_LEN);
	int code = EXIT_KEYS;

	if (me == NULL || psk == NULL) {
		log_error("out of lockable memory");
		code = EXIT_SYSTEM;
	} else if (keyfile_read_secret(me, c->keys, PARTY_SENDER) == 0 &&
	    sender_conf_recipients(c) == 0 &&
	    (c->psk[0] == '\0' || keyfile_read_psk(psk, c->psk) == 0)) {
		code = 0;
	}
	crypto_secret_free(psk);
	crypto_secret_free(me);
	return code;
}

static int check_folders(const struct sender_conf *c)
{
	struct stat st;

	for (unsigned i = 0; i + 1 < c->channels; i++) { /* the last, reserved one is made by the spool */
		const struct sender_channel *ch = &c->channel[i];
		if (stat(ch->folder, &st) != 0 || access(ch->folder, R_OK | W_OK | X_OK) != 0) {
			log_error("%s: the folder of channel %s cannot be used: %s; make it, for the user who runs this",
			    ch->folder, ch->name, strerror(errno));
			return EXIT_SYSTEM;
		}
		if (!S_ISDIR(st.st_mode)) {
			log_error("%s: the folder of channel %s is not a directory", ch->folder, ch->name);
			return EXIT_SYSTEM;
		}
	}
	return 0;
}

/* The state directory, made if only it itself is missing, and its lock; -1 after a line. */
static int lock_state(const struct sender_conf *c)
{
	char path[SENDER_PATH_MAX + 8];
	int fd;

	if (mkdir(c->state, 0700) != 0 && errno != EEXIST) {
		log_error("%s: the state directory cannot be made: %s", c->state, strerror(errno));
		return -1;
	}
	snprintf(path, sizeof(path), "%s/lock", c->state);
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		log_error("%s: %s", path, strerror(errno));
		return -1;
	}
	for (unsigned i = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
		if (i == LOCK_TRIES) {
			log_error("%s: another katamichi-sender uses this state directory; stop it, or give this one its own",
			    c->state);
			close(fd);
			return -1;
		}
		clock_sleep_ns(LOCK_WAIT_NS);
	}
	return fd;
}

/* --- the processes --- */

/* The configuration once more, with a file position of its own for each process. */
static int conf_again(int fd)
{
	char path[32];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_CLOEXEC);
	if (again < 0)
		log_die(EXIT_SYSTEM, "%s: %s", path, strerror(errno));
	return again;
}

static int run(const struct sender_conf *c, const char *name, int conf_fd, int lock, int udp)
{
	int check[2], link[2], window = window_create(WINDOW_PIECES);
	struct proc_spec spec[3];
	pid_t pid[3];

	if (window < 0)
		log_die(EXIT_SYSTEM, "shared memory: %s", strerror(errno));
	if (c->rate >= BIG_EARLY_RATE)
		sealed_make(window);
	ipc_pair(check);
	ipc_pair(link);
	memset(spec, 0, sizeof(spec));
	spec[0] = (struct proc_spec){ .role = "check", .config = name, .fds = CHECK_FDS,
		.fd = { [CHECK_FD_CONF] = conf_again(conf_fd), [CHECK_FD_SPOOL] = check[1] } };
	spec[1] = (struct proc_spec){ .role = "link", .config = name, .fds = LINK_FDS,
		.fd = { [LINK_FD_CONF] = conf_again(conf_fd), [LINK_FD_SPOOL] = link[1], [LINK_FD_UDP] = udp,
			[LINK_FD_WINDOW] = window } };
	/* The spool keeps the lock: should it outlive us for a moment, no other may begin. */
	spec[2] = (struct proc_spec){ .role = "spool", .config = name, .fds = SPOOL_FDS,
		.fd = { [SPOOL_FD_CONF] = conf_again(conf_fd), [SPOOL_FD_LOCK] = lock, [SPOOL_FD_CHECK] = check[0],
			[SPOOL_FD_LINK] = link[0], [SPOOL_FD_WINDOW] = window } };
	for (unsigned i = 0; i < 3; i++) {
		spec[i].bare = sandbox_is_off();
		pid[i] = proc_start(&spec[i]);
	}
	close(check[0]);
	close(check[1]);
	close(link[0]);
	close(link[1]);
	close(window);
	for (unsigned i = 0; i < 3; i++)
		close(spec[i].fd[SPOOL_FD_CONF]); /* the same number in all */
	return proc_supervise(spec, pid, 3);
}

/* A disk in trouble ends the processes, not the service. */
static int run_on(const struct sender_conf *c, const char *name, int conf_fd, int lock, int udp)
{
	int code;

	do
		code = run(c, name, conf_fd, lock, udp);
	while (code == EXIT_DISK && proc_pause());
	return code == EXIT_DISK ? EXIT_OK : code;
}

static int sender_main(const char *name)
{
	static struct sender_conf conf;
	int fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), lock, udp, code; /* a FIFO is an error, not a wait */

	if (fd < 0) {
		log_error("%s: %s", name, strerror(errno));
		return EXIT_SYSTEM;
	}
	if (crypto_init() != 0)
		log_die(EXIT_SYSTEM, "the cryptographic libraries do not start");
	code = sender_conf_read(&conf, name, fd);
	if (code == 0 && limits_check(sender_conf_object_max(&conf)) != 0)
		code = EXIT_SYSTEM;
	if (code == 0)
		code = check_keys(&conf);
	if (code == 0)
		code = check_folders(&conf);
	if (code == 0)
		code = places_check(&conf, name);
	if (code != 0)
		return code;
	if (log_sinks_open(conf.syslog, conf.syslog_cef) != 0)
		return EXIT_SYSTEM;
	if (sandbox_is_off())
		log_warn("--no-sandbox: the processes may ask the kernel for anything; this is for finding faults");
	udp = link_socket(&conf);
	if (udp < 0)
		return EXIT_SYSTEM;
	lock = lock_state(&conf);
	if (lock < 0)
		return EXIT_SYSTEM;
	return run_on(&conf, name, fd, lock, udp);
}

static int role_main(const char *role, const char *name)
{
	static const struct { const char *role; int (*run)(const char *); } roles[] = {
		{ "spool", sender_spool_main }, { "check", sender_check_main }, { "link", sender_link_main },
	};

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(role, roles[i].role) == 0) {
			log_init("katamichi-sender", roles[i].role);
			return roles[i].run(name);
		}
	log_error("no such role; katamichi-sender starts its own processes");
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' }, { "no-sandbox", no_argument, NULL, 'n' },
		{ "sandbox-print", no_argument, NULL, 's' }, { NULL, 0, NULL, 0 },
	};
	const char *conf = NULL;
	int o;

	if (argc >= 4 && strcmp(argv[1], "--role") == 0) {
		if (argc > 4 && strcmp(argv[4], "--no-sandbox") == 0)
			sandbox_off();
		return role_main(argv[2], argv[3]);
	}
	log_init("katamichi-sender", NULL);
	while ((o = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (o) {
		case 'c':
			conf = optarg;
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
			puts("katamichi-sender " KM_VERSION);
			return EXIT_OK;
		default:
			fputs(_("Try katamichi-sender --help.\n"), stderr);
			return EXIT_USAGE;
		}
	}
	if (conf == NULL || optind != argc) {
		fputs(conf == NULL ? _("katamichi-sender: -c FILE is missing\n") : _("katamichi-sender: too many arguments\n"), stderr);
		fputs(_("Try katamichi-sender --help.\n"), stderr);
		return EXIT_USAGE;
	}
	return sender_main(conf);
}
