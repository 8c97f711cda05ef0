/* sender_metrics.c - the sender's figures for Prometheus (spool.h, host/metrics.h).  None says "delivered": it cannot know. */
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "host/clock.h"
#include "host/log.h"
#include "host/metrics.h"
#include "sender/spool.h"

#ifndef KM_VERSION
#define KM_VERSION "0"
#endif

#define SAY_NS 600000000000ull

static void host(struct metrics *m, const struct spool *s)
{
	struct statvfs v;

	metrics_family(m, "build_info", METRICS_GAUGE, "Always 1.");
	metrics_add(m, 1, "version", KM_VERSION, NULL);
	metrics_family(m, "written_time_seconds", METRICS_GAUGE, "When this was written: once a second.");
	metrics_add_seconds(m, clock_wall_ms(), NULL);
	metrics_one(m, "disk_trouble", METRICS_GAUGE, s->disk_trouble, "1: something waits for the disk; see the log.");
	metrics_one(m, "clock_jumps_total", METRICS_COUNTER, s->clock_jumps, "Jumps of this machine's clock.");
	if (statvfs(s->conf.state, &v) != 0)
		return;
	metrics_one(m, "disk_free_bytes", METRICS_GAUGE, (uint64_t)v.f_bavail * v.f_frsize, "Free for it on the disk of its state.");
	metrics_one(m, "disk_size_bytes", METRICS_GAUGE, (uint64_t)v.f_blocks * v.f_frsize, "Size of that disk.");
}

static void link_part(struct metrics *m, const struct spool *s, uint64_t now_ns)
{
	uint64_t since_ms = 0;

	(void)rekey_epoch(s->rekey, now_ns, &since_ms);
	metrics_family(m, "link_session_start_time_seconds", METRICS_GAUGE, "When the present session began.");
	metrics_add_seconds(m, since_ms, NULL);
	metrics_one(m, "link_rate_bytes_per_second", METRICS_GAUGE, s->conf.rate / 8, "The configured rate.");
	metrics_one(m, "link_datagrams_total", METRICS_COUNTER, s->last.datagrams, "Datagrams sent.");
	metrics_one(m, "link_sent_bytes_total", METRICS_COUNTER, s->last.bytes, "Bytes of these, on the wire.");
	metrics_one(m, "link_refused_datagrams_total", METRICS_COUNTER, s->last.refused, "Datagrams this host would not send (no receiver, a filter).");
	metrics_one(m, "link_blocked_total", METRICS_COUNTER, s->last.blocked, "Times the kernel had no room, or the link was down.");
	metrics_one(m, "objects_in_flight", METRICS_GAUGE, s->last.in_flight, "Objects being sent.");
}

static void per_channel(struct metrics *m, struct spool *s)
{
	const struct sender_conf *c = &s->conf;

	metrics_family(m, "newest_number", METRICS_GAUGE, "Transfers numbered in this generation.");
	for (unsigned i = 0; i < c->channels; i++) {
		uint64_t newest = 0, oldest = 0;
		outbox_bounds(&s->outbox, c->channel[i].name, &newest, &oldest);
		metrics_add(m, newest, "channel", c->channel[i].name, NULL);
	}
	metrics_family(m, "outbox_bytes", METRICS_GAUGE, "Sealed objects that are kept for their repeats.");
	for (unsigned i = 0; i < c->channels; i++)
		metrics_add(m, outbox_kept(&s->outbox, c->channel[i].name), "channel", c->channel[i].name, NULL);
	metrics_family(m, "waiting_files", METRICS_GAUGE, "Files in the channel's folder, not yet taken.");
	for (unsigned i = 0; i < c->channels; i++)
		metrics_add(m, watch_count(s->watch, i), "channel", c->channel[i].name, NULL);
	metrics_family(m, "refused_files", METRICS_GAUGE, "Files in the channel's refused/, as last counted.");
	for (unsigned i = 0; i < c->channels; i++)
		metrics_add(m, s->feed[i].refused, "channel", c->channel[i].name, NULL);
}

void sender_metrics_write(struct spool *s, uint64_t now_ns)
{
	struct metrics m;

	if (s->conf.metrics[0] == '\0' || metrics_open(&m, "katamichi_sender_") != 0)
		return;
	host(&m, s);
	link_part(&m, s, now_ns);
	per_channel(&m, s);
	if (metrics_close(&m, s->conf.metrics) == 0 || (s->metrics_log_ns != 0 && now_ns - s->metrics_log_ns < SAY_NS))
		return;
	s->metrics_log_ns = now_ns;
	log_warn("%s: the figures for Prometheus cannot be written: %s", s->conf.metrics, strerror(errno));
}
