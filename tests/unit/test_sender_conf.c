/* sender_conf.h: defaults, every value, and each fault with the line it stands in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/frame.h"
#include "host/exits.h"
#include "host/log.h"
#include "sender/layout.h"
#include "sender/sender_conf.h"
#include "tests/unit/tmpdir.h"

#define S 1000000000ull

static const char head[] = "[sender]\nkeys = a.key\nreceiver = b.pub\nstate = /s\nfolders = /f\n"; /* 5 lines */
static const char link_part[] = "[link]\ndestination = 10.77.0.2:5150\nrate = 1G\n";          /* 8 */
static struct sender_conf c;
static char said[4096];

static int read_conf(const char *text)
{
	int kept = dup(2), out = open(tmpdir_path("log"), O_RDWR | O_CREAT | O_TRUNC, 0600), code;
	ssize_t n;

	tmpdir_write("sender.conf", text, strlen(text), 0644);
	fflush(stderr);
	dup2(out, 2);
	code = sender_conf_read(&c, tmpdir_path("sender.conf"), -1);
	fflush(stderr);
	dup2(kept, 2);
	n = pread(out, said, sizeof(said) - 1, 0);
	said[n > 0 ? n : 0] = '\0';
	close(out);
	close(kept);
	return code;
}

static int read_with(const char *more_link, const char *rest)
{
	char text[4096];

	snprintf(text, sizeof(text), "%s%s%s\n%s", head, link_part, more_link, rest); /* more_link is line 9 */
	return read_conf(text);
}

static void defaults(void **state)
{
	char want[300];

	(void)state;
	assert_int_equal(read_with("", "[channel eltax]\n"), 0);
	assert_string_equal(said, "");
	snprintf(want, sizeof(want), "%s/a.key", tmpdir);
	assert_string_equal(c.keys, want); /* relative to the file */
	assert_string_equal(c.channel[0].folder, "/f/eltax");
	assert_string_equal(c.recovery, "");
	assert_string_equal(c.psk, "");
	assert_int_equal(c.n, 1472);
	assert_int_equal(c.rate, 1000000000);
	assert_int_equal(ntohs(c.destination.sin_port), 5150);
	assert_int_equal(c.source.sin_family, 0);
	assert_true(c.loss == 0.01 && c.failure == 1e-9);
	assert_int_equal(c.burst_ns, S / 50);
	assert_int_equal(c.retention_ns, 14 * 86400 * S);
	assert_int_equal(c.repeats, 5);
	assert_int_equal(c.repeat_ns[0], 60 * S);
	assert_int_equal(c.repeat_ns[4], 86400 * S);
	assert_int_equal(c.channel[0].quiet_ns, 2 * S);
	assert_int_equal(c.channel[0].batch_files, 1024);
	assert_int_equal(c.channel[0].batch_age_ns, S);
}

static void every_value(void **state)
{
	(void)state;
	assert_int_equal(read_with("mtu = 9000\nlane = 15\nsource = 10.77.0.1\nloss = 10%\nburst = 0\nfailure = 1e-12\n"
	    "pacing_burst = 1ms\nrepeat = 1s 2m\nretention = 1h", "[channel a]\nfolder = x\nmax_file = 2G\nquiet = 10ms\n"
	    "batch_files = 4096\nbatch_bytes = 1G\nbatch_age = 5ms\npriority = 9\n[channel b-2_c]\n"), 0);
	assert_int_equal(c.n, 8960);
	assert_int_equal(c.lane, 15);
	assert_int_equal(c.source.sin_family, AF_INET);
	assert_true(c.loss == 0.1 && c.failure == 1e-12);
	assert_int_equal(c.burst_ns, 0);
	assert_int_equal(c.pacing_ns, 1000000);
	assert_int_equal(c.repeats, 2);
	assert_int_equal(c.repeat_ns[1], 120 * S);
	assert_int_equal(c.retention_ns, 3600 * S);
	assert_int_equal(c.channels, 3); /* the last is the program's own */
	assert_string_equal(c.channel[2].name, "katamichi");
	assert_int_equal(c.channel[0].max_file, 2ull << 30);
	assert_int_equal(c.channel[0].quiet_ns, 10000000);
	assert_int_equal(c.channel[0].batch_files, 4096);
	assert_int_equal(c.channel[0].batch_bytes, 1ull << 30);
	assert_int_equal(c.channel[0].batch_age_ns, 5000000);
	assert_int_equal(c.channel[0].priority, 9);
	assert_int_equal(c.channel[1].priority, 5);
	assert_string_equal(c.channel[1].name, "b-2_c");
}

