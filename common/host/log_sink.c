/* log_sink.c - where lines go besides standard error, opened by the main process (log.h).
 *
 * Apart from log.c, so that the receiver's link executable holds neither socket() nor connect(). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/log.h"
#include "host/log_private.h"

static const char journal_socket[] = "/run/systemd/journal/socket";

/* 0, or errno. */
static int open_at(int number, const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd, error;

	if (strlen(path) >= sizeof(a.sun_path))
		return ENAMETOOLONG;
	strcpy(a.sun_path, path);
	/* Never to wait for whoever reads: the link process writes lines, too. */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0 || dup3(fd, number, O_CLOEXEC) < 0) {
		error = errno;
		close(fd);
		return error;
	}
	close(fd);
	return 0;
}

int log_sinks_open(const char *syslog, int cef)
{
	const char *path = getenv("KATAMICHI_TEST_JOURNAL");
	char said[64] = "";
	int error;

	if (log_to_journal() && open_at(LOG_FD_JOURNAL, path != NULL ? path : journal_socket) == 0)
		strcat(said, "journal ");
	if (syslog != NULL && syslog[0] != '\0') {
		error = open_at(LOG_FD_SYSLOG, syslog);
		if (error != 0) {
			log_error("syslog = %s: %s; is there a datagram socket on which a syslog daemon listens?", syslog, strerror(error));
			return -1;
		}
		strcat(said, cef ? "cef " : "rfc5424 ");
	}
	if (said[0] != '\0' && setenv(LOG_SINKS_ENV, said, 1) != 0)
		return -1;
	log_sinks_find();
	return 0;
}

void log_sinks_inherit(void)
{
	int fd[LOG_FDS_MAX];
	unsigned n = log_sinks(fd);

	for (unsigned i = 0; i < n; i++)
		(void)fcntl(fd[i], F_SETFD, 0);
}
