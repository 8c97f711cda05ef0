/* norm_peer.cc - files over NORM with nothing coming back, to compare with (make bench-peers).
 *
 *   norm_peer send    ADDRESS PORT RATE FILE           RATE in bit/s
 *   norm_peer send    ADDRESS PORT RATE FOLDER         every file in it, each an object that carries its name
 *   norm_peer receive ADDRESS PORT DIR SECONDS COUNT   ADDRESS is the receiver's own, for both; COUNT objects
 *
 * NORM as its library offers it for such a link: a silent receiver, repair
 * symbols sent without being asked for (8 for each 128; 1 for the few of a file in
 * a folder), rate fixed, no congestion control.  C++ because normApi.h of Debian 12
 * is.  The receiver says "ready"; exit 1 if not all came in time. */
#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <time.h>

#include <normApi.h>

enum {
	SEGMENT = 1400 /* bytes; 1472 less NORM's own heads */, BLOCK = 128, PARITY = 8, BUFFER = 64 << 20,
	OBJECTS = 512 /* at a time, in a folder: each is an open file */, CACHE = 256 << 20 /* bytes of them */,
	SILENCE = 5 /* s, after which what has not come does not come any more */,
};

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

/* All that is sent goes through what NORM keeps of it, so the next one waits until an earlier one has left. */
static void enqueue(NormInstanceHandle instance, NormSessionHandle session, const char *path, const char *name)
{
	NormEvent e;

	while (NormFileEnqueue(session, path, name, (unsigned)strlen(name)) == NORM_OBJECT_INVALID)
		if (!next_event(instance, &e, now() + 10))
			fail(path);
}

static void enqueue_folder(NormInstanceHandle instance, NormSessionHandle session, const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *e;
	char file[4096];

	if (d == NULL)
		fail(path);
	NormSetTxCacheBounds(session, CACHE, 1, OBJECTS);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && (size_t)snprintf(file, sizeof(file), "%s/%s", path, e->d_name) < sizeof(file))
			enqueue(instance, session, file, e->d_name);
	closedir(d);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int send_all(NormInstanceHandle instance, NormSessionHandle session, double rate, const char *path)
{
	const unsigned char parity = is_folder(path) ? 1 : PARITY;
	NormEvent e;

	NormSetTxOnly(session, true, false);
	NormSetCongestionControl(session, false, false);
	NormSetTxRate(session, rate);
	NormSetGrttEstimate(session, 0.001);
	NormSetGrttProbingMode(session, NORM_PROBE_NONE);
	if (!NormStartSender(session, 1, BUFFER, SEGMENT, BLOCK, parity))
		fail("no sender");
	NormSetAutoParity(session, parity);
	NormSetTxSocketBuffer(session, 4 << 20);
	if (is_folder(path))
		enqueue_folder(instance, session, path);
	else
		enqueue(instance, session, path, "f");
	while (next_event(instance, &e, now() + 120))
		if (e.type == NORM_TX_FLUSH_COMPLETED)
			return 0;
	return 1;
}

/* Under the name that the object carries; false: it has none. */
static bool give_name(NormObjectHandle object, const char *dir)
{
	char name[256], path[4096];
	size_t n = NormObjectHasInfo(object) ? NormObjectGetInfo(object, name, sizeof(name) - 1) : 0;

	if (n == 0 || n >= sizeof(name))
		return false;
	name[n] = '\0';
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return NormFileRename(object, path);
}

static int receive_all(NormInstanceHandle instance, NormSessionHandle session, const char *dir, double seconds, long count)
{
	NormEvent e;
	double end = now() + seconds;

	if (!NormSetCacheDirectory(instance, dir))
		fail(dir);
	NormSetSilentReceiver(session, true, -1);
	NormSetRxCacheLimit(session, OBJECTS);
	if (!NormStartReceiver(session, BUFFER))
		fail("no receiver");
	NormSetRxSocketBuffer(session, BUFFER);
	puts("ready");
	fflush(stdout);
	for (double until = end; count > 0 && next_event(instance, &e, until); until = end < now() + SILENCE ? end : now() + SILENCE)
		if (e.type == NORM_RX_OBJECT_COMPLETED && give_name(e.object, dir))
			count--;
	return count > 0;
}

int main(int argc, char **argv)
{
	NormInstanceHandle instance;
	NormSessionHandle session;
	struct rlimit files;
	int code;

	if (argc < 6 || (strcmp(argv[1], "send") == 0 ? argc != 6 : argc != 7)) {
		fputs("usage: norm_peer send ADDRESS PORT RATE PATH | norm_peer receive ADDRESS PORT DIR SECONDS COUNT\n", stderr);
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	instance = NormCreateInstance(false);
	session = NormCreateSession(instance, argv[2], (UINT16)atoi(argv[3]), strcmp(argv[1], "send") == 0 ? 1 : 2);
	if (session == NORM_SESSION_INVALID)
		fail("no session");
	code = strcmp(argv[1], "send") == 0 ? send_all(instance, session, strtod(argv[4], NULL), argv[5])
	    : receive_all(instance, session, argv[4], strtod(argv[5], NULL), strtol(argv[6], NULL, 10));
	NormDestroyInstance(instance);
	return code;
}
