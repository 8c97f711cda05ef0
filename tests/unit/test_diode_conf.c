/* tools/diode_conf.h: the file by which the diode box and both hosts agree; each fault with the line it stands in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/exits.h"
#include "host/log.h"
#include "tests/unit/child.h"
#include "tools/diode_conf.c"

#define SENDER "[sender]\nmac = 02:00:00:00:01:01\nip = 10.77.0.1\n"     /* lines 1 to 3 */
#define RECEIVER "[receiver]\nmac = 02:00:00:00:04:01\nip = 10.77.0.2\n" /* 4 to 6 */
#define NODES "[ingress]\nmac = 02:00:00:00:02:01\n[egress]\nmac = 02:00:00:00:03:01\n" /* 7 to 10 */
#define LINK "[link]\nport = 5150\nrate = 1G\n"                          /* 11 to 13 */

static char dir[256], path[300];

struct reading {
	struct diode_conf conf;
	int code;
};

static void read_it(void *reading)
{
	struct reading *r = reading;

	log_init_tool("katamichi");
	r->code = diode_conf_read(&r->conf, path);
	_exit(r->code);
}

static void write_it(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

static const struct fault {
	const char *text;
	const char *said; /* behind the file's name */
} faults[] = {
	{ "[sender]\nmac = 02:00:00:00:01\n", ":2: mac: \"02:00:00:00:01\" is not a MAC address" },
	{ "[sender]\nmac = 02:00:00:00:01:01:00\n", ":2: mac: \"02:00:00:00:01:01:00\" is not a MAC address" },
	{ "[sender]\nmac = 02-00-00-00-01-01\n", ":2: mac: \"02-00-00-00-01-01\" is not a MAC address" },
	{ "[sender]\nmac = 02:00:00:00:0g:01\n", ":2: mac: \"02:00:00:00:0g:01\" is not a MAC address" },
	{ "[sender]\nmac = 2:00:00:00:01:01\n", ":2: mac: \"2:00:00:00:01:01\" is not a MAC address" },
	{ "[sender]\nmac = ff:ff:ff:ff:ff:ff\n", ":2: mac: \"ff:ff:ff:ff:ff:ff\" is the address of a group" },
	{ "[sender]\nmac = 01:00:5e:00:00:01\n", "is the address of a group" },
	{ "[sender]\nmac = 00:00:00:00:00:00\n", "is no device's address" },
	{ "[sender]\nip = 10.77.0\n", ":2: ip: \"10.77.0\" is not an IPv4 address" },
	{ "[sender]\nip = 10.77.0.256\n", "is not an IPv4 address" },
	{ "[sender]\nip = fe80::1\n", "is not an IPv4 address" },
	{ "[sender]\nip = 224.0.0.1\n", "is no host's address" },
	{ "[sender]\nip = 255.255.255.255\n", "is no host's address" },
	{ "[sender]\nip = 127.0.0.1\n", "is no host's address" },
	{ "[sender]\nip = 0.0.0.0\n", "is no host's address" },
	/* It goes into commands that somebody pastes into a root shell. */
	{ "[sender]\ndevice = eth0;reboot\n", "is not a network device's name" },
	{ "[sender]\ndevice = -f\n", "is not a network device's name" },
	{ "[sender]\ndevice = sixteen-letters-\n", "is not a network device's name" },
	{ SENDER "[receiver]\nmac = 02:00:00:00:01:01\n", ":5: mac: \"02:00:00:00:01:01\" is given to another end already" },
	{ SENDER "[receiver]\nip = 10.77.0.1\n", ":5: ip: \"10.77.0.1\" is the other host's already" },
	{ SENDER RECEIVER "[ingress]\nmac = 02:00:00:00:04:01\n", ":8: mac: \"02:00:00:00:04:01\" is given to another end already" },
	{ SENDER RECEIVER NODES "[link]\nport = 0\nrate = 1G\n", ":12: port: \"0\" is too small" },
	{ SENDER RECEIVER NODES "[link]\nport = 65536\nrate = 1G\n", ":12: port: \"65536\" is too large" },
	{ SENDER RECEIVER NODES "[link]\nport = 5150\nrate = 2G\n", ":13: rate: \"2G\" is too large" },
	{ SENDER RECEIVER NODES LINK "mtu = 9000\n", ":14: mtu: \"9000\" is too large" },
	{ SENDER RECEIVER NODES LINK "burst = 2s\n", ":14: burst: \"2s\" is too large" },
	{ SENDER RECEIVER NODES LINK "key = 1\n", ":14: unknown key key in section [link]" },
	{ SENDER RECEIVER NODES "[link]\nport = 5150\n", ":11: section [link] lacks rate" },
	{ SENDER RECEIVER NODES, ": no section [link]" },
	{ SENDER "[receiver]\nmac = 02:00:00:00:04:01\n" NODES LINK, ":4: section [receiver] lacks ip" },
};

static void each_fault(void **state)
{
	struct child c;
	struct reading r;

	(void)state;
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		write_it(faults[i].text);
		child_run(&c, read_it, &r, 0);
		const char *newline = strchr(c.text, '\n');
		if (c.code != EXIT_CONFIG || strstr(c.text, faults[i].said) == NULL || strstr(c.text, path) == NULL ||
		    newline == NULL || newline[1] != '\0')
			fail_msg("\"%s\": exit %d and %s", faults[i].said, c.code, c.text);
	}
}

static void values(void **state)
{
	struct diode_conf c;

	(void)state;
	write_it(SENDER "device = enp1s0\n" RECEIVER NODES LINK "mtu = 1000\nburst = 5ms\n");
	assert_int_equal(diode_conf_read(&c, path), 0);
	assert_memory_equal(c.sender.mac, "\2\0\0\0\1\1", 6);
	assert_memory_equal(c.receiver.mac, "\2\0\0\0\4\1", 6);
	assert_memory_equal(c.ingress.mac, "\2\0\0\0\2\1", 6);
	assert_memory_equal(c.egress.mac, "\2\0\0\0\3\1", 6);
	assert_int_equal(c.sender.ip, 0x0A4D0001);
	assert_int_equal(c.receiver.ip, 0x0A4D0002);
	assert_string_equal(c.sender.device, "enp1s0");
	assert_string_equal(c.receiver.device, "eth0");
	assert_int_equal(c.port, 5150);
	assert_int_equal(c.rate, 1000000000);
	assert_int_equal(c.mtu, 1000);
	assert_int_equal(c.burst, 5000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_fault), cmocka_unit_test(values) };

	child_mkdir(dir);
	(void)snprintf(path, sizeof path, "%s/diode.ini", dir);
	int r = cmocka_run_group_tests(tests, NULL, NULL);
	child_rmdir(dir);
	return r;
}
