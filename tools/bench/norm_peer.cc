/* norm_peer.cc - one file over NORM with nothing coming back, to compare with (make bench-peers).
 *
 *   norm_peer send    ADDRESS PORT RATE FILE     RATE in bit/s
 *   norm_peer receive ADDRESS PORT DIR SECONDS   ADDRESS is the receiver's own, for both
 *
 * NORM as its library offers it for such a link: a silent receiver, repair
 * symbols sent without being asked for (8 for each 128), rate fixed, no congestion
 * control.  C++ because normApi.h of Debian 12 is.  The receiver says "ready", then the name of the file once it is whole; exit 1 if that did not happen in time. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>

#include <normApi.h>

enum { SEGMENT = 1400 /* bytes; 1472 less NORM's own heads */, BLOCK = 128, PARITY = 8, BUFFER = 64 << 20 };

static void fail(const char *what)
{
	fprintf(stderr, "norm_peer: %s\n", what);
	exit(5);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The next event before `end`; false when that moment has come. */
static bool next_event(NormInstanceHandle instance, NormEvent *e, double end)
{
	int fd = NormGetDescriptor(instance);

	for (;;) {
		double left = end - now();
		struct timeval t = { (time_t)left, (suseconds_t)((left - (double)(time_t)left) * 1e6) };
		fd_set set;

		if (left <= 0)
			return false;
		FD_ZERO(&set);
		FD_SET(fd, &set);
		if (select(fd + 1, &set, NULL, NULL, &t) > 0 && NormGetNextEvent(instance, e, false))
			return true;
	}
}

static int send_file(NormInstanceHandle instance, NormSessionHandle session, double rate, const char *path)
{
	NormEvent e;

	NormSetTxOnly(session, true, false);
	NormSetCongestionControl(session, false, false);
	NormSetTxRate(session, rate);
	NormSetGrttEstimate(session, 0.001);
	NormSetGrttProbingMode(session, NORM_PROBE_NONE);
	if (!NormStartSender(session, 1, BUFFER, SEGMENT, BLOCK, PARITY))
		fail("no sender");
	NormSetAutoParity(session, PARITY);
	NormSetTxSocketBuffer(session, 4 << 20);
	if (NormFileEnqueue(session, path, "f", 1) == NORM_OBJECT_INVALID)
		fail(path);
	while (next_event(instance, &e, now() + 120))
		if (e.type == NORM_TX_FLUSH_COMPLETED)
			return 0;
	return 1;
}

static int receive_file(NormInstanceHandle instance, NormSessionHandle session, const char *dir, double seconds)
{
	char name[1024];
	NormEvent e;
	double end = now() + seconds;

	if (!NormSetCacheDirectory(instance, dir))
		fail(dir);
	NormSetSilentReceiver(session, true, -1);
	if (!NormStartReceiver(session, BUFFER))
		fail("no receiver");
	NormSetRxSocketBuffer(session, BUFFER);
	puts("ready");
	fflush(stdout);
	while (next_event(instance, &e, end))
		if (e.type == NORM_RX_OBJECT_COMPLETED && NormFileGetName(e.object, name, sizeof(name) - 1)) {
			name[sizeof(name) - 1] = '\0';
			puts(name);
			return 0;
		}
	return 1;
}

int main(int argc, char **argv)
{
	NormInstanceHandle instance;
	NormSessionHandle session;
	int code;

	if (argc != 6) {
		fputs("usage: norm_peer send ADDRESS PORT RATE FILE | norm_peer receive ADDRESS PORT DIR SECONDS\n", stderr);
		return 2;
	}
	instance = NormCreateInstance(false);
	session = NormCreateSession(instance, argv[2], (UINT16)atoi(argv[3]), strcmp(argv[1], "send") == 0 ? 1 : 2);
	if (session == NORM_SESSION_INVALID)
		fail("no session");
	code = strcmp(argv[1], "send") == 0 ? send_file(instance, session, strtod(argv[4], NULL), argv[5])
	                                    : receive_file(instance, session, argv[4], strtod(argv[5], NULL));
	NormDestroyInstance(instance);
	return code;
}
