/* bench_link_receive.c - the receiver's link process alone, memory to memory.
 *
 *   bench_link_receive ADDRESS PORT PROGRAM DATAGRAM BUFFER BYTES FOLDER
 *
 * Plays open and store: starts the real katamichi-receiver-link (PROGRAM),
 * gives it the key of bench_link_send.c's session and part files in memory
 * (FOLDER, huge_files.h), and ends when an object is complete, or when nothing was taken for
 * some seconds.  Symbols are authenticated, decoded and put in their place as always.
 * The memory that the object of BYTES comes to lie in is touched before (zeros, so that
 * nothing of a run before is taken for it): what first touch costs (several times the copy) is
 * the machine's, and buffers are recycled.
 *
 * One line of JSON; times are CLOCK_MONOTONIC, which both halves share. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/crypto.h"
#include "codec/hex.h"
#include "host/clock.h"
#include "host/exits.h"
#include "host/ipc_send.h"
#include "host/log.h"
#include "host/proc.h"
#include "host/sealed.h"
#include "host/window.h"
#include "receiver/proc_link.h"
#include "receiver/receiver_messages.h"
#include "tools/bench/huge_files.h"
#include "tools/bench/link_end.h"

enum { SLOTS = 128, SOME = 20 /* datagrams: more than the session's own before its first symbol */ };
#define PATIENCE_NS 4000000000ull /* without anything new */
#define FIRST_NS 60000000000ull   /* until something comes: the sender makes its bytes first */

static int data_fd[SLOTS];
static struct ipc_msg m;

struct result {
	bool complete;
	double at;         /* seconds, monotonic */
	uint64_t length;
	uint32_t slot;
	struct msg_stats stats;
};

static int udp_socket(const char *host, const char *port, int buffer)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || inet_pton(AF_INET, host, &a.sin_addr) != 1 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) != 0 ||
	    bind(fd, (const struct sockaddr *)&a, sizeof(a)) != 0)
		log_die(EXIT_SYSTEM, "%s:%s: %s", host, port, strerror(errno));
	return fd;
}

/* Memory for the object where it will be put together: the link takes the slot that it was given last,
 * so it gets no more of them, however often it asks.  Fresh memory is touched twice: what a host has just given a guest it may be
 * busy with for a while, and the second write still took four times as long as the third (0.3 against 0.07 s/GB). */
static void touch(int fd, uint64_t bytes)
{
	static uint8_t zeros[1 << 20];
	struct stat st;
	int times;

	if (fstat(fd, &st) != 0 || ftruncate(fd, (off_t)bytes) != 0)
		log_die(EXIT_SYSTEM, "a file of %llu bytes: %s", (unsigned long long)bytes, strerror(errno));
	times = (uint64_t)st.st_size < bytes ? 2 : 1; /* else it is there from the run before */
	for (int time = 0; time < times; time++)
		for (uint64_t at = 0; at < bytes; at += sizeof(zeros))
			if (pwrite(fd, zeros, sizeof(zeros), (off_t)at) != (ssize_t)sizeof(zeros))
				log_die(EXIT_SYSTEM, "no memory for %llu bytes: %s", (unsigned long long)bytes, strerror(errno));
}

static void give_slots(int store, const char *path, uint64_t bytes)
{
	int folder = huge_folder(path);

	for (uint32_t next = 0; next < SLOTS; next++) {
		int fd[2] = { huge_file(folder, next == SLOTS - 1 ? "received" : NULL), huge_file(folder, NULL) };
		const struct msg_slot s = { next };
		if (next == SLOTS - 1)
			touch(fd[0], bytes);
		if (ipc_send_fds(store, MSG_SLOT, &s, sizeof(s), fd, 2) != 1)
			log_die(EXIT_SYSTEM, "part files: %s", strerror(errno));
		data_fd[next] = fd[0];
		close(fd[1]);
	}
	close(folder);
}

static void introduce(int opener, int store, uint32_t n, const char *folder, uint64_t bytes)
{
	struct msg_peer p = { .id = { 1 } };
	struct msg_session s = { .sender = 0, .lane = 0, .epoch = LINK_END_EPOCH, .n = n };
	const struct msg_limits l = { 1ull << 40 };

	memset(s.tag_key, LINK_END_KEY, sizeof(s.tag_key));
	if (ipc_write(opener, MSG_PEER, &p, sizeof(p)) != 1 || ipc_write(opener, MSG_PEERS_END, NULL, 0) != 1 ||
	    ipc_write(store, MSG_LIMITS, &l, sizeof(l)) != 1)
		log_die(EXIT_INTERNAL, "the link process takes no message");
	give_slots(store, folder, bytes);
	if (ipc_write(opener, MSG_SESSION, &s, sizeof(s)) != 1)
		log_die(EXIT_INTERNAL, "the link process takes no message");
}

