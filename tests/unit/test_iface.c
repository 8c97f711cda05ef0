/* iface.h: which interface has an address, and what a card's speed is, from a directory like the kernel's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "host/iface.h"
#include "host/log.h"
#include "tests/unit/tmpdir.h"

static const struct {
	const char *name, *speed; /* NULL: no such file */
	int device;
	uint64_t want;
} table[] = {
	{ "eno1", "1000\n", 1, 1000000000 },
	{ "eno2", "100000\n", 1, 100000000000 },
	{ "fast", "2147483647\n", 1, 2147483647000000 },
	{ "down", "-1\n", 1, 0 },        /* no carrier, or the driver does not know */
	{ "mute", NULL, 1, 0 },
	{ "odd", "fast\n", 1, 0 },
	{ "empty", "", 1, 0 },
	{ "veth0", "10000\n", 0, 0 },    /* virtual: the number is made up */
	{ "zero", "0\n", 1, 0 },
};

static void speeds(void **state)
{
	char path[300];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(mkdir(tmpdir_path(table[i].name), 0700), 0);
		if (table[i].device) {
			snprintf(path, sizeof(path), "%s/device", table[i].name);
			assert_int_equal(mkdir(tmpdir_path(path), 0700), 0);
		}
		snprintf(path, sizeof(path), "%s/speed", table[i].name);
		if (table[i].speed != NULL)
			tmpdir_write(path, table[i].speed, strlen(table[i].speed), 0600);
		if (iface_speed(tmpdir, table[i].name) != table[i].want)
			fail_msg("%s: %llu bit/s", table[i].name, (unsigned long long)iface_speed(tmpdir, table[i].name));
	}
	assert_int_equal(iface_speed(tmpdir, "none"), 0);
}

static void addresses(void **state)
{
	struct in_addr a;
	char name[IF_NAMESIZE] = "";

	(void)state;
	assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &a), 1);
	assert_int_equal(iface_of_address(name, a), 0);
	assert_string_equal(name, "lo");
	assert_int_equal(inet_pton(AF_INET, "203.0.113.77", &a), 1); /* of documentation: nobody has it */
	assert_int_equal(iface_of_address(name, a), -1);
}

static void no_such_interface(void **state)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(iface_bind(fd, "enp99s0"), -1);
	assert_int_equal(iface_bind(fd, ""), -1);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speeds), cmocka_unit_test(addresses), cmocka_unit_test(no_such_interface),
	};

	log_init("test", NULL);
	return cmocka_run_group_tests(tests, tmpdir_make, tmpdir_remove);
}
