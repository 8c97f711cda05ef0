/* conf.h: every fault is one line that says file, line and what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "host/conf.h"
#include "host/exits.h"
#include "host/log.h"
#include "tests/unit/child.h"

struct channel {
	char name[64];
	uint64_t max_file;
	char folder[64];
};

struct config {
	char keys[200];
	char word[8];
	uint64_t rate, burst, count, size;
	int constant;
	uint64_t port;
	struct channel channel[3];
	unsigned channels;
};

static int parse_port(void *object, const char *value, const char **why)
{
	if (strcmp(value, "5150") != 0) {
		*why = "is not 5150";
		return -1;
	}
	((struct config *)object)->port = 5150;
	return 0;
}

#define AT(s, m) offsetof(struct s, m)
static const struct conf_key keys[] = {
	{ "sender", "keys", CONF_PATH, AT(config, keys), 200, 0, 0, 1, NULL },
	{ "sender", "word", CONF_STRING, AT(config, word), 8, 0, 0, 0, NULL },
	{ "link", "rate", CONF_RATE, AT(config, rate), 0, 1000, 0, 0, NULL },
	{ "link", "burst", CONF_TIME, AT(config, burst), 0, 0, 3600000000000, 0, NULL },
	{ "link", "count", CONF_COUNT, AT(config, count), 0, 2, 9, 0, NULL },
	{ "link", "constant", CONF_BOOL, AT(config, constant), 0, 0, 0, 0, NULL },
	{ "link", "port", CONF_CUSTOM, 0, 0, 0, 0, 0, parse_port },
	{ "channel ", "max_file", CONF_SIZE, AT(channel, max_file), 0, 0, 0, 0, NULL },
	{ "channel ", "folder", CONF_PATH, AT(channel, folder), 64, 0, 0, 0, NULL },
};
static const char *const required[] = { "sender", "link", "channel ", NULL };

static void *section(void *config, const char *kind, const char *name, const char **why)
{
	struct config *c = config;

	if (strcmp(kind, "channel") != 0)
		return c;
	if (c->channels == 3) {
		*why = "is one too many";
		return NULL;
	}
	if (strcmp(name, "BAD") == 0)
		return NULL;
	strcpy(c->channel[c->channels].name, name);
	return &c->channel[c->channels++];
}

static struct config conf;
static const struct conf_schema schema = { keys, sizeof keys / sizeof keys[0], section, &conf, required };
static char dir[256], path[300];

static void write_file(const char *text, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
	(void)state;
	child_mkdir(dir);
	(void)snprintf(path, sizeof path, "%s/t.conf", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	child_rmdir(dir);
	return 0;
}

static void good(void **state)
{
	static const char text[] =
	    "\xEF\xBB\xBF; a byte order mark, and a comment\r\n"
	    "[sender]\r\n"
	    "keys = sender.key            ; path, relative to the file\r\n"
	    "word=ソ十\n"
	    "# another comment\n"
	    "\n"
	    "  [ link ] ; blanks\n"
	    "\trate = 1G\n"
	    "   burst: 20ms\n"
	    "count = 9\nconstant = yes\nport = 5150\n"
	    "[channel  eltax]\n"
	    "max_file = 100M\n"
	    "[channel pittari]\n"
	    "folder = /srv/a;b"; /* no blank before it: no comment; no newline at the end */

	(void)state;
	memset(&conf, 0, sizeof conf);
	write_file(text, sizeof text - 1);
	assert_int_equal(conf_read(&schema, path, -1), 0);
	char want[300];
	(void)snprintf(want, sizeof want, "%s/sender.key", dir);
	assert_string_equal(conf.keys, want);
	assert_string_equal(conf.word, "ソ十");
	assert_int_equal(conf.rate, 1000000000);
	assert_int_equal(conf.burst, 20000000);
	assert_int_equal(conf.count, 9);
	assert_int_equal(conf.constant, 1);
	assert_int_equal(conf.port, 5150);
	assert_int_equal(conf.channels, 2);
	assert_string_equal(conf.channel[0].name, "eltax");
	assert_int_equal(conf.channel[0].max_file, 100 << 20);
	assert_string_equal(conf.channel[1].name, "pittari");
	assert_string_equal(conf.channel[1].folder, "/srv/a;b");
}

