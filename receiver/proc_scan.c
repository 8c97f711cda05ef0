/* proc_scan.c - the receiver's scan process, started only where a channel says `antivirus`: it has a socket to store, which hands it
 * files by descriptor, and talks to clamd's local socket.  No path is opened here, no key and no network is known; what
 * a file says is not looked at. */
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/exits.h"
#include "host/ipc_recv.h"
#include "host/log.h"
#include "host/proc.h"
#include "host/sandbox.h"
#include "receiver/peer_gone.h"
#include "receiver/receiver_conf.h"
#include "receiver/receiver_proc.h"
#include "receiver/scan.h"

#define VERSION_NS (60 * 1000000000ull) /* asked for so often */

static void scan(const struct receiver_channel *ch, struct msg_scanned *r, int fd)
{
	static uint64_t asked_ns;
	static const struct receiver_channel *of;
	static char version[CLAMD_TEXT_MAX];
	uint64_t now = clock_mono_ns();

	if (asked_ns == 0 || now - asked_ns > VERSION_NS || of != ch) {
		clamd_version(ch->antivirus, ch->antivirus_timeout, version);
		asked_ns = now;
		of = ch;
	}
	r->verdict = (int32_t)clamd_scan(ch->antivirus, fd, ch->antivirus_timeout, r->text);
	if (r->verdict == CLAMD_DOWN)
		asked_ns = 0;
	memcpy(r->version, version, sizeof(r->version));
}

int receiver_scan_run(const char *config)
{
	static const int own[] = { SCAN_FD_STORE };
	static struct receiver_conf conf;
	static struct ipc_msg m;
	const struct msg_scan *ask;
	int code;

	if ((code = receiver_conf_read(&conf, config, SCAN_FD_CONFIG)) != 0)
		return code;
	close(SCAN_FD_CONFIG);
	sandbox_begin(SANDBOX_RECEIVER_SCAN, NULL, 0);
	sandbox_seal(SANDBOX_RECEIVER_SCAN, own, 1);
	for (;;) {
		struct msg_scanned r = { .verdict = CLAMD_NOT };
		if (ipc_recv(SCAN_FD_STORE, &m) != IPC_GOT)
			peer_gone(-1, "store");
		if (m.type != MSG_SCAN)
			log_die(EXIT_INTERNAL, "store sent a message of type %u", m.type);
		ask = ipc_body(&m, sizeof(*ask));
		if (ask->channel >= conf.channels || conf.channel[ask->channel].antivirus[0] == '\0' || m.fd[0] < 0)
			log_die(EXIT_INTERNAL, "store asked to scan for channel %u", ask->channel);
		r.job = ask->job;
		r.file = ask->file;
		scan(&conf.channel[ask->channel], &r, m.fd[0]);
		close(m.fd[0]);
		if (ipc_write(SCAN_FD_STORE, MSG_SCANNED, &r, sizeof(r)) != 1)
			peer_gone(-1, "store");
	}
}
