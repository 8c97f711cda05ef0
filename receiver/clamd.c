/* clamd.c - see clamd.h */
#include "receiver/clamd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/bytes.h"
#include "host/clock.h"
#include "host/i18n.h"
#include "host/reason.h"

enum { CHUNK = 64 << 10 };

struct talk {
	int sock;
	uint64_t end_ns;
	char reply[512];
	size_t have;
};

/* 1: ready; 0: the time is over. */
static int wait_for(const struct talk *t, short events)
{
	uint64_t now = clock_mono_ns();
	struct pollfd p = { .fd = t->sock, .events = events };

	if (now >= t->end_ns)
		return 0;
	return poll(&p, 1, (int)((t->end_ns - now) / 1000000 + 1)) > 0 || clock_mono_ns() < t->end_ns;
}

static int reach(struct talk *t, const char *path, uint64_t timeout_ns)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	t->have = 0;
	t->end_ns = clock_mono_ns() + timeout_ns;
	if (strlen(path) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(a.sun_path, path);
	if ((t->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
		return -1;
	/* Where nobody takes the connection at once (a full backlog): EAGAIN, and it is tried again later. */
	if (connect(t->sock, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return 0;
	int error = errno;
	close(t->sock);
	errno = error;
	return -1;
}

/* 0, or -1: the peer does not listen any more (it may have answered), or the time is over. */
static int send_all(struct talk *t, const void *data, size_t n)
{
	const uint8_t *p = data;

	while (n > 0) {
		ssize_t w = sendto(t->sock, p, n, MSG_NOSIGNAL, NULL, 0);
		if (w > 0) {
			p += w;
			n -= (size_t)w;
		} else if (w < 0 && errno == EAGAIN) {
			if (!wait_for(t, POLLOUT | POLLIN)) {
				errno = ETIMEDOUT;
				return -1;
			}
			struct pollfd in = { .fd = t->sock, .events = POLLIN };
			if (poll(&in, 1, 0) == 1 && (in.revents & POLLIN) != 0)
				return -1; /* it has its answer already */
		} else if (w >= 0 || errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

/* Up to its NUL, or the end of the connection.  0, or -1: none, or not in time. */
static int get_reply(struct talk *t)
{
	for (;;) {
		ssize_t r = read(t->sock, t->reply + t->have, sizeof(t->reply) - 1 - t->have);
		if (r < 0 && errno == EAGAIN) {
			if (!wait_for(t, POLLIN)) {
				errno = ETIMEDOUT;
				return -1;
			}
			continue;
		}
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		t->have += (size_t)r;
		if (r == 0 || memchr(t->reply, '\0', t->have) != NULL || t->have == sizeof(t->reply) - 1)
			break;
	}
	t->reply[t->have] = '\0';
	if (t->reply[0] != '\0')
		return 0;
	errno = ECONNRESET;
	return -1;
}

static enum clamd_verdict say(enum clamd_verdict v, char text[static CLAMD_TEXT_MAX], const char *what)
{
	size_t n = 0;

	for (; *what != '\0' && n < CLAMD_TEXT_MAX - 1; what++)
		text[n++] = *what > 0x20 && *what < 0x7F ? *what : ' ';
	text[n] = '\0';
	return v;
}

static bool ends(const char *s, const char *end)
{
	size_t n = strlen(s), e = strlen(end);

	return n >= e && strcmp(s + n - e, end) == 0;
}

/* "stream: OK", "stream: NAME FOUND", "... ERROR" */
static enum clamd_verdict judge(char *reply, char text[static CLAMD_TEXT_MAX])
{
	static const char head[] = "stream: ", limits[] = "Heuristics.Limits.Exceeded";
	char *name = reply + sizeof(head) - 1;

	if (strcmp(reply, "stream: OK") == 0)
		return say(CLAMD_CLEAN, text, "");
	if (strncmp(reply, head, sizeof(head) - 1) != 0 || !ends(reply, " FOUND"))
		return say(CLAMD_NOT, text, reply);
	name[strlen(name) - sizeof(" FOUND") + 1] = '\0';
	/* It looked at a part of it (AlertExceedsMax): that is no signature. */
	return say(strncmp(name, limits, sizeof(limits) - 1) == 0 ? CLAMD_NOT : CLAMD_FOUND, text, name);
}

/* 0; -1: reading fd failed; 1: the scanner took no more of it. */
static int send_file(struct talk *t, int fd)
{
	static uint8_t buf[4 + CHUNK];
	off_t at = 0;
	ssize_t n;

	if (send_all(t, "zINSTREAM", sizeof("zINSTREAM")) != 0)
		return 1;
	for (;;) {
		n = pread(fd, buf + 4, CHUNK, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		put32(buf, (uint32_t)n); /* a chunk of 0 bytes ends it */
		if (send_all(t, buf, 4 + (size_t)n) != 0)
			return 1;
		if (n == 0)
			return 0;
		at += n;
	}
}

enum clamd_verdict clamd_scan(const char *socket_path, int fd, uint64_t timeout_ns, char text[static CLAMD_TEXT_MAX])
{
	enum clamd_verdict v;
	struct talk t;

	if (reach(&t, socket_path, timeout_ns) != 0)
		return say(CLAMD_DOWN, text, reason_errno(errno));
	if (send_file(&t, fd) < 0)
		v = say(CLAMD_NOT, text, reason_errno(errno));
	else if (get_reply(&t) != 0)
		v = say(CLAMD_DOWN, text, errno == ETIMEDOUT ? N_("it takes longer than antivirus_timeout") : reason_errno(errno));
	else
		v = judge(t.reply, text);
	close(t.sock);
	return v;
}

void clamd_version(const char *socket_path, uint64_t timeout_ns, char text[static CLAMD_TEXT_MAX])
{
	struct talk t;

	text[0] = '\0';
	if (reach(&t, socket_path, timeout_ns) != 0)
		return;
	if (send_all(&t, "zVERSION", sizeof("zVERSION")) == 0 && get_reply(&t) == 0)
		(void)say(CLAMD_CLEAN, text, t.reply);
	close(t.sock);
}