/* The same from a descriptor, wherever it stands, by a name relative to the working directory. */
static void descriptor(void **state)
{
	static const char text[] = "[sender]\nkeys = k\n[link]\n[channel a]\nfolder = x/y\n";
	char cwd[200], want[300];

	(void)state;
	memset(&conf, 0, sizeof conf);
	write_file(text, sizeof text - 1);
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(conf_read(&schema, path, fd), 0);
	assert_int_equal(conf_read(&schema, path, -1), EXIT_SYSTEM);
	assert_non_null(getcwd(cwd, sizeof cwd));
	memset(&conf, 0, sizeof conf);
	assert_int_equal(conf_read(&schema, "etc/t.conf", fd), 0);
	(void)snprintf(want, sizeof want, "%s/etc/k", cwd);
	assert_string_equal(conf.keys, want);
	memset(&conf, 0, sizeof conf);
	assert_int_equal(conf_read(&schema, "t.conf", fd), 0);
	(void)snprintf(want, sizeof want, "%s/k", cwd);
	assert_string_equal(conf.keys, want);
	assert_int_equal(fcntl(fd, F_GETFD) >= 0, 1); /* still the caller's */
	close(fd);
}

#define HEAD "[sender]\nkeys = k\n[link]\n"
#define LONG50 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"

static const struct fault {
	const char *text;
	const char *want; /* behind "FILE" */
} faults[] = {
	{ "", ": no section [sender]" },
	{ "[sender]\nkeys = k\n[channel a]\n", ": no section [link]" },
	{ HEAD, ": no section [channel NAME]" },
	{ HEAD "[channel a]\n[channel b]\n[channel a]\n", ":6: section [channel a] is there already, in line 4" },
	{ HEAD "[link]\n", ":4: section [link] is there already, in line 3" },
	{ "\n[sender]\n[link]\n[channel a]\n", ":2: section [sender] lacks keys" },
	{ HEAD "\n\nspeed = 1\n", ":6: unknown key speed in section [link]" },
	{ HEAD "keys = k\n", ":4: unknown key keys in section [link]" },
	{ HEAD "[channel a]\nrate = 1\n", ":5: unknown key rate in section [channel a]" },
	{ HEAD "[bogus]\n", ":4: unknown section [bogus]" }, /* though it has no key */
	{ HEAD "[channel]\n", ":4: unknown section [channel]" },
	{ HEAD "[link eltax]\n", ":4: unknown section [link eltax]" },
	{ HEAD "[]\n", ":4: unknown section []" },
	{ HEAD "[LINK]\n", ":4: unknown section [LINK]" },
	{ HEAD "[channel " LONG50 "x]\n[channel " LONG50 "y]\nmax_file = 1X\n",
	    ":6: max_file: \"1X\" is not a size, such as 100M" }, /* the library would cut both at 49 */
	{ HEAD "[channel BAD]\n", ":4: section [channel BAD] is not accepted" },
	{ HEAD "[channel a]\n[channel b]\n[channel c]\n[channel d]\n", ":7: section [channel d] is one too many" },
	{ HEAD "[channel a\n", ":4: neither `key = value' nor [section]" },
	{ HEAD "[channel a] x = 1\n", ":4: text after the section's name" },
	{ HEAD "rate\n", ":4: neither `key = value' nor [section]" },
	{ HEAD "rate\n\n\n[channel a]\nmax_file = 1X\n", ":4: neither `key = value' nor [section]" }, /* the first, at its own line */
	{ HEAD "rate 1G\n", ":4: neither `key = value' nor [section]" },
	{ "x = 1\n", ":1: x stands before the first [section]" },
	{ HEAD "rate = 1G\nrate = 1G\n", ":5: rate is given a second time" },
	{ HEAD "rate =\n", ":4: rate has no value" },
	{ HEAD "rate = ; 1G\n", ":4: rate has no value" },
	{ HEAD "rate = 1X\n", ":4: rate: \"1X\" is not a rate in bit/s, such as 1G" },
	{ HEAD "rate = -1\n", ":4: rate: \"-1\" is not a rate in bit/s, such as 1G" },
	{ HEAD "rate = 1G\n  2G\n", ":5: neither `key = value' nor [section]" }, /* no continuation lines */
	{ HEAD "rate = 999\n", ":4: rate: \"999\" is too small" },
	{ HEAD "burst = 61m\n", ":4: burst: \"61m\" is too large" },
	{ HEAD "burst = 20\n", ":4: burst: \"20\" is not a time, such as 20ms or 14d" },
	{ HEAD "count = 1\n", ":4: count: \"1\" is too small" },
	{ HEAD "count = 10\n", ":4: count: \"10\" is too large" },
	{ HEAD "count = +5\n", ":4: count: \"+5\" is not a whole number" },
	{ HEAD "count = 5x\n", ":4: count: \"5x\" is not a whole number" },
	{ HEAD "count = 18446744073709551621\n", ":4: count: \"18446744073709551621\" is not a whole number" },
	{ HEAD "constant = maybe\n", ":4: constant: \"maybe\" is neither yes nor no" },
	{ HEAD "port = 1\n", ":4: port: \"1\" is not 5150" },
	{ "[sender]\nword = 12345678\n", ":2: word: \"12345678\" is too long" },
	{ HEAD "[channel a]\nfolder = /" LONG50 "aaaaaaaaaaaaa\n", ":5: folder: \"/" LONG50 "aaaaaaaaaaaaa\" is too long" },
	{ HEAD "rate = 1G\x01\n", ":4: the line has a control character (byte 01)" },
	{ HEAD "rate = 1G\x1B[2J\n", ":4: the line has a control character (byte 1b)" },
};

