/* receiver_metrics.c - the receiver's figures for Prometheus (store.h, host/metrics.h). */
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "codec/beat.h"
#include "host/clock.h"
#include "host/log.h"
#include "host/metrics.h"
#include "receiver/store.h"
#include "receiver/validity.h"

#ifndef KM_VERSION
#define KM_VERSION "0"
#endif

#define SAY_NS 600000000000ull

static void link_counters(struct metrics *m, const struct msg_stats *t)
{
	static const struct { int counter; const char *name, *help; } one[] = {
		{ LC_DATAGRAMS, "link_datagrams_total", "Datagrams received, of any kind." },
		{ LC_BYTES, "link_received_bytes_total", "Bytes of these datagrams." },
		{ LC_KERNEL, "link_kernel_dropped_datagrams_total", "Datagrams the kernel dropped for want of buffer." },
		{ LC_TAKEN, "link_symbols_total", "Authentic symbols that were kept." },
		{ LC_REPAIRED, "link_repaired_symbols_total", "Source symbols computed from repair symbols." },
		{ LC_SESSIONS, "link_sessions_total", "Sessions accepted." },
		{ LC_COMPLETED, "objects_completed_total", "Sealed objects that became complete." },
		{ LC_DAMAGED, "objects_damaged_total", "Complete objects that had to be gathered afresh." },
		{ LC_FAILED, "blocks_failed_total", "Blocks that could not be computed or written." },
	};

	for (size_t i = 0; i < sizeof(one) / sizeof(one[0]); i++)
		metrics_one(m, one[i].name, METRICS_COUNTER, t->counter[one[i].counter], one[i].help);
	metrics_family(m, "link_refused_datagrams_total", METRICS_COUNTER, "Datagrams not believed or not taken, by reason.");
	for (int i = LC_SIZE; i < LC_WAYS; i++) {
		const char *reason = receiver_counter_name[i];
		metrics_add(m, t->counter[i], "reason", strncmp(reason, "refused_", 8) == 0 ? reason + 8 : reason, NULL);
	}
}

static void link_gauges(struct metrics *m, const struct msg_stats *t)
{
	metrics_family(m, "link_last_datagram_time_seconds", METRICS_GAUGE, "When the last authentic datagram came; 0: none since the start.");
	metrics_add_seconds(m, t->last_ms, NULL);
	metrics_one(m, "link_socket_buffer_bytes", METRICS_GAUGE, t->buffer_bytes, "Socket buffer, as the kernel counts it.");
	metrics_one(m, "link_socket_buffer_used_bytes", METRICS_GAUGE, t->buffer_used, "Of it, in use.");
	metrics_one(m, "gathering_objects", METRICS_GAUGE, t->open, "Objects of which something is here.");
}

#define EACH_CHANNEL(family, type, field, help) do { \
	metrics_family(m, family, type, help); \
	for (unsigned i = 0; i < s->conf.channels; i++) \
		metrics_add(m, s->tally[i].field, "channel", s->conf.channel[i].name, NULL); \
} while (0)

static void channels(struct metrics *m, struct store *s)
{
	EACH_CHANNEL("deliveries_total", METRICS_COUNTER, delivered, "Transfers delivered, forks included.");
	EACH_CHANNEL("delivered_files_total", METRICS_COUNTER, files, "Their files.");
	EACH_CHANNEL("delivered_bytes_total", METRICS_COUNTER, bytes, "Bytes of these files.");
	EACH_CHANNEL("forks_total", METRICS_COUNTER, forks, "Transfers delivered apart: their number was there with other content.");
	EACH_CHANNEL("quarantined_total", METRICS_COUNTER, quarantined, "Transfers set aside, and single files of delivered ones.");
	EACH_CHANNEL("refused_total", METRICS_COUNTER, refused, "Objects refused after they were opened.");
	metrics_one(m, "unopened_total", METRICS_COUNTER, s->unopened, "Objects that could not be opened, so that no channel is known.");
}

static uint64_t of_channel(struct store *s, const char *sql, const char *channel)
{
	return (uint64_t)db_int(&s->ledger.db, sql, "t", channel);
}

