/* ipc_recv.h and ipc_send.h: messages of our processes, and what is fatal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "host/exits.h"
#include "host/ipc_send.h"
#include "tests/unit/child.h"

static struct ipc_msg m;
static uint8_t body[IPC_MAX];
static int s[2];

static void nonblocking(int fd)
{
	assert_int_equal(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
}

static int setup(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	ipc_pair(s);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(s[0]);
	close(s[1]);
	return 0;
}

static void sizes(void **state)
{
	static const size_t n[] = { 0, 1, 4, 65535, IPC_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof n / sizeof n[0]; i++)
		for (int fds = 0; fds < 2; fds++) {
			memset(body, (int)i + 1, sizeof body);
			m.type = 0;
			m.len = 99;
			if (fds)
				assert_int_equal(ipc_send_fds(s[0], 7, body, n[i], NULL, 0), 1);
			else
				assert_int_equal(ipc_write(s[0], 7, body, n[i]), 1);
			memset(m.body, 0, sizeof m.body);
			assert_int_equal(ipc_recv(s[1], &m), IPC_GOT);
			assert_int_equal(m.type, 7);
			assert_int_equal(m.len, n[i]);
			assert_memory_equal(ipc_body(&m, n[i]), body, n[i]);
			for (unsigned f = 0; f < IPC_FDS_MAX; f++)
				assert_int_equal(m.fd[f], -1);
		}
}

/* Messages keep their borders and their order. */
static void borders(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(ipc_write(s[0], i, body, i), 1);
	for (uint32_t i = 0; i < 20; i++) {
		assert_int_equal(ipc_recv(s[1], &m), IPC_GOT);
		assert_int_equal(m.type, i);
		assert_int_equal(m.len, i);
	}
}

static void descriptors(void **state)
{
	int fd[IPC_FDS_MAX];
	char c = 0;

	(void)state;
	for (unsigned count = 1; count <= IPC_FDS_MAX; count++) {
		int p[2];
		assert_int_equal(pipe(p), 0);
		for (unsigned i = 0; i < count; i++)
			fd[i] = i % 2 == 0 ? p[1] : p[0];
		assert_int_equal(ipc_send_fds(s[0], 1, body, 8, fd, count), 1);
		close(p[1]);
		assert_int_equal(ipc_recv(s[1], &m), IPC_GOT);
		assert_int_equal(m.len, 8);
		for (unsigned i = 0; i < IPC_FDS_MAX; i++) {
			assert_int_equal(m.fd[i] >= 0, i < count);
			if (i < count)
				assert_true((fcntl(m.fd[i], F_GETFD) & FD_CLOEXEC) != 0);
		}
		/* The received one writes into the same pipe; the sender's own was closed. */
		assert_int_equal(write(m.fd[0], "x", 1), 1);
		assert_int_equal(read(p[0], &c, 1), 1);
		for (unsigned i = 0; i < count; i++)
			close(m.fd[i]);
		assert_int_equal(read(p[0], &c, 1), 0); /* nobody holds the end any more: none leaked */
		close(p[0]);
	}
}

static void full_and_gone(void **state)
{
	unsigned written = 0;
	int r;

	(void)state;
	nonblocking(s[0]);
	nonblocking(s[1]);
	assert_int_equal(ipc_recv(s[1], &m), IPC_AGAIN);
	while ((r = ipc_write(s[0], 1, body, 1000)) == 1)
		written++;
	assert_int_equal(r, 0);
	assert_int_equal(ipc_send_fds(s[0], 1, body, 1000, NULL, 0), 0);
	assert_true(written >= 100); /* the buffers were enlarged, if only as far as allowed */
	for (; written > 0; written--)
		assert_int_equal(ipc_recv(s[1], &m), IPC_GOT);
	assert_int_equal(ipc_recv(s[1], &m), IPC_AGAIN);
	assert_int_equal(ipc_write(s[0], 2, NULL, 0), 1);
	close(s[0]);
	assert_int_equal(ipc_recv(s[1], &m), IPC_GOT); /* what was sent before the end is not lost */
	assert_int_equal(ipc_recv(s[1], &m), IPC_CLOSED);
	assert_int_equal(ipc_write(s[1], 1, body, 10), -1);
	assert_int_equal(ipc_send_fds(s[1], 1, body, 10, NULL, 0), -1);
	assert_int_equal(errno, EPIPE);
	s[0] = dup(s[1]); /* for teardown */
}

