/* scan.c - see scan.h */
#include "receiver/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/exits.h"
#include "host/i18n.h"
#include "host/ipc_send.h"
#include "host/log.h"
#include "host/reason.h"
#include "receiver/peer_gone.h"
#include "receiver/receiver_proc.h"
#include "receiver/store.h"

#define PROBE_NS 3000000000ull   /* between tries whether somebody answers */
#define PAUSE_MAX_NS (600 * 1000000000ull)

static const struct receiver_channel *scanned_channel(const struct store *s, const struct job *j)
{
	const struct receiver_channel *ch = receiver_conf_channel(&s->conf, j->inner.channel);

	return ch != NULL && ch->antivirus[0] != '\0' ? ch : NULL;
}

/* Not now: nothing of it is published, and it is opened again later. */
static void hold(struct store *s, struct job *j, uint64_t pause_ns)
{
	transfer_remove(&j->transfer);
	if (!j->needs_scan)
		s->scan.held++;
	j->needs_scan = true;
	j->held = JOB_HELD_SCANNER;
	j->lane = LANE_WHOLE;
	j->sent = j->opened = j->unsealed = j->begun = false;
	j->not_before_ns = clock_mono_ns() + pause_ns;
	job_append(s, j);
}

static void unlink_first(struct store *s)
{
	s->scan.jobs = s->scan.jobs->next;
	s->scan.waiting--;
	s->scan.asked = false;
}

/* The next file of the first transfer; or what comes after its last. */
static void go_on(struct store *s)
{
	while (s->scan.jobs != NULL && !s->scan.asked) {
		struct job *j = s->scan.jobs;
		const struct receiver_channel *ch = scanned_channel(s, j);
		char name[NAME_MAX_LEN + 1];

		if (ch == NULL || j->scan_at == j->transfer.found.file_count) {
			unlink_first(s);
			if (j->needs_scan && s->scan.held > 0)
				s->scan.held--;
			intake_scanned(s, j);
			continue;
		}
		const struct manifest_file *f = &j->transfer.found.file[j->scan_at];
		memcpy(name, f->name, f->name_len);
		name[f->name_len] = '\0';
		struct msg_scan m = { .job = j->slot, .file = j->scan_at, .channel = (uint32_t)(ch - s->conf.channel) };
		int fd = openat(j->transfer.files, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0) {
			int error = errno;
			unlink_first(s);
			transfer_remove(&j->transfer);
			job_later(s, j, error);
			continue;
		}
		if (ipc_send_fds(STORE_FD_SCAN, MSG_SCAN, &m, sizeof(m), &fd, 1) != 1)
			peer_gone(s->stop_fd, "scan");
		close(fd);
		s->scan.asked = true;
	}
}

bool scan_take(struct store *s, struct job *j)
{
	struct job **p = &s->scan.jobs;

	if (scanned_channel(s, j) == NULL || j->scanned || j->transfer.error != 0 || j->transfer.reason[0] != '\0')
		return false;
	if (s->scan.waiting == SCAN_WAITING_MAX) {
		hold(s, j, 0);
		return true;
	}
	while (*p != NULL)
		p = &(*p)->next;
	*p = j;
	j->next = NULL;
	j->scan_at = 0;
	s->scan.waiting++;
	go_on(s);
	return true;
}

/* Nobody looked at it. */
static void not_scanned(struct store *s, struct job *j, const struct msg_scanned *m)
{
	uint64_t pause = PROBE_NS << (j->scan_tries < 8 ? j->scan_tries : 8);
	char trouble[sizeof(s->scan.trouble)];

	snprintf(trouble, sizeof(trouble), m->verdict == CLAMD_DOWN ? N_("the scanner does not answer: %s") : N_("a file cannot be scanned: %s"), m->text);
	if (strcmp(trouble, s->scan.trouble) != 0)
		log_warn("ALARM: channel %s: %s; what it has not looked at is held, and tried again", j->inner.channel,
		    reason_show(trouble));
	strcpy(s->scan.trouble, trouble);
	s->scan.down = m->verdict == CLAMD_DOWN;
	if (m->verdict != CLAMD_DOWN && j->scan_tries < 16)
		j->scan_tries++;
	hold(s, j, m->verdict == CLAMD_DOWN ? PROBE_NS : pause < PAUSE_MAX_NS ? pause : PAUSE_MAX_NS);
}

static void answer(struct store *s, const struct msg_scanned *m)
{
	struct job *j = s->scan.jobs;
	char reason[CLAMD_TEXT_MAX + 32];

	if (j == NULL || !s->scan.asked || m->job != j->slot || m->file != j->scan_at ||
	    memchr(m->text, '\0', sizeof(m->text)) == NULL || memchr(m->version, '\0', sizeof(m->version)) == NULL)
		log_die(EXIT_INTERNAL, "scan answered for a file that it was not given");
	s->scan.asked = false;
	snprintf(j->scanner, sizeof(j->scanner), "%s", m->version);
	if (m->verdict == CLAMD_NOT || m->verdict == CLAMD_DOWN) {
		unlink_first(s);
		not_scanned(s, j, m);
		go_on(s);
		return;
	}
	if (s->scan.down || (s->scan.trouble[0] != '\0' && j->scan_tries > 0)) {
		log_info("the scanner looks at files again");
		s->scan.trouble[0] = '\0';
		s->scan.down = false;
	}
	if (m->verdict == CLAMD_FOUND) {
		snprintf(reason, sizeof(reason), N_("the scanner found %s"), m->text);
		transfer_bad_file(&j->transfer, m->file, "antivirus", reason);
	}
	if (++j->scan_at == j->transfer.found.file_count)
		j->scanned = true;
	go_on(s);
}

void scan_read(struct store *s)
{
	static struct ipc_msg m;

	if (ipc_recv(STORE_FD_SCAN, &m) != IPC_GOT)
		peer_gone(s->stop_fd, "scan");
	if (m.type != MSG_SCANNED)
		log_die(EXIT_INTERNAL, "scan sent a message of unknown type %u", m.type);
	answer(s, ipc_body(&m, sizeof(struct msg_scanned)));
}

bool scan_may_open(struct store *s, struct job *j)
{
	if (!j->needs_scan)
		return true;
	if (s->scan.waiting == SCAN_WAITING_MAX || (s->scan.down && clock_mono_ns() < s->scan.probe_ns))
		return false;
	s->scan.probe_ns = clock_mono_ns() + PROBE_NS;
	return true;
}