/* Messages of link to store, until the object is complete and its counters are known. */
static void follow(int store, struct result *r)
{
	uint64_t last = clock_mono_ns(), taken = 0, now;

	while ((now = clock_mono_ns()) - last < (taken > SOME ? PATIENCE_NS : FIRST_NS)) {
		struct pollfd p = { .fd = store, .events = POLLIN };
		if (poll(&p, 1, 100) <= 0)
			continue;
		if (ipc_recv(store, &m) != IPC_GOT)
			log_die(EXIT_INTERNAL, "the link process ended");
		if (m.type == MSG_COMPLETE) {
			const struct msg_object *o = ipc_body(&m, sizeof(*o));
			r->complete = true;
			r->at = (double)clock_mono_ns() / 1e9;
			r->length = o->length;
			r->slot = o->slot;
		} else if (m.type == MSG_STATS) {
			memcpy(&r->stats, ipc_body(&m, sizeof(r->stats)), sizeof(r->stats));
			if (r->stats.counter[LC_DATAGRAMS] != taken)
				last = now;
			else if (r->complete || (taken > SOME && r->stats.counter[LC_KERNEL] > 0))
				return; /* nothing came since: the counters are final, or it will never be complete */
			taken = r->stats.counter[LC_DATAGRAMS];
		}
	}
}

static void hash_of(const struct result *r, char hash[static 2 * HASH_LEN + 1])
{
	uint8_t digest[HASH_LEN], *p;

	hash[0] = '\0';
	if (!r->complete || r->slot >= SLOTS)
		return;
	p = mmap(NULL, r->length, PROT_READ, MAP_SHARED, data_fd[r->slot], 0);
	if (p == MAP_FAILED)
		return;
	crypto_sha256(digest, p, r->length);
	hex_put(hash, digest, HASH_LEN);
	munmap(p, r->length);
}

int main(int argc, char **argv)
{
	static struct result r;
	char hash[2 * HASH_LEN + 1];
	int opener[2], store[2];
	uint64_t refused = 0;

	log_init_tool("bench_link_receive");
	if (argc != 8 || crypto_init() != 0)
		log_die(EXIT_USAGE, "usage: bench_link_receive ADDRESS PORT PROGRAM DATAGRAM BUFFER BYTES FOLDER");
	ipc_pair(opener);
	ipc_pair(store);
	struct proc_spec spec = { .role = "link", .path = argv[3], .config = "bench", .fds = LINK_FD_END - LINK_FD_SOCKET,
		.fd = { udp_socket(argv[1], argv[2], atoi(argv[5])), opener[1], store[1], window_create(LINK_CHUNKS) } };
	sealed_make(spec.fd[LINK_FD_WINDOW - LINK_FD_SOCKET]);
	pid_t pid = proc_start(&spec);
	introduce(opener[0], store[0], (uint32_t)atoi(argv[4]), argv[7], strtoull(argv[6], NULL, 10));
	clock_sleep_ns(200000000);
	puts("ready");
	fflush(stdout);
	follow(store[0], &r);
	kill(pid, SIGTERM);
	struct link_end_cost c = link_end_cost(pid);
	hash_of(&r, hash);
	for (int i = LC_SIZE; i < LC_WAYS; i++)
		refused += i == LC_MAGIC ? 0 : r.stats.counter[i]; /* the HELLOs here are of zeros */
	printf("{\"complete\": %s, \"at\": %.6f, \"bytes\": %llu, \"datagrams\": %llu, \"repaired\": %llu, \"refused\": %llu, "
	    "\"kernel_drops\": %llu, \"user\": %.3f, \"system\": %.3f, \"peak\": %llu, \"sha256\": \"%s\"}\n",
	    r.complete ? "true" : "false", r.at, (unsigned long long)r.length, (unsigned long long)r.stats.counter[LC_DATAGRAMS],
	    (unsigned long long)r.stats.counter[LC_REPAIRED], (unsigned long long)refused,
	    (unsigned long long)r.stats.counter[LC_KERNEL], c.user, c.system, (unsigned long long)c.peak, hash);
	return r.complete ? 0 : 1;
}