static void faults_of_the_link(void **state)
{
	static const char *const bad[] = {
		"mtu = 500", "mtu = 70000", "lane = 16", "source = host", "loss = 91%", "loss = -1%", "failure = 0",
		"failure = 0.6", "failure = 1e-101", "burst = 20", "burst = 2min", "pacing_burst = 1s", "pacing_burst = 0",
		"repeat =", "repeat = 1ms", "repeat = 1m, 2m", "repeat = 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s",
		"retention = 0", "retention = 14 days", "colour = red", "rate = 2G" /* twice */,
	};
	static const char *const more[] = { "destination = 10.0.0.1:0", "destination = 10.0.0.1:65536",
		"destination = 10.0.0.1", "destination = :5150", "destination = 10.0.0.256:1", "destination = 0.0.0.0:5150", "destination = 0.1.2.3:5150",
		"destination = 224.0.0.1:5150", "destination = 255.255.255.255:5150", "destination = 10.0.0.1:1x",
		"destination = [::1]:5", "destination = 999.999.999.999.999.999.999:5150", "rate = 0", "rate = 99k", "rate = 2000G" };
	char text[2000], want[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (read_with(bad[i], "[channel eltax]\n") != EXIT_CONFIG || strstr(said, "sender.conf:9:") == NULL)
			fail_msg("%s: %s", bad[i], said);
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		int is_rate = more[i][0] == 'r';
		snprintf(text, sizeof(text), "%s[link]\n%s\n%s\n[channel eltax]\n", head, more[i],
		    is_rate ? "destination = 10.77.0.2:5150" : "rate = 1G");
		snprintf(want, sizeof(want), "sender.conf:7: ");
		if (read_conf(text) != EXIT_CONFIG || strstr(said, want) == NULL)
			fail_msg("%s: %s", more[i], said);
	}
}

static void faults_of_channels(void **state)
{
	static const char *const bad[] = { /* the fault is in line 10, or 11 */
		"[channel ]\n", "[channel El]\n", "[channel ../x]\n", "[channel 1a]\n", "[channle a]\n",
		"[channel a]\nmax_file = 0\n", "[channel a]\nmax_file = 2T\n", "[channel a]\nbatch_files = 4097\n",
		"[channel a]\nbatch_files = 0\n", "[channel a]\nbatch_age = 0\n", "[channel a]\nbatch_age = 2h\n", "[channel a]\nquiet = 0\n", "[channel a]\nquiet = 2h\n", "[channel a]\ncolour = red\n",
		"[channel abcdefghijabcdefghijabcdefghijabc]\n",
		"[channel katamichi]\n", "[channel a]\npriority = 0\n", "[channel a]\npriority = 10\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (read_with("", bad[i]) != EXIT_CONFIG ||
		    (strstr(said, "sender.conf:10:") == NULL && strstr(said, "sender.conf:11:") == NULL))
			fail_msg("%s: %s", bad[i], said);
	assert_int_equal(read_with("", ""), EXIT_CONFIG);
	assert_non_null(strstr(said, "channel"));
	assert_int_equal(read_with("", "[channel a]\nfolder = /x\n[channel b]\nfolder = /x\n"), EXIT_CONFIG);
	assert_non_null(strstr(said, "/x"));
	assert_int_equal(read_with("", "[channel a]\n[channel b]\nfolder = /f/a\n"), EXIT_CONFIG);
}

static void what_is_missing(void **state)
{
	static const char *const texts[] = {
		"", "[sender]\nkeys = a\n", "[link]\nrate = 1G\n",
		"[sender]\nreceiver = b\nstate = s\nfolders = f\n[link]\ndestination = 1.2.3.4:5\nrate = 1G\n[channel a]\n",
		"[sender]\nkeys = a\nreceiver = b\nstate = s\nfolders = f\n[link]\nrate = 1G\n[channel a]\n",
		"[sender]\nkeys = a\nreceiver = b\nstate = s\nfolders = f\n[link]\ndestination = 1.2.3.4:5\n[channel a]\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (read_conf(texts[i]) != EXIT_CONFIG || said[0] == '\0')
			fail_msg("%zu: %s", i, said);
	assert_int_equal(sender_conf_read(&c, tmpdir_path("nowhere.conf"), -1), EXIT_SYSTEM);
}

/* The corner of all ranges still has a plan, for a byte and for a terabyte. */
static void an_extreme_promise(void **state)
{
	struct layout l;

	(void)state;
	assert_int_equal(read_with("loss = 90%\nfailure = 1e-100\nburst = 60s", "[channel a]\n"), 0);
	assert_int_equal(layout_of(&l, &c, 1), 0);
	assert_true(l.last.r >= 4000); /* 0.9^r <= 1e-100 takes 2186 in each half */
	assert_int_equal(layout_of(&l, &c, 1ull << 40), 0);
}

static void datagrams_of_each_mtu(void **state)
{
	static const struct { uint64_t mtu; uint32_t n; } t[] = {
		{ 576, 512 }, { 1500, 1472 }, { 1499, 1408 }, { 9000, 8960 }, { 65535, 65472 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(sender_datagram_len(t[i].mtu), t[i].n);
		assert_true(t[i].n + 28 <= t[i].mtu && t[i].n <= FRAME_MAX_LEN && (t[i].n - FRAME_SYMBOL_OVERHEAD) % 64 == 0);
	}
}

static int setup(void **state)
{
	log_init("test", NULL);
	return tmpdir_make(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults), cmocka_unit_test(every_value), cmocka_unit_test(faults_of_the_link),
		cmocka_unit_test(faults_of_channels), cmocka_unit_test(what_is_missing), cmocka_unit_test(an_extreme_promise),
		cmocka_unit_test(datagrams_of_each_mtu),
	};

	return cmocka_run_group_tests(tests, setup, tmpdir_remove);
}