/* A peer that died with our messages unread: closed, not an error. */
static void reset(void **state)
{
	(void)state;
	assert_int_equal(ipc_write(s[0], 1, body, 10), 1);
	close(s[1]);
	assert_int_equal(ipc_recv(s[0], &m), IPC_CLOSED);
	assert_int_equal(ipc_write(s[0], 1, body, 10), -1);
	s[1] = dup(s[0]);
}

static void take_one(void *unused)
{
	(void)unused;
	exit(ipc_recv(s[1], &m) == IPC_GOT ? 0 : 50);
}

static void take_body_of_8(void *unused)
{
	(void)unused;
	if (ipc_recv(s[1], &m) != IPC_GOT)
		exit(50);
	(void)ipc_body(&m, 8);
	exit(0);
}

static void write_too_much(void *unused)
{
	(void)unused;
	exit(ipc_write(s[0], 1, body, IPC_MAX + 1));
}

static void send_too_many(void *unused)
{
	const int fd[IPC_FDS_MAX + 1] = { 0 };

	(void)unused;
	exit(ipc_send_fds(s[0], 1, body, 1, fd, IPC_FDS_MAX + 1));
}

static void fatal(void **state)
{
	static struct child c;
	static uint8_t big[IPC_MAX + 100];
	const uint8_t small[3] = { 1, 2, 3 };

	(void)state;
	/* Less than a type. */
	assert_int_equal(send(s[0], small, sizeof small, 0), sizeof small);
	child_run(&c, take_one, NULL, 0);
	assert_int_equal(c.code, EXIT_INTERNAL);
	/* More than a message: recvmsg cuts it, which must not go unseen. */
	assert_int_equal(send(s[0], big, sizeof big, 0), sizeof big);
	child_run(&c, take_one, NULL, 0);
	assert_int_equal(c.code, EXIT_INTERNAL);
	assert_non_null(strstr(c.text, "cut short"));
	/* Another length than the type has. */
	for (size_t n = 7; n <= 9; n++) {
		assert_int_equal(ipc_write(s[0], 1, body, n), 1);
		child_run(&c, take_body_of_8, NULL, 0);
		assert_int_equal(c.code, n == 8 ? 0 : EXIT_INTERNAL);
	}
	child_run(&c, write_too_much, NULL, 0);
	assert_int_equal(c.code, EXIT_INTERNAL);
	child_run(&c, send_too_many, NULL, 0);
	assert_int_equal(c.code, EXIT_INTERNAL);
}

/* More descriptors than a message may have: fatal for the receiver, not leaked. */
static void too_many_descriptors(void **state)
{
	static struct child c;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(6 * sizeof(int))];
	} control;
	struct iovec iov = { body, 12 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	const int fd[6] = { 0, 0, 0, 0, 0, 0 };

	(void)state;
	memset(&control, 0, sizeof control);
	CMSG_FIRSTHDR(&h)->cmsg_level = SOL_SOCKET;
	CMSG_FIRSTHDR(&h)->cmsg_type = SCM_RIGHTS;
	CMSG_FIRSTHDR(&h)->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&h)), fd, sizeof fd);
	assert_int_equal(sendmsg(s[0], &h, 0), 12);
	child_run(&c, take_one, NULL, 0);
	assert_int_equal(c.code, EXIT_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sizes, setup, teardown), cmocka_unit_test_setup_teardown(borders, setup, teardown),
		cmocka_unit_test_setup_teardown(descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(full_and_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(reset, setup, teardown), cmocka_unit_test_setup_teardown(fatal, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many_descriptors, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