static void gaps(struct metrics *m, struct store *s)
{
	metrics_family(m, "missing_numbers", METRICS_GAUGE, "Numbers heard of, of which nothing was delivered or set aside.");
	for (unsigned i = 0; i < s->conf.channels; i++) /* total() and CAST end at the largest integer; sum() would fail beyond it, and a sender may say so much */
		metrics_add(m, of_channel(s, "SELECT CAST(total(last - first + 1) AS INTEGER) FROM gap WHERE channel = ?", s->conf.channel[i].name),
		    "channel", s->conf.channel[i].name, NULL);
	metrics_family(m, "oldest_gap_time_seconds", METRICS_GAUGE, "Since when the longest known number is missing; 0: none is.");
	for (unsigned i = 0; i < s->conf.channels; i++)
		metrics_add(m, of_channel(s, "SELECT min(since) FROM gap WHERE channel = ?", s->conf.channel[i].name), "channel",
		    s->conf.channel[i].name, NULL);
	metrics_family(m, "last_delivery_time_seconds", METRICS_GAUGE, "When something was delivered last; 0: never.");
	for (unsigned i = 0; i < s->conf.channels; i++)
		metrics_add(m, of_channel(s, "SELECT max(delivered_at) FROM stream WHERE channel = ?", s->conf.channel[i].name), "channel",
		    s->conf.channel[i].name, NULL);
}

static void peers(struct metrics *m, const struct store *s)
{
	metrics_family(m, "peer_session_start_time_seconds", METRICS_GAUGE, "When the present session was accepted; 0: none since the start.");
	for (unsigned i = 0; i < s->conf.peers; i++)
		metrics_add_seconds(m, s->peer[i].session_ms, "peer", s->conf.peer[i].name, NULL);
	metrics_family(m, "peer_old_epochs_total", METRICS_COUNTER, "Authentic HELLOs of an epoch before the newest: replays, or two machines with one key.");
	for (unsigned i = 0; i < s->conf.peers; i++)
		metrics_add(m, s->peer[i].old_epochs, "peer", s->conf.peer[i].name, NULL);
	metrics_family(m, "peer_key_valid", METRICS_GAUGE, "1: the sender's key is valid now; 0: what it sends is held sealed.");
	for (unsigned i = 0; i < s->conf.peers; i++)
		metrics_add(m, validity_at(&s->conf.peer[i], clock_wall_ms() / 1000), "peer", s->conf.peer[i].name, NULL);
	metrics_family(m, "peer_disk_trouble", METRICS_GAUGE, "1: the sender says that its disk takes nothing.");
	for (unsigned i = 0; i < s->conf.peers; i++)
		metrics_add(m, (s->peer[i].flags & BEAT_DISK) != 0, "peer", s->conf.peer[i].name, NULL);
}

static void host(struct metrics *m, struct store *s, int disk_trouble)
{
	struct statvfs v;

	metrics_family(m, "build_info", METRICS_GAUGE, "Always 1.");
	metrics_add(m, 1, "version", KM_VERSION, NULL);
	metrics_family(m, "start_time_seconds", METRICS_GAUGE, "When this receiver started.");
	metrics_add_seconds(m, s->started_ms, NULL);
	metrics_family(m, "written_time_seconds", METRICS_GAUGE, "When this was written: once a second.");
	metrics_add_seconds(m, clock_wall_ms(), NULL);
	metrics_one(m, "waiting_objects", METRICS_GAUGE, s->waiting, "Objects complete, not yet opened.");
	metrics_one(m, "quarantine_entries", METRICS_GAUGE, quarantine_count(&s->ledger), "What lies in the quarantine.");
	metrics_one(m, "ledger_rows", METRICS_GAUGE, (uint64_t)s->ledger.rows, "Rows of the ledger.");
	metrics_one(m, "disk_trouble", METRICS_GAUGE, (uint64_t)disk_trouble, "1: the disk keeps it from delivering or gathering; see the log.");
	if (fstatvfs(s->state, &v) != 0)
		return;
	metrics_one(m, "disk_free_bytes", METRICS_GAUGE, (uint64_t)v.f_bavail * v.f_frsize, "Free for it on the disk of inbox and state.");
	metrics_one(m, "disk_size_bytes", METRICS_GAUGE, (uint64_t)v.f_blocks * v.f_frsize, "Size of that disk.");
}

void receiver_metrics_write(struct store *s, int disk_trouble)
{
	uint64_t now = clock_mono_ns();
	struct metrics m;

	if (s->conf.metrics[0] == '\0' || metrics_open(&m, "katamichi_receiver_") != 0)
		return;
	host(&m, s, disk_trouble);
	link_counters(&m, &s->stats);
	link_gauges(&m, &s->stats);
	channels(&m, s);
	gaps(&m, s);
	peers(&m, s);
	if (metrics_close(&m, s->conf.metrics) == 0 || (s->metrics_log_ns != 0 && now - s->metrics_log_ns < SAY_NS))
		return;
	s->metrics_log_ns = now;
	log_warn("%s: the figures for Prometheus cannot be written: %s", s->conf.metrics, strerror(errno));
}