static char fault_text[2048];

static void read_it(void *unused)
{
	(void)unused;
	log_init_tool("t");
	memset(&conf, 0, sizeof conf);
	exit(conf_read(&schema, path, -1));
}

static void each_fault(void **state)
{
	static struct child c;

	(void)state;
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		write_file(faults[i].text, strlen(faults[i].text));
		child_run(&c, read_it, NULL, 0);
		(void)snprintf(fault_text, sizeof fault_text, "t: %s%s\n", path, faults[i].want);
		if (c.code != EXIT_CONFIG || strcmp(c.text, fault_text) != 0) /* so also: one line, whatever else is wrong */
			fail_msg("%s\n-> %d %sinstead of\n%s", faults[i].text, c.code, c.text, fault_text);
	}
}

static void odd_files(void **state)
{
	static struct child c;
	static char big[(1 << 20) + 1];

	(void)state;
	write_file("[sender]\nkeys = a\0b\n", 20);
	child_run(&c, read_it, NULL, 0);
	assert_int_equal(c.code, EXIT_CONFIG);
	assert_non_null(strstr(c.text, "has a NUL byte"));
	memset(big, '\n', sizeof big);
	write_file(big, sizeof big);
	child_run(&c, read_it, NULL, 0);
	assert_int_equal(c.code, EXIT_CONFIG);
	assert_non_null(strstr(c.text, "larger than 1 MiB"));
	memset(big, 'x', 5000);
	write_file(big, 5001);
	child_run(&c, read_it, NULL, 0);
	assert_int_equal(c.code, EXIT_CONFIG);
	assert_non_null(strstr(c.text, ":1: the line is too long"));
	unlink(path);
	child_run(&c, read_it, NULL, 0);
	assert_int_equal(c.code, EXIT_SYSTEM);
	assert_non_null(strstr(c.text, "No such file or directory"));
	assert_int_equal(mkdir(path, 0700), 0);
	child_run(&c, read_it, NULL, 0);
	assert_int_equal(c.code, EXIT_SYSTEM);
	assert_non_null(strstr(c.text, "Is a directory"));
	rmdir(path);
}

/* A value of the longest line there is, which the library's default of 200 would cut. */
static void long_value(void **state)
{
	char text[700] = "[sender]\nkeys = /";
	size_t at = strlen(text);

	(void)state;
	memset(text + at, 'k', 190);
	strcpy(text + at + 190, " ; and a remark that makes the line longer than that\n[link]\n[channel a]\n");
	write_file(text, strlen(text));
	memset(&conf, 0, sizeof conf);
	assert_int_equal(conf_read(&schema, path, -1), 0);
	assert_int_equal(strlen(conf.keys), 191);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good), cmocka_unit_test(descriptor), cmocka_unit_test(each_fault), cmocka_unit_test(odd_files),
		cmocka_unit_test(long_value),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
